"""A server as a plain process: started, waited for, stopped, and gone when we are."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READY_S: Final = 90.0
STOP_S: Final = 20.0
_POLL_S: Final = 0.1
_SET_PARENT_DEATH_SIGNAL: Final = 1  # prctl(2)


class ServerError(RuntimeError):
    """A server did not start; the text holds the end of its log."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One server's process.

    Parameters
    ----------
    name
        For error texts.
    command, log
        What is run, and where its output goes.
    ready
        Whether it answers.
    """

    def __init__(self, name: str, command: list[str], log: Path, ready: Callable[[], bool]) -> None:
        self._name = name
        self._command = command
        self._log = log
        self._ready = ready
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._running.pid if self._running else None

    def start(self) -> None:
        """Start, and wait until it answers; raises ServerError."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self._running.poll() is not None:
                break
            with contextlib.suppress(OSError):
                if self._ready():
                    return
            time.sleep(_POLL_S)
        self.stop()
        raise ServerError(f"{self._name} did not come up; the end of its log:\n{self._tail()}")

    def stop(self) -> None:
        """Ask it to end, and make it end."""
        running, self._running = self._running, None
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        try:
            running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.wait()

    def _tail(self) -> str:
        return self._log.read_bytes()[-2000:].decode(errors="replace")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)
