"""Key files: 32 random bytes a version, so that a key can be exchanged while what it closed is still read.

One line a version: its number, a space, the key in base64. The highest version closes, every version opens.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from agents.settings import SettingsError, secret, variable

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32  # AES-256, and HMAC-SHA-256 at its full strength
_OTHERS: Final = 0o077


@dataclass(frozen=True)
class Keys:
    """Every version of a key, by its number."""

    versions: dict[int, bytes] = field(repr=False)

    @property
    def newest(self) -> int:
        """The version that closes."""
        return max(self.versions)


def load(name: str, path: str | None) -> Keys:
    """Return the keys in the file that the setting `name` names.

    Raises
    ------
    SettingsError
        None is named, or it cannot be used; nothing of its content is told.
    """
    if path is None:
        raise SettingsError(f"{variable(name)} must be set: a file's path, which `sonevakt keys new FILE` makes")
    return parse(name, secret(name, path))


def parse(name: str, text: str) -> Keys:
    """Return the keys that `text` holds; raises SettingsError naming the variable of `name`."""
    versions: dict[int, bytes] = {}
    for line in text.splitlines():
        number, _, written = line.strip().partition(" ")
        try:
            key = b64decode(written, validate=True)
            version = int(number)
        except (Error, ValueError):
            version, key = 0, b""
        if version < 1 or len(key) != KEY_BYTES or version in versions:
            raise SettingsError(
                f"{variable(name)}: the file needs lines of a version and 32 bytes in base64: `sonevakt keys new FILE`"
            )
        versions[version] = key
    return Keys(versions)


def add(path: Path) -> int:
    """Make the file, or give it its next version; return that version. Nobody but its owner may read it."""
    held = parse("directory_key_file", path.read_text(encoding="ascii")).versions if path.exists() else {}
    version = max(held, default=0) + 1
    lines = [
        f"{number} {b64encode(key).decode()}\n" for number, key in {**held, version: token_bytes(KEY_BYTES)}.items()
    ]
    write_private(path, "".join(lines).encode())
    return version


def write_private(path: Path, content: bytes) -> None:
    """Put `content` into the place of `path`, at once and on the disk, readable by its owner alone."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def open_to_others(path: Path) -> bool:
    """Whether anybody but its owner has a right on the file."""
    return bool(path.stat().st_mode & _OTHERS)
