"""What an operating council follows, as data: targets, nurses, questionnaires and benefit indicators.

Configuration, of no patient. Days are those of the service's calendar.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.types import LinkId, Slug

Said = Annotated[str, Meta(min_length=1, max_length=600)]
Direction = Literal["lower", "higher"]  # which way is better
Count = Annotated[int, Meta(ge=0, le=100_000)]

# What an indicator may follow; agents/report/indicators.py says which table and column each is.
Measure = Literal[
    "admissions",
    "acute_admissions",
    "readmissions",
    "emergency_contacts",
    "bed_days",
    "readmitted_share",
    "users",
    "users_of_target",
    "adherence",
    "participation",
    "alarms",
    "alarms_right",
    "red_in_time",
    "yellow_in_time",
    "days_in_green",
    "pages_delivered",
    "answered",
    "median_score",
]
OF_QUESTIONNAIRE: Final = ("answered", "median_score")


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same in Norwegian (bokmål) and English."""

    nb: Said
    en: Said


class Target(Struct, frozen=True, kw_only=True, rename={"from_day": "from"}, forbid_unknown_fields=True):
    """How many users a service is to have from a day on."""

    from_day: date
    users: Annotated[int, Meta(ge=1, le=100_000)]


class Nurses(
    Struct, frozen=True, kw_only=True, rename={"from_day": "from", "to_day": "to"}, forbid_unknown_fields=True
):
    """How many nurses of a service follow patients at once, from a day on and before another."""

    from_day: date
    to_day: date
    nurses: Annotated[float, Meta(gt=0, le=1000)]


class Followed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is followed of one service."""

    targets: Annotated[tuple[Target, ...], Meta(max_length=100)] = ()
    nurses: Annotated[tuple[Nurses, ...], Meta(max_length=1000)] = ()


class Questionnaire(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A questionnaire whose score is the sum of its items.

    Attributes
    ----------
    items
        The questions, by link id, that are all answered by number.
    important
        The least difference that matters to patients, by the instrument's own literature; None: not asked.
    pathways
        Whose patients are asked; none named: everybody's.
    experience
        It asks what patients think of the service, and not how they are.
    """

    name: Words
    items: Annotated[tuple[LinkId, ...], Meta(min_length=1, max_length=100)]
    better: Direction = "lower"
    important: Annotated[float, Meta(gt=0)] | None = None
    pathways: Annotated[tuple[Slug, ...], Meta(max_length=100)] = ()
    experience: bool = False


class Baseline(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an indicator was before, and where that is from."""

    value: float
    source: Words


class Indicator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One benefit that was promised, and by what it is seen.

    Attributes
    ----------
    measure, questionnaire
        What is followed; of which questionnaire, where the measure is of one.
    service
        Of which service; None: of all together.
    baseline, target
        In the measure's own unit: shares from 0 to 1, rates per 1,000 patient-days.
    owner
        The role that answers for it. No name of a person.
    """

    name: Words
    definition: Words
    source: Words
    measure: Measure
    better: Direction
    owner: Words
    questionnaire: Slug | None = None
    service: Slug | None = None
    baseline: Baseline | None = None
    target: float | None = None


class Council(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that an operating council follows.

    Attributes
    ----------
    outcomes_known_from
        Admissions and emergency contacts of before this day are not known; None: all are.
    """

    outcomes_known_from: date | None = None
    services: Annotated[dict[Slug, Followed], Meta(max_length=1000)] = {}
    questionnaires: Annotated[dict[Slug, Questionnaire], Meta(max_length=100)] = {}
    indicators: Annotated[dict[Slug, Indicator], Meta(max_length=200)] = {}
