"""The forms of what staff do about a patient: their fields, and the event that each makes.

A form is one function that names its fields and one that reads them. Both stand together, so that none is asked for and
not read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid4

from dashboards.board.views import Choice, Field
from pipeline.triage.phases import PHASES
from schemas.care import (
    EMERGENCIES,
    Acknowledged,
    Admitted,
    CareEvent,
    ContactKind,
    ContactMade,
    Discharged,
    EmergencyContact,
    EquipmentHandedOut,
    EquipmentReturned,
    JointConsultation,
    Paused,
    PhaseChanged,
    Transferred,
)
from schemas.people import Right
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from agents.board.fields import Entered
    from agents.board.model import Patient
    from dashboards.board.pages import Voice
    from schemas.assessments import PatientStatus

REASON_CODES: Final = ("true", "technique", "device", "already-known", "exacerbation", "other")
EQUIPMENT: Final = ("oximeter", "cuff", "scale", "thermometer", "glucometer", "spirometer", "tablet", "other")
_SAVE: Final = "form.save"
LOCAL: Final = "%Y-%m-%dT%H:%M"


class About(NamedTuple):
    """Whom a form is about, and what it may offer."""

    status: PatientStatus
    patient: Patient
    now: datetime
    tz: tzinfo
    services: tuple[tuple[str, str], ...]  # slug, name

    @property
    def local(self) -> str:
        """Now, as a form has it."""
        return self.now.astimezone(self.tz).strftime(LOCAL)


class Common(NamedTuple):
    """What every event of a form has."""

    event_id: UUID
    patient: str
    recorded_at: datetime
    recorded_by: str


class Act(NamedTuple):
    """One thing that staff do.

    Attributes
    ----------
    offered
        Whether it makes sense for the patient as things stand.
    fields
        What it asks for.
    make
        The event of what was entered; None where something is wrong with it.
    submit
        Key of the button's words; by default its own name, where that says what is done.
    """

    right: Right
    offered: Callable[[About], bool]
    fields: Callable[[About, Voice], list[Field]]
    make: Callable[[Entered, About, Common], CareEvent | None]
    submit: str = ""


def _choices(voice: Voice, kind: str, values: Any) -> tuple[Choice, ...]:  # noqa: ANN401 - codes
    return tuple(Choice(value, voice.named(kind, value)) for value in values)


def _note(voice: Voice) -> Field:
    return Field(
        name="note", label=voice("field.note"), kind="note", required=False, hint=voice("form.note_hint"), most=500
    )


def _when(about: About, voice: Voice) -> Field:
    return Field(name="at", label=voice("field.at"), kind="instant", value=about.local)


def _always(_about: About) -> bool:
    return True


def open_alert(about: About) -> bool:
    """Whether an episode is open that nobody has taken over."""
    episode = about.status.episode
    return episode is not None and about.patient.course.taken(episode.zone_change_id) is None


def _past(entered: Entered, about: About) -> datetime | None:
    return entered.instant("at", latest=about.now + timedelta(minutes=1))


def _common(common: Common, at: datetime) -> dict[str, Any]:
    return {**common._asdict(), "at": min(at, common.recorded_at)}


def _acknowledge_fields(_about: About, voice: Voice) -> list[Field]:
    reasons = _choices(voice, "reason", REASON_CODES)
    return [
        Field(name="reason_code", label=voice("field.reason_code"), kind="radio", choices=reasons),
        _note(voice),
    ]


def _acknowledged(entered: Entered, about: About, common: Common) -> CareEvent | None:
    reason, note = entered.choice("reason_code", REASON_CODES), entered.note()
    change = _change(entered, about)
    if change is None:
        entered.fault("reason_code", "nothing_open")
    if entered.faults or reason is None or change is None:
        return None
    return Acknowledged(
        **_common(common, about.now), zone_change_id=change, by=common.recorded_by, reason_code=reason, note=note
    )


def _change(entered: Entered, about: About) -> UUID | None:
    """The zone change that the nurse had before her, which need not be the newest by now."""
    try:
        return UUID(entered.raw("zone_change_id"))
    except ValueError:
        return about.status.episode.zone_change_id if about.status.episode else None


def _contact_fields(about: About, voice: Voice) -> list[Field]:
    kinds = _choices(voice, "contact", [kind.value for kind in ContactKind])
    return [
        Field(name="kind", label=voice("field.contact_kind"), kind="radio", choices=kinds),
        Field(name="reached", label=voice("field.reached"), kind="tick", required=False),
        _when(about, voice),
        _note(voice),
    ]


def _contact(entered: Entered, about: About, common: Common) -> CareEvent | None:
    kind, at, note = entered.choice("kind", set(ContactKind)), _past(entered, about), entered.note()
    if entered.faults or kind is None or at is None:
        return None
    reached = entered.tick("reached")
    return ContactMade(**_common(common, at), kind=ContactKind(kind), reached=reached, by=common.recorded_by, note=note)


def _pause_fields(about: About, voice: Voice) -> list[Field]:
    return [
        Field(name="at", label=voice("patient.from"), kind="instant", value=about.local),
        Field(name="ends_at", label=voice("field.ends_at"), kind="instant"),
    ]


def _paused(entered: Entered, about: About, common: Common) -> CareEvent | None:
    at = entered.instant("at")
    ends = entered.instant("ends_at", earliest=max(at or about.now, about.now))
    if entered.faults or at is None or ends is None:
        return None
    return Paused(**{**common._asdict(), "at": at}, ends_at=ends)


def _service_choices(about: About) -> tuple[Choice, ...]:
    return tuple(Choice(*one) for one in about.services)


def _transfer_fields(about: About, voice: Voice) -> list[Field]:
    others = tuple(one for one in _service_choices(about) if one.value != about.status.service)
    return [
        Field(name="service", label=voice("field.service"), kind="choice", choices=others),
        _when(about, voice),
    ]


def _transferred(entered: Entered, about: About, common: Common) -> CareEvent | None:
    service = entered.choice("service", {slug for slug, _ in about.services} - {about.status.service})
    at = _past(entered, about)
    return (
        None if entered.faults or service is None or at is None else Transferred(**_common(common, at), service=service)
    )


def next_phases(status: PatientStatus) -> list[Phase]:
    """Return the phases that the patient may come into next, by the pathway's own steps."""
    return [] if status.phase is None else [phase for phase in Phase if phase in PHASES[status.phase].then]


