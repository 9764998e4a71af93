"""The known patients: who they are, what was decided about them before today, and where today leads.

All of them are of one service, so that what its panels must say is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from agents.recordings.events import Event
from schemas.care import (
    Admitted,
    Cadence,
    ContactKind,
    ContactMade,
    Discharged,
    EmergencyContact,
    Enrolled,
    EquipmentHandedOut,
    EquipmentReturned,
    Limit,
    Plan,
    PlanSigned,
)
from schemas.submissions import Answer, Reading, Submission
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SERVICE: Final = "lungs"
FJORD, FELL = "fjord", "fell"
SILENT: Final = "known-green-2"  # answers no question
WORSE_PULSE: Final = 100.0  # from here on they say that it is worse [/min]
OSLO: Final = ZoneInfo("Europe/Oslo")


@dataclass(frozen=True)
class Person:
    """A known patient: what is registered today, and where that leads."""

    name: str
    municipality: str
    zone: Zone
    spo2: float | None = None  # None: nothing is registered today [%]
    pulse: float = 70.0  # [/min]
    planned: bool = True
    acknowledged: bool = False


KNOWN: Final = (  # in the order of the worklist, green ones last
    Person("known-red-waits", FJORD, Zone.RED, spo2=84),
    Person("known-red-taken", FELL, Zone.RED, spo2=83, acknowledged=True),
    Person("known-yellow", FJORD, Zone.YELLOW, spo2=95, pulse=112),
    Person("known-late", FELL, Zone.NO_DATA),
    Person("known-unplanned", FJORD, Zone.NOT_MONITORED, spo2=95, planned=False),
    Person("known-green-1", FJORD, Zone.GREEN, spo2=96),
    Person("known-green-2", FELL, Zone.GREEN, spo2=95),
)


def named(what: str) -> UUID:
    """The id of `what`."""
    return uuid5(NAMESPACE_OID, f"panels-{what}")


def earlier(now: datetime) -> Iterator[Event]:
    """What happened to the known patients before today."""
    local = now.astimezone(OSLO)
    times = (f"{(local + timedelta(hours=6)):%H:%M}",)  # due again in six hours at the earliest, whatever the hour
    for person in KNOWN:
        at = now - timedelta(days=4)
        care = {"patient": person.name, "at": at, "recorded_at": at}
        yield Event(
            at,
            CARE,
            Enrolled(
                event_id=named(f"{person.name}-enrolled"),
                pathway="copd",
                service=SERVICE,
                municipality=person.municipality,
                **care,
            ),
        )
        if person.planned:
            plan = Plan(
                version=1,
                valid_from_at=at,
                limits=(
                    Limit(code="2708-6", unit="%", red_low=85, yellow_low=88),
                    Limit(code="8867-4", unit="/min", red_low=40, yellow_high=110, red_high=130),
                ),
                cadence=Cadence(times=times, grace_minutes=60),
            )
            signed = PlanSigned(event_id=named(f"{person.name}-plan"), signed_by="doctor-1", plan=plan, **care)
            yield Event(at, CARE, signed)
        for day in (3, 2, 1):
            if person.planned and (person.zone is not Zone.NO_DATA or day == 3):
                yield Event(now - timedelta(days=day), SUBMISSIONS, session(person.name, now - timedelta(days=day)))
    yield from _care(now)


def _care(now: datetime) -> Iterator[Event]:
    """Equipment, admissions, contacts."""

    def said(event: type[Any], name: str, ago: timedelta, **what: Any) -> Event:  # noqa: ANN401 - of that event
        at = now - ago
        told = event(event_id=named(f"{name}-{event.__name__}-{ago}"), patient=name, at=at, recorded_at=at, **what)
        return Event(at, CARE, told)

    for number, person in enumerate(KNOWN):
        yield said(
            EquipmentHandedOut, person.name, timedelta(days=4), device=f"known-oximeter-{number}", kind="oximeter"
        )
    yield said(EquipmentReturned, "known-late", timedelta(hours=30), device="known-oximeter-3")
    yield said(Admitted, "known-green-1", timedelta(days=3), acute=True)
    yield said(Discharged, "known-green-1", timedelta(days=2))
    yield said(Admitted, "known-green-2", timedelta(days=2), acute=False)
    yield said(Discharged, "known-green-2", timedelta(days=1))
    yield said(EmergencyContact, "known-green-1", timedelta(days=3, hours=1), kind="emergency-room")
    yield said(ContactMade, "known-green-1", timedelta(hours=20), kind=ContactKind.CALL, reached=True, by="nurse-1")


def session(patient: str, at: datetime, spo2: float = 95.0, pulse: float = 70.0) -> Submission:
    """A registration of two readings."""
    readings = tuple(
        Reading(code=code, value=value, unit=unit, measured_at=at, device=f"{patient}-oximeter")
        for code, value, unit in (("2708-6", spo2, "%"), ("8867-4", pulse, "/min"))
    )
    worse = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=pulse > WORSE_PULSE)
    answers = () if patient == SILENT else (worse,)
    return Submission(submission_id=uuid4(), patient=patient, received_at=at, readings=readings, answers=answers)
