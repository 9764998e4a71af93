"""What a nurse reads for each reason, in both languages."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.triage import explain
from pipeline.triage.explain import RULES_TOLD, number, sentence
from pipeline.triage.vitals import VITALS
from schemas.assessments import BaselineStatus, Deviation, JudgedReading, Quality, QualityIssue, Reason
from schemas.types import Zone

PULSE, SPO2, WEIGHT, GLUCOSE, SYSTOLIC = "8867-4", "2708-6", "29463-7", "15074-8", "8480-6"
USUAL: Final = Deviation(center=66, spread=3, days=24, age_days=1, status=BaselineStatus.ESTABLISHED, score=4.12)
HEAVY: Final = Deviation(center=80.25, spread=0.5, days=24, age_days=1, status=BaselineStatus.ESTABLISHED, score=4.12)
NBSP: Final = "\N{NO-BREAK SPACE}"
LANGUAGES: Final[tuple[explain.Language, ...]] = ("nb", "en")
ROWS: Final = [
    (
        Reason(rule="limit_low", zone=Zone.RED, code=SPO2, value=86, unit="%", limit=88),
        "Oksygenmetning 86 % er på eller under den røde grensen 88 %.",
        "Oxygen saturation 86% is at or below the red limit 88%.",
    ),
    (
        Reason(rule="limit_high", zone=Zone.YELLOW, code=GLUCOSE, value=13.25, unit="mmol/L", limit=13),
        "Blodsukker 13,3 mmol/l er på eller over den gule grensen 13 mmol/l.",
        "Blood glucose 13.3 mmol/L is at or above the yellow limit 13 mmol/L.",
    ),
    (
        Reason(rule="limit_high", zone=Zone.RED, code=SYSTOLIC, value=159.6, unit="mm[Hg]", limit=159.5),
        "Systolisk blodtrykk 159,6 mmHg er på eller over den røde grensen 159,5 mmHg.",
        "Systolic pressure 159.6 mmHg is at or above the red limit 159.5 mmHg.",
    ),
    (
        Reason(rule="limit_high", zone=Zone.RED, code=SYSTOLIC, value=160, unit="mm[Hg]", limit=159.5),
        "Systolisk blodtrykk 160 mmHg er på eller over den røde grensen 159,5 mmHg.",
        "Systolic pressure 160 mmHg is at or above the red limit 159.5 mmHg.",
    ),
    (
        Reason(rule="limit_low", zone=Zone.RED, code=SPO2, value=87.96, unit="%", limit=88),
        "Oksygenmetning 87,96 % er på eller under den røde grensen 88 %.",
        "Oxygen saturation 87.96% is at or below the red limit 88%.",
    ),
    (
        Reason(rule="limit_low", zone=Zone.YELLOW, code=SPO2, value=88, unit="%", limit=88),
        "Oksygenmetning 88 % er på eller under den gule grensen 88 %.",
        "Oxygen saturation 88% is at or below the yellow limit 88%.",
    ),
    (
        Reason(rule="relative_low", zone=Zone.YELLOW, code=SPO2, value=62.6, unit="%", limit=63, deviation=USUAL),
        (
            "Oksygenmetning 62,6 % er på eller under den gule grensen 63 %, som følger av det som er vanlig "
            "for pasienten (66 %)."
        ),
        (
            "Oxygen saturation 62.6% is at or below the yellow limit 63%, which follows from what is usual "
            "for the patient (66%)."
        ),
    ),
    (
        Reason(rule="relative_high", zone=Zone.RED, code=PULSE, value=97, unit="/min", limit=96, deviation=USUAL),
        (
            "Puls 97 slag/min er på eller over den røde grensen 96 slag/min, som følger av det som er "
            "vanlig for pasienten (66 slag/min)."
        ),
        (
            "Pulse 97 beats/min is at or above the red limit 96 beats/min, which follows from what is usual "
            "for the patient (66 beats/min)."
        ),
    ),
    (
        Reason(rule="rise", zone=Zone.RED, code=GLUCOSE, value=14.2, unit="mmol/L", change=5.04, hours=24, limit=5),
        "Blodsukker 14,2 mmol/l har steget 5,04 mmol/l på 1 døgn; grensen er 5 mmol/l.",
        "Blood glucose 14.2 mmol/L has risen 5.04 mmol/L in 1 day; the limit is 5 mmol/L.",
    ),
    (
        Reason(rule="fall", zone=Zone.YELLOW, code=PULSE, value=50, unit="/min", change=-15, hours=1, limit=15),
        "Puls 50 slag/min har falt 15 slag/min på 1 time; grensen er 15 slag/min.",
        "Pulse 50 beats/min has fallen 15 beats/min in 1 hour; the limit is 15 beats/min.",
    ),
    (
        Reason(rule="sustained", zone=Zone.YELLOW, code=GLUCOSE, value=11, unit="mmol/L", count=3, of=4),
        "Blodsukker: 3 av de 4 siste målingene er utenfor målområdet.",
        "Blood glucose: 3 of the 4 newest readings are outside the target range.",
    ),
    (
        Reason(rule="deviation", zone=Zone.YELLOW, code=PULSE, value=96, unit="/min", deviation=USUAL),
        "Puls 96 slag/min avviker mye fra det som er vanlig for pasienten (66 slag/min over 24 dager; avvik +4,1).",
        "Pulse 96 beats/min is far from what is usual for the patient (66 beats/min over 24 days; deviation +4.1).",
    ),
    (
        Reason(rule="deviation_repeated", zone=Zone.YELLOW, code=PULSE, value=80, unit="/min", deviation=USUAL),
        "Puls 80 slag/min avviker, for andre gang på rad, fra det vanlige (66 slag/min over 24 dager; avvik +4,1).",
        "Pulse 80 beats/min is away from the usual, the second time in a row (66 beats/min, 24 days; deviation +4.1).",
    ),
    (
        Reason(rule="deviation_noted", zone=Zone.GREEN, code=PULSE, value=80, unit="/min", deviation=USUAL),
        "Puls 80 slag/min avviker fra det som er vanlig for pasienten (66 slag/min), men er ikke nær legens grense.",
        (
            "Pulse 80 beats/min is away from what is usual for the patient (66 beats/min), but not near the "
            "doctor's limit."
        ),
    ),
    (
        Reason(rule="deviations_together", zone=Zone.RED),
        "Flere slags målinger avviker samtidig fra det som er vanlig for pasienten.",
        "Several kinds of readings are away from what is usual for the patient at the same time.",
    ),
    (
        Reason(rule="deviation_with_symptom", zone=Zone.RED),
        "En måling avviker fra det som er vanlig for pasienten, samtidig med et annet tegn på forverring.",
        "A reading is away from what is usual for the patient, at the same time as another sign of worsening.",
    ),
    (
        Reason(rule="slow_rise", zone=Zone.YELLOW, code=PULSE, value=72, unit="/min", change=6),
        "Puls har steget over tid: 72 slag/min er 6 slag/min over det som er vanlig for pasienten.",
        "Pulse has been rising for some time: 72 beats/min is 6 beats/min above what is usual for the patient.",
    ),
    (
        Reason(rule="slow_fall", zone=Zone.YELLOW, code=WEIGHT, value=79.4, unit="kg", change=-0.85),
        "Vekt har falt over tid: 79,4 kg er 0,9 kg under det som er vanlig for pasienten.",
        "Weight has been falling for some time: 79.4 kg is 0.9 kg below what is usual for the patient.",
    ),
    (
        Reason(rule="shift_high", zone=Zone.YELLOW, code=PULSE, value=66, unit="/min", change=-0.5),
        (
            "Puls: gjennomsnittet av de siste dagene er over det som er vanlig for pasienten; 66 slag/min "
            "er 0,5 slag/min under det."
        ),
        (
            "Pulse: the average of the last days is above what is usual for the patient; 66 beats/min is "
            "0.5 beats/min below that."
        ),
    ),
    (
        Reason(rule="shift_high", zone=Zone.YELLOW, code=PULSE, value=70, unit="/min", change=4),
        (
            "Puls: gjennomsnittet av de siste dagene er over det som er vanlig for pasienten; 70 slag/min "
            "er 4 slag/min over det."
        ),
        (
            "Pulse: the average of the last days is above what is usual for the patient; 70 beats/min is 4 "
            "beats/min above that."
        ),
    ),
    (
        Reason(rule="shift_high", zone=Zone.YELLOW, code=PULSE, value=66, unit="/min", change=0.0),
        (
            "Puls: gjennomsnittet av de siste dagene er over det som er vanlig for pasienten; 66 slag/min "
            "er på linje med det."
        ),
        "Pulse: the average of the last days is above what is usual for the patient; 66 beats/min is level with that.",
    ),
    (
        Reason(rule="shift_low", zone=Zone.YELLOW, code=SPO2, value=91, unit="%", change=-1.5),
        (
            "Oksygenmetning: gjennomsnittet av de siste dagene er under det som er vanlig for pasienten; 91 "
            "% er 1,5 prosentpoeng under det."
        ),
        (
            "Oxygen saturation: the average of the last days is below what is usual for the patient; 91% is "
            "1.5 percentage points below that."
        ),
    ),
    (
        Reason(rule="drift_high", zone=Zone.YELLOW, code=PULSE, value=80, unit="/min", change=9.5),
        "Pasientens vanlige puls ligger nå 9,5 slag/min høyere enn ved oppstart.",
        "The patient's usual pulse is now 9.5 beats/min higher than at the start.",
    ),
    (
        Reason(rule="drift_low", zone=Zone.YELLOW, code=SPO2, value=90, unit="%", change=-2),
        "Pasientens vanlige oksygenmetning ligger nå 2 prosentpoeng lavere enn ved oppstart.",
        "The patient's usual oxygen saturation is now 2 percentage points lower than at the start.",
    ),
    (
        Reason(rule="weight_rise_day", zone=Zone.YELLOW, code=WEIGHT, value=82.4, unit="kg", change=1.4, hours=24),
        "Vekten 82,4 kg har steget 1,4 kg på 1 døgn.",
        "Weight 82.4 kg has risen 1.4 kg in 1 day.",
    ),
    (
        Reason(rule="weight_rise_days", zone=Zone.RED, code=WEIGHT, value=82.4, unit="kg", change=2.1, hours=72),
        "Vekten 82,4 kg har steget 2,1 kg på 3 døgn.",
        "Weight 82.4 kg has risen 2.1 kg in 3 days.",
    ),
    (
        Reason(rule="weight_rise_week", zone=Zone.YELLOW, code=WEIGHT, value=82.4, unit="kg", change=2.1, hours=168),
        "Vekten 82,4 kg har steget 2,1 kg på 7 døgn.",
        "Weight 82.4 kg has risen 2.1 kg in 7 days.",
    ),
    (
        Reason(
            rule="weight_over_normal",
            zone=Zone.YELLOW,
            code=WEIGHT,
            value=82.4,
            unit="kg",
            change=2.15,
            deviation=HEAVY,
        ),
        "Vekten 82,4 kg er 2,2 kg over det som er vanlig for pasienten (80,3 kg).",
        "Weight 82.4 kg is 2.2 kg above what is usual for the patient (80.3 kg).",
    ),
    (
        Reason(rule="weight_fall_month", zone=Zone.YELLOW, code=WEIGHT, value=76, unit="kg", change=-4.2, hours=720),
        "Vekten 76 kg har falt 4,2 kg på 30 døgn.",
        "Weight 76 kg has fallen 4.2 kg in 30 days.",
    ),
    (
        Reason(
            rule="oxygen_below_normal", zone=Zone.YELLOW, code=SPO2, value=62.5, unit="%", change=-3.5, deviation=USUAL
        ),
        "Oksygenmetning 62,5 % er 3,5 prosentpoeng under det som er vanlig for pasienten (66 %).",
        "Oxygen saturation 62.5% is 3.5 percentage points below what is usual for the patient (66%).",
    ),
    (
        Reason(rule="oxygen_low", zone=Zone.RED, code=SPO2, value=88, unit="%", limit=88),
        "Oksygenmetning 88 % er på eller under 88 %; planen har ingen egen grense.",
        "Oxygen saturation 88% is at or below 88%; the plan has no limit of its own.",
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
        Reason(rule="answer", zone=Zone.YELLOW, question="breath"),
        "Svaret på spørsmålet «breath» er gult i planen.",
        "The answer to the question “breath” is yellow in the plan.",
    ),
    (
        Reason(rule="answer_not_judged", zone=Zone.NO_DATA, question="breath"),
        "Svaret på spørsmålet «breath» er av et annet slag enn planen spør etter, og kan ikke vurderes.",
        "The answer to the question “breath” is of another kind than the plan asks for, and cannot be judged.",
    ),
    (
        Reason(rule="remeasure", zone=Zone.GREEN, code=SPO2),
        "En senere måling av oksygenmetning i samme registrering var bedre; den første teller fortsatt.",
        "A later reading of oxygen saturation in the same registration was better; the first still counts.",
    ),
    (
        Reason(rule="quality", zone=Zone.NO_DATA, code=PULSE, value=400, unit="/min", detail=QualityIssue.IMPOSSIBLE),
        "Puls: verdien er umulig og må måles på nytt.",
        "Pulse: the value is impossible and must be measured again.",
    ),
    (
        Reason(rule="vitals_missing", zone=Zone.NO_DATA, detail="heart_rate,weight"),
        "Målingene som planen ber om mangler: puls, vekt.",
        "The readings that the plan asks for are missing: pulse, weight.",
    ),
    (
        Reason(rule="answer_missing", zone=Zone.NO_DATA, question="breath"),
        "Svaret som planen ber om på spørsmålet «breath» mangler.",
        "The answer that the plan asks for to the question “breath” is missing.",
    ),
    (
        Reason(rule="nothing_measured", zone=Zone.NO_DATA),
        "Bare svar er kommet, og planen ber om målinger.",
        "Only answers came, and the plan asks for measurements.",
    ),
    (
        Reason(rule="nothing_to_judge", zone=Zone.NO_DATA),
        "Ingenting i registreringen kan vurderes etter planen.",
        "Nothing in the registration can be judged by the plan.",
    ),
    (
        Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="plan_contradicts_itself:limits[0]"),
        "Ikke overvåket: planen motsier seg selv (limits[0]).",
        "Not monitored: the plan contradicts itself (limits[0]).",
    ),
    (
        Reason(rule="awaiting_registration", zone=Zone.NO_DATA),
        "Venter på første registrering.",
        "Waiting for the first registration.",
    ),
    (
        Reason(rule="entered_in_error", zone=Zone.NO_DATA),
        "Registreringen var ført feil.",
        "The registration was entered in error.",
    ),
    (Reason(rule="within_limits", zone=Zone.GREEN), "Alt er innenfor grensene.", "All is within the limits."),
    (
        Reason(rule="red_kept", zone=Zone.RED),
        "Fortsatt rød til noen har kvittert og en registrering er grønn.",
        "Still red until somebody has acknowledged and a registration is green.",
    ),
    (
        Reason(rule="yellow_kept", zone=Zone.YELLOW),
        "Fortsatt gul til to registreringer på rad er grønne, eller én et døgn etter.",
        "Still yellow until two registrations in a row are green, or one a day later.",
    ),
    (
        Reason(rule="leaving_red", zone=Zone.YELLOW),
        "Kvittert, og en registrering er grønn; en til, så er det over.",
        "Acknowledged, and a registration is green; one more and it is over.",
    ),
    (
        Reason(rule="acknowledged", zone=Zone.GREEN),
        "Kvittert, etter registreringer som er grønne.",
        "Acknowledged, after registrations that are green.",
    ),
    (
        Reason(rule="overdue", zone=Zone.NO_DATA),
        "Registreringen er ikke kommet i tide.",
        "The registration did not come in time.",
    ),
]


@pytest.mark.parametrize(("reason", "bokmaal", "english"), ROWS, ids=[row[0].rule for row in ROWS])
def test_a_reason_in_words(reason: Reason, bokmaal: str, english: str) -> None:
    told = [sentence(reason, language).replace(NBSP, " ") for language in LANGUAGES]
    assert told == [bokmaal, english]


def test_every_rule_with_words_has_a_row() -> None:
    assert {row[0].rule for row in ROWS} == RULES_TOLD


def test_every_rule_that_the_fold_can_give_has_a_sentence() -> None:
    given_by_name = {
        rule
        for path in Path(explain.__file__).parent.glob("*.py")
        if path.name not in {"explain.py", "sentences.py"}
        for rule in rules_named_in(ast.parse(path.read_text("utf-8")))
    }
    assert given_by_name - RULES_TOLD == set()
    assert {
        "slow_rise",
        "drift_high",
        "limit_low",
        "relative_low",
        "rise",
        "weight_rise_days",
        "news2",
    } <= given_by_name
    assert {"overdue", "red_kept", "within_limits", "deviation_repeated"} <= given_by_name


def rules_named_in(tree: ast.Module) -> set[str]:
    """Rules in the source: by keyword, as a variable, as a first argument, beside a zone, or returned."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg == "rule") or (
            isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "rule" for one in node.targets)
        ):
            found |= _texts(node.value)
        elif isinstance(node, ast.Call) and node.args and _name(node.func) in GIVES:
            found |= _texts(node.args[0])
        elif isinstance(node, ast.Tuple) and any(_name(one.value) == "Zone" for one in _attributes(node)):
            found |= _texts(node.elts[0])
        elif isinstance(node, ast.AnnAssign) and _name(node.target) in TABLES and isinstance(node.value, ast.Dict):
            for pair in node.value.values:
                found |= set[str]().union(*map(_texts, getattr(pair, "elts", ())))
        elif isinstance(node, ast.FunctionDef) and node.name == "rule":
            returns = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
            found |= set[str]().union(*map(_texts, returns))
    return found


