"""The product's own processes, kept running as an orchestrator keeps them, and what is done to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from agents import wallclock
from infra.local.process import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND: Final = (sys.executable, "-c", "from agents.commands import main; main()", "run")
STOCK: Final = (sys.executable, "-m", "tests.faults.stock")
WORKERS: Final = ("triage", "storing", "paging")  # members of groups, of which there may be several
FIRST: Final = ("gateway", "clock")  # without which nothing goes in, and time decides nothing
SEEN: Final = ("reconcile", "board")  # they only look on, and are asked at the end what they see
ALONE: Final = (*FIRST, *SEEN)
AGAIN_S: Final = 0.2
STOP_S: Final = 60.0


class End(NamedTuple):
    """A process ended, and nobody had asked for it."""

    name: str
    at: float  # seconds since 1970
    code: int
    pid: int
    said: str  # the end of its log


class Member:
    """One process, started again whenever it ends.

    Parameters
    ----------
    name
        What it is.
    command, env
        How it is started.
    log
        Where its output goes.
    """

    def __init__(self, name: str, command: tuple[str, ...], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.kills: list[float] = []  # seconds since 1970
        self.ends: list[End] = []
        self.paused = False
        self._env = env
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = True
        self._asked = False
        self._task = asyncio.create_task(self._keep())

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id, while there is one."""
        return self._process.pid if self._process is not None and self.running else None

    def kill(self) -> bool:
        """Kill -9; whether there was anything to kill."""
        if not self._signal(signal.SIGKILL):
            return False
        self._asked = True
        self.kills.append(wallclock.now().timestamp())
        return True

    def terminate(self) -> bool:
        """Ask it to end in order."""
        self._asked = True
        return self._signal(signal.SIGTERM)

    def pause(self) -> int | None:
        """SIGSTOP; the process id, to wake the same one."""
        self.paused = self._process is not None and self._signal(signal.SIGSTOP)
        return self._process.pid if self._process and self.paused else None

    def wake(self, pid: int | None) -> bool:
        """SIGCONT, if that process is still there."""
        self.paused = False
        return self._process is not None and self._process.pid == pid and self._signal(signal.SIGCONT)

    async def leave(self, *, killed: bool = False) -> None:
        """End it for good."""
        self._wanted = False
        self._asked = True
        process = self._process
        if process is not None and process.returncode is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGKILL if killed else signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_S)
            except TimeoutError:
                self._signal(signal.SIGKILL)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def tail(self, most: int = 2000) -> str:
        """The end of its log."""
        return self._log.read_bytes()[-most:].decode(errors="replace") if self._log.exists() else ""

    async def _keep(self) -> None:
        while self._wanted:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, env=self._env, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
                )
            try:
                code = await self._process.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
                raise
            if not self._asked:
                end = End(self.name, wallclock.now().timestamp(), code, self._process.pid, self.tail())
                self.ends.append(end)
            self._asked = False
            await asyncio.sleep(AGAIN_S)

    def _signal(self, number: signal.Signals) -> bool:
        if not self.running or self._process is None:
            return False
        try:
            self._process.send_signal(number)
        except ProcessLookupError:
            return False
        return True


class Product:
    """All of them: so many workers of each kind, and of all else one.

    Parameters
    ----------
    stock
        Triage on Faust as it comes, to know that the suite can fail.
    """

    def __init__(self, env: Mapping[str, str], folder: Path, *, stock: bool = False) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        self._env = {**ours, **env}
        self._folder = folder
        self._stock = stock
        self._made: Counter[str] = Counter()
        self._static = True
        self._alone = FIRST if stock else ALONE  # Faust as it comes loses messages: what they would see is known
        self.asked = {} if stock else {name: f"http://127.0.0.1:{free_port()}" for name in SEEN}  # where they answer
        self.of: dict[str, list[Member]] = {name: [] for name in (*WORKERS, *self._alone)}
        self.gone: list[Member] = []
        self.left: Counter[str] = Counter()  # how workers left for good

    @property
    def members(self) -> list[Member]:
        """Everybody who is there."""
        return [member for members in self.of.values() for member in members]

    @property
    def ends(self) -> list[End]:
        """Everything that ended by itself, in order."""
        found = [end for member in {*self.members, *self.gone} for end in member.ends]
        return sorted(found, key=lambda end: end.at)

    def begin(self) -> None:
        """Start what there is one of."""
        for name in self._alone:
            self.of[name].append(self._member(name))

    async def arrange(self, wanted: Mapping[str, int], *, static: bool, killed: bool = False) -> None:
        """Have so many workers of each kind, all with static membership or all without.

        Who is too many leaves for good: in order, or by kill -9 and never started again.
        """
        for name, number in wanted.items():
            while len(self.of[name]) > number:
                self.left[f"{name} worker left for good, {'killed' if killed else 'in order'}"] += 1
                await self._leave(self.of[name].pop(), killed=killed)
        if static is not self._static:
            self._static = static
            for name in wanted:
                for place, member in enumerate(self.of[name]):
                    await self._leave(member)
                    self.of[name][place] = self._member(name, place)
        for name, number in wanted.items():
            while len(self.of[name]) < number:
                self.of[name].append(self._member(name, len(self.of[name])))

    async def stop(self) -> None:
        """End them all."""
        members = self.members
        self.gone += members
        self.of = {name: [] for name in self.of}
        await asyncio.gather(*(member.leave() for member in members))

    async def _leave(self, member: Member, *, killed: bool = False) -> None:
        self.gone.append(member)
        await member.leave(killed=killed)

    def _member(self, name: str, place: int = 0) -> Member:
        self._made[name] += 1
        env = dict(self._env)
        if self._static and name in WORKERS:
            env["SONEVAKT_INSTANCE"] = f"i{place}"
        if name in self.asked:
            env["SONEVAKT_HTTP_PORT"] = self.asked[name].rpartition(":")[2]
        command = STOCK if self._stock and name == "triage" else (*COMMAND, name)
        return Member(name, command, env, self._folder / f"{name}-{place}-{self._made[name]}.log")
