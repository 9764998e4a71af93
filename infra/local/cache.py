"""Where built servers are kept, so that each is built once on a machine and never taken half-built."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def root() -> Path:
    """SONEVAKT_CACHE, else a folder of its own in the user's cache."""
    if chosen := os.environ.get("SONEVAKT_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "sonevakt"


def built(name: str, build: Callable[[Path], None]) -> Path:
    """Return the folder that `build` filled, now or on an earlier day.

    It fills a folder beside the final one, which takes its name only when everything is there. A second caller waits
    for the first. What an interrupted build left is removed, never continued.
    """
    final = root() / name
    if final.is_dir():
        return final
    root().mkdir(parents=True, exist_ok=True)
    with _lock(name):
        if final.is_dir():
            return final
        for interrupted in root().glob(f"{name}.half-*"):
            _remove(interrupted)
        half = Path(tempfile.mkdtemp(prefix=f"{name}.half-", dir=root()))
        print(f"infra.local: building {name}, once on this machine", file=sys.stderr, flush=True)
        try:
            build(half)
            half.rename(final)
        except BaseException:
            _remove(half)
            raise
    return final


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Hold the lock of `name`; the system lets go of it where its holder dies."""
    with (root() / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _remove(folder: Path) -> None:
    """Remove `folder`, also where Go made parts of it read-only."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o700)
    shutil.rmtree(folder)
