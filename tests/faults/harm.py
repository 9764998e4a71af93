"""What is done to the product and its servers: kills, pauses, rolling restarts, outages, by a seeded schedule."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from agents import wallclock
from tests.faults.ends import Fault
from tests.faults.proxy import LATE_S, Mood

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from random import Random

    from infra.local.servers import InfluxDB, Kafka
    from tests.faults.product import Member, Product
    from tests.faults.proxy import Proxy

SESSION_S: Final = 6.0
PAUSE_S: Final = SESSION_S + 3
KILLED: Final = (
    "triage",
    "gateway",
    "triage",
    "storing",
    "triage",
    "paging",
    "triage",
    "clock",
    "triage",
    "storing",
    "triage",
    "board",
    "triage",
    "reconcile",
)
PAUSED: Final = ("triage", "storing", "paging")
OUTAGES: Final = (
    "kafka_stop",
    Mood.BAD_LINE.value,
    "influxdb_stop",
    "webhook",
    Mood.UNAVAILABLE.value,
    Mood.LATE.value,
    Mood.CUT_ASKING.value,
    "kafka_stop",
    Mood.TOO_MANY.value,
    Mood.CUT.value,
    Mood.SLOW.value,
    Mood.AWAY.value,
)
MEETS_S: Final = 90.0  # so long is waited at most for somebody to meet an outage,
TRIES: Final = 3  # and so often it is made
_SERVERS: Final = ThreadPoolExecutor(1)  # a server ends with the thread that started it: this one stays


@dataclass
class Harm:
    """Does it, and remembers what it did.

    Attributes
    ----------
    seconds
        While faults happen.
    posts
        How many pages were posted to receivers so far.
    taken
        How many sessions the broker has taken so far.
    apart
        Whether kills are of triage alone and lie as far apart as may be.
    done
        How often what was done.
    faults
        When it was done.
    webhook
        How receivers behave: "", "down" (503), "hangs" (for longer than is waited), "forgets" (takes, and says 503).
    """

    product: Product
    proxy: Proxy
    kafka: Kafka
    influxdb: InfluxDB
    random: Random
    seconds: float
    apart: bool = False
    posts: Callable[[], int] = int
    taken: Callable[[], int] = int
    done: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    webhook: str = ""
    _killed: int = 0
    _paused: int = 0
    _outages: int = 0

    async def part(self, part_s: float, *, kills: int, pauses: int, outages: int, rolls: int) -> None:
        """One part of the run: so many of each, and what a kill spoilt again; it ends when all are done."""
        began = monotonic()
        tasks = []
        planned = self._schedule(part_s, kills=kills, pauses=pauses, outages=outages, rolls=rolls)
        for at_s, fault in sorted(planned, key=lambda one: one[0]):
            await asyncio.sleep(max(0.0, began + at_s - monotonic()))
            tasks.append(asyncio.create_task(fault()))
        await asyncio.gather(*tasks)
        await asyncio.sleep(max(0.0, began + part_s - monotonic()))

    def _schedule(
        self, part_s: float, *, kills: int, pauses: int, outages: int, rolls: int
    ) -> Iterator[tuple[float, Callable[[], Coroutine[Any, Any, None]]]]:
        """The faults of a part, each at its time [s]; outages come one after the other."""
        draw = self.random
        for place in range(kills):
            yield ((place + 0.5) * part_s / kills if self.apart else draw.uniform(0, part_s)), self._kill
        for _ in range(rolls):
            yield draw.uniform(0, part_s), self._roll
        for place in range(pauses):
            yield (place + draw.random() / 2) * part_s / pauses, self._pause
        if outages:
            at_s = [(place + draw.random() / 3) * part_s / outages for place in range(outages)]
            yield at_s[0], lambda: self._outages_at([at - at_s[0] for at in at_s])

    async def _outages_at(self, at_s: list[float]) -> None:
        began = monotonic()
        for at in at_s:
            await asyncio.sleep(max(0.0, began + at - monotonic()))
            name = OUTAGES[self._outages % len(OUTAGES)]
            self._outages += 1
            await self.outage(name)

    async def _member(self, kind: str) -> Member:
        """One of a kind that runs."""
        while True:
            there = [one for one in self.product.of[kind] if one.running and not one.paused]
            if there:
                return self.random.choice(there)
            await asyncio.sleep(0.1)

    async def _kill(self) -> None:
        kind = "triage" if self.apart else KILLED[self._killed % len(KILLED)]
        self._killed += 1
        while not (await self._member(kind)).kill():  # noqa: ASYNC110 - it is being started again
            await asyncio.sleep(0.1)
        self.done[f"kill -9 {kind}"] += 1

    async def _roll(self) -> None:
        kind = self.random.choice(list(self.product.of))
        if (await self._member(kind)).terminate():
            self.done["restart in order"] += 1

    async def _pause(self) -> None:
        """SIGSTOP past the session's end; once more where the paused process did not live to be woken."""
        kind = PAUSED[self._paused % len(PAUSED)]
        self._paused += 1
        while True:
            member = await self._member(kind)
            pid = member.pause()
            if pid is None:
                continue
            began = wallclock.now().timestamp()
            await asyncio.sleep(PAUSE_S)
            woken = member.wake(pid)
            self.faults.append(Fault("pause", began, wallclock.now().timestamp(), pid))
            if woken:
                self.done[f"pause past the session, {kind}"] += 1
                return
            self.done["pause that the end of its process spoilt (made again)"] += 1

    async def outage(self, name: str, lasts: float | None = None) -> None:
        """One outage, by its name, and for how long [s]; once more where nobody met it, TRIES times in all.

        Raises
        ------
        TimeoutError
            Nobody ever met it: what should have come by there stands still.
        """
        for _ in range(TRIES):
            if await self._outage(name, lasts):
                return
            self.done["trouble that nobody met in time (made again)"] += 1
        raise TimeoutError(f"nobody met {name} in {TRIES} times")

    async def _outage(self, name: str, lasts: float | None) -> bool:
        """Whether somebody met it."""
        met = True
        least, most = (LATE_S + 1, LATE_S + 4) if name == Mood.LATE.value else (4, 10)
        if lasts is None:
            lasts = max(
                least if name == Mood.LATE.value else 2, min(self.random.uniform(least, most), self.seconds / 8)
            )
        began = wallclock.now().timestamp()
        if name in {mood.value for mood in Mood}:
            before = self.proxy.troubled
            self.proxy.mood = Mood(name)
            met = await self._until(lasts, lambda: self.proxy.troubled > before)
            self.proxy.mood = Mood.WELL
        elif name == "webhook":
            self.webhook = self.random.choice(("down", "hangs", "forgets"))
            before = self.posts()
            met = await self._until(lasts, lambda: self.posts() > before)
            self.webhook = ""
        else:
            server = self.kafka if name == "kafka_stop" else self.influxdb
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(_SERVERS, self.random.choice((server.stop, server.kill)))
            await asyncio.sleep(lasts)
            await loop.run_in_executor(_SERVERS, server.start)
            if name == "kafka_stop":
                await self._takes_again()
        self.faults.append(Fault(name, began, wallclock.now().timestamp()))
        if met:
            self.done[f"outage {name}"] += 1
        return met

    async def _takes_again(self) -> None:
        """Until the broker takes sessions: its port is open before it is well, on a busy machine long before."""
        before = self.taken()
        with contextlib.suppress(TimeoutError):  # nobody has a session to hand in
            async with asyncio.timeout(MEETS_S):
                while self.taken() == before:  # noqa: ASYNC110 - in other processes
                    await asyncio.sleep(0.1)

    async def _until(self, lasts: float, met: Callable[[], bool]) -> bool:
        """Go on for so long, and until somebody has met it: an outage that nobody notices is none. Whether one did."""
        began = monotonic()
        while monotonic() - began < lasts + MEETS_S:
            if monotonic() - began >= lasts and met():
                return True
            await asyncio.sleep(0.1)
        return False


def share(whole: int, part: int, parts: int) -> int:
    """How many of `whole` belong to a part."""
    return ceil(whole * (part + 1) / parts) - ceil(whole * part / parts)
