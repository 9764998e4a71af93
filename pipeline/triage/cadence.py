"""When the next registration is due, and from when its absence is "no data"."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.triage.instants import at_local, from_ms, local_day, minutes_of_day, weekday_of
from pipeline.triage.rules import MINUTE_MS
from pipeline.triage.state import NEVER
from schemas.types import Weekday

if TYPE_CHECKING:
    from datetime import tzinfo

    from pipeline.triage.rules import Rules
    from schemas.care import Cadence


_WEEKDAYS: Final = tuple(Weekday)


class Due(NamedTuple):
    """A registration is due, and overdue when the plan's grace has passed too [ms]."""

    due_ms: int
    overdue_ms: int


def next_due(  # noqa: PLR0913 - what a due time hangs on
    cadence: Cadence,
    zone: tzinfo,
    *,
    started_ms: int,
    started_day: int,
    awaited_ms: int,
    last_ms: int,
    alert_ms: int,
    near_ms: int,
    rules: Rules,
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
    alert_ms, near_ms
        The newest registration in yellow or red, and with a value near a limit or beyond it; NEVER as above.
    """
    minutes = minutes_of_day(cadence.times)
    due = NEVER
    if last_ms >= started_ms:
        day = local_day(last_ms, zone)
        gap = every_days(
            cadence,
            since_start=day - started_day,
            since_alert=None if not started_ms <= alert_ms <= last_ms else day - local_day(alert_ms, zone),
            since_near=None if near_ms < started_ms else day - local_day(near_ms, zone),
            day=day,
            rules=rules,
        )
        due = _after_registration(minutes, zone, day, last_ms, gap)
    if due < awaited_ms:
        due = _first_from(minutes, zone, awaited_ms)
    if alert_ms > max(last_ms, awaited_ms) and cadence.alert_days > 1:  # a part: it asks for more, and puts nothing off
        due = min(due, _after_registration(minutes, zone, local_day(alert_ms, zone), alert_ms, 1))
    grace_ms = cadence.grace_minutes * MINUTE_MS
    if alert_ms >= last_ms and alert_ms != NEVER:  # whoever was last in yellow or red is missed sooner
        grace_ms //= rules.alert_grace_divisor
    return Due(due, due + grace_ms)


def opens_ms(cadence: Cadence, zone: tzinfo, due_ms: int) -> int:
    """From when on a registration may be made for a due time [ms]: midnight, or half-way from the time before it."""
    day, minutes = local_day(due_ms, zone), minutes_of_day(cadence.times)
    slots = [at_local(day, minute, zone) for minute in minutes]
    earlier = [slot for slot in slots if slot < due_ms]
    return at_local(day, 0, zone) if not earlier else (earlier[-1] + due_ms) // 2


def _first_from(minutes: tuple[int, ...], zone: tzinfo, instant_ms: int) -> int:
    day = local_day(instant_ms, zone)
    slots = (at_local(on, minute, zone) for on in (day, day + 1) for minute in minutes)
    return min(slot for slot in slots if slot >= instant_ms)


def every_days(  # noqa: PLR0913 - what a rhythm hangs on
    cadence: Cadence, *, since_start: int, since_alert: int | None, since_near: int | None, day: int, rules: Rules
) -> int:
    """Days from a registration to the next.

    The first days are daily, then the plan's own rhythm holds. Two things shorten it, never lengthen it: a yellow or
    red asks for daily registrations, its own day being the first, and a value near a limit for every second day.

    Parameters
    ----------
    since_start, since_alert, since_near
        Days from the start, the newest yellow or red, and the newest value near a limit to the registration [d].
    day
        Of the registration: the plan's weekdays are counted from it.
    """
    gap = _to_weekday(cadence, day) if cadence.weekdays else cadence.every_days
    if since_near is not None and since_near + rules.near_every_days <= rules.near_days:
        gap = min(gap, rules.near_every_days)
    if since_alert is not None and since_alert + 1 < cadence.alert_days:
        gap = 1
    return 1 if since_start + 1 < cadence.daily_days else gap


def _to_weekday(cadence: Cadence, day: int) -> int:
    """Days from a day to the next of the plan's weekdays, one at least."""
    today = weekday_of(day)
    return min((_WEEKDAYS.index(one) - today - 1) % len(_WEEKDAYS) + 1 for one in cadence.weekdays)


def _after_registration(minutes: tuple[int, ...], zone: tzinfo, day: int, last_ms: int, gap: int) -> int:
    if len(minutes) > 1:
        wall = from_ms(last_ms).astimezone(zone)
        now = wall.hour * 60 + wall.minute
        # A day's first registration may be made from midnight on, each next one from half-way after the one before.
        for earlier, later in pairwise(minutes):
            if now < (earlier + later) / 2:
                return at_local(day, later, zone)
    return at_local(day + gap, minutes[0], zone)
