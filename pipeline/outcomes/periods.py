"""Calendar periods: months, quarters and years of the service's own calendar, by which outcomes are told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

import pandas as pd

from pipeline.outcomes.frames import INSTANT, instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Every = Literal["week", "month", "quarter", "year", "all"]
ZONE: Final = "Europe/Oslo"  # days, quarters and nights are those of this calendar where none is named


def periods(start: datetime, stop: datetime, every: Every = "quarter", zone: str = ZONE) -> pd.DataFrame:
    """Return the calendar periods that `start` to `stop` lies in, a row each, in order and without a gap.

    Returns
    -------
    pandas.DataFrame
        `period` (as 2026-Q1, 2026-03, 2026-W09 by ISO 8601, 2026, all), `start`, `stop` (cut to what was asked for),
        `whole` (False: a part of it was cut off).

    Raises
    ------
    ValueError
        `start` is not before `stop`, or either has no offset.
    """
    first, last = instant(start), instant(stop)
    if first >= last:
        raise ValueError("a period begins before it ends")
    if every == "all":
        return _frame([("all", first, last)], first, last)
    calendar = ZoneInfo(zone)
    name, begins, following = _EVERY[every]
    day = begins(first.tz_convert(calendar).date())
    rows = []
    while (begin := _midnight(day, calendar)) < last:
        then = following(day)
        rows.append((name(day), begin, _midnight(then, calendar)))
        day = then
    return _frame(rows, first, last)


def _frame(rows: list[tuple[str, pd.Timestamp, pd.Timestamp]], first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["period", "start", "stop"])
    whole = (found["start"] >= first) & (found["stop"] <= last)
    return found.assign(
        start=found["start"].mask(found["start"] < first, first).astype(INSTANT),
        stop=found["stop"].mask(found["stop"] > last, last).astype(INSTANT),
        whole=whole,
    )


def _midnight(day: date, calendar: ZoneInfo) -> pd.Timestamp:
    return pd.Timestamp(day.year, day.month, day.day, tz=calendar).tz_convert("UTC").as_unit("ms")


def _quarter(day: date) -> int:
    return (day.month - 1) // 3


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _week_name(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


# What each is called, the day on which the one that holds a day begins, and that of the next.
_EVERY: Final[dict[str, tuple[Callable[[date], str], Callable[[date], date], Callable[[date], date]]]] = {
    "week": (_week_name, lambda day: day - timedelta(days=day.weekday()), lambda day: day + timedelta(days=7)),
    "month": (lambda day: f"{day.year}-{day.month:02}", lambda day: day.replace(day=1), lambda day: _months_on(day, 1)),
    "quarter": (
        lambda day: f"{day.year}-Q{_quarter(day) + 1}",
        lambda day: date(day.year, 3 * _quarter(day) + 1, 1),
        lambda day: _months_on(day, 3),
    ),
    "year": (lambda day: str(day.year), lambda day: date(day.year, 1, 1), lambda day: _months_on(day, 12)),
}
