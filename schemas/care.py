"""What staff decide and do about a patient: enrolment, plans, pauses, admissions, contacts, acknowledgements."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.types import (
    FIRST_VERSION,
    MOST,
    UUID,
    DeviceRef,
    Instant,
    LinkId,
    LocalTime,
    Loinc,
    Phase,
    Pseudonym,
    ShortText,
    Slug,
    StaffRef,
    TimeZone,
    Ucum,
    Version,
    Weekday,
)

Distance = Annotated[float, Meta(gt=0)]
AlertZone = Literal["yellow", "red"]


class Limit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A doctor's limits for one vital sign [unit]: a value at a limit or beyond it breaks it."""

    code: Loinc
    unit: Ucum
    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None


class RelativeLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits as distances from the center of the patient's own baseline [unit]; a value that far away breaks them."""

    code: Loinc
    unit: Ucum
    red_below: Distance | None = None
    yellow_below: Distance | None = None
    yellow_above: Distance | None = None
    red_above: Distance | None = None


class ChangeLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of change within a window of time, against any value in it [unit]; joined by time, not by row."""

    code: Loinc
    unit: Ucum
    hours: Annotated[int, Meta(ge=1, le=2184)]
    red_fall: Distance | None = None
    yellow_fall: Distance | None = None
    yellow_rise: Distance | None = None
    red_rise: Distance | None = None


class SustainedLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target range [unit]: broken when `count` of the newest `of` readings lie outside it."""

    code: Loinc
    unit: Ucum
    low: float | None = None  # at it or below is outside
    high: float | None = None  # at it or above is outside
    count: Annotated[int, Meta(ge=1, le=20)]
    of: Annotated[int, Meta(ge=1, le=20)]
    zone: AlertZone = "yellow"


class AnswerRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How severe an answer to a question is: it may raise the zone, never lower it."""

    link_id: LinkId
    zone: AlertZone
    at_least: Annotated[int, Meta(ge=-MOST, le=MOST)] | None = None  # an answer by number: this or more
    is_answer: bool | str | None = None  # an answer by yes and no or by choice: this one


class News2Scale(StrEnum):
    """Which SpO2 scale of NEWS2 holds for the patient; scale 2 by a doctor's prescription alone."""

    SCALE_1 = "scale_1"
    SCALE_2 = "scale_2"


class Cadence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When registrations are due: daily while learning what is normal, then in the plan's own rhythm."""

    times: Annotated[tuple[LocalTime, ...], Meta(min_length=1, max_length=24)] = ("10:00",)  # patient's wall clock
    daily_days: Annotated[int, Meta(ge=0, le=3650)] = 14  # daily for so many days from the first plan on [d]
    every_days: Annotated[int, Meta(ge=1, le=92)] = 7  # then every so many days [d]
    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()  # then on these in place of that, as twice a week
    grace_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 840  # late by more than this is "no data" [min]
    alert_days: Annotated[int, Meta(ge=0, le=92)] = 7  # daily for so long after a yellow or red [d]


