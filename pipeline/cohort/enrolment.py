"""What staff decide about a simulated patient: enrolment, a plan with personal limits, and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.cohort.events import Event, named
from schemas.care import Cadence, Enrolled, Limit, PhaseChanged, Plan, PlanSigned, SelfCare
from schemas.topics import CARE
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.cohort.people import Patient

MUNICIPALITIES: Final = 10
SEVERAL: Final = ("08:00", "12:00", "16:00", "20:00")  # hospital at home, the patient's wall clock


def care(one: Patient) -> Iterator[Event]:
    """The care events of `one`."""
    at = one.enrolled_at
    enrolled = Enrolled(
        event_id=named(f"{one.name}-{at.isoformat()}-enrolled"),
        patient=one.name,
        at=at,
        recorded_at=at,
        pathway=one.group.pathway,
        service=one.service,
        municipality=f"simulated-municipality-{int(one.name.removeprefix('sim-')) % MUNICIPALITIES + 1}",
        phase=Phase.START_UP,
    )
    signed = PlanSigned(
        event_id=named(f"{one.name}-{at.isoformat()}-plan"),
        patient=one.name,
        at=at,
        recorded_at=at,
        signed_by="simulated-doctor",
        plan=_plan(one),
    )
    yield Event(at, CARE, enrolled)
    yield Event(at, CARE, signed)
    if one.ends_at is not None:
        ended = PhaseChanged(
            event_id=named(f"{one.name}-{at.isoformat()}-ended"),
            patient=one.name,
            at=one.ends_at,
            recorded_at=one.ends_at,
            phase=Phase.ENDED,
        )
        yield Event(one.ends_at, CARE, ended)


def _plan(one: Patient) -> Plan:
    limits = tuple(
        Limit(
            code=usual.vital.codes[0],
            unit=usual.vital.unit,
            red_low=_edge(mean, usual.red[0], usual.digits),
            yellow_low=_edge(mean, usual.yellow[0], usual.digits),
            yellow_high=_edge(mean, usual.yellow[1], usual.digits),
            red_high=_edge(mean, usual.red[1], usual.digits),
        )
        for usual, mean in zip(one.group.usual, one.means, strict=True)
    )
    several = Cadence(times=SEVERAL, daily_days=3650, every_days=1, grace_minutes=150)
    return Plan(
        version=1,
        valid_from_at=one.enrolled_at,
        limits=limits,
        cadence=several if one.group.several_a_day else Cadence(),
        questionnaire=f"{one.group.pathway}-daily",
        questionnaire_version=1,
        self_care=SelfCare(
            green=("Fortsett som vanlig.",),
            yellow=("Mål på nytt etter en halv time, og følg tiltakene i planen.",),
            red=("Ring oppfølgingssenteret nå.",),
        ),
    )


def _edge(mean: float, distance: float | None, digits: int) -> float | None:
    """A limit so far from the patient's own usual value, as the device would show it."""
    return None if distance is None else round(mean + distance, digits)
