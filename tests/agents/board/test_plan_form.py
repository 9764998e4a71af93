"""A plan as a form: what stands in it comes out of it again, whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from agents import pathways
from agents.board.fields import Entered
from agents.board.plan_form import MORE, as_entered, read, sheet
from agents.board.plan_newer import newer
from dashboards.board.pages import Voice
from dashboards.board.times import OSLO
from dashboards.board.words import LANGUAGES, vital_word
from pipeline.pathways import starter_plan
from pipeline.triage.vitals import VITALS
from schemas.care import (
    AnswerRule,
    Cadence,
    ChangeLimit,
    Limit,
    News2Scale,
    Plan,
    PlanSigned,
    RelativeLimit,
    SelfCare,
    SustainedLimit,
)
from schemas.types import Weekday

if TYPE_CHECKING:
    from dashboards.board.views import Newer
    from dashboards.board.words import Lang

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
WHOLE = Plan(
    version=3,
    valid_from_at=AT,
    vitals=("8867-4", "2708-6"),
    limits=(Limit(code="2708-6", unit="%", red_low=85, yellow_low=88.5, yellow_high=99, red_high=99.5),),
    relative_limits=(
        RelativeLimit(code="8867-4", unit="/min", red_below=30, yellow_below=20, yellow_above=20.5, red_above=30),
    ),
    change_limits=(
        ChangeLimit(code="29463-7", unit="kg", hours=72, red_fall=4, yellow_fall=2.5, yellow_rise=2, red_rise=3),
    ),
    sustained_limits=(SustainedLimit(code="8480-6", unit="mm[Hg]", low=100, high=140, count=3, of=5, zone="red"),),
    answer_rules=(
        AnswerRule(link_id="breath", zone="yellow", at_least=3),
        AnswerRule(link_id="fever", zone="red", is_answer=True),
        AnswerRule(link_id="sputum", zone="red", is_answer="green"),
    ),
    answers_due=True,
    weight_change=True,
    news2=News2Scale.SCALE_2,
    cadence=Cadence(
        times=("08:00", "20:00"),
        daily_days=10,
        every_days=3,
        weekdays=(Weekday.MONDAY, Weekday.THURSDAY),
        grace_minutes=60,
        alert_days=5,
    ),
    questionnaire="copd-daily",
    questionnaire_version=2,
    self_care=SelfCare(green=("Walk.",), yellow=("Rest.", "Measure again."), red=("Call us.",)),
)


def voice(lang: Lang) -> Voice:
    return Voice(lang, OSLO, {f"code.{vital.codes[0]}": vital_word(vital.name, lang) for vital in VITALS})


def entered(values: dict[str, str], lang: Lang = "en") -> Entered:
    return Entered({"form_id": "", **values}, voice(lang), OSLO)


def plainly(plan: Plan) -> Any:  # noqa: ANN401 - a plan as JSON has it
    """A plan without the order of what has none."""
    held: dict[str, Any] = msgspec.to_builtins(plan)
    limits = {kind: sorted(held.get(kind, ()), key=lambda one: one["code"]) for kind in ("limits", "relative_limits")}
    return {**held, **limits, "vitals": sorted(held.get("vitals", ()))}


def test_the_plan_of_this_test_sets_every_field_to_something_else_than_its_default() -> None:
    for part in (WHOLE, WHOLE.cadence, WHOLE.self_care):
        defaults = part.__struct_defaults__
        named = dict(zip(part.__struct_fields__[-len(defaults) :], defaults, strict=True))
        assert [name for name, default in named.items() if getattr(part, name) == default] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_plan_that_is_opened_and_signed_untouched_is_the_same_plan(lang: Lang) -> None:
    form = entered(as_entered(WHOLE, voice(lang)), lang)
    again = read(form, version=3, valid_from_at=AT, based_on=WHOLE)
    assert (form.faults, again and plainly(again)) == ({}, plainly(WHOLE))


@pytest.mark.parametrize("slug", sorted(pathways.load()))
def test_a_pathway_s_starter_plan_is_signed_with_all_that_it_holds(slug: str) -> None:
    starter = starter_plan(pathways.load()[slug], version=1, valid_from_at=AT, language="nb")
    form = entered(as_entered(starter, voice("en")))
    again = read(form, version=1, valid_from_at=AT, based_on=starter)
    assert (form.faults, again and plainly(again)) == ({}, plainly(starter))


def test_a_form_that_is_shown_again_grows_no_lines() -> None:
    values = as_entered(WHOLE, voice("en"))
    shown = sheet(values, {}, voice("en"))
    empty = {f"{line.name}.zone": "yellow" for line in (*shown.sustained, *shown.answers)}
    again = sheet({**empty, **values}, {}, voice("en"))
    assert [len(lines) for lines in again] == [len(lines) for lines in shown]
    assert len(shown.sustained) == len(WHOLE.sustained_limits) + MORE


def compared(now: Plan, own: dict[str, str], lang: Lang = "en") -> Newer:
    signed = PlanSigned(
        event_id=UUID(int=1),
        patient="p-1",
        at=AT,
        recorded_at=AT,
        plan=now,
        signed_by="doctor-2",
    )
    return newer(signed, WHOLE, own, voice(lang), {"breath": "How is your breath?"})


def test_a_newer_plan_that_says_the_same_in_other_words_differs_in_nothing() -> None:
    own = {
        **as_entered(WHOLE, voice("nb")),
        "limits.2708-6.yellow_low": " 88.50 ",
        "cadence.times": "08:00,20:00",
        "self_care.yellow": "Rest.\r\n\r\n Measure again. ",
        "sustained_limits.7.zone": "yellow",
        "based_on": "x",
        "do": "sign",
    }
    assert compared(structs.replace(WHOLE, version=4), own, "nb").lines == ()


def test_of_a_newer_plan_every_field_is_told_that_somebody_changed() -> None:
    now = structs.replace(
        WHOLE,
        version=4,
        vitals=("8867-4",),
        news2=None,
        answer_rules=WHOLE.answer_rules[:1],
        cadence=structs.replace(WHOLE.cadence, weekdays=()),
    )
    own = {**as_entered(WHOLE, voice("en")), "self_care.red": "Call 113.", "change_limits.1.code": "8867-4"}
    told = {one.label: (one.before, one.now, one.own, one.changed) for one in compared(now, own).lines}
    assert told == {
        "SpO₂, Must be in each registration that is due": ("yes", "no", "yes", True),
        "NEWS2": ("SpO₂ scale 2", "", "SpO₂ scale 2", True),
        "Answers 2, Question": ("fever", "", "fever", True),
        "Answers 2, Zone": ("red", "", "red", True),
        "Answers 2, Or the answer": ("true", "", "true", True),
        "Answers 3, Question": ("sputum", "", "sputum", True),
        "Answers 3, Zone": ("red", "", "red", True),
        "Answers 3, Or the answer": ("green", "", "green", True),
        "Fixed days of the week, Monday": ("yes", "no", "yes", True),
        "Fixed days of the week, Thursday": ("yes", "no", "yes", True),
        "What the patient does, red": ("Call us.", "Call us.", "Call 113.", False),
        "Change within a window 2, Vital sign": ("", "", "pulse", False),
    }