class SelfCare(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the patient does in each zone, in the plan's own words."""

    green: tuple[ShortText, ...] = ()
    yellow: tuple[ShortText, ...] = ()
    red: tuple[ShortText, ...] = ()


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a patient's self-care plan, signed by a doctor (FHIR CarePlan)."""

    version: Version
    valid_from_at: Instant
    vitals: Annotated[tuple[Loinc, ...], Meta(max_length=40)] = ()  # what each registration that is due must hold
    limits: Annotated[tuple[Limit, ...], Meta(max_length=40)] = ()
    relative_limits: Annotated[tuple[RelativeLimit, ...], Meta(max_length=40)] = ()
    change_limits: Annotated[tuple[ChangeLimit, ...], Meta(max_length=40)] = ()
    sustained_limits: Annotated[tuple[SustainedLimit, ...], Meta(max_length=40)] = ()
    answer_rules: Annotated[tuple[AnswerRule, ...], Meta(max_length=100)] = ()
    answers_due: bool = False  # each registration that is due must answer every question that has a rule
    weight_change: bool = False  # the general rules on weight hold (heart failure)
    news2: News2Scale | None = None  # None: NEWS2 raises no zone
    cadence: Cadence = Cadence()
    questionnaire: Slug | None = None
    questionnaire_version: Version | None = None
    self_care: SelfCare = SelfCare()


class _CareEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every care event carries: whom it is about, when it holds from, when it was written down."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    event_id: UUID
    patient: Pseudonym
    at: Instant
    recorded_at: Instant
    recorded_by: StaffRef | None = None  # no decision rests on it


class Enrolled(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="enrolled"):
    """The patient is taken into a service; again after an ended follow-up starts a new one. It stops no monitoring."""

    pathway: Slug
    service: Slug  # responsible now
    municipality: Slug
    phase: Phase = Phase.START_UP
    time_zone: TimeZone = "Europe/Oslo"


class PhaseChanged(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="phase_changed"):
    """The patient moves on in the service; `ended` ends the monitoring. A step that the pathway lacks is not taken."""

    phase: Phase


class Transferred(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="transferred"):
    """Another service is responsible from `at` on."""

    service: Slug


class PlanSigned(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="plan_signed"):
    """A doctor signed a version of the plan."""

    plan: Plan
    signed_by: StaffRef


class Paused(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="paused"):
    """Nothing is due from `at` until `ends_at`: a holiday, an admission. A pause always has an end."""

    ends_at: Instant

    def __post_init__(self) -> None:
        """Raise ValueError for a pause that ends before it begins."""
        if self.ends_at <= self.at:
            raise ValueError("a pause must end after it begins")


class EquipmentHandedOut(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="equipment_handed_out"):
    """The patient got a device."""

    device: DeviceRef
    kind: Slug


class EquipmentReturned(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="equipment_returned"):
    """The patient gave a device back."""

    device: DeviceRef


class Admitted(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="admitted"):
    """The patient was admitted to hospital."""

    acute: bool


class Discharged(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="discharged"):
    """The patient left hospital."""


EMERGENCIES: Final = ("emergency-room", "out-of-hours", "ambulance")  # where, as the board and imports say it


class EmergencyContact(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="emergency_contact"):
    """The patient was seen by an emergency room or out-of-hours service."""

    kind: Slug


class JointConsultation(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="joint_consultation"):
    """Several services met over the patient."""

    services: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=20)]


class ContactKind(StrEnum):
    """How a nurse reached the patient."""

    CALL = "call"
    MESSAGE = "message"
    VIDEO = "video"
    VISIT = "visit"


class ContactMade(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="contact_made"):
    """A nurse contacted the patient, or tried."""

    kind: ContactKind
    reached: bool
    by: StaffRef
    note: ShortText | None = None


class AlertReason(StrEnum):
    """What staff found an alert to be, as a reason code: how often a rule is right is worked out from it."""

    TRUE = "true"
    EXACERBATION = "exacerbation"  # true, and the days after are kept out of the patient's own normal
    TECHNIQUE = "technique"  # measured wrongly
    DEVICE = "device"
    ALREADY_KNOWN = "already-known"
    OTHER = "other"
    NOT_SAID = "not-said"  # taken over where nobody asks why, as in PagerDuty


class Acknowledged(_CareEvent, frozen=True, kw_only=True, omit_defaults=True, tag="acknowledged"):
    """A nurse took a zone change over."""

    zone_change_id: UUID
    by: StaffRef
    reason_code: Slug
    note: ShortText | None = None


CareEvent = (
    Enrolled
    | PhaseChanged
    | Transferred
    | PlanSigned
    | Paused
    | EquipmentHandedOut
    | EquipmentReturned
    | Admitted
    | Discharged
    | EmergencyContact
    | JointConsultation
    | ContactMade
    | Acknowledged
)
