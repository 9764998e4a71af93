"""Reads topics without a group, for ever, and knows whether it has heard everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents import wallclock
from agents.broker.clients import started
from agents.broker.topics import topic_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import TopicPartition

POLL_MS: Final = 500
FETCH_WAIT_MS: Final = 500  # the broker keeps an empty fetch so long, and other questions wait behind it
REQUEST_TIMEOUT_MS: Final = 5_000
ASK_EVERY: Final = 2.0  # how often the broker is asked what it has [s]
STALE_AFTER: Final = 15.0  # a list that was not known to be complete for so long says so [s]
AT_ONCE: Final = 200  # messages taken between two looks at what else there is to do
_log = structlog.get_logger()


class Source(NamedTuple):
    """A topic, and who takes its messages: key, value, when it was written [ms since 1970].

    Attributes
    ----------
    days
        How far back it is read [d]; None: from the beginning.
    """

    topic: str
    take: Callable[[bytes | None, bytes | None, int], None]
    days: int | None = None


@dataclass(kw_only=True)
class Reading:
    """One reader of some topics, without a group: every board reads all of them.

    Attributes
    ----------
    bootstrap, prefix
        Where it reads: every partition that the topics have.
    sources
        What it reads, and where it puts it.
    now
        What time it is, for topics that are read from some days ago.
    """

    bootstrap: str
    prefix: str
    sources: tuple[Source, ...]
    fetch_wait_ms: int | None = None
    now: wallclock.Clock = wallclock.now
    _complete_at: float | None = field(default=None, init=False)  # when all was heard, by the loop's clock [s]
    _asked_at: float = field(default=float("-inf"), init=False)

    def up_to_date(self) -> bool:
        """Return whether everything that the broker has was heard, not long ago."""
        return self._complete_at is not None and asyncio.get_running_loop().time() - self._complete_at < STALE_AFTER

    async def run(self) -> None:
        """Read for ever, through every outage of the broker; ends when cancelled."""
        while True:
            try:
                async with started(self._consumer()) as consumer:
                    await self._seek(consumer)
                    self._asked_at = float("-inf")
                    while True:
                        await self._read(consumer)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("board_not_connected", error=type(error).__name__)
                await asyncio.sleep(1.0)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *(topic_name(self.prefix, source.topic) for source in self.sources),
            bootstrap_servers=self.bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS if self.fetch_wait_ms is None else self.fetch_wait_ms,
        )

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Begin each topic that is not read whole at its days ago."""
        for source in self.sources:
            if source.days is None:
                continue
            since_ms = round((self.now() - timedelta(days=source.days)).timestamp() * 1000)
            name = topic_name(self.prefix, source.topic)
            partitions = [one for one in consumer.assignment() if one.topic == name]
            found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms)) if partitions else {}
            for partition in partitions:
                at = found.get(partition)
                if at is not None:  # else nothing is so new, or the broker cannot tell: it is read from the beginning
                    consumer.seek(partition, at.offset)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        polled: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=POLL_MS)
        takers = {topic_name(self.prefix, source.topic): source.take for source in self.sources}
        for partition, records in polled.items():
            take = takers[partition.topic]
            for number, record in enumerate(records, start=1):
                take(record.key, record.value, record.timestamp)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)  # pages are served while a long history is read
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at < ASK_EVERY:
            return
        # A consumer cut off from its broker just reads nothing: only an answer of the broker tells the two apart.
        async with asyncio.timeout(REQUEST_TIMEOUT_MS / 1000):
            assigned = consumer.assignment()
            end = await consumer.end_offsets(assigned)
            behind = [one for one in assigned if await consumer.position(one) < end[one]]
        self._asked_at = loop.time()
        if assigned and not behind:
            self._complete_at = self._asked_at
