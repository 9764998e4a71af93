"""The tools that building takes: installed where we may, asked for in one line where not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES: Final = {
    "java": "openjdk-17-jre-headless",
    "mvn": "maven",
    "gcc": "gcc",
    "pkg-config": "pkg-config",
    "dpkg-deb": "dpkg",
}


class ToolsError(RuntimeError):
    """A tool is missing, or one failed; the text says what to do."""


def need(*names: str) -> None:
    """See that every tool is there; raises ToolsError naming the first that is not."""
    missing = [name for name in names if shutil.which(name) is None]
    packages = [PACKAGES[name] for name in missing if name in PACKAGES]
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_update()
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
    for name in missing:
        if shutil.which(name) is None:
            package = f" (Debian: apt-get install {PACKAGES[name]})" if name in PACKAGES else ""
            raise ToolsError(f"{name} is needed to build the local servers and is not on PATH: install it{package}")


def apt_update() -> None:
    """Fetch Debian's lists, where we may."""
    if os.geteuid() == 0:
        run(["apt-get", "update", "-qq"])


def run(command: list[str], *, folder: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a build step; raises ToolsError with the end of what it printed."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write((done.stdout + done.stderr)[-4000:])
        raise ToolsError(f"{command[0]} failed with exit code {done.returncode}: its last words stand above")
