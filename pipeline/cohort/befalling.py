"""What befalls a simulated patient beside what is measured: admissions, contacts, equipment, another service.

The rate of admissions after enrolment is `RATIO` times the rate before it, the same for everybody, so what is told of
it can be held against the truth.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from pipeline.cohort.events import Event, named
from pipeline.cohort.people import SERVICES
from schemas.care import (
    Acknowledged,
    Admitted,
    AlertReason,
    ContactKind,
    ContactMade,
    Discharged,
    EmergencyContact,
    EquipmentHandedOut,
    EquipmentReturned,
    JointConsultation,
    PhaseChanged,
    Transferred,
)
from schemas.topics import CARE
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.cohort.people import Patient
    from schemas.assessments import ZoneChange

RATIO: Final = 0.7  # of the rate of admissions after enrolment to that before it
ADMISSIONS: Final = 1.5  # a year before enrolment
EMERGENCIES: Final = 0.8  # a year before enrolment
_CONTACTS: Final = 10.0  # a year
_CONSULTATIONS: Final = 0.7  # a year
_STAY_DAYS: Final = 5.0
_YEAR: Final = timedelta(days=365)
_TRIAL: Final = timedelta(days=21)
_HANDED_OVER: Final = 0.15  # share of patients
_RETURNS: Final = timedelta(days=2)
_TAKES: Final = (2.0, 25.0, 0.06)  # minutes until a red is taken over, those of a yellow, share that nobody takes over
_WHY: Final = (
    *(AlertReason.TRUE, AlertReason.TRUE, AlertReason.EXACERBATION, AlertReason.TECHNIQUE, AlertReason.ALREADY_KNOWN),
    *(AlertReason.OTHER, AlertReason.NOT_SAID),
)
_DEVICES: Final = ("oximeter", "cuff", "scale")


def befalls(seed: int, one: Patient, until: datetime) -> list[Event]:
    """The care events of `one` beside enrolment, plan and end, in order; none after `until`."""
    random = Random(f"{seed}-{one.name}-befalls")  # noqa: S311 - a simulation
    ends = one.ends_at or until
    found = [*_hospital(random, one, ends), *_followed(random, one, ends), *_equipment(random, one, ends)]
    kept = [event for event in found if event.at < until]
    return sorted(kept, key=lambda event: event.at)


def taken_over(seed: int, change: ZoneChange) -> Event | None:
    """The acknowledgement of a change into yellow or red, with a reason; None: nobody takes it over."""
    random = Random(f"{seed}-{change.zone_change_id}")  # noqa: S311 - a simulation
    red, yellow, nobody = _TAKES
    if random.random() < nobody:
        return None
    minutes = random.lognormvariate(0, 1.0) * (red * 3 if change.to_zone.value == "red" else yellow)
    at = change.at + timedelta(minutes=minutes)
    said = {"zone_change_id": change.zone_change_id, "by": "simulated-nurse", "reason_code": random.choice(_WHY).value}
    return _event(Acknowledged, change.patient, at, f"{change.zone_change_id}-taken-over", **said)


def _hospital(random: Random, one: Patient, ends: datetime) -> Iterator[Event]:
    """Stays and emergency contacts in the year before enrolment and from then on."""
    frailty = random.gammavariate(1.5, 1 / 1.5)
    for begins, stops, ratio in ((one.enrolled_at - _YEAR, one.enrolled_at, 1.0), (one.enrolled_at, ends, RATIO)):
        at = begins
        while (at := at + _YEAR * (random.expovariate(1.0) / (ADMISSIONS * frailty * ratio))) < stops:
            out = at + timedelta(days=random.expovariate(1 / _STAY_DAYS))
            yield _event(Admitted, one.name, at, "admitted", acute=random.random() < 0.85)  # noqa: PLR2004 - a share
            yield _event(Discharged, one.name, out, "discharged")
            at = out
        at = begins
        while (at := at + _YEAR * (random.expovariate(1.0) / (EMERGENCIES * frailty * ratio))) < stops:
            yield _event(EmergencyContact, one.name, at, "emergency", kind="out-of-hours")


def _followed(random: Random, one: Patient, ends: datetime) -> Iterator[Event]:
    """Phases, contacts, consultations, and for some another service."""
    if one.enrolled_at + _TRIAL < ends and random.random() < 0.9:  # noqa: PLR2004 - a share
        yield _event(PhaseChanged, one.name, one.enrolled_at + _TRIAL, "followed-up", phase=Phase.FOLLOW_UP)
    if random.random() < _HANDED_OVER:
        at = one.enrolled_at + (ends - one.enrolled_at) * random.random()
        yield _event(Transferred, one.name, at, "handed-over", service=random.choice(SERVICES))
    for kind, yearly in ((ContactMade, _CONTACTS), (JointConsultation, _CONSULTATIONS)):
        at = one.enrolled_at
        while (at := at + _YEAR * (random.expovariate(1.0) / yearly)) < ends:
            if kind is JointConsultation:
                yield _event(kind, one.name, at, "met", services=(one.service, SERVICES[1]))
            else:
                how = random.choice((ContactKind.CALL, ContactKind.CALL, ContactKind.MESSAGE, ContactKind.VIDEO))
                reached = random.random() < 0.8  # noqa: PLR2004 - a share
                yield _event(kind, one.name, at, how.value, kind=how, reached=reached, by="simulated-nurse")


def _equipment(random: Random, one: Patient, ends: datetime) -> Iterator[Event]:
    for kind in random.sample(_DEVICES, random.randint(1, len(_DEVICES))):
        device = f"{kind}-{one.name}"
        yield _event(EquipmentHandedOut, one.name, one.enrolled_at, f"{kind}-out", device=device, kind=kind)
        if one.ends_at is not None:
            yield _event(EquipmentReturned, one.name, ends + _RETURNS, f"{kind}-back", device=device)


def _event(of: Any, patient: str, at: datetime, what: str, **said: Any) -> Event:  # noqa: ANN401 - any kind of event
    name = named(f"{patient}-{at.isoformat()}-{what}")
    return Event(at, CARE, of(event_id=name, patient=patient, at=at, recorded_at=at, **said))
