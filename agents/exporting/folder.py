"""A folder that comes into being whole: written beside its place, and put there when all of it is on the disk."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agents.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A folder of the owner's alone to write into, which stands at `place` once the block has ended well.

    Raises
    ------
    SettingsError
        Something stands there already, or there is no folder to put it into.
    """
    check(place)
    beside = place.with_name(f".{place.name}.{os.getpid()}.new")
    beside.mkdir(mode=0o700)
    try:
        yield beside
        _settle(beside)
        check(place)
        beside.rename(place)
        _settle(place.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def check(place: Path) -> None:
    """Raise SettingsError where no new folder can be put at `place`."""
    if not place.parent.is_dir():
        raise SettingsError(f"there is no folder for {place.name} to stand in")
    if place.exists() or place.is_symlink():
        raise SettingsError(f"{place.name} is there already: give a new folder")


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
