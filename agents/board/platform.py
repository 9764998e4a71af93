"""Whether the core is at work, as a board can know it: from the broker alone, and from the store's own answer.

A board that shows a quiet list must know that it would not be quiet if somebody were ill.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents import wallclock
from agents.board.conditions import CLEAR_S, HOLD_S, Condition
from agents.board.successes import Successes
from agents.broker.lag import LagWatch
from agents.canary.hearing import Hearing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime

    from agents.broker.lag import Lag, Partition
    from agents.wallclock import Clock

Kind = Literal["broker", "triage", "paging", "clock", "canary_late", "storing", "store"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # the gravest first
ASK_EVERY_S: Final = 2.0
ANSWER_S: Final = 6.0  # an answer that takes longer is none [s]
AGE_S: Final = 10.0  # a message that waits for longer is not worked [s]; our choice
CANARY_SLACK_S: Final = 15.0
_GROUPS: Final[tuple[Kind, ...]] = ("triage", "paging", "storing")
_log = structlog.get_logger()


class Trouble(NamedTuple):
    """What is not at work, since when, and of which service where it is not all of them."""

    kind: Kind
    since: datetime
    service: str | None = None


class Platform:
    """Watches for as long as `run` does; `troubles` is what a nurse must know of now.

    Parameters
    ----------
    bootstrap, prefix
        Of the broker.
    groups
        Consumer group and topics of triage, paging and storing; of those alone that shall be at work.
    ticks
        The clock's topic, which is one of triage's.
    tick_s
        How often the clock ticks [s].
    services
        Those that have a canary.
    canary_every_s, canary_within_s
        As the canaries' own settings say [s].
    ping
        Whether the store answers; None: there is none, or it cannot be away.
    now
        What time it is.
    """

    def __init__(  # noqa: PLR0913 - what is watched, by name
        self,
        *,
        bootstrap: str,
        prefix: str,
        groups: Mapping[Kind, tuple[str, Collection[str]]],
        ticks: str,
        tick_s: float,
        services: Collection[str] = (),
        canary_every_s: float = 300.0,
        canary_within_s: float = 60.0,
        ping: Callable[[], Awaitable[bool]] | None = None,
        now: Clock = wallclock.now,
    ) -> None:
        self._bootstrap = bootstrap
        self._groups = groups
        self._ticks = ticks
        self._tick_s = tick_s
        self._ping = ping
        self._now = now
        self._conditions: dict[Kind, Condition] = {kind: Condition(HOLD_S, CLEAR_S) for kind in KINDS}
        self._moved: dict[Partition, tuple[int, float]] = {}  # end of a partition of ticks, and since when it is that
        late_after = timedelta(seconds=canary_every_s + canary_within_s + CANARY_SLACK_S)
        self._canaries = Successes(services, timedelta(seconds=canary_within_s), late_after)
        self._hearing = Hearing(bootstrap=bootstrap, prefix=prefix, heard=self._canaries.heard)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What is not at work now, the gravest first."""
        found = [Trouble(kind, one.since) for kind, one in self._conditions.items() if one.since is not None]
        if self._conditions["store"].since is not None:  # storing waits for it, and is not at fault
            found = [trouble for trouble in found if trouble.kind != "storing"]
        if self._hearing.complete():
            self._canaries.caught_up()
        found += [Trouble("canary_late", since, service) for service, since in self._canaries.late(self._now())]
        return tuple(sorted(found, key=lambda trouble: (KINDS.index(trouble.kind), trouble.service or "")))

    async def run(self) -> None:
        """Watch for ever; ends when cancelled."""
        self._canaries.begin(self._now())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_broker())
            if self._canaries.services:
                tasks.create_task(self._hearing.run())
            if self._ping is not None:
                tasks.create_task(self._watch_store(self._ping))

    # The broker, and what it tells of the others.

    async def _watch_broker(self) -> None:
        while True:
            try:
                async with asyncio.timeout(ANSWER_S):
                    watch = await LagWatch(self._bootstrap).__aenter__()
            except (KafkaError, OSError, TimeoutError) as error:
                self._silent(error)
            else:
                try:
                    while True:
                        await self._look(watch)
                        self._see("broker", well=True)
                        await asyncio.sleep(ASK_EVERY_S)
                except (KafkaError, OSError, TimeoutError) as error:
                    self._silent(error)
                finally:
                    await watch.__aexit__(None, None, None)
            await asyncio.sleep(ASK_EVERY_S)

    async def _look(self, watch: LagWatch) -> None:
        for kind, (group, topics) in self._groups.items():
            async with asyncio.timeout(ANSWER_S):
                behind = await watch.behind(group, topics)
                oldest = min((await watch.waiting_since(behind)).values(), default=None)
                members = await watch.members(group)
            in_time = oldest is None or self._now() - oldest <= timedelta(seconds=AGE_S)
            self._see(kind, well=in_time and members != 0)
            if kind == "triage":
                self._see("clock", well=self._ticking(behind))

    def _ticking(self, behind: Mapping[Partition, Lag]) -> bool:
        """Whether every partition of ticks has grown not long ago."""
        loop_s = asyncio.get_running_loop().time()
        for partition, lag in behind.items():
            if partition[0] == self._ticks and self._moved.get(partition, (-1, 0.0))[0] != lag.end:
                self._moved[partition] = lag.end, loop_s
        bound_s = 2 * (self._tick_s + ASK_EVERY_S)
        return all(loop_s - at < bound_s for _, at in self._moved.values())

    def _silent(self, error: Exception) -> None:
        _log.warning("broker_not_heard", error=type(error).__name__)
        self._see("broker", well=False)
        loop_s, now = asyncio.get_running_loop().time(), self._now()
        for kind in (*_GROUPS, "clock"):
            self._conditions[kind].unknown(loop_s=loop_s, now=now)
        self._moved = {partition: (end, loop_s) for partition, (end, _) in self._moved.items()}

    # The store.

    async def _watch_store(self, ping: Callable[[], Awaitable[bool]]) -> None:
        while True:
            answered = False
            try:
                async with asyncio.timeout(ANSWER_S):
                    answered = await ping()
            except (OSError, TimeoutError):
                pass  # that is what is asked
            self._see("store", well=answered)
            await asyncio.sleep(ASK_EVERY_S)

    def _see(self, kind: Kind, *, well: bool) -> None:
        self._conditions[kind].seen(well=well, loop_s=asyncio.get_running_loop().time(), now=self._now())
