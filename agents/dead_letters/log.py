"""The topics of dead letters and of what was done about them, read as far as they are written, and no further."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaConnectionError  # type: ignore[import-untyped] # the same

from agents.broker.clients import start, stop
from agents.broker.topics import TopicsError, topic_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from schemas.topics import Topic

REQUEST_TIMEOUT_MS: Final = 10_000
FETCH_BYTES: Final = 262_144  # held of each partition at a time; a message larger than this comes alone
FETCH_WAIT_MS: Final = 100  # the broker keeps an empty fetch so long, and other questions wait behind it
AT_ONCE: Final = 500  # messages between two turns of the event loop
POLL_MS: Final = 1_000
PATIENCE_S: Final = 30.0  # a broker that shows nothing of what it has for so long does not answer


class Log:
    """A reader without a group; a context manager that closes it. It reads one thing at a time.

    Parameters
    ----------
    bootstrap, prefix
        Of the installation.

    Raises
    ------
    aiokafka.errors.KafkaConnectionError
        On entering: the broker does not answer.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.prefix = prefix
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def __aenter__(self) -> Self:
        try:
            await start(self._consumer)
        except BaseException:
            await stop(self._consumer)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stop(self._consumer)

    async def begins(self, topic: Topic) -> dict[int, int]:
        """Return the first offset that each partition of `topic` still has."""
        found = await self._consumer.beginning_offsets(await self._partitions(topic))
        return {one.partition: offset for one, offset in found.items()}

    async def records(
        self, topic: Topic, since: Mapping[int, int] | None = None, until: Mapping[int, int] | None = None
    ) -> AsyncIterator[Any]:
        """Give every message of `topic`, of each partition in order, up to what is there now.

        Parameters
        ----------
        since
            Partition -> first offset; of others the first that is kept.
        until
            Partition -> offset to end before; others are left out. None: all that is there.

        Raises
        ------
        TopicsError
            There is no such topic.
        aiokafka.errors.KafkaConnectionError
            The broker stopped answering.
        """
        partitions = await self._partitions(topic)
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        left: dict[TopicPartition, int] = {}
        first: dict[TopicPartition, int] = {}
        for one in partitions:
            last = ends[one] if until is None else min(ends[one], until.get(one.partition, 0))
            first[one] = max(begins[one], (since or {}).get(one.partition, 0))
            if first[one] < last:
                left[one] = last
        self._consumer.assign(list(left))
        for one in left:
            self._consumer.seek(one, first[one])
        async for record in self._until(left):
            yield record

    async def _until(self, left: dict[TopicPartition, int]) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while left:
            polled = await self._consumer.getmany(*left, timeout_ms=POLL_MS, max_records=AT_ONCE)
            if polled:
                heard = loop.time()
            elif loop.time() - heard > PATIENCE_S:
                raise KafkaConnectionError("the broker shows nothing of what it has")
            for one, records in polled.items():
                for record in records:
                    if record.offset < left[one]:
                        yield record
            for one in polled:
                if await self._consumer.position(one) >= left[one]:
                    del left[one]
            await asyncio.sleep(0)
        self._consumer.assign([])  # or it would go on fetching what nobody asked for

    async def _partitions(self, topic: Topic) -> list[TopicPartition]:
        name = topic_name(self.prefix, topic.name)
        # All topics are asked for: naming one that does not exist would let some brokers create it.
        known = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 - no public way tells partitions
        numbers = known.partitions_for_topic(name)
        if not numbers:
            raise TopicsError(f"topic {name} is missing: run `sonevakt topics apply`")
        return [TopicPartition(name, number) for number in sorted(numbers)]
