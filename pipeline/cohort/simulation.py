"""A whole cohort, from enrolment to every registration; the same seed makes the same messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.cohort.enrolment import care
from pipeline.cohort.events import Event
from pipeline.cohort.people import SERVICES, Deterioration, Patient, person
from pipeline.cohort.sessions import registration, sessions
from pipeline.cohort.staff import with_staff
from pipeline.triage import RULES
from schemas.topics import SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.triage import Rules

_AGO: Final = timedelta(minutes=3)  # a live registration was measured so long before it is received


class Cohort(NamedTuple):
    """Everybody, everything that they send in order of arrival, and the truth."""

    seed: int
    patients: tuple[Patient, ...]
    events: list[Event]
    truth: tuple[Deterioration, ...]
    services: tuple[str, ...] = SERVICES


def simulate(seed: int, start: datetime, days: int, patients: int = 200, rules: Rules = RULES) -> Cohort:
    """Simulate `patients` over `days` from `start`; simulated staff take over what `rules` find.

    What was measured in the last days may arrive up to three days after them: late uploads are late.

    Raises
    ------
    ValueError
        `start` has no offset.
    """
    if start.tzinfo is None:
        raise ValueError("the start of a cohort needs an offset")
    start = start.astimezone(UTC)
    people = tuple(person(seed, number, start, days, patients) for number in range(1, patients + 1))
    events = [event for one in people for event in _of_patient(seed, one, start + timedelta(days=days), rules)]
    events.sort(key=lambda event: event.at)
    truth = tuple(one.deterioration for one in people if one.deterioration is not None)
    return Cohort(seed, people, events, truth)


def live(cohort: Cohort, number: int, now: datetime) -> Event:
    """The `number`th registration after the replay: of somebody of the cohort, received at `now`."""
    random = Random(f"{cohort.seed}-live-{number}")  # noqa: S311 - a simulation
    followed = [one for one in cohort.patients if one.ends_at is None]
    one = random.choice(followed or list(cohort.patients))
    message = registration(random, one, now - _AGO, now, f"live-{number}-{now.isoformat()}")
    return Event(now, SUBMISSIONS, message)


def _of_patient(seed: int, one: Patient, until: datetime, rules: Rules) -> Iterator[Event]:
    yield from with_staff(seed, [*care(one), *sessions(seed, one, until)], rules)
