"""Care events as points: what happened to a patient and when, for outcomes and charts.

No note is stored, for it is free text, and no reference to staff: analysts count what was done, not by whom. Who
did it stands on the `care` topic and in the audit log.
"""

from __future__ import annotations

from typing import Final

from agents.stores.port import Point
from agents.storing.points import apart_ns, at_ms
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    ContactMade,
    Discharged,
    EmergencyContact,
    Enrolled,
    EquipmentHandedOut,
    EquipmentReturned,
    JointConsultation,
    Paused,
    PhaseChanged,
    PlanSigned,
    Transferred,
)

Fields = dict[str, float | str]


def of_care_event(event: CareEvent) -> list[Point]:
    """Return the `care_event` point of `event`. Equipment has its device as a tag: two are often handed out at once."""
    tags = {"patient": event.patient, "kind": KINDS[type(event)]}
    if isinstance(event, EquipmentHandedOut | EquipmentReturned):
        tags["device"] = event.device
    fields: Fields = {
        "event_id": str(event.event_id),
        "recorded": float(at_ms(event.recorded_at)),  # [ms since 1970]
        **_said(event),
    }
    return [Point("care_event", tags, fields, at_ms(event.at), apart_ns(event.event_id))]


def _said(event: CareEvent) -> Fields:  # noqa: C901, PLR0911 - one case for each kind of event
    match event:
        case Enrolled():
            return {
                "pathway": event.pathway,
                "service": event.service,
                "municipality": event.municipality,
                "phase": event.phase.value,
                "time_zone": event.time_zone,
            }
        case PhaseChanged():
            return {"phase": event.phase.value}
        case Transferred():
            return {"service": event.service}
        case PlanSigned():
            return {"plan_version": float(event.plan.version), "limits": float(len(event.plan.limits))}
        case Paused():
            return {"ends": float(at_ms(event.ends_at))}
        case EquipmentHandedOut():
            return {"equipment": event.kind}
        case Admitted():
            return {"acute": float(event.acute)}
        case EmergencyContact():
            return {"contact": event.kind}
        case JointConsultation():
            return {"services": float(len(event.services))}
        case ContactMade():
            return {"contact": event.kind.value, "reached": float(event.reached)}
        case Acknowledged():
            return {"zone_change_id": str(event.zone_change_id), "reason_code": event.reason_code}
        case EquipmentReturned() | Discharged():
            return {}


KINDS: Final = {kind: str(kind.__struct_config__.tag) for kind in CareEvent.__args__}
