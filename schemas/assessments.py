"""What the core decides: assessments with their reasons, zone changes, and each patient's latest status."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.care import News2Scale
from schemas.submissions import Answer, EntryMode, OnBehalf
from schemas.types import (
    FIRST_VERSION,
    MOST,
    UUID,
    Count,
    CountFromOne,
    DeviceRef,
    Instant,
    LinkId,
    Loinc,
    Phase,
    Pseudonym,
    ShortText,
    Slug,
    Ucum,
    Version,
    Zone,
)

Revision = Annotated[
    int,
    Meta(
        ge=1,
        le=MOST,
        description="Events of the patient's history that the decision has seen; a higher one supersedes.",
    ),
]


class BaselineStatus(StrEnum):
    """How well the patient's own normal is known."""

    LEARNING = "learning"
    PROVISIONAL = "provisional"
    ESTABLISHED = "established"
    STALE = "stale"


class Quality(StrEnum):
    """Whether a reading may be judged."""

    VALID = "valid"
    IMPLAUSIBLE = "implausible"  # judged, kept out of the baseline, and asked to be measured again
    QUARANTINED = "quarantined"  # not judged: no valid data


class QualityIssue(StrEnum):
    """Why a reading is not simply valid."""

    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_UNIT = "unknown_unit"
    NOT_FINITE = "not_finite"
    IMPOSSIBLE = "impossible"
    IMPLAUSIBLE = "implausible"
    FUTURE = "future"
    TOO_OLD = "too_old"
    CONVERTED = "converted"  # accepted with a warning: a unit or code seen in the wild


class Deviation(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A value against the patient's own normal before that day [the reading's unit; score without unit]."""

    center: float
    spread: float
    days: CountFromOne  # daily values behind it
    age_days: Count  # from the newest of them to the judged day [d]
    status: BaselineStatus
    score: float  # (value - center) / spread as an equivalent normal z


class JudgedReading(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A reading as it was judged: canonical code and unit, and what was sent where that differed."""

    code: Loinc
    vital: str | None  # canonical name; None for an unknown code
    value: float  # [unit]
    unit: Ucum
    measured_at: Instant
    quality: Quality
    issue: QualityIssue | None = None
    sent_value: float | None = None
    sent_unit: Ucum | None = None
    device: DeviceRef | None = None
    entry_mode: EntryMode = EntryMode.DEVICE
    attempt: Annotated[int, Meta(le=MOST)] = 1
    oxygen_l_min: float | None = None
    withdrawn: bool = False  # entered in error
    baseline_status: BaselineStatus | None = None
    deviation: Deviation | None = None


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One contributor to a zone. The zone is the worst of all its reasons."""

    rule: str
    zone: Zone
    code: Loinc | None = None
    value: float | None = None
    unit: Ucum | None = None
    limit: float | None = None  # the broken limit [unit]
    deviation: Deviation | None = None
    readings: tuple[int, ...] = ()  # indexes into the assessment's readings
    detail: str | None = None  # which field or issue, out of a closed set
    change: float | None = None  # against an earlier value or the baseline, signed [unit]
    hours: CountFromOne | None = None  # the window of a change [h]
    count: Count | None = None  # so many
    of: CountFromOne | None = None  # of so many
    question: LinkId | None = None  # whose answer it was


class News2Part(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One of the seven parts of NEWS2; a part that is missing has no points, and never 0 of them."""

    part: str
    points: Annotated[int, Meta(ge=0, le=3)] | None = None


class News2(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The part of NEWS2 that can be told: `total` is the sum of the known parts, and at most the whole score."""

    total: Annotated[int, Meta(ge=0, le=20)]
    known: Annotated[int, Meta(ge=0, le=7)]  # of the 7 parts
    parts: tuple[News2Part, ...]
    scale: News2Scale


class Assessment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The zone of one registration, and everything that led to it."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    assessment_id: UUID  # the same for every revision
    submission_id: UUID
    patient: Pseudonym
    revision: Revision
    at: Instant  # the session's own time: its latest measurement, else when it was received
    received_at: Instant
    first_at: Instant | None = None  # the session's time as first sent, where a correction moved it
    zone: Zone
    reasons: tuple[Reason, ...]
    readings: tuple[JudgedReading, ...]
    answers: tuple[Answer, ...] = ()
    service: Slug | None
    plan_version: Version | None
    rules_version: str
    entered_in_error: bool = False
    news2: News2 | None = None
    on_behalf: OnBehalf | None = None  # staff entered the registration; None: the patient did
    self_care: tuple[ShortText, ...] = ()  # what the patient does in this zone, in the plan's own words


class ZoneChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The patient came from one zone into another at `at`; `retracted` takes an earlier one back.

    From red to red: red again, and the first of it that is paged, as what came before was learnt of too late.
    """

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    zone_change_id: UUID
    patient: Pseudonym
    at: Instant
    from_zone: Zone
    to_zone: Zone
    assessment_id: UUID | None = None  # None: time or a care event caused it
    service: Slug | None = None
    reasons: tuple[Reason, ...] = ()
    retracted: bool = False


class EpisodeState(StrEnum):
    """How far an episode of yellow or red has come. It is closed by being gone."""

    OPENED = "opened"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    LEAVING = "leaving"  # a green registration has come, and one more ends it


class Episode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A patient's open episode: there is never more than one."""

    state: EpisodeState
    opened_at: Instant
    worsened_at: Instant
    zone_change_id: UUID  # what an acknowledgement must name: the opening, or the newest worsening
    acknowledged: bool = False


class PhaseIssue(StrEnum):
    """What is wrong with a change of phase."""

    OUT_OF_ORDER = "out_of_order"  # not followed: the pathway leads from the one phase to the other by no single step
    TRIAL_TOO_SHORT = "trial_too_short"  # followed


class PhaseFault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of phase that staff should look at."""

    at: Instant
    from_phase: Phase | None = None  # None: not enrolled
    to_phase: Phase
    issue: PhaseIssue


class PatientStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a patient stands now: the compacted read model behind the triage board."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    patient: Pseudonym
    revision: Revision
    at: Instant | None = None  # when this was so: the newest instant that the patient's time has come to
    zone: Zone
    since_at: Instant
    reasons: tuple[Reason, ...]
    pathway: Slug | None = None
    service: Slug | None = None
    municipality: Slug | None = None
    phase: Phase | None = None
    phase_faults: tuple[PhaseFault, ...] = ()  # since the phase was last said rightly
    trial_ends_at: Instant | None = None  # by when staff decide what follows the start-up trial
    plan_version: Version | None = None
    last_submission_at: Instant | None = None
    due_at: Instant | None = None  # next registration due
    baselines: dict[str, BaselineStatus] = {}
    open_pages: Count = 0  # asked for and not yet delivered
    episode: Episode | None = None
    step: Count | None = None  # of the ladder that was last asked for what is not acknowledged
    respond_by_at: Instant | None = None  # by when staff look, by the ladder or, for no data, the next shift
