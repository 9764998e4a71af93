"""A patient's care events and decisions in the form in which the patient's page tells them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agents.board.rows import edges
from dashboards.board.times import when_word
from dashboards.board.views import Decision, Happening, PlanVersion
from pipeline.triage.explain import explain
from pipeline.triage.vitals import BY_CODE
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    ContactMade,
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

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from agents.board.judged import Judged
    from dashboards.board.pages import Voice
    from schemas.assessments import ZoneChange
    from schemas.pathways import Pathway


def happening(event: CareEvent, voice: Voice, now: datetime) -> Happening:
    """Return one care event in words."""
    return Happening(
        at=event.at,
        kind=str(event.__struct_config__.tag),
        by=_by(event),
        parts=tuple(_parts(event, voice, now)),
        note=event.note if isinstance(event, Acknowledged | ContactMade) else None,
    )


def _by(event: CareEvent) -> str | None:
    match event:
        case Acknowledged() | ContactMade():
            return event.by
        case PlanSigned():
            return event.signed_by
        case _:
            return event.recorded_by


def _parts(event: CareEvent, voice: Voice, now: datetime) -> list[tuple[str, str]]:  # noqa: C901, PLR0911, PLR0912 - one case for each kind of event
    match event:
        case Enrolled():
            return [
                ("part.pathway", voice.named("pathway", event.pathway)),
                ("part.service", voice.named("service_name", event.service)),
                ("part.phase", voice(f"phase.{event.phase.value}")),
            ]
        case PhaseChanged():
            return [("part.phase", voice(f"phase.{event.phase.value}"))]
        case Transferred():
            return [("part.service", voice.named("service_name", event.service))]
        case PlanSigned():
            return [("part.version", str(event.plan.version))]
        case Paused():
            return [("part.until", when_word(event.ends_at, now, voice.lang, voice.tz))]
        case EquipmentHandedOut():
            return [("part.kind", voice.named("equipment", event.kind)), ("part.device", event.device)]
        case EquipmentReturned():
            return [("part.device", event.device)]
        case Admitted():
            return [("part.acute", voice("yes" if event.acute else "no"))]
        case EmergencyContact():
            return [("part.kind", voice.named("emergency", event.kind))]
        case JointConsultation():
            return [("part.services", ", ".join(voice.named("service_name", one) for one in event.services))]
        case ContactMade():
            return [
                ("part.kind", voice.named("contact", event.kind.value)),
                ("part.reached", voice("yes" if event.reached else "no")),
            ]
        case Acknowledged():
            return [("part.reason", voice.named("reason", event.reason_code))]
        case _:
            return []


def decisions(
    judged: Sequence[Judged], changes: Sequence[ZoneChange], voice: Voice, pathway: Pathway | None
) -> list[Decision]:
    """Return the history of decisions, newest first: every registration, and what time or staff caused."""
    questions = _questions(pathway, voice)
    found = [
        Decision(
            at=one.at,
            kind="assessment",
            zone=one.zone,
            reasons=tuple(explain(one.reasons, voice.lang)),
            plan_version=one.plan_version,
            on_behalf=one.on_behalf.value if one.on_behalf else None,
            entered_in_error=one.entered_in_error,
            values=tuple((reading.vital, reading.value, reading.unit) for reading in one.readings),
            answers=tuple(
                (questions.get(question, question.replace("_", " ")), _answer(value, voice))
                for _, question, value in one.answers
            ),
        )
        for one in judged
    ]
    found += [
        Decision(
            at=change.at,
            kind="zone_change",
            zone=change.to_zone,
            from_zone=change.from_zone,
            reasons=tuple(explain(change.reasons, voice.lang)),
        )
        for change in changes
        if change.assessment_id is None
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _questions(pathway: Pathway | None, voice: Voice) -> dict[str, str]:
    if pathway is None or pathway.questionnaire is None:
        return {}
    return {one.link_id: getattr(one.text, voice.lang) for one in pathway.questionnaire.questions}


def _answer(value: object, voice: Voice) -> str:
    return voice("yes" if value else "no") if isinstance(value, bool) else str(value)


def plan_versions(plans: Sequence[PlanSigned], in_force: int | None) -> list[PlanVersion]:
    """Return the signed versions, newest first; of two with the same number the last of `plans` holds."""
    holds = next((signed for signed in reversed(plans) if signed.plan.version == in_force), None)
    numbers = Counter(signed.plan.version for signed in plans)
    return [
        PlanVersion(
            version=signed.plan.version,
            valid_from_at=signed.plan.valid_from_at,
            signed_at=signed.at,
            signed_by=signed.signed_by,
            edges=tuple(
                (vital.name, vital.unit, edges((signed,), vital.name)[0])
                for limit in signed.plan.limits
                if (vital := BY_CODE.get(limit.code)) is not None
            ),
            in_force=signed is holds,
            twice=numbers[signed.plan.version] > 1,
        )
        for signed in reversed(plans)
    ]
