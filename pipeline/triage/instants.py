"""Instants as whole milliseconds since 1970 UTC, and the patient's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import tzinfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO: Final = date(2000, 1, 1).toordinal()  # days are counted from here, so that they stay small
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_MS: Final = (datetime(1, 1, 3, tzinfo=UTC) - EPOCH) // _MILLISECOND
_LAST_MS: Final = (datetime(9999, 12, 29, tzinfo=UTC) - EPOCH) // _MILLISECOND
_DAY_MS: Final = timedelta(days=1) // _MILLISECOND


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, what is finer cut off."""
    return (instant - EPOCH) // _MILLISECOND


def from_ms(instant_ms: int) -> datetime:
    """The instant in UTC; the nearest that every time zone has a date for, where it lies outside the calendar."""
    if not _FIRST_MS <= instant_ms <= _LAST_MS:
        instant_ms = min(max(instant_ms, _FIRST_MS), _LAST_MS)
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo | timezone:
    """The time zone called `name`; UTC for a name that no zone has."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


@lru_cache(maxsize=4096)
def minutes_of_day(times: tuple[str, ...]) -> tuple[int, ...]:
    """Wall-clock times "HH:MM" as minutes since midnight."""
    return tuple(int(wall[:2]) * 60 + int(wall[3:]) for wall in times)


@lru_cache(maxsize=65_536)
def at_local(day: int, minute_of_day: int, zone: tzinfo) -> int:
    """The instant of a wall-clock time on a patient-local day [ms].

    Where clocks are put forward over it, the instant that the old offset gives; where they are put back, the first.
    """
    wall = datetime.combine(date.fromordinal(day + DAY_ZERO), time(minute_of_day // 60, minute_of_day % 60), zone)
    return to_ms(wall)


def local_day(instant_ms: int, zone: tzinfo) -> int:
    """The patient-local day on which an instant falls."""
    return from_ms(instant_ms).astimezone(zone).toordinal() - DAY_ZERO


def weekday_of(day: int) -> int:
    """The day of the week of a patient-local day: 0 is Monday."""
    return (day + DAY_ZERO - 1) % 7


def days_later(instant_ms: int, days: int, zone: tzinfo) -> int:
    """The same wall-clock time so many patient-local days later [ms]; where clocks change over it, as `at_local`."""
    wall = from_ms(min(instant_ms, _LAST_MS - days * _DAY_MS)).astimezone(zone)
    return to_ms(wall + timedelta(days=days))
