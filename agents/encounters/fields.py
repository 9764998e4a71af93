"""What stands in single fields of a row, whatever the file's form: read strictly, and told without their content."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from agents.encounters.encounter import Reason, RefusedRowError
from schemas.care import EMERGENCIES
from schemas.types import Pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # our choice: nobody who is followed was counted before it
AHEAD: Final = timedelta(minutes=10)  # clocks differ
_LONGEST_ID: Final = 200
# A Norwegian national identity number, D number or help number: eleven digits, often written six and five.
_NATIONAL: Final = re.compile(r"(?<![0-9])[0-9]{6}[ .\-\u00a0]?[0-9]{5}(?![0-9])")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(?P<offset>Z|[+-]\d{2}:\d{2})?")


def without_national_numbers(text: str) -> None:
    """Raise RefusedRowError where a row's text holds what looks like a national identity number.

    Eleven digits are enough, whatever they say: one that was mistyped is somebody's too.
    """
    if _NATIONAL.search(_UUID.sub("", text)):
        raise RefusedRowError(Reason.NATIONAL_NUMBER)


def given(text: str | None, field: str) -> str:
    """Return what stands in `field`; raises RefusedRowError where nothing does."""
    if text is None or not text.strip():
        raise RefusedRowError(Reason.MISSING, field)
    return text.strip()


def pseudonym(text: str | None, field: str) -> str:
    """Return a pseudonym."""
    return _checked(given(text, field), field, lambda said: msgspec.convert(said, Pseudonym))


def encounter_id(text: str | None, field: str) -> str:
    """Return the id by which the source knows an encounter."""
    said = given(text, field)
    if len(said) > _LONGEST_ID or not said.isprintable():
        raise RefusedRowError(Reason.INVALID, field)
    return said


def contact(text: str, field: str) -> str:
    """Return where an emergency was seen."""
    if text not in EMERGENCIES:
        raise RefusedRowError(Reason.INVALID, field)
    return text


def instant(text: str | None, field: str, now: datetime) -> datetime:
    """Return an instant of the past.

    Raises
    ------
    RefusedRowError
        It is no time with an offset, or not of the time between 2000 and now.
    """
    said = given(text, field)
    form = _INSTANT.fullmatch(said)
    if form is None:
        raise RefusedRowError(Reason.INVALID, field)
    if form["offset"] is None:
        raise RefusedRowError(Reason.NO_OFFSET, field)
    at = _checked(said, field, datetime.fromisoformat)
    if at > now + AHEAD:
        raise RefusedRowError(Reason.FUTURE, field)
    if at < EARLIEST:
        raise RefusedRowError(Reason.TOO_LONG_AGO, field)
    return at


def _checked(said: str, field: str, read: Callable[[str], T]) -> T:
    try:
        return read(said)
    except ValueError:  # msgspec.ValidationError is one
        raise RefusedRowError(Reason.INVALID, field) from None
