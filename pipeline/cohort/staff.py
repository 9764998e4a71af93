"""Simulated nurses: each yellow and red of a simulated patient is taken over after a while."""

from __future__ import annotations

from datetime import timedelta
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Final

from pipeline.cohort.events import Event, named
from pipeline.triage import RULES, step
from schemas.assessments import ZoneChange
from schemas.care import Acknowledged
from schemas.topics import CARE
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.triage import Rules, State

_TAKES_MINUTES: Final = (10, 180)
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})


def with_staff(seed: int, events: Iterable[Event], rules: Rules = RULES) -> Iterator[Event]:
    """One patient's `events` in order of arrival, and an acknowledgement of each change to yellow or red by `rules`."""
    state: State | None = None
    waiting: list[tuple[float, int, Event]] = []
    random = Random(f"{seed}-staff")  # noqa: S311 - a simulation
    for number, event in enumerate(sorted(events, key=lambda event: event.at)):
        heappush(waiting, (event.at.timestamp(), number, event))
    while waiting:
        _, number, event = heappop(waiting)
        state, outputs = step(state, event.message, rules)
        yield event
        for output in outputs:
            if isinstance(output, ZoneChange) and output.to_zone in _ALERTS and not output.retracted:
                taken = _taken_over(random, output, event)
                heappush(waiting, (taken.at.timestamp(), number, taken))


def _taken_over(random: Random, change: ZoneChange, event: Event) -> Event:
    at = event.at + timedelta(minutes=random.uniform(*_TAKES_MINUTES))
    message = Acknowledged(
        event_id=named(f"{change.zone_change_id}-acknowledged"),
        patient=change.patient,
        at=at,
        recorded_at=at,
        zone_change_id=change.zone_change_id,
        by="simulated-nurse",
        reason_code="called",
    )
    return Event(at, CARE, message)
