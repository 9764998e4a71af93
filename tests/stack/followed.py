"""A week of four patients in March 2026, small enough to work out by hand what every dashboard must say of it.

Wall clocks are those of Oslo, an hour ahead of UTC then. Two services, `north` and `south`, in `m1` and `m2`:

- p-1, COPD: north until 4 March 12:00, then south, which was written down on the 6th. Red on the 3rd from 09:00 to
  15:00, yellow from then until 15:00 of the 4th; in hospital from the 6th 00:00 to the 7th 12:00, and again from the
  8th 06:00.
- p-2, heart failure, south, m2: yellow from the 4th 10:00 to the 5th 10:00; paused on the 6th.
- p-3, the canary of north: nobody.
- p-4, COPD, south, m1: no data until 10:00 of the 2nd, over on the 5th at 12:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from agents.storing.care_points import of_care_event
from agents.storing.points import of_assessment, of_page, of_receipt, of_status, of_zone_change
from schemas.assessments import (
    Assessment,
    Deviation,
    Episode,
    EpisodeState,
    JudgedReading,
    PatientStatus,
    Quality,
    Reason,
    ZoneChange,
)
from schemas.assessments import BaselineStatus as Baseline
from schemas.care import (
    Acknowledged,
    Admitted,
    Discharged,
    EmergencyContact,
    Enrolled,
    EquipmentHandedOut,
    EquipmentReturned,
    Limit,
    Paused,
    PhaseChanged,
    Plan,
    PlanSigned,
    Transferred,
)
from schemas.paging import Outcome, PageAction, PageRequest, Priority, Receipt
from schemas.submissions import Answer
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.stores.port import Point

OSLO: Final = ZoneInfo("Europe/Oslo")
_NAMES: Final = UUID("7f5f4a52-1d0e-4bb9-9a3e-6a0c5d0f3c11")
HEART: Final = "8867-4"
WEIGHT: Final = "29463-7"
HIGH: Final = Reason(rule="limit_high", zone=Zone.RED, code=HEART)
DEVIATES: Final = Reason(rule="deviation", zone=Zone.YELLOW, code=HEART)
HEAVIER: Final = Reason(rule="weight_week", zone=Zone.YELLOW, code=WEIGHT)
LEAVING: Final = Reason(rule="leaving_red", zone=Zone.YELLOW)
FINE: Final = Reason(rule="within_limits", zone=Zone.GREEN)
AWAITED: Final = Reason(rule="awaiting_registration", zone=Zone.NO_DATA)


def at(said: str) -> datetime:
    """The instant of a wall clock in Oslo: `03-04 12:00`, of 2026, or with its year before it."""
    whole = said if said.startswith("20") else f"2026-{said}"
    return datetime.strptime(whole, "%Y-%m-%d %H:%M").replace(tzinfo=OSLO).astimezone(UTC)


def named(what: str) -> UUID:
    """An id, the same every time."""
    return uuid5(_NAMES, what)


def care(what: Any, patient: str, when: str, *, recorded: str | None = None, **more: Any) -> list[Point]:  # noqa: ANN401 - any care event
    """The points of a care event."""
    event = what(
        event_id=named(f"{what.__name__} {patient} {when} {more.get('device', '')}"),
        patient=patient,
        at=at(when),
        recorded_at=at(recorded or when),
        **more,
    )
    return of_care_event(event)


def enrolled(patient: str, service: str, municipality: str, pathway: str) -> list[Point]:
    """Taken in on the first of March at 10:00."""
    place = {"service": service, "municipality": municipality, "pathway": pathway}
    return care(Enrolled, patient, "03-01 10:00", **place, phase=Phase.FOLLOW_UP)


def changed(patient: str, when: str, left: Zone, zone: Zone, *reasons: Reason, retracted: bool = False) -> list[Point]:
    """A change of zone."""
    return of_zone_change(
        ZoneChange(
            zone_change_id=change_id(patient, when),
            patient=patient,
            at=at(when),
            from_zone=left,
            to_zone=zone,
            reasons=reasons,
            retracted=retracted,
            service="whatever-was-told",  # joined by time from the care events, and never this
        )
    )


def change_id(patient: str, when: str) -> UUID:
    """The id of a change of zone."""
    return named(f"change {patient} {when}")


def stood(patient: str, when: str, zone: Zone, since: str, reason: Reason, **more: Any) -> list[Point]:  # noqa: ANN401 - any of a status
    """What was told of a patient at an instant; `due` and `last` are wall clocks."""
    for short, field in (("due", "due_at"), ("last", "last_submission_at"), ("respond_by", "respond_by_at")):
        if more.get(short) is not None:
            more[field] = at(more.pop(short))
    return of_status(
        PatientStatus(
            patient=patient, revision=1, at=at(when), zone=zone, since_at=at(since), reasons=(reason,), **more
        )
    )


def registered(
    patient: str,
    when: str,
    *readings: JudgedReading,
    zone: Zone = Zone.GREEN,
    **more: Any,  # noqa: ANN401 - any of it
) -> list[Point]:
    """A registration and what it holds."""
    return of_assessment(
        Assessment(
            assessment_id=named(f"assessment {patient} {when}"),
            submission_id=named(f"submission {patient} {when}"),
            patient=patient,
            revision=more.pop("revision", 1),
            at=more.pop("moved_to", at(when)),
            received_at=at(when),
            zone=zone,
            reasons=(),
            readings=readings,
            service=None,
            plan_version=1,
            rules_version="5",
            **more,
        )
    )


def measured(when: str, value: float, **more: Any) -> JudgedReading:  # noqa: ANN401 - any of a reading
    """A heart rate [/min] by the device d-1, unless `more` says otherwise."""
    said: dict[str, Any] = {
        "code": HEART,
        "vital": "heart_rate",
        "value": value,
        "unit": "/min",
        "measured_at": at(when),
        "quality": Quality.VALID,
        "device": "d-1",
    }
    return JudgedReading(**said | more)


def paged(patient: str, when: str, step: int, **more: Any) -> list[Point]:  # noqa: ANN401 - any of a page
    """A page about the change of zone at `when`."""
    return of_page(
        PageRequest(
            page_id=page_id(patient, when, step),
            patient=patient,
            service="whatever-was-told",
            zone=Zone.RED,
            priority=Priority.HIGH,
            at=at(when),
            zone_change_id=change_id(patient, when),
            assessment_id=None,
            ask=1,
            step=step,
            **more,
        )
    )


def page_id(patient: str, when: str, step: int) -> UUID:
    """The id of a page."""
    return named(f"page {patient} {when} {step}")


def delivered(patient: str, when: str, step: int, after_s: float) -> list[Point]:
    """The receipt of a page, so long after the change of zone."""
    receipt = Receipt(
        receipt_id=named(f"receipt {patient} {when} {step} {after_s}"),
        page_id=page_id(patient, when, step),
        patient=patient,
        ask=1,
        outcome=Outcome.DELIVERED,
        at=at(when) + timedelta(seconds=after_s),
        attempts=1,
    )
    return of_receipt(receipt)


def taken_over(patient: str, when: str, after_s: float, reason_code: str) -> list[Point]:
    """An acknowledgement, so long after the change of zone."""
    then = at(when) + timedelta(seconds=after_s)
    event = Acknowledged(
        event_id=named(f"acknowledged {patient} {when} {after_s}"),
        patient=patient,
        at=then,
        recorded_at=then,
        zone_change_id=change_id(patient, when),
        by="n-1",
        reason_code=reason_code,
    )
    return of_care_event(event)


def signed(
    patient: str, when: str, version: int, yellow_high: float | None, *, red_high: float | None = None
) -> list[Point]:
    """A plan that limits the heart rate [/min], valid from `when`."""
    limits = (
        (Limit(code=HEART, unit="/min", red_low=40.0, yellow_low=50.0, yellow_high=yellow_high, red_high=red_high),)
        if yellow_high is not None
        else ()
    )
    plan = Plan(version=version, valid_from_at=at(when), limits=limits)
    return care(PlanSigned, patient, when, plan=plan, signed_by="dr-1")


def points() -> Iterator[Point]:
    """All of the week."""
    yield from _first()
    yield from _second()
    yield from _fourth()
    yield from enrolled("p-3", "north", "m1", "canary")
    yield from changed("p-3", "03-03 08:00", Zone.GREEN, Zone.RED, HIGH)
    yield from stood("p-3", "03-03 08:00", Zone.RED, "03-03 08:00", HIGH, pathway="canary", service="north")
    yield from registered("p-3", "03-03 08:00", measured("03-03 08:00", 200.0))
    yield from paged("p-3", "03-03 08:00", 0, test=True)
    yield from care(EquipmentHandedOut, "p-1", "03-01 10:00", device="d-1", kind="pulse-meter")
    yield from care(EquipmentHandedOut, "p-2", "03-01 10:00", device="d-2", kind="scale")
    yield from care(EquipmentReturned, "p-2", "03-04 10:00", device="d-2")
    yield from care(EquipmentHandedOut, "p-4", "03-02 10:00", device="d-3", kind="cuff")
    yield from care(EquipmentReturned, "p-4", "03-05 12:00", device="d-3")
    yield from care(EquipmentHandedOut, "p-2", "03-06 10:00", device="d-3", kind="cuff")


def _first() -> Iterator[Point]:
    who, place = "p-1", {"service": "north", "municipality": "m1", "pathway": "copd", "phase": Phase.FOLLOW_UP}
    yield from enrolled(who, "north", "m1", "copd")
    yield from care(Transferred, who, "03-04 12:00", recorded="03-06 08:00", service="south")
    yield from signed(who, "03-01 10:00", 1, 100.0, red_high=120.0)
    yield from signed(who, "03-05 00:00", 2, 110.0)
    yield from signed(who, "03-06 00:00", 1, 75.0)  # an older version comes later, and does not hold
    yield from changed(who, "03-01 10:00", Zone.NOT_MONITORED, Zone.NO_DATA, AWAITED)
    yield from changed(who, "03-01 12:00", Zone.NO_DATA, Zone.GREEN, FINE)
    yield from changed(who, "03-02 09:00", Zone.GREEN, Zone.YELLOW, DEVIATES)
    yield from changed(who, "03-02 09:00", Zone.GREEN, Zone.YELLOW, retracted=True)
    yield from changed(who, "03-03 09:00", Zone.GREEN, Zone.RED, HIGH, DEVIATES)
    yield from changed(who, "03-03 15:00", Zone.RED, Zone.YELLOW, LEAVING)
    yield from changed(who, "03-04 15:00", Zone.YELLOW, Zone.GREEN, FINE)
    # Two pages, the second told first; a third by a test of the way, and one that says that somebody has it.
    yield from (*paged(who, "03-03 09:00", 0), *delivered(who, "03-03 09:00", 0, 50.0))
    yield from (*paged(who, "03-03 09:00", 1), *delivered(who, "03-03 09:00", 1, 20.0))
    yield from paged(who, "03-03 09:00", 7, test=True)
    yield from paged(who, "03-03 09:00", 8, action=PageAction.ACKNOWLEDGE)
    yield from taken_over(who, "03-03 09:00", 320.0, "not-said")
    yield from taken_over(who, "03-03 09:00", 3600.0, "true")
    yield from care(Admitted, who, "03-06 00:00", acute=True)
    yield from care(Admitted, who, "03-06 18:00", acute=False)  # moved within the hospital
    yield from care(Discharged, who, "03-07 12:00")
    yield from care(Admitted, who, "03-07 18:00", acute=False)  # six hours later: to another hospital
    yield from care(Discharged, who, "03-07 20:00")
    yield from care(Admitted, who, "03-08 06:00", acute=True)
    # What was due, as it stood: the registration of the 4th came to be known on the 6th.
    yield from stood(who, "03-01 12:00", Zone.GREEN, "03-01 12:00", FINE, due="03-02 10:00", **place)
    yield from stood(who, "03-02 09:00", Zone.GREEN, "03-01 12:00", FINE, due="03-03 10:00", **place)
    yield from stood(
        who,
        "03-03 09:00",
        Zone.RED,
        "03-03 09:00",
        HIGH,
        due="03-04 10:00",
        last="03-03 09:00",
        respond_by="03-03 09:05",
        open_pages=1,
        episode=Episode(
            state=EpisodeState.OPENED,
            opened_at=at("03-03 09:00"),
            worsened_at=at("03-03 09:00"),
            zone_change_id=change_id(who, "03-03 09:00"),
        ),
        **place,
    )
    yield from stood(who, "03-03 15:00", Zone.YELLOW, "03-03 15:00", LEAVING, due="03-04 10:00", **place)
    place["service"] = "south"
    yield from stood(who, "03-05 08:00", Zone.GREEN, "03-04 15:00", FINE, due="03-06 10:00", **place)
    yield from stood(who, "03-07 09:00", Zone.GREEN, "03-04 15:00", FINE, due="03-08 10:00", **place)
    yield from stood(who, "03-08 09:00", Zone.GREEN, "03-04 15:00", FINE, due="03-09 10:00", **place)
    scored = Deviation(center=70.0, spread=3.0, days=12, age_days=1, status=Baseline.ESTABLISHED, score=0.6)
    asked = (Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=2),)
    yield from registered(who, "03-02 09:00", measured("03-02 09:00", 72.0, deviation=scored), answers=asked)
    yield from registered(who, "03-03 09:00", measured("03-03 09:00", 130.0), zone=Zone.RED)
    yield from registered(who, "03-04 18:00", measured("03-04 18:00", 100.0))
    yield from registered(who, "03-05 08:00", measured("03-05 08:00", 80.0), measured("03-05 08:01", 90.0))
    nothing = measured("03-07 09:00", 999.0, quality=Quality.QUARANTINED)
    yield from registered(who, "03-07 09:00", nothing)
    yield from registered(who, "03-08 09:00", measured("03-08 09:00", 77.0, withdrawn=True))


def _second() -> Iterator[Point]:
    who, place = "p-2", {"service": "south", "municipality": "m2", "pathway": "heart-failure", "phase": Phase.FOLLOW_UP}
    yield from enrolled(who, "south", "m2", "heart-failure")
    yield from changed(who, "03-01 10:00", Zone.NOT_MONITORED, Zone.NO_DATA, AWAITED)
    yield from changed(who, "03-01 12:00", Zone.NO_DATA, Zone.GREEN, FINE)
    yield from changed(who, "03-04 10:00", Zone.GREEN, Zone.YELLOW, HEAVIER)
    yield from changed(who, "03-05 10:00", Zone.YELLOW, Zone.GREEN, FINE)
    yield from care(Paused, who, "03-06 00:00", ends_at=at("03-07 00:00"))
    yield from changed(who, "03-06 00:00", Zone.GREEN, Zone.NOT_MONITORED, _paused())
    yield from changed(who, "03-07 00:00", Zone.NOT_MONITORED, Zone.NO_DATA, AWAITED)
    yield from changed(who, "03-07 10:00", Zone.NO_DATA, Zone.GREEN, FINE)
    yield from care(EmergencyContact, who, "03-05 22:00", kind="out-of-hours")
    yield from stood(who, "03-01 12:00", Zone.GREEN, "03-01 12:00", FINE, due="03-08 10:00", **place)
    yield from stood(
        who,
        "03-04 10:00",
        Zone.YELLOW,
        "03-04 10:00",
        HEAVIER,
        due="03-08 10:00",
        respond_by="03-04 14:00",
        episode=Episode(
            state=EpisodeState.OPENED,
            opened_at=at("03-04 10:00"),
            worsened_at=at("03-04 10:00"),
            zone_change_id=change_id(who, "03-04 10:00"),
        ),
        **place,
    )
    yield from stood(who, "03-05 10:00", Zone.GREEN, "03-05 10:00", FINE, due="03-08 10:00", **place)
    yield from stood(who, "03-06 00:00", Zone.NOT_MONITORED, "03-06 00:00", _paused(), **place)
    yield from stood(who, "03-07 00:00", Zone.NO_DATA, "03-07 00:00", AWAITED, due="03-07 10:00", **place)
    yield from stood(who, "03-07 10:00", Zone.GREEN, "03-07 10:00", FINE, due="03-14 10:00", **place)
    own = {"code": WEIGHT, "vital": "weight", "unit": "kg", "device": "own-9"}
    yield from registered(
        who, "03-02 08:00", measured("03-02 08:00", 80.0, **own, withdrawn=True), entered_in_error=True
    )
    yield from registered(who, "03-07 09:30", measured("03-07 09:30", 81.5, **own))
    yield from registered(who, "03-07 09:40", zone=Zone.NO_DATA)  # nothing in it can be judged


def _paused() -> Reason:
    return Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="paused")


def _fourth() -> Iterator[Point]:
    who, place = "p-4", {"service": "south", "municipality": "m1", "pathway": "copd", "phase": Phase.START_UP}
    yield from enrolled(who, "south", "m1", "copd")
    yield from changed(who, "03-01 10:00", Zone.NOT_MONITORED, Zone.NO_DATA, AWAITED)
    yield from changed(who, "03-02 10:00", Zone.NO_DATA, Zone.GREEN, FINE)
    yield from changed(who, "03-05 12:00", Zone.GREEN, Zone.NOT_MONITORED)
    yield from care(PhaseChanged, who, "03-05 12:00", phase=Phase.ENDED)
    yield from stood(who, "03-01 10:00", Zone.NO_DATA, "03-01 10:00", AWAITED, due="03-02 10:00", **place)
    yield from stood(who, "03-02 10:00", Zone.GREEN, "03-02 10:00", FINE, due="03-03 10:00", **place)
    place["phase"] = Phase.ENDED
    over = Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="ended")
    yield from stood(who, "03-05 12:00", Zone.NOT_MONITORED, "03-05 12:00", over, **place)
    yield from registered(who, "03-02 10:00")
