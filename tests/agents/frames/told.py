"""Messages as the store gets them: told by the fold, and as the points that the storing agent writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from agents.stores.port import Point
from agents.storing.care_points import of_care_event
from agents.storing.points import apart_ns, at_ms
from agents.storing.sink import STORED
from pipeline.triage import step
from schemas.assessments import PatientStatus, ZoneChange
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    Enrolled,
    EquipmentHandedOut,
    PhaseChanged,
    Transferred,
)
from schemas.paging import Outcome, PageRequest, Priority, Receipt
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY0: Final = datetime(2026, 1, 5, tzinfo=UTC)
_NAMES: Final = UUID("c1a5a0de-52b6-4d6e-9a4b-7d0c4f8e1b22")
_TELLS: Final = {topic.message: tell for topic, tell in STORED if isinstance(topic.message, type)}


def day(days: float) -> datetime:
    """So many days after the first."""
    return DAY0 + timedelta(days=days)


def named(what: str) -> UUID:
    """An id."""
    return uuid5(_NAMES, what)


def points_of(messages: Iterable[Any]) -> list[Point]:
    """What the storing agent writes of messages, in their order; what is not stored is passed over."""
    found: list[Point] = []
    for message in messages:
        if isinstance(message, CareEvent):
            found += of_care_event(message)
        elif type(message) in _TELLS:
            found += _TELLS[type(message)](message)
    return found


def folded(events: Iterable[Any]) -> list[Any]:
    """The events of one patient, and what the fold tells of each."""
    state, told = None, []
    for event in events:
        state, outputs = step(state, event)
        told += [event, *outputs]
    return told


def about(patient: str, what: str, at: datetime, *, recorded: datetime | None = None) -> dict[str, Any]:
    """What every care event has."""
    return {"event_id": named(f"{patient}-{what}"), "patient": patient, "at": at, "recorded_at": recorded or at}


def enrolled(patient: str, at: datetime, service: str = "lungs", pathway: str = "copd", **more: Any) -> Enrolled:  # noqa: ANN401 - fields of it
    """Taken into a service."""
    common = about(patient, f"enrolled-{at}", at)
    return Enrolled(**common | more, pathway=pathway, service=service, municipality="north")


def transferred(patient: str, at: datetime, service: str) -> Transferred:
    """Handed over."""
    return Transferred(**about(patient, f"transferred-{at}", at), service=service)


def moved_on(patient: str, at: datetime, phase: Phase) -> PhaseChanged:
    """In another phase from then on."""
    return PhaseChanged(**about(patient, f"phase-{at}", at), phase=phase)


def admitted(patient: str, at: datetime) -> Admitted:
    """Admitted acutely."""
    return Admitted(**about(patient, f"admitted-{at}", at), acute=True)


def handed_out(patient: str, at: datetime) -> EquipmentHandedOut:
    """Got an oximeter."""
    return EquipmentHandedOut(**about(patient, f"got-{at}", at), device="oximeter-7", kind="oximeter")


def change(patient: str, at: datetime, to: Zone = Zone.RED, *, retracted: bool = False) -> ZoneChange:
    """Came into a zone."""
    return ZoneChange(
        zone_change_id=named(f"{patient}-change-{at}"),
        patient=patient,
        at=at,
        from_zone=Zone.GREEN,
        to_zone=to,
        retracted=retracted,
    )


def taken_over(of: ZoneChange, at: datetime) -> Acknowledged:
    """Acknowledged as true."""
    common = about(of.patient, f"acknowledged-{of.zone_change_id}", at)
    return Acknowledged(**common, zone_change_id=of.zone_change_id, by="nurse-1", reason_code="true")


def page(of: ZoneChange, *, test: bool = False, step_: int = 0) -> PageRequest:
    """Somebody is to be told of a change."""
    return PageRequest(
        page_id=named(f"page-{of.zone_change_id}-{step_}"),
        patient=of.patient,
        service="lungs",
        zone=of.to_zone,
        priority=Priority.HIGH,
        at=of.at,
        zone_change_id=of.zone_change_id,
        assessment_id=None,
        ask=1,
        test=test,
    )


def receipt(of: PageRequest, at: datetime) -> Receipt:
    """It was delivered."""
    return Receipt(
        receipt_id=named(f"receipt-{of.page_id}"),
        page_id=of.page_id,
        patient=of.patient,
        ask=1,
        outcome=Outcome.DELIVERED,
        at=at,
        attempts=1,
    )


def status(patient: str, at: datetime, zone: Zone) -> PatientStatus:
    """Where somebody stands."""
    return PatientStatus(
        patient=patient, revision=1, at=at, zone=zone, since_at=at, reasons=(), service="lungs", due_at=day(200)
    )


def limit(patient: str, vital: str, at: datetime, version: int, **limits: float) -> Point:
    """What a plan says of a vital sign; by default nothing."""
    names = (
        "red_low",
        "yellow_low",
        "yellow_high",
        "red_high",
        "red_below",
        "yellow_below",
        "yellow_above",
        "red_above",
    )
    fields: dict[str, float | str] = dict.fromkeys(names, -1.0) | limits
    fields |= {"unit": "%", "plan_version": float(version), "sound": 1.0, "recorded": float(at_ms(at))}
    told = apart_ns(named(f"{patient}-{version}-{at}"))
    return Point("plan_limit", {"patient": patient, "vital": vital}, fields, at_ms(at), told)
