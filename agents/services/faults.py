"""What in a service's configuration would leave an alert with nobody, or with somebody else than was meant."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agents.services.alone import alone
from pipeline.triage.rosters import DAYS, bounds
from schemas.services import CANARY, NURSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.services import Roster, Service

_MONDAY: Final = datetime(2026, 1, 5).date()  # noqa: DTZ001 - a week of the wall clock, which no zone has
_MINUTE: Final = timedelta(minutes=1)
_WEEK: Final = 7 * 24 * 60  # [min]


def faults_of(service: Service) -> list[str]:
    """Return what is wrong, each as `field: what to do`.

    No duty of the ladder may fall back on another's: somebody has it at every minute of the week, by the roster or as a
    contact of its own. Whoever is on the roster can be reached, by the way that a step asks for where it asks for one.
    A ladder of several duties never comes to one person alone, nor do all its steps into one PagerDuty integration.
    """
    faults = [*_zone(service), *_steps(service), *_contacts(service)]
    if service.roster is not None:
        faults += [*_overlaps(service.roster), *_exchanges(service.roster), *_gaps(service, service.roster)]
    faults += _ways(service)
    return faults or list(alone(service))  # where something else is wrong, nobody knows yet whom it comes to


def _zone(service: Service) -> Iterator[str]:
    try:
        ZoneInfo(service.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "time_zone: is no time zone: give one such as Europe/Oslo"


def _steps(service: Service) -> Iterator[str]:
    minutes = [step.after_minutes for step in service.ladder.red]
    if minutes[0] != 0:
        yield "ladder.red[0].after_minutes: must be 0: the first step is at once"
    for place, (before, after) in enumerate(pairwise(minutes), start=1):
        if after <= before:
            yield f"ladder.red[{place}].after_minutes: must be more than that of the step before"
    if service.roster is None:
        for place, step in enumerate(service.ladder.red):
            if step.to not in service.contacts:
                yield f"ladder.red[{place}].to: nobody has the duty {step.to}: give a contact of that name, or a roster"


def _contacts(service: Service) -> Iterator[str]:
    people = _people(service)
    named = people | _duties(service) | {NURSE, CANARY}
    for contact, held in service.contacts.items():
        if contact not in named:
            yield f"contacts.{contact}: is neither on the roster nor a duty of the ladder: is it a typing error?"
        if held.usual is not None and held.usual not in held.ways:
            yield f"contacts.{contact}.usual: is none of the contact's ways"
    for person in sorted(people - service.contacts.keys()):
        yield f"contacts: {person} is on the roster and cannot be reached: give a contact of that name"


def _duties(service: Service) -> set[str]:
    return {step.to for step in service.ladder.red}


def _people(service: Service) -> set[str]:
    return {who for duty in _given(service.roster) for who in duty.values()}


def _given(roster: Roster | None) -> list[dict[str, str]]:
    """Who has which duty, in every shift and every exchange."""
    if roster is None:
        return []
    return [*(shift.duty for shift in roster.shifts), *(exchange.duty for exchange in roster.exchanges)]


def _week(roster: Roster) -> dict[str, Counter[int]]:
    """Duty -> minute of the week -> by how many shifts somebody has it."""
    held: dict[str, Counter[int]] = {}
    for shift in roster.shifts:
        starts, ends = bounds(shift, _MONDAY)
        first = (starts.hour * 60 + starts.minute) % _WEEK
        for day in shift.days:
            begins = DAYS.index(day) * 24 * 60 + first
            for duty in shift.duty:
                held.setdefault(duty, Counter()).update(
                    minute % _WEEK for minute in range(begins, begins + (ends - starts) // _MINUTE)
                )
    return held


def _overlaps(roster: Roster) -> Iterator[str]:
    for duty, minutes in sorted(_week(roster).items()):
        twice = sorted(minute for minute, shifts in minutes.items() if shifts > 1)
        if twice:
            yield f"roster.shifts: two of them give the duty {duty} on {_said(twice[0])}: whose is it?"


def _gaps(service: Service, roster: Roster) -> Iterator[str]:
    week = _week(roster)
    for duty in sorted(_duties(service) - service.contacts.keys()):
        held = week.get(duty, Counter())
        free = next((minute for minute in range(_WEEK) if not held[minute]), None)
        if not held:
            yield f"roster: nobody ever has the duty {duty}: give it in a shift, or give a contact of that name"
        elif free is not None:
            yield f"roster: nobody has the duty {duty} on {_said(free)}: give it in a shift, or a contact of that name"


def _said(minute: int) -> str:
    return f"{DAYS[minute // (24 * 60)]} at {minute // 60 % 24:02}:{minute % 60:02}"


def _exchanges(roster: Roster) -> Iterator[str]:
    for place, exchange in enumerate(roster.exchanges):
        shifts = [
            shift
            for shift in roster.shifts
            if shift.starts == exchange.starts and DAYS[exchange.day.weekday()] in shift.days
        ]
        if not shifts:
            yield f"roster.exchanges[{place}]: no shift starts then"
            continue
        for duty in sorted(exchange.duty):
            if not any(duty in shift.duty for shift in shifts):
                yield f"roster.exchanges[{place}].duty: the shift that starts then has no duty {duty}"


def _ways(service: Service) -> Iterator[str]:
    given = _given(service.roster)
    for place, step in enumerate(service.ladder.red):
        if step.by is None:
            continue
        may = {step.to} | {duty[step.to] for duty in given if step.to in duty}
        for who in sorted(may & service.contacts.keys()):
            if step.by not in service.contacts[who].ways:
                yield f"ladder.red[{place}].by: {step.by} is no way of {who}: give one in contacts.{who}.ways"
