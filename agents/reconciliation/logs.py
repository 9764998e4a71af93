"""The broker's logs, a partition at a time and in order, without a group and without holding them in memory."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaConnectionError  # type: ignore[import-untyped] # the same

from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.recordings.events import RecordingError
from agents.streaming import Record
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from schemas.topics import Topic

READ: Final = (SUBMISSIONS, CARE, ASSESSMENTS, DEAD_LETTERS)
POLL_MS: Final = 1000
MOST_QUIET: Final = 30  # polls without an answer
FETCH_WAIT_MS: Final = 10  # nothing is read that is not there already
REQUEST_TIMEOUT_MS: Final = 10_000


class Logs(Protocol):
    """What a check reads."""

    def name(self, topic: Topic) -> str:
        """The broker's name for `topic`, as it stands in the headers of dead letters."""

    async def bounds(self, topic: Topic, partition: int) -> tuple[int, int]:
        """The first offset that is kept, and the one that comes next."""

    async def first_at(self, topic: Topic, partition: int, at_ms: int) -> int:
        """The offset of the first message written at `at_ms` or later [ms since 1970]; where none is, what comes next.

        Whatever the clocks do, two periods that meet have every message in exactly one of them.
        """

    def read(self, topic: Topic, partition: int, start: int, stop: int) -> AsyncGenerator[Record, None]:
        """The messages from offset `start` on and before `stop`. To be closed (aclosing) by whoever ends it early."""


class KafkaLogs:
    """The logs of one installation; see `Logs`.

    Parameters
    ----------
    consumer
        Started, without a group.
    prefix
        What stands before every topic's name.
    """

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix
        self._at: tuple[TopicPartition, int] | None = None  # where the consumer reads next

    def name(self, topic: Topic) -> str:
        """See `Logs`."""
        return topic_name(self._prefix, topic.name)

    async def bounds(self, topic: Topic, partition: int) -> tuple[int, int]:
        """See `Logs`."""
        of = TopicPartition(self.name(topic), partition)
        begin: int = (await self._consumer.beginning_offsets([of]))[of]
        end: int = (await self._consumer.end_offsets([of]))[of]
        return begin, end

    async def first_at(self, topic: Topic, partition: int, at_ms: int) -> int:
        """See `Logs`. The embedded broker cannot be asked by time, so its log, which is short, is read."""
        of = TopicPartition(self.name(topic), partition)
        found = (await self._consumer.offsets_for_times({of: max(0, at_ms)}))[of]
        if found is not None:
            return int(found.offset)
        begin, end = await self.bounds(topic, partition)
        at = end
        for first in (end - 1, begin):  # the last one says whether there is any
            async with aclosing(self.read(topic, partition, max(first, begin), end)) as records:
                async for record in records:
                    if record.timestamp_ms >= at_ms:
                        at = record.offset
                        break
                else:
                    return end
        return at

    async def read(self, topic: Topic, partition: int, start: int, stop: int) -> AsyncGenerator[Record, None]:
        """See `Logs`. Another reading may come in between: each goes on where it was."""
        of = TopicPartition(self.name(topic), partition)
        quiet = 0
        try:
            while start < stop:
                if self._at != (of, start):
                    self._consumer.assign([of])
                    self._consumer.seek(of, start)
                self._at, before = None, start
                records = (await self._consumer.getmany(of, timeout_ms=POLL_MS)).get(of, [])
                start = await self._consumer.position(of)
                self._at = (of, start)
                quiet = 0 if start > before else quiet + 1
                if quiet > MOST_QUIET:
                    raise KafkaConnectionError(f"nothing comes of {of.topic}")
                for record in records:
                    if record.offset < stop:
                        headers = tuple(record.headers)
                        yield Record(
                            topic.name, partition, record.offset, record.key, record.value, record.timestamp, headers
                        )
        finally:
            self._at = None
            self._consumer.assign([])  # or it would fetch on, and every question would stand behind a fetch that waits


@asynccontextmanager
async def opened(
    bootstrap: str, *, prefix: str, partitions: int, read: Sequence[Topic] = READ
) -> AsyncIterator[KafkaLogs]:
    """The logs, while the block runs.

    Raises
    ------
    RecordingError
        A topic does not have so many partitions.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    async with started(consumer):
        names = [topic_name(prefix, topic.name) for topic in read]
        consumer.assign([TopicPartition(name, 0) for name in names])
        await consumer._client.force_metadata_update()  # noqa: SLF001 - there is no public way to know a partition
        for name in names:
            found = consumer.partitions_for_topic(name) or set()
            if found != set(range(partitions)):
                raise RecordingError(
                    f"topic {name} has {len(found)} partitions and not {partitions}:"
                    " set SONEVAKT_PARTITIONS and SONEVAKT_TOPIC_PREFIX to what the topics have"
                )
        yield KafkaLogs(consumer, prefix)