def _phase_fields(about: About, voice: Voice) -> list[Field]:
    steps = _choices(voice, "phase", [phase.value for phase in next_phases(about.status)])
    return [Field(name="phase", label=voice("field.phase"), kind="radio", choices=steps), _when(about, voice)]


def _phase(entered: Entered, about: About, common: Common) -> CareEvent | None:
    phase = entered.choice("phase", [one.value for one in next_phases(about.status)])
    at = _past(entered, about)
    return (
        None
        if entered.faults or phase is None or at is None
        else PhaseChanged(**_common(common, at), phase=Phase(phase))
    )


def _admitted_fields(about: About, voice: Voice) -> list[Field]:
    acute = Field(name="acute", label=voice("field.acute"), kind="tick", required=False)
    return [acute, _when(about, voice)]


def _admitted(entered: Entered, about: About, common: Common) -> CareEvent | None:
    at = _past(entered, about)
    return None if at is None else Admitted(**_common(common, at), acute=entered.tick("acute"))


def in_hospital(about: About) -> bool:
    """Whether the patient was admitted and not discharged yet."""
    stays = [one for one in about.patient.course.events() if isinstance(one, Admitted | Discharged)]
    return bool(stays) and isinstance(stays[-1], Admitted)


def _when_alone(about: About, voice: Voice) -> list[Field]:
    return [_when(about, voice)]


def _discharged(entered: Entered, about: About, common: Common) -> CareEvent | None:
    at = _past(entered, about)
    return None if at is None else Discharged(**_common(common, at))


