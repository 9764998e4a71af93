"""The rows of a published CSV file, one a line; what cannot be read is skipped, counted and told, and never lost."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from agents.recordings.events import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
NOT_ITS_COLUMNS: Final = "not_its_columns"


class OddRowError(ValueError):
    """A row that cannot be read: why, out of a closed set, and in which column; never its value."""

    def __init__(self, reason: str, column: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.reason = reason
        self.column = column


class Skipped(NamedTuple):
    """The rows of one file that could not be read."""

    file: str
    reasons: Mapping[str, int] = {}  # reason -> rows
    row: int = 0  # the first of them, as an editor counts lines
    column: str = ""  # of that row

    def __bool__(self) -> bool:
        return bool(self.reasons)

    def __str__(self) -> str:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        return (
            f"{self.file}: {sum(self.reasons.values())} rows skipped ({why}),"
            f" the first is row {self.row}, column {self.column}"
        )


def read(path: Path, columns: Sequence[str], of: Callable[[dict[str, str], int], T]) -> tuple[list[T], Skipped]:
    """What `of` makes of each row, given by column and with its number; and what was skipped.

    A row is a line, so that a quotation mark that nobody closed takes no other row with it.

    Raises
    ------
    RecordingError
        The file or one of `columns` is missing, or it holds rows and none of them can be read.
    """
    found: list[T] = []
    reasons: Counter[str] = Counter()
    row, column = 0, ""
    try:
        with path.open(encoding="utf-8-sig") as source:
            lines = _lines(source)
            names = _header(lines)
            if missing := [name for name in columns if name not in names]:
                raise RecordingError(f"{path.name}: column {missing[0]} is missing")
            for number, line in lines:
                try:
                    found.append(of(_named(names, line), number))
                except OddRowError as error:
                    reasons[error.reason] += 1
                    if not row:
                        row, column = number, error.column
    except OSError:
        raise RecordingError(f"{path.name}: there is no such file in the folder given") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path.name}: is not UTF-8 text") from None
    skipped = Skipped(path.name, dict(reasons), row, column)
    if skipped and not found:
        raise RecordingError(f"no row can be read of {skipped}")
    return found, skipped


def _lines(source: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, with their numbers."""
    return ((number, line) for number, line in enumerate(source, start=1) if line.strip())


def _header(lines: Iterator[tuple[int, str]]) -> list[str]:
    """The names of the columns; none where the file does not begin with any."""
    with suppress(csv.Error, StopIteration):
        return _cells(next(lines)[1])
    return []


def _cells(line: str) -> list[str]:
    """One line's cells; raises csv.Error."""
    return [cell.strip() for cell in next(csv.reader([line], strict=True))]


def _named(names: Sequence[str], line: str) -> dict[str, str]:
    """One row by column: a cell that is missing is empty, one too many could have moved the others."""
    try:
        cells = _cells(line)
    except csv.Error:
        raise OddRowError(NOT_ITS_COLUMNS, names[-1]) from None
    if any(cells[len(names) :]):
        raise OddRowError(NOT_ITS_COLUMNS, names[-1])
    return dict(zip(names, [*cells, *[""] * len(names)], strict=False))
