"""When the next registration is due, and from when its absence is "no data"."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage.instants import at_local, from_ms, local_day, minutes_of_day
from pipeline.triage.rules import MINUTE_MS
from pipeline.triage.state import NEVER

if TYPE_CHECKING:
    from datetime import tzinfo

    from schemas.care import Cadence


class Due(NamedTuple):
    """A registration is due, and overdue when the plan's grace has passed too [ms]."""

    due_ms: int
    overdue_ms: int


def next_due(  # noqa: PLR0913 - what a due time hangs on
    cadence: Cadence, zone: tzinfo, *, started_ms: int, started_day: int, awaited_ms: int, last_ms: int
) -> Due:
    """What is due after the newest registration.

    Parameters
    ----------
    started_ms, started_day
        Since when the patient is monitored: the daily first days count from here.
    awaited_ms
        Nothing can be due before here: the start, or the end of a pause.
    last_ms
        The newest registration; NEVER where there is none.
    """
    minutes = minutes_of_day(cadence.times)
    due = NEVER if last_ms < started_ms else _after_registration(cadence, minutes, zone, started_day, last_ms)
    if due < awaited_ms:
        due = _first_from(minutes, zone, awaited_ms)
    return Due(due, due + cadence.grace_minutes * MINUTE_MS)


def _first_from(minutes: tuple[int, ...], zone: tzinfo, instant_ms: int) -> int:
    day = local_day(instant_ms, zone)
    slots = (at_local(on, minute, zone) for on in (day, day + 1) for minute in minutes)
    return next(slot for slot in slots if slot >= instant_ms)


def _after_registration(
    cadence: Cadence, minutes: tuple[int, ...], zone: tzinfo, started_day: int, last_ms: int
) -> int:
    day = local_day(last_ms, zone)
    if len(minutes) > 1:
        wall = from_ms(last_ms).astimezone(zone)
        now = wall.hour * 60 + wall.minute
        # A day's first registration may be made from midnight on, each next one from half-way after the one before.
        for earlier, later in pairwise(minutes):
            if now < (earlier + later) / 2:
                return at_local(day, later, zone)
    daily = day + 1 - started_day < cadence.daily_days
    return at_local(day + (1 if daily else cadence.every_days), minutes[0], zone)
