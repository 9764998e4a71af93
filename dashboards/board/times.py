"""Times, days and numbers in the form of each language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dashboards.board.words import day_word, word

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from dashboards.board.words import Lang

OSLO: Final = ZoneInfo("Europe/Oslo")
DIGITS: Final = {"temperature": 1, "weight": 1, "glucose": 1, "fev1": 2}  # shown behind the decimal sign; 0 elsewhere
_MINUS: Final = "\N{MINUS SIGN}"
_NBSP: Final = "\N{NO-BREAK SPACE}"


def number_word(value: float, digits: int, lang: Lang) -> str:
    """`value` with at most so many digits behind the language's own decimal sign."""
    shown = f"{value:.{digits}f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    shown = "0" if shown == "-0" else shown.replace("-", _MINUS)
    return shown.replace(".", ",") if lang == "nb" else shown


def value_word(vital: str, value: float, lang: Lang) -> str:
    """A measured value to chart precision, without its unit."""
    return number_word(value, DIGITS.get(vital, 0), lang)


def with_unit(vital: str, value: float, unit: str, lang: Lang) -> str:
    """A measured value with its unit."""
    said = word(f"unit.{unit}", lang)
    return f"{value_word(vital, value, lang)}{_NBSP}{said}"


def iso(at: datetime) -> str:
    """An instant for machines: UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def date_word(day: date, today: date, lang: Lang) -> str:
    """A day; the year where it is not this one."""
    year = f" {day.year}" if day.year != today.year else ""
    return f"{day_word(day.day, day.month, lang)}{year}"


def when_word(at: datetime, now: datetime, lang: Lang, tz: tzinfo) -> str:
    """Clock time, and the day where it is not today."""
    local, today = at.astimezone(tz), now.astimezone(tz).date()
    clock = f"{local:%H:%M}"
    return clock if local.date() == today else f"{date_word(local.date(), today, lang)} {clock}"
