"""The tools that building takes: installed where we may, asked for in one line where not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from infra.local.tether import tethered

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES: Final = {
    "java": ("default-jre-headless",),
    "mvn": ("maven",),
    "gcc": ("gcc", "libc6-dev"),
    "pkg-config": ("pkg-config",),
    "dpkg-deb": ("dpkg",),
    "faketime": ("faketime",),
}
TAIL: Final = 4000  # of a failed tool's output [characters]
_VERSION: Final = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")


class ToolsError(RuntimeError):
    """A tool is missing, or one failed; the text says what to do."""


def need(*names: str) -> None:
    """See that every tool is on PATH, installing what Debian has where we are root.

    Raises
    ------
    ToolsError
        Names the first that is missing still.
    """
    packages = [package for name in names if not shutil.which(name) for package in PACKAGES.get(name, ())]
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_update()
        noninteractive = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=noninteractive)
    for name in names:
        if not shutil.which(name):
            debian = f" (Debian: apt-get install {' '.join(PACKAGES[name])})" if name in PACKAGES else ""
            raise ToolsError(f"{name} is needed for the local servers and is not on PATH: install it{debian}")


def need_version(command: list[str], least: tuple[int, ...]) -> None:
    """See that a tool is as new as it must be; raises ToolsError where it is older or does not say."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    found = _VERSION.search(done.stdout + done.stderr)
    version = tuple(int(part or 0) for part in found.groups()) if found else ()
    if version < least:
        wanted = ".".join(map(str, least))
        raise ToolsError(f"{command[0]} is too old for the local servers: install {wanted} or newer")


def apt_update() -> None:
    """Fetch Debian's lists, where we may."""
    if os.geteuid() == 0:
        run(["apt-get", "update", "-qq"])


def run(command: list[str], *, folder: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a build step to its end; interrupted, it and what it started end too.

    Raises
    ------
    ToolsError
        It failed; the text holds the end of what it printed.
    """
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(  # noqa: S603 - our own commands
            tethered(command),
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            process_group=0,
        )
        try:
            code = running.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise
        if code:
            said.seek(0)
            tail = said.read().decode(errors="replace")[-TAIL:].strip()
            raise ToolsError(f"{command[0]} failed with exit code {code}; the end of what it said:\n{tail}")
