"""Care events as points: what happened to a patient and when, for outcomes and charts.

No note is stored, for it is free text, and no reference to staff: analysts count what was done, not by whom. Who
did it stands on the `care` topic and in the audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from agents.stores.port import Point
from agents.storing.points import NO_NUMBER, apart_ns, at_ms
from pipeline.triage.plans import NOTHING, faults, prescription
from pipeline.triage.vitals import VITALS
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
from schemas.types import Phase

if TYPE_CHECKING:
    from pipeline.triage.plans import Bounds

Fields = dict[str, float | str]


def of_care_event(event: CareEvent) -> list[Point]:
    """Return the `care_event` point of `event`, and for a plan the limits that hold by it.

    Equipment has its device as a tag: two are often handed out at once.
    """
    tags = {"patient": event.patient, "kind": KINDS[type(event)]}
    if isinstance(event, EquipmentHandedOut | EquipmentReturned):
        tags["device"] = event.device
    fields: Fields = {
        "event_id": str(event.event_id),
        "recorded": float(at_ms(event.recorded_at)),  # [ms since 1970]
        **_said(event),
        **_place(event),
    }
    told = Point("care_event", tags, fields, at_ms(event.at), apart_ns(event.event_id))
    return [told, *_plan_limits(event)] if isinstance(event, PlanSigned) else [told]


def _place(event: CareEvent) -> Fields:
    """What changes in where a patient belongs, as one JSON text: one field of everybody is read far faster than five.

    What is empty is as it was before. Of changes of phase those alone say anything by which follow-up may begin or end.
    Whoever adds to it names it anew, for Flux cannot ask a text whether it has a key.
    """
    match event:
        case Enrolled():
            told = (event.service, event.municipality, event.pathway, event.phase.value)
        case Transferred():
            told = (event.service, "", "", "")
        case PhaseChanged(phase=Phase.START_UP | Phase.ENDED):
            told = ("", "", "", event.phase.value)
        case _:
            return {}
    said: Fields = {
        **dict(zip(("service", "municipality", "pathway", "phase"), told, strict=True)),
        "recorded": float(at_ms(event.recorded_at)),
    }
    return {"place": msgspec.json.encode(said).decode()}


def _plan_limits(event: PlanSigned) -> list[Point]:
    """Return one `plan_limit` for each vital, from when the plan is valid; in the unit in which its readings stand.

    A vital that the plan says nothing of has one too, or the limits of an earlier plan would seem to hold on. A plan
    that contradicts itself limits nothing: nobody is monitored by it.
    """
    plan = event.plan
    sound = not faults(plan)
    prescribed = prescription(plan) if sound else NOTHING
    points = []
    for vital in VITALS:
        absolute, relative = prescribed.bounds.get(vital.index), prescribed.relative.get(vital.index)
        fields: Fields = {
            **_edges(absolute, ("red_low", "yellow_low", "yellow_high", "red_high")),
            # How far from the center of the patient's own normal.
            **_edges(relative, ("red_below", "yellow_below", "yellow_above", "red_above")),
            "unit": vital.unit,
            "plan_version": float(plan.version),
            "sound": float(sound),
            "recorded": float(at_ms(event.recorded_at)),  # [ms since 1970]
        }
        fields["limits"] = msgspec.json.encode(fields).decode()  # all of it as one text, as in `status`
        tags = {"patient": event.patient, "vital": vital.name}
        points.append(Point("plan_limit", tags, fields, at_ms(plan.valid_from_at), apart_ns(event.event_id)))
    return points


def _edges(limits: Bounds | None, names: tuple[str, ...]) -> Fields:
    """A vital's limits by name; no sound limit of any vital is below 0."""
    edges = limits or (None,) * len(names)
    return {name: NO_NUMBER if edge is None else float(edge) for name, edge in zip(names, edges, strict=True)}


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
            plan = event.plan
            return {
                "plan_version": float(plan.version),
                "limits": float(len(plan.limits)),
                "valid_from": float(at_ms(plan.valid_from_at)),  # [ms since 1970]
            }
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
