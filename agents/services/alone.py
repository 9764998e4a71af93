"""Ladders that ask the same one again and again where a second person is meant: by every duty, or one integration."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pipeline.triage.rosters import DAYS, bounds, on_duty
from schemas.services import PagerDuty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.services import Contact, Roster, Service, Way

YEARS: Final = range(1971, 9999)  # in which a day has a day before it and one after it, in every time zone
_MONDAY: Final = date(2026, 1, 5)  # of a week that has no change of the clock


def alone(service: Service) -> Iterator[str]:
    """The fields by which a ladder asks the same one again and again while a second person is meant to be asked."""
    steps = service.ladder.red
    found: set[str] = set()
    for field, wall, roster in _moments(service):
        then = replace(service, roster=roster)
        people = [on_duty(then, step.to, wall) or step.to for step in steps]
        when = f" on {DAYS[wall.weekday()]} at {wall:%H:%M}" if field == "roster.shifts" else ""
        if len({step.to for step in steps}) > 1 and len(set(people)) == 1 and field not in found:
            found.add(field)
            yield f"{field}: {people[0]} has every duty of the ladder{when}: give one of them to somebody else"
        ways = [_way(service.contacts[who], step.by) for who, step in zip(people, steps, strict=True)]
        if len(steps) > 1 and _one_integration(ways) and "ladder.red" not in found:
            found.add("ladder.red")
            yield (
                f"ladder.red: every step leads into one PagerDuty integration{when}, which rings for the first alone: "
                "give a later step another way, or have one step and PagerDuty's own escalation"
            )


def _moments(service: Service) -> Iterator[tuple[str, datetime, Roster | None]]:
    """Whenever it changes who has the duties: the field that says so, when, and the roster that holds by it."""
    zone, roster = ZoneInfo(service.time_zone), service.roster
    if roster is None:
        yield "contacts", datetime.combine(_MONDAY, time(), zone), None
        return
    week, plain = [_MONDAY + timedelta(days=day) for day in range(7)], replace(roster, exchanges=())
    for wall in _turns(roster, week):
        yield "roster.shifts", wall.replace(tzinfo=zone), plain
    for place, exchange in enumerate(roster.exchanges):
        if exchange.day.year not in YEARS:
            continue
        around = [exchange.day + timedelta(days=days) for days in (-1, 0, 1)]
        for shift in roster.shifts:
            starts, ends = bounds(shift, exchange.day)
            if shift.starts == exchange.starts and DAYS[exchange.day.weekday()] in shift.days:
                for wall in _turns(roster, around):
                    if starts <= wall < ends:
                        yield f"roster.exchanges[{place}].duty", wall.replace(tzinfo=zone), roster


def _turns(roster: Roster, days: list[date]) -> list[datetime]:
    """When shifts of these days start and end, by the wall clock."""
    turns = {
        wall
        for shift in roster.shifts
        for day in days
        if DAYS[day.weekday()] in shift.days
        for wall in bounds(shift, day)
    }
    return sorted(turns)


def _way(contact: Contact, by: str | None) -> Way:
    return contact.ways[by or contact.usual or next(iter(contact.ways))]


def _one_integration(ways: list[Way]) -> bool:
    first = ways[0]
    return isinstance(first, PagerDuty) and all(
        isinstance(way, PagerDuty) and (way.url, way.routing_key_file) == (first.url, first.routing_key_file)
        for way in ways
    )
