"""The log's files: one of JSON lines a month, and `head.json`, which says where the log ends.

Only ever appended to, under a lock that holds between processes, since `sonevakt export` and `erase` write beside a
running board. What a crash left half written was never confirmed to anybody: it is put aside before the next entry.
A head stands there before the first entry does: entries without one were tampered with.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from agents.access import entries
from agents.access.entries import FIRST_PREV, Entry, EntryError, digest, sealed
from agents.keys import write_private
from schemas.codec import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from agents.keys import Keys

HEAD: Final = "head.json"
PATTERN: Final = "access-????-??.jsonl"
LONGEST: Final = 65_536  # no line is longer, by far [B]
_NEWLINE: Final = b"\n"
_CUT: Final = "entries are missing at the end of the access log: `sonevakt audit verify` tells more"


class Draft(NamedTuple):
    """An entry that has no place yet."""

    at: datetime
    person: str
    action: str
    patient: str | None
    service: str | None
    outcome: str
    why: str | None = None


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the log ends, sealed: entries that are cut off its end are missed."""

    seq: int
    digest: str
    key: int
    seal: str


class BrokenLogError(Exception):
    """The log does not end as it must, so nothing may be appended to it; the text says what to do."""


def months(folder: Path) -> list[Path]:
    """The log's files, the oldest first."""
    return sorted(folder.glob(PATTERN))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the log, against every other process."""
    with os.fdopen(os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def append(folder: Path, drafts: Sequence[Draft], keys: Keys, *, after: int = 0) -> int:
    """Put `drafts` at the end, on the disk when this returns; return the last one's number.

    Parameters
    ----------
    after
        Number of an entry that the asker knows was there: a log that ends before it was set back.

    Raises
    ------
    BrokenLogError
        What is there does not end as it must.
    OSError
        Nothing more can be written.
    """
    with locked(folder):
        seq, prev = _end(folder, keys)
        if seq < after:
            raise BrokenLogError(_CUT)
        if seq == 0:
            _write_head(folder, seq, prev, keys)
        lines: dict[Path, list[bytes]] = {}
        for draft in drafts:
            seq += 1
            entry = Entry(**draft._asdict(), seq=seq, prev=prev, key=keys.newest)
            line = sealed(entry, keys)
            prev = digest(line)
            lines.setdefault(_file(folder, draft.at), []).append(line)
        for path, written in lines.items():
            _write(path, b"".join(line + _NEWLINE for line in written))
        _write_head(folder, seq, prev, keys)
        return seq


def opened(folder: Path, keys: Keys) -> int:
    """Make the folder where there is none; return the last entry's number, 0: there is none. Raises BrokenLogError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder):
        return _end(folder, keys)[0]


def head(folder: Path, keys: Keys) -> Head | None:
    """Return where the log ended when it was last written; None: never. Raises BrokenLogError."""
    path = folder / HEAD
    if not path.exists():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Head)
    except UNREADABLE:
        raise BrokenLogError("the head of the access log cannot be read") from None
    key = keys.versions.get(found.key)
    if key is None or not hmac.compare_digest(found.seal, _head_seal(found.seq, found.digest, key)):
        raise BrokenLogError("the head of the access log is not as it was sealed")
    return found


def _end(folder: Path, keys: Keys) -> tuple[int, str]:
    """The last entry's number and digest, by the files themselves, and not before where the head says."""
    known = head(folder, keys)
    line = next((found for path in reversed(months(folder)) if (found := _last_line(path)) is not None), None)
    if line is None:
        if known is not None and known.seq > 0:
            raise BrokenLogError(_CUT)
        return 0, FIRST_PREV
    try:
        entry = entries.opened(line, keys)
    except EntryError as error:
        raise BrokenLogError(f"the last entry of the access log {error}: `sonevakt audit verify` tells more") from None
    if known is None:
        raise BrokenLogError("the head of the access log is missing: `sonevakt audit verify` tells more")
    if known.seq > entry.seq:
        raise BrokenLogError(_CUT)
    return entry.seq, digest(line)


def _last_line(path: Path) -> bytes | None:
    """The last whole line; a half one behind it is put aside."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        begin = max(0, size - LONGEST)
        file.seek(begin)
        whole, newline, half = file.read().rpartition(_NEWLINE)
        if half:
            write_private(path.with_name(f"{path.name}.half-{digest(half)[:8]}"), half)
            file.truncate(size - len(half))
            os.fsync(file.fileno())
    return whole.rpartition(_NEWLINE)[2] if newline else None


def _file(folder: Path, at: datetime) -> Path:
    """The month's file; never one before the newest, should the clock have gone back over the turn of a month."""
    wanted = folder / f"access-{at:%Y-%m}.jsonl"
    return max([wanted, *months(folder)[-1:]])


def _write(path: Path, content: bytes) -> None:
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write_head(folder: Path, seq: int, last: str, keys: Keys) -> None:
    seal = _head_seal(seq, last, keys.versions[keys.newest])
    write_private(folder / HEAD, msgspec.json.encode(Head(seq, last, keys.newest, seal)))


def _head_seal(seq: int, last: str, key: bytes) -> str:
    return hmac.new(key, f"head {seq} {last}".encode(), hashlib.sha256).hexdigest()
