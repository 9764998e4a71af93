"""Who is on duty: a service's roster at an instant, by the service's own wall clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from schemas.services import Weekday

if TYPE_CHECKING:
    from datetime import date

    from schemas.services import Service, Shift

DAYS = tuple(Weekday)  # as date.weekday counts them


def on_duty(service: Service, duty: str, instant: datetime) -> str | None:
    """Return who has `duty` at `instant`; None where there is no roster, or nobody has it then.

    A shift begins when its start is read off the wall, and at its end the next has the duty.
    """
    if service.roster is None:
        return None
    local = instant.astimezone(ZoneInfo(service.time_zone)).replace(tzinfo=None)
    for day in (local.date(), local.date() - timedelta(days=1)):
        for shift in service.roster.shifts:
            starts, ends = bounds(shift, day)
            if DAYS[day.weekday()] in shift.days and duty in shift.duty and starts <= local < ends:
                for exchange in service.roster.exchanges:
                    if (exchange.day, exchange.starts) == (day, shift.starts) and duty in exchange.duty:
                        return exchange.duty[duty]
                return shift.duty[duty]
    return None


def bounds(shift: Shift, day: date) -> tuple[datetime, datetime]:
    """Return when the shift that starts on `day` starts and ends, as the wall clock shows it."""
    starts = datetime.combine(day, time.fromisoformat(shift.starts))
    ends = datetime.combine(day, time.fromisoformat(shift.ends))
    return starts, ends if ends > starts else ends + timedelta(days=1)
