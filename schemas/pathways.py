"""A pathway: what a service follows, asks and lends out. Configuration, of no patient.

Every clinical value in it is a starter value: a doctor sets each patient's own and signs them in a plan (`care.Plan`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.care import (
    AnswerRule,
    Cadence,
    ChangeLimit,
    Limit,
    News2Scale,
    RelativeLimit,
    SustainedLimit,
)
from schemas.types import LinkId, Loinc, ShortText, Slug, Version

Language = Literal["nb", "en"]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Number = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]  # as `submissions.Answer` carries it


class Words(Struct, frozen=True, kw_only=True):
    """The same in every language that patients and staff read."""

    nb: Text  # bokmål
    en: Text


class StarterLimits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits to begin from. They hold for nobody until a doctor has set the patient's own and signed them."""

    sources: Annotated[tuple[ShortText, ...], Meta(max_length=20)] = ()  # where the values come from
    limits: Annotated[tuple[Limit, ...], Meta(max_length=40)] = ()
    relative_limits: Annotated[tuple[RelativeLimit, ...], Meta(max_length=40)] = ()
    change_limits: Annotated[tuple[ChangeLimit, ...], Meta(max_length=40)] = ()
    sustained_limits: Annotated[tuple[SustainedLimit, ...], Meta(max_length=40)] = ()


class StarterSelfCare(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the patient does in each zone, in words to begin from."""

    green: Annotated[tuple[Words, ...], Meta(max_length=20)] = ()
    yellow: Annotated[tuple[Words, ...], Meta(max_length=20)] = ()
    red: Annotated[tuple[Words, ...], Meta(max_length=20)] = ()


class Option(Struct, frozen=True, kw_only=True):
    """One answer of a choice."""

    value: Text  # as it stands in `submissions.Answer`
    text: Words


class Question(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question (FHIR Questionnaire.item): yes or no, one of `options`, or a whole number from `least` to `most`."""

    link_id: LinkId
    text: Words
    kind: Literal["boolean", "choice", "number"]
    options: Annotated[tuple[Option, ...], Meta(max_length=50)] = ()
    least: Number | None = None
    most: Number | None = None


class Questionnaire(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a patient is asked in each registration; `answer_rules` are starter values like the limits."""

    slug: Slug
    version: Version
    questions: Annotated[tuple[Question, ...], Meta(min_length=1, max_length=100)]
    answer_rules: Annotated[tuple[AnswerRule, ...], Meta(max_length=100)] = ()


class BenefitQuestionnaire(Struct, frozen=True, kw_only=True):
    """A standard questionnaire on benefit, named only: its text is its owner's."""

    slug: Slug
    every_weeks: Annotated[int, Meta(ge=1, le=52)]  # the first at the start [weeks]


class Participation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What taking part means, where a service follows that in place of measurements."""

    sessions_a_week: Annotated[int, Meta(ge=1, le=14)]
    benefit: Annotated[tuple[BenefitQuestionnaire, ...], Meta(max_length=20)] = ()


class Phases(Struct, frozen=True, kw_only=True):
    """How long the phases usually last."""

    start_up_days: Annotated[int, Meta(ge=0, le=365)]  # start-up with trial period [d]


class Pathway(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a kind of service follows, as one version of one file."""

    pathway: Slug
    version: Version
    title: Words
    diagnosis_bound: bool  # whether the pathway is for one diagnosis
    vitals: Annotated[tuple[Loinc, ...], Meta(max_length=40)]  # the vital signs followed; none where none are
    starter_limits: StarterLimits = StarterLimits()
    weight_change: bool = False  # the general rules on weight hold (heart failure)
    news2: News2Scale | None = None  # None: NEWS2 raises no zone
    cadence: Cadence
    questionnaire: Questionnaire | None = None
    self_care: StarterSelfCare
    equipment: Annotated[tuple[Slug, ...], Meta(max_length=20)] = ()  # kinds lent out, not the patient's own
    phases: Phases
    participation: Participation | None = None
