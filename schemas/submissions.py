"""What a patient sends: one session of measurements and answers, and corrections of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.types import (
    FIRST_VERSION,
    UUID,
    DeviceRef,
    Instant,
    LinkId,
    Loinc,
    Pseudonym,
    ShortText,
    Slug,
    StaffRef,
    Ucum,
    Version,
)


class EntryMode(StrEnum):
    """How a value came into the app."""

    DEVICE = "device"
    MANUAL = "manual"


class OnBehalf(StrEnum):
    """How staff came to enter a session for a patient who cannot use the app."""

    PHONE = "phone"
    VISIT = "visit"


class Context(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was so while the reading was taken; None means that nobody said."""

    oxygen_l_min: Annotated[float, Meta(ge=0, le=60)] | None = None  # supplemental oxygen [L/min]; 0: room air
    at_rest: bool | None = None


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One measured value, as the device or the patient gave it.

    `code` and `unit` are open here: a code or unit that the rules do not know is kept with the session and
    quarantined, so that it stops neither the session nor is it taken for good news.
    """

    code: Loinc
    value: float  # in `unit`
    unit: Ucum
    measured_at: Instant
    device: DeviceRef | None = None
    entry_mode: EntryMode = EntryMode.DEVICE
    attempt: Annotated[int, Meta(ge=1, le=20)] = 1  # 2 and up: measured again in the same session
    context: Context | None = None


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One answer of a questionnaire (FHIR QuestionnaireResponse.item)."""

    questionnaire: Slug
    questionnaire_version: Version
    link_id: LinkId
    value: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | bool | ShortText


Readings = Annotated[tuple[Reading, ...], Meta(max_length=100)]
Answers = Annotated[tuple[Answer, ...], Meta(max_length=200)]


class Submission(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="submission"):
    """One session of one patient, complete in one message: what is judged together travels together."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    submission_id: UUID
    patient: Pseudonym
    received_at: Instant  # when the gateway took it
    readings: Readings = ()
    answers: Answers = ()
    plan_version_seen: Version | None = None  # the plan that the app showed the patient
    on_behalf: OnBehalf | None = None  # None: the patient's own
    entered_by: StaffRef | None = None  # who entered it on the patient's behalf

    def __post_init__(self) -> None:
        """Raise ValueError where the session holds nothing at all."""
        if not self.readings and not self.answers:
            raise ValueError("a submission needs at least one of readings and answers")


class CorrectionAction(StrEnum):
    """What becomes of the corrected submission."""

    REPLACED = "replaced"
    ENTERED_IN_ERROR = "entered-in-error"


class Correction(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="correction"):
    """Replaces or withdraws an earlier submission; the latest `recorded_at` of several holds."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    correction_id: UUID
    submission_id: UUID  # the submission that is corrected
    patient: Pseudonym
    recorded_at: Instant
    action: CorrectionAction
    readings: Readings = ()
    answers: Answers = ()

    def __post_init__(self) -> None:
        """Raise ValueError where the action and the content contradict each other."""
        if (self.action is CorrectionAction.REPLACED) != bool(self.readings or self.answers):
            raise ValueError("a correction holds readings or answers exactly where its action is replaced")


SubmissionEvent = Submission | Correction