GIVES: Final = {"_reason", "_made", "Breach"}
TABLES: Final = {"_SLOW"}  # of rules by the side of a change


def _attributes(node: ast.Tuple) -> list[ast.Attribute]:
    return [one for one in node.elts[1:] if isinstance(one, ast.Attribute)]


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _texts(node: ast.expr) -> set[str]:
    """The texts that an expression can come to: itself, or either branch of a choice."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


ON_OXYGEN = [
    ((2.0,), " (på 2 l/min oksygen)", " (on 2 L/min oxygen)"),
    ((0.5,), " (på 0,5 l/min oksygen)", " (on 0.5 L/min oxygen)"),
    ((0.0,), "", ""),  # air
    ((None,), "", ""),
    ((), "", ""),  # the readings are not at hand
]


@pytest.mark.parametrize(("flows", "bokmaal", "english"), ON_OXYGEN)
def test_a_reading_on_oxygen_is_told_with_it(flows: tuple[float | None, ...], bokmaal: str, english: str) -> None:
    reason = Reason(rule="limit_low", zone=Zone.RED, code=SPO2, value=86, unit="%", limit=88, readings=(0,))
    readings = [
        JudgedReading(
            code=SPO2,
            vital="spo2",
            value=86,
            unit="%",
            measured_at=datetime(2026, 3, 1, tzinfo=UTC),
            quality=Quality.VALID,
            oxygen_l_min=flow,
        )
        for flow in flows
    ]
    told = [explain.explain([reason], language, readings)[0].replace(NBSP, " ") for language in LANGUAGES]
    assert told == [
        f"Oksygenmetning 86 %{bokmaal} er på eller under den røde grensen 88 %.",
        f"Oxygen saturation 86%{english} is at or below the red limit 88%.",
    ]


@given(value=st.floats(20, 300).map(lambda one: round(one, 4)), limit=st.floats(20, 300).map(lambda one: round(one, 2)))
def test_a_value_is_told_on_its_own_side_of_the_limit(value: float, limit: float) -> None:
    reason = Reason(rule="limit_high", zone=Zone.RED, code=SYSTOLIC, value=value, unit="mm[Hg]", limit=limit)
    first, second = (float(one) for one in re.findall(r"[0-9.]+(?=.mmHg)", sentence(reason, "en")))
    assert second == limit
    assert (first > second, first == second) == (value > limit, value == limit)


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
    detail=st.none()
    | st.sampled_from([*QualityIssue, "no_plan", "weight,spo2", "", "plan_contradicts_itself:relative_limits[0].code"]),
)


@given(reasons, st.sampled_from(["nb", "en"]))
def test_whatever_a_reason_holds_it_is_a_sentence(reason: Reason, language: explain.Language) -> None:
    told = sentence(reason, language)
    assert told.endswith(".")
    assert told[0].isupper()
    assert not re.search(r"None|nan|\{|_|[0-9]-[0-9]", told)


@pytest.mark.parametrize(
    ("value", "digits", "bokmaal", "english"),
    [
        (36.649, 1, "36,6", "36.6"),
        (82.0, 1, "82", "82"),
        (-2.5, 1, "−2,5", "−2.5"),  # noqa: RUF001
        (-0.04, 1, "0", "0"),
        (13.25, 1, "13,3", "13.3"),  # halves up, and not to the even digit
        (13.35, 1, "13,4", "13.4"),
        (-0.25, 1, "−0,3", "−0.3"),  # noqa: RUF001
        (0.5, 0, "1", "1"),
        (1.5, 0, "2", "2"),
        (2.5, 0, "3", "3"),
        (1e22, 1, "10000000000000000000000", "10000000000000000000000"),
    ],
)
def test_numbers_in_the_form_of_the_language(value: float, digits: int, bokmaal: str, english: str) -> None:
    assert (number(value, digits, "nb"), number(value, digits, "en")) == (bokmaal, english)


def test_the_worst_comes_first_and_equal_ones_once() -> None:
    red, yellow = ROWS[0][0], ROWS[1][0]
    assert explain.explain([yellow, red, red], "en") == (sentence(red, "en"), sentence(yellow, "en"))


def test_a_rule_that_is_not_known_is_named() -> None:
    assert sentence(Reason(rule="some_day", zone=Zone.RED), "en") == "Rule: some day."
