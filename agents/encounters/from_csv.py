"""Encounters out of a CSV file: one a line, the names of the columns first.

`encounter`, `patient`, `kind`, `start`, `end`, `acute`, `contact`, `status`, in any order; comma or semicolon between
them, UTF-8. A column that is not among these has the whole file refused: it could hold anything.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from agents.encounters import fields
from agents.encounters.encounter import (
    Aside,
    Encounter,
    Kind,
    Passed,
    PassedRowError,
    Reason,
    Refused,
    RefusedRowError,
    Row,
)
from agents.recordings.events import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

COLUMNS: Final = ("encounter", "patient", "kind", "start", "end", "acute", "contact", "status")
_OPTIONAL: Final = frozenset({"end", "acute", "contact", "status"})
_ACUTE: Final = {"yes": True, "no": False}
_TOOK_PLACE: Final = frozenset({"finished", "in-progress"})
_OFF: Final = frozenset({"cancelled", "entered-in-error"})
_PLANNED: Final = "planned"
_LARGEST_FIELD: Final = 10_000


def rows(text: str, now: datetime, contact: str) -> Iterator[Row]:
    """Yield every line after the first.

    Parameters
    ----------
    contact
        Where emergencies were seen of which the file does not say it.

    Raises
    ------
    RecordingError
        The first line does not name the columns.
    """
    csv.field_size_limit(_LARGEST_FIELD)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if len(set(names)) != len(names) or not set(COLUMNS) - _OPTIONAL <= set(names) <= set(COLUMNS):
            raise RecordingError(f"the first line of a CSV file names its columns, out of {', '.join(COLUMNS)}")
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield _row(number, names, cells, now, contact)
    except csv.Error:
        raise RecordingError(f"this is no CSV after row {reader.line_num}") from None


def _row(number: int, names: list[str], cells: list[str], now: datetime, contact: str) -> Row:
    try:
        fields.without_national_numbers("\n".join(cells))
        return _encounter(number, _named(names, cells), now, contact)
    except RefusedRowError as error:
        return Refused(number, error.reason, error.field)
    except PassedRowError as error:
        return Passed(number, error.why)


def _named(names: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(names):
        raise RefusedRowError(Reason.INVALID)
    return {name: cell.strip() for name, cell in zip(names, cells, strict=True)}


def _encounter(number: int, said: Mapping[str, str], now: datetime, contact: str) -> Encounter:
    kind = fields.given(said["kind"], "kind").lower()
    if kind not in set(Kind):
        raise RefusedRowError(Reason.INVALID, "kind")
    status = said.get("status", "").lower()
    if status not in _TOOK_PLACE | _OFF | {"", _PLANNED}:
        raise RefusedRowError(Reason.INVALID, "status")
    if status == _PLANNED:
        raise PassedRowError(Aside.NOT_TAKEN_PLACE)
    stands = status not in _OFF
    admission = kind == Kind.ADMISSION
    start = fields.instant(said["start"], "start", now)
    end = fields.instant(said["end"], "end", now) if admission and said.get("end") else None
    if end is None and status == "finished" and admission:
        raise RefusedRowError(Reason.MISSING, "end")
    if end is not None and status == "in-progress":
        raise RefusedRowError(Reason.INVALID, "end")
    if end is not None and end < start:
        raise RefusedRowError(Reason.ENDS_BEFORE_IT_STARTS, "end")
    return Encounter(
        row=number,
        id=fields.encounter_id(said["encounter"], "encounter"),
        patient=fields.pseudonym(said["patient"], "patient"),
        kind=Kind(kind),
        start=start,
        end=end,
        acute=_acute(said.get("acute", "")) if admission and stands else False,
        contact="" if admission else fields.contact(said.get("contact") or contact, "contact"),
        stands=stands,
    )


def _acute(said: str) -> bool:
    if not said:
        raise RefusedRowError(Reason.ACUTE_NOT_SAID, "acute")
    if said.lower() not in _ACUTE:
        raise RefusedRowError(Reason.INVALID, "acute")
    return _ACUTE[said.lower()]
