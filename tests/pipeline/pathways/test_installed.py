"""The installed pathways are valid, and what each is for is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.cohort.groups import GROUPS
from pipeline.pathways import read, starter_plan
from pipeline.triage import plans
from schemas.care import Cadence, News2Scale, Plan
from schemas.codec import Codec, encode
from tests.pipeline.pathways.files import FILES

if TYPE_CHECKING:
    from pipeline.cohort.groups import Group
    from schemas.care import Limit
    from schemas.pathways import Language, Pathway

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
INSTALLED = {file.stem: read(file.read_bytes(), file.name) for file in FILES}
every_one = pytest.mark.parametrize("pathway", INSTALLED.values(), ids=INSTALLED.keys())


def limit(slug: str, code: str) -> Limit:
    return next(limit for limit in INSTALLED[slug].starter_limits.limits if limit.code == code)


def test_there_is_one_for_every_kind_of_service() -> None:
    assert sorted(INSTALLED) == [
        "cancer",
        "copd",
        "diabetes",
        "general",
        "heart-failure",
        "hospital-at-home",
        "rehabilitation-centre",
    ]
    assert [slug for slug, pathway in INSTALLED.items() if pathway.pathway != slug] == []


@every_one
@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_starter_plan_can_be_signed(pathway: Pathway, language: Language) -> None:
    plan = starter_plan(pathway, version=3, valid_from_at=AT, language=language)
    assert plans.faults(plan) == []
    assert Codec[Plan](Plan).decode(encode(plan)) == plan
    assert (plan.version, plan.valid_from_at, plan.cadence) == (3, AT, pathway.cadence)
    assert pathway.questionnaire is not None
    assert (plan.questionnaire, plan.questionnaire_version) == (pathway.questionnaire.slug, 1)
    assert plan.answer_rules == pathway.questionnaire.answer_rules
    words = pathway.self_care.red[0]
    assert plan.self_care.red[0] == (words.nb if language == "nb" else words.en)


@every_one
def test_every_zone_has_something_to_do(pathway: Pathway) -> None:
    assert all((pathway.self_care.green, pathway.self_care.yellow, pathway.self_care.red))


@every_one
def test_starter_limits_name_their_sources(pathway: Pathway) -> None:
    assert bool(pathway.starter_limits.sources) == bool(pathway.starter_limits.limits)


def test_copd_is_red_at_88_percent_and_falls_with_own_normal() -> None:
    assert (limit("copd", "2708-6").yellow_low, limit("copd", "2708-6").red_low) == (90, 88)
    (away,) = INSTALLED["copd"].starter_limits.relative_limits
    assert (away.code, away.yellow_below, away.red_below) == ("2708-6", 3, 5)


def test_heart_failure_alone_has_the_rules_on_weight() -> None:
    assert [slug for slug, pathway in INSTALLED.items() if pathway.weight_change] == ["heart-failure"]


def test_cancer_is_red_from_38_degrees() -> None:
    assert limit("cancer", "8310-5").red_high == 38.0


def test_glucose_has_a_range_that_must_be_left_repeatedly() -> None:
    (target,) = INSTALLED["diabetes"].starter_limits.sustained_limits
    assert (target.code, target.count, target.of) == ("15074-8", 3, 4)


def test_hospital_at_home_measures_several_times_a_day_and_scores_news2() -> None:
    home = INSTALLED["hospital-at-home"]
    assert home.cadence == Cadence(
        times=("08:00", "12:00", "16:00", "20:00"), daily_days=0, every_days=1, grace_minutes=150
    )
    assert home.news2 is News2Scale.SCALE_1


def test_rehabilitation_follows_participation_and_answers_and_no_vital_signs() -> None:
    centre = INSTALLED["rehabilitation-centre"]
    assert (centre.vitals, centre.starter_limits.limits, centre.equipment) == ((), (), ())
    assert centre.participation is not None
    assert [(asked.slug, asked.every_weeks) for asked in centre.participation.benefit] == [("eq-5d-5l", 12)]
    assert centre.questionnaire is not None
    assert centre.questionnaire.answer_rules


def test_services_that_are_tied_to_no_diagnosis_say_so() -> None:
    assert sorted(slug for slug, pathway in INSTALLED.items() if not pathway.diagnosis_bound) == [
        "general",
        "hospital-at-home",
        "rehabilitation-centre",
    ]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.pathway)
def test_what_simulated_patients_send_is_what_their_pathway_follows_and_asks(group: Group) -> None:
    pathway = INSTALLED[group.pathway]
    assert {usual.vital.codes[0] for usual in group.usual} <= set(pathway.vitals)
    assert pathway.questionnaire is not None
    assert pathway.questionnaire.slug == f"{group.pathway}-daily"
    assert {"breath", "energy", "sleep", "worry"} <= {asked.link_id for asked in pathway.questionnaire.questions}
