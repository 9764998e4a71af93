"""How far a group is behind, in messages and in seconds, as the broker tells it.

A stalled consumer believes that it is up to date; the broker knows what was written and what was committed. The
measuring client has no group of its own, joins none and commits nothing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped] # the same
from aiokafka.errors import (  # type: ignore[import-untyped] # the same
    IncompatibleBrokerVersion,
    KafkaError,
    for_code,
)
from msgspec import Struct

from agents import wallclock
from agents.broker.clients import start, stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from types import TracebackType

    from agents.metrics import Metrics

Partition = tuple[str, int]
REQUEST_TIMEOUT_MS: Final = 10_000
COORDINATOR_TIMEOUT: Final = 15.0  # for a group's coordinator to be there [s]
RETRY_SECONDS: Final = 0.2
FIRST_RECORDS_TIMEOUT: Final = 5.0  # to be told the first waiting message of every partition [s]
_MEMBERS: Final = 5  # place in the broker's description of a group
FETCH_BYTES: Final = 16_384  # only the first message of a partition is wanted; the broker gives one at least
_log = structlog.get_logger()


class Lag(Struct, frozen=True, kw_only=True):
    """What a group has not yet committed of one partition."""

    messages: int
    first: int  # offset of the first of them

    @property
    def end(self) -> int:
        """The offset that the next message of the partition will have."""
        return self.first + self.messages

    def __bool__(self) -> bool:
        return self.messages > 0


class LagWatch:
    """A client that asks the broker; a context manager that closes it.

    Parameters
    ----------
    bootstrap
        host:port[,host:port]
    """

    def __init__(self, bootstrap: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def __aenter__(self) -> Self:
        try:
            await start(self._admin)
            await start(self._reader)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        await stop(self._reader)
        await stop(self._admin)

    async def behind(self, group: str, topics: Collection[str]) -> dict[Partition, Lag]:
        """Return the lag of `group` on every partition of `topics`.

        A group that never committed is behind by everything that is kept. A topic that does not exist has no entry.
        """
        described: list[Any] = await self._admin.describe_topics()
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            if topic["topic"] in topics
            for partition in topic["partitions"]
        ]
        if not partitions:
            return {}
        # Committed before end: what is written in between makes the lag look longer, never shorter.
        committed = await self._committed(group, partitions)
        begin = await self._reader.beginning_offsets(partitions)
        end = await self._reader.end_offsets(partitions)
        behind: dict[Partition, Lag] = {}
        for partition in partitions:
            done = committed[partition].offset if partition in committed else -1
            first = max(done, begin[partition])
            behind[partition.topic, partition.partition] = Lag(messages=max(0, end[partition] - first), first=first)
        return behind

    async def _committed(self, group: str, partitions: list[TopicPartition]) -> dict[TopicPartition, Any]:
        found: dict[TopicPartition, Any] = await _of_coordinator(
            lambda: self._admin.list_consumer_group_offsets(group, partitions=partitions)
        )
        return found

    async def members(self, group: str) -> int | None:
        """Return how many members `group` has; None: this broker does not tell, as the embedded one.

        A member that was killed counts until its session timeout is over.
        """
        try:
            answers: list[Any] = await _of_coordinator(lambda: self._admin.describe_consumer_groups([group]))
        except IncompatibleBrokerVersion:
            return None
        described = [one for answer in answers for one in answer.groups]
        for code, *_ in described:
            if code != 0:
                raise for_code(code)
        return sum(len(one[_MEMBERS]) for one in described)

    async def waiting_since(self, behind: Mapping[Partition, Lag]) -> dict[str, datetime]:
        """Return, for each topic with something waiting, when the oldest waiting message was written."""
        late = {TopicPartition(*partition): lag.first for partition, lag in behind.items() if lag}
        oldest: dict[str, datetime] = {}
        if not late:
            return oldest
        self._reader.assign(list(late))
        for partition, offset in late.items():
            self._reader.seek(partition, offset)
        # A log that was compacted or cut in between has no first message to show: the deadline ends the wait.
        deadline = asyncio.get_running_loop().time() + FIRST_RECORDS_TIMEOUT
        missing = set(late)
        while missing and (left := deadline - asyncio.get_running_loop().time()) > 0:
            for partition, records in (await self._reader.getmany(*missing, timeout_ms=round(left * 1000))).items():
                if records:
                    missing.discard(partition)
                    at = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
                    oldest[partition.topic] = min(at, oldest.get(partition.topic, at))
        self._reader.assign([])
        return oldest


async def _of_coordinator(ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - aiokafka ships no types
    """Ask a group's coordinator, again where there is none yet.

    A new cluster makes its topic of commits at the first question, and a coordinator may just be moving.
    """
    deadline = asyncio.get_running_loop().time() + COORDINATOR_TIMEOUT
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(RETRY_SECONDS)


async def lag(bootstrap: str, group: str, topics: Collection[str]) -> dict[Partition, int]:
    """Return how many messages `group` is behind on each partition of `topics`.

    Raises
    ------
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    async with LagWatch(bootstrap) as watch:
        return {partition: lag.messages for partition, lag in (await watch.behind(group, topics)).items()}


async def caught_up(bootstrap: str, group: str, topics: Collection[str], *, poll: float = 0.2) -> None:
    """Wait until `group` has committed all of `topics`; bound it with asyncio.timeout.

    Raises
    ------
    LookupError
        A topic does not exist, so nobody will ever commit it.
    """
    async with LagWatch(bootstrap) as watch:
        behind = await watch.behind(group, topics)
        if missing := set(topics) - {topic for topic, _ in behind}:
            raise LookupError(f"no topic {', '.join(sorted(missing))}: run `sonevakt topics apply`")
        while any(behind.values()):
            await asyncio.sleep(poll)
            behind = await watch.behind(group, topics)


async def show(
    bootstrap: str,
    groups: Mapping[str, Collection[str]],
    metrics: Metrics,
    *,
    every: float = 5.0,
    now: Callable[[], datetime] = wallclock.now,
) -> None:
    """Keep the lag metrics of each group's topics up to date, for ever, whatever the broker does.

    While the broker does not answer the last values stand, and `lag_measured` says how old they are.
    """
    while True:
        try:
            async with LagWatch(bootstrap) as watch:
                while True:
                    await _measure(watch, groups, metrics, now)
                    await asyncio.sleep(every)
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("lag_unknown", error=type(error).__name__)
            await asyncio.sleep(every)


async def _measure(
    watch: LagWatch, groups: Mapping[str, Collection[str]], metrics: Metrics, now: Callable[[], datetime]
) -> None:
    for group, topics in groups.items():
        behind = await watch.behind(group, topics)
        since = await watch.waiting_since(behind)
        for topic in topics:
            waiting = sum(lag.messages for (name, _), lag in behind.items() if name == topic)
            metrics.consumer_lag_messages.labels(group, topic).set(waiting)
            if topic in since:
                metrics.consumer_lag_seconds.labels(group, topic).set(max(0.0, (now() - since[topic]).total_seconds()))
            elif not waiting:  # one that waits and whose age is not known keeps the age it had
                metrics.consumer_lag_seconds.labels(group, topic).set(0)
    metrics.lag_measured.set(now().timestamp())
