"""The plan that a doctor starts from."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.pathways import read, starter_plan
from pipeline.triage import plans
from schemas.care import News2Scale, Plan, SelfCare
from tests.pipeline.pathways.files import GONE, SMALL, changed

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_everything_of_the_pathway_that_a_plan_holds_is_in_it() -> None:
    pathway = read(changed(), "small.json")
    starter = pathway.starter_limits
    assert pathway.questionnaire is not None
    assert starter_plan(pathway, version=2, valid_from_at=AT, language="nb") == Plan(
        version=2,
        valid_from_at=AT,
        vitals=pathway.vitals,
        limits=starter.limits,
        relative_limits=starter.relative_limits,
        change_limits=starter.change_limits,
        sustained_limits=starter.sustained_limits,
        answer_rules=pathway.questionnaire.answer_rules,
        answers_due=True,
        weight_change=True,
        news2=News2Scale.SCALE_1,
        cadence=pathway.cadence,
        questionnaire="small-daily",
        questionnaire_version=1,
        self_care=SelfCare(red=("Ring nå.",)),
    )


def test_a_pathway_without_questions_and_limits_makes_a_plan_too() -> None:
    pathway = read(changed(("questionnaire", GONE), ("starter_limits", GONE)), "small.json")
    plan = starter_plan(pathway, version=1, valid_from_at=AT, language="en")
    assert (plan.questionnaire, plan.questionnaire_version, plan.answer_rules, plan.limits) == (None, None, (), ())
    assert not plan.answers_due
    assert plan.self_care.red == ("Call now.",)
    assert plans.faults(plan) == []


def test_every_field_of_a_plan_comes_from_a_pathway() -> None:
    given = {"version", "valid_from_at", "questionnaire_version", "answers_due"}
    starter = set(SMALL) | set(SMALL["starter_limits"]) | set(SMALL["questionnaire"])
    assert set(Plan.__struct_fields__) - given - starter == set()
