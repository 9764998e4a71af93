"""An embedded broker with poison on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.broker.clients import started
from agents.broker.embedded import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "t-"
PARTITIONS = 3
AT_MS = 1_772_352_000_000  # 2026-03-01T08:00:00Z


class Installation:
    """Topics of one installation, and what is written there."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.bootstrap = broker.bootstrap

    async def write(self, topic: str, value: bytes, **how: Any) -> int:  # noqa: ANN401 - aiokafka's own
        """Write one message; its offset."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=2**21)
        async with started(producer):
            headers = how.pop("headers", {}).items()
            how["headers"] = [(name, None if text is None else text.encode()) for name, text in headers]
            return int((await producer.send_and_wait(PREFIX + topic, value, **{"partition": 0} | how)).offset)

    async def bury(  # noqa: PLR0913 - what a dead letter tells
        self,
        value: bytes = b"{",
        *,
        number: int = 7,
        at_ms: int = AT_MS,
        reason: str = "not_json",
        topic: str = "submissions",
        origin: int = 2,
        key: bytes | None = b"sim-0001",
        also: dict[str, str | None] | None = None,
    ) -> int:
        """Write the dead letter of the message `number` of a topic's partition `origin`, with headers `also`."""
        headers = {
            "reason": reason,
            "topic": PREFIX + topic,
            "partition": str(origin),
            "offset": str(number),
        }
        told = headers | (also or {})
        return await self.write("dead-letters", value, timestamp_ms=at_ms, key=key, headers=told)

    async def on(self, topic: str) -> list[Any]:
        """Return all that is on a topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        async with started(consumer):
            partitions = [TopicPartition(PREFIX + topic, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[Any] = []
            async with asyncio.timeout(20):
                while len(found) < sum(ends.values()):
                    found += [one for some in (await consumer.getmany(timeout_ms=100)).values() for one in some]
            return found


@pytest.fixture
def installation() -> Iterator[Installation]:
    with EmbeddedBroker(partitions=PARTITIONS, prefix=PREFIX) as broker:
        yield Installation(broker)
