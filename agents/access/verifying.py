"""Whether the access log is whole and as it was written, and who looked at a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from agents.access import files
from agents.access.entries import FIRST_PREV, Entry, EntryError, digest, opened
from agents.access.files import BrokenLogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agents.keys import Keys


class Place(Struct, frozen=True):
    """Where the log is broken first, and how; `line` 0: the file as a whole."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"{self.file}, line {self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


class Verified(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes
    ----------
    entries
        That are intact, from the beginning to the first broken place.
    half
        Whether a crash left half an entry at the end, which nobody was told is written.
    """

    entries: int = 0
    first: Entry | None = None
    last: Entry | None = None
    broken: Place | None = None
    half: bool = False


def verify(folder: Path, keys: Keys, *, archived: bool = False) -> Verified:
    """Look at every entry of the log in `folder`.

    Parameters
    ----------
    archived
        Earlier months were moved away on purpose: the log need not begin with the first entry.
    """
    entries, first, last, half = 0, None, None, False
    prev: str | None = None if archived else FIRST_PREV
    digests: dict[int, str] = {}
    broken: Place | None = None
    try:
        head = files.head(folder, keys)
    except BrokenLogError as error:
        return Verified(broken=Place(files.HEAD, 0, str(error)))
    for path, number, line, whole in _lines(folder):
        if not whole:
            half = True
            continue
        entry, problem = _looked_at(line, keys, last, prev, archived=archived)
        if entry is None or problem is not None or half:
            broken = Place(path.name, number, problem or "half an entry stands before it")
            break
        entries, first, last, prev = entries + 1, first or entry, entry, digest(line)
        if head is not None and entry.seq == head.seq:
            digests[entry.seq] = prev
    if broken is None and head is not None and head.seq > 0 and digests.get(head.seq) != head.digest:
        broken = Place(files.HEAD, 0, f"the log ended with entry {head.seq}, which is missing or another")
    if broken is None and head is None and entries:
        broken = Place(files.HEAD, 0, "is missing, so nothing tells whether entries were cut off the end")
    return Verified(entries=entries, first=first, last=last, broken=broken, half=half)


def about(folder: Path, keys: Keys, patient: str) -> Iterator[Entry]:
    """Give every entry about a patient, the oldest first; raises EntryError at one that is not as it was sealed."""
    for path, number, line, whole in _lines(folder):
        if whole and patient.encode() in line:
            try:
                entry = opened(line, keys)
            except EntryError as error:
                raise EntryError(f"{path.name}, line {number} {error}: `sonevakt audit verify`") from None
            if entry.patient == patient:
                yield entry


def _looked_at(
    line: bytes, keys: Keys, last: Entry | None, prev: str | None, *, archived: bool
) -> tuple[Entry | None, str | None]:
    try:
        entry = opened(line, keys)
    except EntryError as error:
        return None, str(error)
    wanted = entry.seq if last is None and archived else (last.seq if last is not None else 0) + 1
    if entry.seq != wanted:
        return entry, f"is entry {entry.seq}, where {wanted} must follow: entries before it are missing"
    if prev is not None and entry.prev != prev:
        return entry, "does not follow the entry before it"
    return entry, None


def _lines(folder: Path) -> Iterator[tuple[Path, int, bytes, bool]]:
    """Every line with its file and number, and whether it has an end."""
    for path in files.months(folder):
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield path, number, line.removesuffix(b"\n"), line.endswith(b"\n")
