"""Reconciliation all the time: every few minutes what came since is accounted for, and what is missing is shown.

What is unaccounted for is looked at again in every round, until it is accounted for or a day old: then the round after
begins behind it, and the log has named its place. A restart begins a day back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents import wallclock
from agents.reconciliation.account import Step
from agents.reconciliation.checking import check, span_of
from agents.reconciliation.logs import opened
from agents.recordings.events import RecordingError
from agents.stores.port import ReadError
from pipeline.triage.instants import to_ms
from schemas.topics import CARE, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from agents.metrics import Metrics
    from agents.reconciliation.account import Account
    from agents.reconciliation.checking import Span
    from agents.reconciliation.logs import Logs
    from agents.stores.port import TimeSeriesStore

LOOKED_BACK: Final = timedelta(days=1)
LATE_AFTER: Final = 3  # rounds without an end before the process is not ready
TOLD: Final = 10  # places in one line of the log
AGAIN_S: Final = 5.0  # after a round that could not be made
_log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Reconciling:
    """The running check of one installation.

    Attributes
    ----------
    bootstrap, prefix, partitions
        Whose logs.
    every_s, settle_s
        Between rounds; and how long a message may be on its way [s].
    now
        What time it is; tests give their own.
    """

    bootstrap: str
    prefix: str
    partitions: int
    store: TimeSeriesStore
    metrics: Metrics
    every_s: float
    settle_s: float
    now: Callable[[], datetime] = wallclock.now
    _next: dict[tuple[int, str], int] = field(default_factory=dict, init=False)  # where each log is gone on with
    _moved: float | None = field(default=None, init=False)  # the last partition done, by the loop's clock [s]

    def moved_lately(self) -> bool:
        """Return whether a partition was gone through not long ago: the process's readiness."""
        bound = LATE_AFTER * self.every_s
        return self._moved is not None and asyncio.get_running_loop().time() - self._moved < bound

    async def run(self) -> None:
        """Check for ever, through every outage; ends when cancelled."""
        while True:
            try:
                async with opened(self.bootstrap, prefix=self.prefix, partitions=self.partitions) as logs:
                    while True:
                        await self.round(logs)
                        await asyncio.sleep(self.every_s)
            except (KafkaError, OSError, TimeoutError, ReadError, RecordingError) as error:
                _log.warning("not_reconciled", error=type(error).__name__)
                await asyncio.sleep(min(self.every_s, AGAIN_S))

    async def round(self, logs: Logs) -> None:
        """Account for everything since the last round, and show what is missing."""
        settled_at = self.now() - timedelta(seconds=self.settle_s)
        missing: Counter[Step] = Counter()
        until = settled_at
        for partition in range(self.partitions):
            span = await span_of(logs, partition, to_ms(settled_at - LOOKED_BACK), to_ms(settled_at))
            account = await check(logs, self.store, self._since_last(span), settled_ms=to_ms(settled_at))
            for topic, (_, stop) in ((SUBMISSIONS, span.submissions), (CARE, span.care)):
                self._next[partition, topic.name] = account.resume.get(topic.name, stop)
            missing.update(account.unaccounted)
            until = min(until, account.open_since or until)
            self._moved = asyncio.get_running_loop().time()
            _tell(account)
        for step in Step:
            self.metrics.unaccounted.labels(step.value).set(missing[step])
        self.metrics.accounted_until.set(until.timestamp())
        self.metrics.reconciled.set(self.now().timestamp())

    def _since_last(self, span: Span) -> Span:
        """`span` without what an earlier round accounted for."""
        return msgspec.structs.replace(
            span,
            submissions=self._range(span.partition, SUBMISSIONS.name, span.submissions),
            care=self._range(span.partition, CARE.name, span.care),
        )

    def _range(self, partition: int, topic: str, offsets: tuple[int, int]) -> tuple[int, int]:
        first, stop = offsets
        at = self._next.get((partition, topic), first)
        if at < first:
            _log.warning("unaccounted_left_behind", topic=topic, partition=partition, offset=at)
        return min(max(first, at), stop), stop


def _tell(account: Account) -> None:
    """Where the missing lie; who they are, only `sonevakt reconcile` says."""
    for one in account.missing[:TOLD]:
        _log.error(
            "unaccounted",
            reason=one.step.value,
            topic=one.topic,
            partition=one.partition,
            offset=one.offset,
            count=sum(account.unaccounted.values()),
        )
