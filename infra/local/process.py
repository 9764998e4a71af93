"""A server as a plain process: started, waited for, stopped, and gone when we are."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from infra.local.tether import tethered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READY_S: Final = 180.0
STOP_S: Final = 20.0
TAIL_BYTES: Final = 2000
PORTS: Final = range(20_000, 32_000)  # below those that Linux gives to outgoing connections
_POLL_S: Final = 0.1


class ServerError(RuntimeError):
    """A server did not start; the text holds the end of its log."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on.

    Not one that the system would give to an outgoing connection: a client that keeps asking for a stopped server's
    port would sooner or later be given that very port, and the server could not come back.
    """
    while True:
        port = random.choice(PORTS)  # noqa: S311 - not a secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Process:
    """One server's process.

    Parameters
    ----------
    name
        For error texts.
    command, log
        What is run, and where its output goes.
    ready
        Whether it answers; an error of the connection means no.
    """

    def __init__(self, name: str, command: list[str], log: Path, ready: Callable[[], bool]) -> None:
        self._name = name
        self._command = command
        self._log = log
        self._ready = ready
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process; None where there is none."""
        return self._running.pid if self._running else None

    def start(self) -> None:
        """Start, and wait until it answers; nothing where it runs already.

        Raises
        ------
        ServerError
            It ended, or did not answer within READY_S.
        """
        if self._running is not None:
            return
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own command
                tethered(self._command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C is for us, who stop it when its clients have ended
            )
        try:
            self._wait(self._running)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask it to end, and make it end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def _wait(self, running: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_S
        while running.poll() is None:
            with suppress(OSError, HTTPException):
                if self._ready():
                    return
            if time.monotonic() > deadline:
                raise ServerError(f"{self._name} did not answer within {READY_S:g} s; {self._tail()}")
            time.sleep(_POLL_S)
        raise ServerError(f"{self._name} ended with exit code {running.returncode}; {self._tail()}")

    def _end(self, asked: signal.Signals) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.send_signal(asked)
        try:
            running.wait(STOP_S)
        except BaseException as interrupted:
            running.kill()
            running.wait()
            if not isinstance(interrupted, subprocess.TimeoutExpired):
                raise

    def _tail(self) -> str:
        return f"the end of its log:\n{self._log.read_bytes()[-TAIL_BYTES:].decode(errors='replace').strip()}"
