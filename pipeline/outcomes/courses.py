"""One patient's way through services and phases, as stretches of time in which nothing of it changed.

What is told of a stretch, and when a patient counts as told of, is for whoever asks: who was followed
(`following.py`), and in whose service somebody was (`agents/frames/people.py`).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pipeline.triage.phases import Place, begun, changed
from pipeline.triage.rules import RULES
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Told = TypeVar("Told")
KINDS: Final = ("enrolled", "phase_changed", "transferred")


class Event(NamedTuple):
    """A care event of one of `KINDS`; `at_ms` since 1970."""

    patient: str
    at_ms: int
    kind: str
    service: str
    municipality: str
    pathway: str
    phase: str


class Standing(NamedTuple):
    """What holds from an instant on; `enrolment` is its number among the patient's, 0 before the first."""

    place: Place = Place()
    service: str = ""
    municipality: str = ""
    pathway: str = ""
    enrolment: int = 0


def stretches(
    events: Iterable[Event], told: Callable[[Standing], Told | None]
) -> Iterator[tuple[int, int | None, Told]]:
    """Stretches of one patient, none empty: from, to (None: goes on) [ms since 1970], and what is told of them.

    Parameters
    ----------
    events
        In the order in which triage follows them.
    told
        What a stretch is told by; None where there is nothing to tell.
    """
    standing, now, since_ms = Standing(), told(Standing()), 0
    for event in events:
        standing = _after(standing, event)
        then = told(standing)
        if then != now:
            if now is not None and since_ms < event.at_ms:
                yield since_ms, event.at_ms, now
            now, since_ms = then, event.at_ms
    if now is not None:
        yield since_ms, None, now


def _after(standing: Standing, event: Event) -> Standing:
    """What holds after an event, as `pipeline.triage.standing` has it."""
    match event.kind:
        case "enrolled":
            place = begun(standing.place, Phase(event.phase), event.at_ms)
            return Standing(place, event.service, event.municipality, event.pathway, standing.enrolment + 1)
        case "transferred":
            return standing._replace(service=event.service)
        case _:
            return standing._replace(place=changed(standing.place, Phase(event.phase), event.at_ms, UTC, RULES))
