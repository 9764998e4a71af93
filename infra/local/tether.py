"""A process that ends when its parent does, however that ends.

Run as a script it ties itself to the parent named by its first argument, then becomes the command in the others: no
code runs between fork and exec in a parent that may have threads. The thread that starts a tethered process must live
as long as the process, for Linux watches the thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1  # prctl(2)
_NOT_FOUND: Final = 127  # what a shell says


def tethered(command: list[str]) -> list[str]:
    """Return the command line that runs `command` so; elsewhere than on Linux, `command` itself."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we were tied to it
        sys.exit(_NOT_FOUND)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is what we are for
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