def _emergency_fields(about: About, voice: Voice) -> list[Field]:
    kinds = _choices(voice, "emergency", EMERGENCIES)
    return [Field(name="kind", label=voice("field.kind"), kind="radio", choices=kinds), _when(about, voice)]


def _emergency(entered: Entered, about: About, common: Common) -> CareEvent | None:
    kind, at = entered.choice("kind", EMERGENCIES), _past(entered, about)
    return None if entered.faults or kind is None or at is None else EmergencyContact(**_common(common, at), kind=kind)


def _consultation_fields(about: About, voice: Voice) -> list[Field]:
    services = Field(name="services", label=voice("field.services"), kind="many", choices=_service_choices(about))
    return [services, _when(about, voice)]


def _consultation(entered: Entered, about: About, common: Common) -> CareEvent | None:
    known = [slug for slug, _ in about.services]
    chosen = tuple(slug for slug in known if entered.tick(f"services.{slug}"))[:20]
    if not chosen:
        entered.fault("services", "required")
    at = _past(entered, about)
    return None if entered.faults or at is None else JointConsultation(**_common(common, at), services=chosen)


def _equipment_out_fields(about: About, voice: Voice) -> list[Field]:
    kinds = _choices(voice, "equipment", EQUIPMENT)
    return [
        Field(name="kind", label=voice("field.device_kind"), kind="choice", choices=kinds),
        Field(name="device", label=voice("field.device"), kind="text", most=64),
        _when(about, voice),
    ]


def _equipment_out(entered: Entered, about: About, common: Common) -> CareEvent | None:
    kind, device, at = entered.choice("kind", EQUIPMENT), entered.device("device"), _past(entered, about)
    if entered.faults or kind is None or device is None or at is None:
        return None
    return EquipmentHandedOut(**_common(common, at), device=device, kind=kind)


def _out(about: About) -> dict[str, str]:
    return {one.device: one.kind for one in about.patient.course.lent() if one.returned is None}


def _equipment_back_fields(about: About, voice: Voice) -> list[Field]:
    choices = tuple(
        Choice(device, f"{voice.named('equipment', kind)} {device}") for device, kind in _out(about).items()
    )
    return [
        Field(name="device", label=voice("field.device_kind"), kind="choice", choices=choices),
        _when(about, voice),
    ]


def _equipment_back(entered: Entered, about: About, common: Common) -> CareEvent | None:
    device, at = entered.choice("device", _out(about)), _past(entered, about)
    if entered.faults or device is None or at is None:
        return None
    return EquipmentReturned(**_common(common, at), device=device)


ACTS: Final[dict[str, Act]] = {
    "acknowledge": Act(Right.ACKNOWLEDGE, open_alert, _acknowledge_fields, _acknowledged),
    "contact": Act(Right.RECORD, _always, _contact_fields, _contact, _SAVE),
    "pause": Act(Right.RECORD, _always, _pause_fields, _paused, _SAVE),
    "admitted": Act(Right.RECORD, lambda about: not in_hospital(about), _admitted_fields, _admitted, _SAVE),
    "discharged": Act(Right.RECORD, in_hospital, _when_alone, _discharged, _SAVE),
    "emergency": Act(Right.RECORD, _always, _emergency_fields, _emergency, _SAVE),
    "consultation": Act(Right.RECORD, lambda about: bool(about.services), _consultation_fields, _consultation, _SAVE),
    "equipment-out": Act(Right.RECORD, _always, _equipment_out_fields, _equipment_out),
    "equipment-back": Act(Right.RECORD, lambda about: bool(_out(about)), _equipment_back_fields, _equipment_back),
    "phase": Act(Right.MANAGE_COURSE, lambda about: bool(next_phases(about.status)), _phase_fields, _phase),
    "transfer": Act(Right.MANAGE_COURSE, lambda about: len(about.services) > 1, _transfer_fields, _transferred),
}


def form_id() -> str:
    """Return a new form's id."""
    return str(uuid4())
