"""The product's own processes, kept running as an orchestrator keeps them, and what is done to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

from agents import wallclock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND: Final = (sys.executable, "-c", "from agents.commands import main; main()", "run")
STOCK: Final = (sys.executable, "-m", "tests.faults.stock")
AGAIN_S: Final = 0.2
STOP_S: Final = 60.0


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
        self.ends: Counter[int] = Counter()  # exit codes that nobody asked for
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
        return self._process.pid if self._process and self._signal(signal.SIGSTOP) else None

    def wake(self, pid: int | None) -> bool:
        """SIGCONT, if that process is still there."""
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
                self.ends[code] += 1
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
    """All of them: so many triage workers, storing and paging.

    Parameters
    ----------
    stock
        Triage on Faust as it comes, to know that the suite can fail.
    static
        Static membership: each worker keeps its name over restarts.
    """

    def __init__(self, env: Mapping[str, str], folder: Path, *, stock: bool = False, static: bool = True) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        self._env = {**ours, **env}
        self._folder = folder
        self._triage = STOCK if stock else (*COMMAND, "triage")
        self._static = static
        self.triage: list[Member] = []
        self.storing: list[Member] = []
        self.paging: list[Member] = []
        self.gone: list[Member] = []

    @property
    def members(self) -> list[Member]:
        """Everybody who is there."""
        return [*self.triage, *self.storing, *self.paging]

    async def scale(self, triage: int, *, killed: bool = False) -> None:
        """Have so many triage workers."""
        while len(self.triage) < triage:
            self.triage.append(self._member("triage", len(self.triage), self._triage))
        while len(self.triage) > triage:
            leaving = self.triage.pop()
            self.gone.append(leaving)
            await leaving.leave(killed=killed)

    def others(self) -> None:
        """Start storing and paging."""
        self.storing.append(self._member("storing", 0, (*COMMAND, "storing")))
        self.paging.append(self._member("paging", 0, (*COMMAND, "paging")))

    async def stop(self) -> None:
        """End them all."""
        members = self.members
        self.gone += members
        self.triage, self.storing, self.paging = [], [], []
        await asyncio.gather(*(member.leave() for member in members))

    def _member(self, name: str, number: int, command: tuple[str, ...]) -> Member:
        env = {**self._env, "SONEVAKT_INSTANCE": f"i{number}"} if self._static else self._env
        return Member(name, command, env, self._folder / f"{name}-{number}.log")
