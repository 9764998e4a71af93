"""Who is on duty: a service's roster at an instant, by the service's own wall clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pipeline.triage.instants import zone_of
from schemas.services import Service
from schemas.types import Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemas.services import Roster, Shift

DAYS: Final = tuple(Weekday)  # as date.weekday counts them
MORNING: Final = time(8)  # where a service has no roster, its next shift starts then (our choice, docs/adr/0009)
NO_SERVICES: Final[Mapping[str, Service]] = MappingProxyType({})  # each is then as one without configuration
DEFAULT: Final = Service(name="")  # one that nothing is configured of
_DAY: Final = timedelta(days=1)
_WEEK: Final = 8  # days in which every shift starts once, whatever the time of day


def serving(services: Mapping[str, Service], name: str | None) -> Service:
    """What is configured of a service."""
    return services.get(name or "", DEFAULT)


def on_duty(service: Service, duty: str, instant: datetime) -> str | None:
    """Return who has `duty` at `instant`; None where there is no roster, or nobody has it then.

    A shift begins when the wall clock first shows its start, and at its end the next has its duties. So a night over a
    change of the clock is an hour shorter or longer, and nobody hands over twice.
    """
    if service.roster is None:
        return None
    zone = zone_of(service.time_zone)
    today = instant.astimezone(zone).date()
    for day in (today, today - _DAY):
        for shift in _starting(service.roster, day):
            starts, ends = (wall.replace(tzinfo=zone) for wall in bounds(shift, day))
            if duty in shift.duty and _reached(starts, instant) and not _reached(ends, instant):
                return _exchanged(service.roster, shift, day, duty)
    return None


def next_shift_starts(service: Service, instant: datetime) -> datetime | None:
    """Return when the next shift starts after `instant`, without a roster at 8 the next morning; None: never again.

    Never is where the calendar ends.
    """
    zone = zone_of(service.time_zone)
    today = instant.astimezone(zone).date()
    if today > date.max - _WEEK * _DAY:
        return None
    starts: list[datetime] = []
    for ahead in range(_WEEK):
        day = today + ahead * _DAY
        if service.roster is None:
            starts.append(datetime.combine(day, MORNING, zone))
        else:
            starts += [bounds(shift, day)[0].replace(tzinfo=zone) for shift in _starting(service.roster, day)]
    return min((start for start in starts if not _reached(start, instant)), key=datetime.timestamp)


def bounds(shift: Shift, day: date) -> tuple[datetime, datetime]:
    """Return when the shift that starts on `day` starts and ends, as the wall clock shows it."""
    starts = datetime.combine(day, time.fromisoformat(shift.starts))
    ends = datetime.combine(day, time.fromisoformat(shift.ends))
    return starts, ends if ends > starts else ends + _DAY


def _starting(roster: Roster, day: date) -> Iterator[Shift]:
    return (shift for shift in roster.shifts if DAYS[day.weekday()] in shift.days)


def _exchanged(roster: Roster, shift: Shift, day: date, duty: str) -> str:
    for exchange in roster.exchanges:
        if (exchange.day, exchange.starts) == (day, shift.starts) and duty in exchange.duty:
            return exchange.duty[duty]
    return shift.duty[duty]


def _reached(wall: datetime, instant: datetime) -> bool:
    """Whether a time of the wall clock has come; two of one zone would be compared by what the wall shows."""
    return wall.timestamp() <= instant.timestamp()
