"""The store written again from the broker's logs: the storing group is set back to an earlier place in each.

A point is known by what it is, so what the store holds already stays as it is and what it lost is there again. It goes
back as far as the logs do: measurements and decisions for 90 days, care events to the first, and of statuses the newest
of each patient. The group is only ever set back: what is not stored yet is never passed over.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import CommitFailedError, UnknownMemberIdError  # type: ignore[import-untyped] # the same
from msgspec import Struct

from agents.broker.clients import started
from agents.broker.lag import LagWatch
from agents.broker.topics import topic_name
from agents.reconciliation import logs
from agents.storing.sink import STORED
from schemas.topics import Topic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from agents.reconciliation.logs import KafkaLogs

TOPICS: Final = tuple(topic for topic, _ in STORED)
ASKED_EVERY_S: Final = 0.5
_AT_WORK: Final = "storing is at work: stop every process of it, and ask again"


class AtWorkError(RuntimeError):
    """The group has members, which would commit over what is set back."""


class Place(Struct, frozen=True, kw_only=True):
    """Where storing goes on in one partition, and how many messages it writes from there to the end."""

    topic: Topic
    partition: int
    offset: int
    messages: int


class Rebuilding:
    """The storing group while it is at rest; made by `opened`."""

    def __init__(self, consumer: AIOKafkaConsumer, read: KafkaLogs, prefix: str, partitions: int) -> None:
        self._consumer = consumer
        self._logs = read
        self._prefix = prefix
        self._partitions = partitions

    async def places(self, from_at: datetime | None) -> list[Place]:
        """Return where to go on so that everything written from `from_at` on is stored again; None: all that is kept.

        Where more than that is not stored yet, it begins there.
        """
        return [
            await self._place(topic, partition, from_at) for topic in TOPICS for partition in range(self._partitions)
        ]

    async def _place(self, topic: Topic, partition: int, from_at: datetime | None) -> Place:
        begin, end = await self._logs.bounds(topic, partition)
        offset = begin
        if from_at is not None:
            committed = await self._consumer.committed(self._of(topic, partition))
            wanted = await self._logs.first_at(topic, partition, round(from_at.timestamp() * 1000))
            offset = max(begin, min(wanted, begin if committed is None else committed))
        return Place(topic=topic, partition=partition, offset=offset, messages=end - offset)

    async def set_back(self, places: list[Place]) -> None:
        """Let storing go on at `places` when it starts next; raises AtWorkError where it has started meanwhile."""
        try:
            await self._consumer.commit({self._of(place.topic, place.partition): place.offset for place in places})
        except (CommitFailedError, UnknownMemberIdError):
            raise AtWorkError(_AT_WORK) from None

    def _of(self, topic: Topic, partition: int) -> TopicPartition:
        return TopicPartition(topic_name(self._prefix, topic.name), partition)


@asynccontextmanager
async def opened(
    bootstrap: str, group: str, *, prefix: str, partitions: int, patience_s: float
) -> AsyncIterator[Rebuilding]:
    """Everything that setting back needs, while the block runs.

    Parameters
    ----------
    group
        Of the storing processes.
    patience_s
        How long a member that has just ended is waited for: one with a static name stays for its session [s].

    Raises
    ------
    AtWorkError
        The group has members.
    RecordingError
        A topic does not have so many partitions.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    async with logs.opened(bootstrap, prefix=prefix, partitions=partitions, read=TOPICS) as read, started(consumer):
        await _at_rest(bootstrap, group, patience_s)
        consumer.assign(
            [TopicPartition(topic_name(prefix, topic.name), number) for topic in TOPICS for number in range(partitions)]
        )
        yield Rebuilding(consumer, read, prefix, partitions)


async def _at_rest(bootstrap: str, group: str, patience_s: float) -> None:
    try:
        async with LagWatch(bootstrap) as watch, asyncio.timeout(patience_s):
            while await watch.members(group):  # noqa: ASYNC110 - the broker is asked, nobody tells it
                await asyncio.sleep(ASKED_EVERY_S)
    except TimeoutError:
        raise AtWorkError(_AT_WORK) from None
