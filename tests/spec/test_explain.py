"""What a nurse reads for each reason, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.triage import explain
from pipeline.triage.explain import RULES_TOLD, number, sentence, why_not_green
from pipeline.triage.vitals import VITALS
from schemas.assessments import BaselineStatus, Deviation, QualityIssue, Reason
from schemas.types import Zone

PULSE, SPO2, WEIGHT, GLUCOSE = "8867-4", "2708-6", "29463-7", "15074-8"
USUAL: Final = Deviation(center=66, spread=3, days=24, age_days=1, status=BaselineStatus.ESTABLISHED, score=4.12)
ROWS: Final = [
    (
        Reason(rule="limit_low", zone=Zone.RED, code=SPO2, value=86, unit="%", limit=88),
        "Oksygenmetning 86 % er på eller under den røde grensen 88 %.",
        "Oxygen saturation 86% is at or below the red limit 88%.",
    ),
    (
        Reason(rule="limit_high", zone=Zone.YELLOW, code=GLUCOSE, value=13.25, unit="mmol/L", limit=13),
        "Blodsukker 13,2 mmol/l er på eller over den gule grensen 13 mmol/l.",
        "Blood glucose 13.2 mmol/L is at or above the yellow limit 13 mmol/L.",
    ),
    (
        Reason(rule="deviation", zone=Zone.YELLOW, code=PULSE, value=96, unit="/min", deviation=USUAL),
        "Puls 96 slag/min avviker mye fra det som er vanlig for pasienten (66 slag/min over 24 dager; avvik +4,1).",
        "Pulse 96 beats/min is far from what is usual for the patient (66 beats/min over 24 days; deviation +4.1).",
    ),
    (
        Reason(rule="weight_rise_days", zone=Zone.RED, code=WEIGHT, value=82.4, unit="kg", change=2.1, hours=72),
        "Vekten 82,4 kg har steget 2,1 kg på 3 døgn.",
        "Weight 82.4 kg has risen 2.1 kg in 3 days.",
    ),
    (
        Reason(rule="fall", zone=Zone.YELLOW, code=PULSE, value=50, unit="/min", change=-15, hours=1, limit=15),
        "Puls 50 slag/min har falt 15 slag/min på 1 time; grensen er 15 slag/min.",
        "Pulse 50 beats/min has fallen 15 beats/min in 1 hour; the limit is 15 beats/min.",
    ),
    (
        Reason(
            rule="oxygen_below_normal", zone=Zone.YELLOW, code=SPO2, value=91, unit="%", change=-3.5, deviation=USUAL
        ),
        "Oksygenmetning 91 % er 3,5 prosentpoeng under det som er vanlig for pasienten (66 %).",
        "Oxygen saturation 91% is 3.5 percentage points below what is usual for the patient (66%).",
    ),
    (
        Reason(rule="sustained", zone=Zone.YELLOW, code=GLUCOSE, value=11, unit="mmol/L", count=3, of=4),
        "Blodsukker: 3 av de 4 siste målingene er utenfor målområdet.",
        "Blood glucose: 3 of the 4 newest readings are outside the target range.",
    ),
    (
        Reason(rule="news2", zone=Zone.RED, value=8, count=4, of=7),
        "NEWS2 er minst 8; 4 av 7 deler er kjent.",
        "NEWS2 is at least 8; 4 of 7 parts are known.",
    ),
    (
        Reason(rule="news2_part", zone=Zone.YELLOW, value=3, count=2, of=7),
        "Én del av NEWS2 gir alene 3 poeng; summen er minst 3, og 2 av 7 deler er kjent.",
        "One part of NEWS2 alone has 3 points; the sum is at least 3, and 2 of 7 parts are known.",
    ),
    (
        Reason(rule="answer_not_judged", zone=Zone.NO_DATA, question="breath"),
        "Svaret på spørsmålet «breath» er av et annet slag enn planen spør etter, og kan ikke vurderes.",
        "The answer to the question “breath” is of another kind than the plan asks for, and cannot be judged.",
    ),
    (
        Reason(rule="answer", zone=Zone.YELLOW, question="breath"),
        "Svaret på spørsmålet «breath» er gult i planen.",
        "The answer to the question “breath” is yellow in the plan.",
    ),
    (
        Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="plan_contradicts_itself:limits[0]"),
        "Ikke overvåket: planen motsier seg selv (limits[0]).",
        "Not monitored: the plan contradicts itself (limits[0]).",
    ),
    (
        Reason(rule="quality", zone=Zone.NO_DATA, code=PULSE, value=400, unit="/min", detail=QualityIssue.IMPOSSIBLE),
        "Puls: verdien er umulig og må måles på nytt.",
        "Pulse: the value is impossible and must be measured again.",
    ),
    (
        Reason(rule="overdue", zone=Zone.NO_DATA),
        "Registreringen er ikke kommet i tide.",
        "The registration did not come in time.",
    ),
]


@pytest.mark.parametrize(("reason", "bokmaal", "english"), ROWS, ids=[row[0].rule for row in ROWS])
def test_a_reason_in_words(reason: Reason, bokmaal: str, english: str) -> None:
    told = [sentence(reason, language).replace("\N{NO-BREAK SPACE}", " ") for language in ("nb", "en")]
    assert told == [bokmaal, english]


def test_every_rule_that_the_fold_can_give_has_a_sentence() -> None:
    source = Path(explain.__file__).parent
    text = "\n".join(path.read_text("utf-8") for path in source.glob("*.py") if path.name != "explain.py")
    given_by_name = set(re.findall(r'rule="([a-z0-9_]+)"', text))
    given_by_name |= set(re.findall(r'(?:_reason|_made|Breach)\(\s*"([a-z0-9_]+)"', text))
    given_by_name |= set(re.findall(r'rule = "([a-z0-9_]+)"', text)) | set(re.findall(r'\("([a-z_]+)", Zone\.', text))
    assert given_by_name - RULES_TOLD == set()
    assert {"slow_rise", "drift_high", "limit_low", "relative_low", "rise", "weight_rise_days"} <= given_by_name


def test_every_issue_of_quality_has_its_words() -> None:
    named = {
        sentence(Reason(rule="quality", zone=Zone.NO_DATA, code=PULSE, detail=issue), "nb")
        for issue in QualityIssue
        if issue is not QualityIssue.CONVERTED  # no reason: a converted value is judged
    }
    assert len(named) == len(QualityIssue) - 1
    assert not any("kan ikke brukes" in one for one in named)


reasons = st.builds(
    Reason,
    rule=st.sampled_from(sorted(RULES_TOLD)),
    zone=st.sampled_from(list(Zone)),
    code=st.none() | st.sampled_from([code for vital in VITALS for code in vital.codes]),
    value=st.none() | st.floats(-1000, 1000),
    limit=st.none() | st.floats(-1000, 1000),
    deviation=st.none() | st.just(USUAL),
    change=st.none() | st.floats(-100, 100),
    hours=st.none() | st.integers(1, 2000),
    count=st.none() | st.integers(0, 20),
    of=st.none() | st.integers(1, 20),
    question=st.none() | st.just("breath-at-night"),
    detail=st.none() | st.sampled_from([*QualityIssue, "no_plan", "plan_contradicts_itself:relative_limits[0].code"]),
)


@given(reasons, st.sampled_from(["nb", "en"]))
def test_whatever_a_reason_holds_it_is_a_sentence(reason: Reason, language: explain.Language) -> None:
    told = sentence(reason, language)
    assert told.endswith(".")
    assert told[0].isupper()
    assert not re.search(r"None|nan|\{|_|[0-9]-[0-9]", told)


@pytest.mark.parametrize(
    ("value", "digits", "bokmaal", "english"),
    [(36.649, 1, "36,6", "36.6"), (82.0, 1, "82", "82"), (-2.5, 1, "−2,5", "−2.5"), (-0.04, 1, "0", "0")],  # noqa: RUF001
)
def test_numbers_in_the_form_of_the_language(value: float, digits: int, bokmaal: str, english: str) -> None:
    assert (number(value, digits, "nb"), number(value, digits, "en")) == (bokmaal, english)


def test_the_worst_comes_first_and_equal_ones_once() -> None:
    yellow, red = ROWS[1][0], ROWS[0][0]
    assert explain.explain([yellow, red, red], "en") == (sentence(red, "en"), sentence(yellow, "en"))


def test_why_a_patient_is_not_green() -> None:
    noted = Reason(rule="deviation_noted", zone=Zone.GREEN, code=PULSE, value=90, deviation=USUAL)
    assert why_not_green(Zone.GREEN, [noted], "nb") == "Grønn."
    assert why_not_green(Zone.NO_DATA, [ROWS[-1][0], noted], "nb") == (
        "Blå: ingen data. Registreringen er ikke kommet i tide."
    )
    contradicts = next(reason for reason, *_ in ROWS if reason.rule == "not_monitored")
    assert why_not_green(Zone.NOT_MONITORED, [contradicts], "en") == (
        "Not monitored: the plan contradicts itself (limits[0])."
    )
    assert why_not_green(Zone.YELLOW, [noted], "nb") == "Gul."


def test_a_rule_that_is_not_known_is_named() -> None:
    assert sentence(Reason(rule="some_day", zone=Zone.RED), "en") == "Rule: some day."
