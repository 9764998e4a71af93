"""Fixed limits: each boundary value, each way of asking a day, and the same as a day at a time."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backtest.fixed_rules import FIXED_RULES, OF_CONCERN, SECOND_ROW, FixedRule, Of, alert_days
from pipeline.backtest.readings import Readings, last_of_day, median_of_day
from pipeline.triage import vitals
from schemas.submissions import Submission
from tests.oracles import backtest as oracle
from tests.pipeline.backtest.recordings import DIASTOLIC, PULSE, SYSTOLIC, at, days, session

RULES = {(rule.row, rule.of): rule for rule in FIXED_RULES}


@pytest.mark.parametrize(
    ("row", "code", "value", "alerts"),
    [
        (1, SYSTOLIC, 79, True),
        (1, SYSTOLIC, 80, False),
        (1, SYSTOLIC, 190, False),
        (1, SYSTOLIC, 191, True),
        (1, DIASTOLIC, 49, True),
        (1, DIASTOLIC, 50, False),
        (1, DIASTOLIC, 110, False),
        (1, DIASTOLIC, 111, True),
        (2, SYSTOLIC, 89, True),
        (2, SYSTOLIC, 90, False),
        (2, SYSTOLIC, 159, False),
        (2, SYSTOLIC, 160, True),
        (2, DIASTOLIC, 49, True),
        (2, DIASTOLIC, 50, False),
        (2, DIASTOLIC, 99, False),
        (2, DIASTOLIC, 100, True),
        (3, DIASTOLIC, 54, True),
        (3, DIASTOLIC, 55, False),
        (3, SYSTOLIC, 160, True),
        (5, SYSTOLIC, 99, True),
        (5, SYSTOLIC, 100, False),
        (5, SYSTOLIC, 160, False),
        (5, SYSTOLIC, 161, True),
        (5, DIASTOLIC, 59, True),
        (5, DIASTOLIC, 60, False),
        (5, DIASTOLIC, 95, False),
        (5, DIASTOLIC, 96, True),
        (6, PULSE, 50, True),
        (6, PULSE, 51, False),
        (6, PULSE, 99, False),
        (6, PULSE, 100, True),
        (7, PULSE, 54, True),
        (7, PULSE, 55, False),
        (7, PULSE, 100, False),
        (7, PULSE, 101, True),
        (2, PULSE, 200, False),
        (6, SYSTOLIC, 200, False),
    ],
)
def test_a_value_alerts_on_its_side_of_the_limit(row: int, code: str, value: float, *, alerts: bool) -> None:
    readings = Readings([session(0, [(code, value)])], UTC)
    assert alert_days(RULES[row, Of.ANY], readings) == (days(0) if alerts else frozenset())


@pytest.mark.parametrize(
    ("values", "any_day", "last_day", "median_day"),
    [
        ((160, 120, 120), True, False, False),
        ((120, 120, 160), True, True, False),
        ((160, 170, 120), True, False, True),
        ((120, 200), True, True, True),  # the median is the mean of the two
        ((120, 199), True, True, False),
        ((159, 159), False, False, False),
    ],
)
def test_a_day_is_asked_of_any_the_last_or_the_median(
    values: tuple[float, ...], *, any_day: bool, last_day: bool, median_day: bool
) -> None:
    sessions = [session(0, [(SYSTOLIC, value)], hour=8 + hour) for hour, value in enumerate(values)]
    readings = Readings(reversed(sessions), UTC)
    told = [bool(alert_days(rule, readings)) for rule in (SECOND_ROW, RULES[4, Of.LAST], RULES[4, Of.MEDIAN])]
    assert told == [any_day, last_day, median_day]


def test_the_day_is_the_patients_own() -> None:
    sessions = [session(0, [(SYSTOLIC, 170)], hour=23.5)]
    assert alert_days(SECOND_ROW, Readings(sessions, UTC)) == days(0)
    assert alert_days(SECOND_ROW, Readings(sessions, ZoneInfo("Europe/Oslo"))) == days(1)


def test_a_day_is_measured_by_any_of_the_vitals() -> None:
    readings = Readings([session(0, [(SYSTOLIC, 120)]), session(2, [(DIASTOLIC, 80)]), session(3, [(PULSE, 70)])], UTC)
    assert readings.measured((vitals.SYSTOLIC, vitals.DIASTOLIC)) == days(0, 2)
    assert readings.measured((vitals.SPO2,)) == frozenset()


def test_unknown_codes_and_units_are_no_measurements() -> None:
    told = session(0, [(SYSTOLIC, 170)])
    wrong = [
        Submission(
            submission_id=told.submission_id,
            patient=told.patient,
            received_at=at(0),
            readings=(type(told.readings[0])(code=code, value=170, unit=unit, measured_at=at(0)),),
        )
        for code, unit in (("8480-6", "kPa"), ("1-1", "mm[Hg]"))
    ]
    assert Readings(wrong, UTC).measured((vitals.SYSTOLIC,)) == frozenset()


def test_nothing_measured_is_nothing_alerted() -> None:
    readings = Readings([], UTC)
    assert [alert_days(rule, readings) for rule in FIXED_RULES] == [frozenset()] * len(FIXED_RULES)
    assert len(last_of_day(readings.of(vitals.SPO2)).keys) == len(median_of_day(readings.of(vitals.SPO2)).keys) == 0


VALUES = {SYSTOLIC: st.integers(75, 195), DIASTOLIC: st.integers(45, 115), PULSE: st.integers(45, 105)}
SESSIONS = st.lists(
    st.tuples(
        st.sampled_from(["sim-0001", "sim-0002", "sim-0003"]),
        st.integers(0, 4),
        st.integers(0, 95),
        st.sampled_from(list(VALUES)).flatmap(lambda code: st.tuples(st.just(code), VALUES[code])),
    ),
    max_size=40,
    unique_by=lambda row: row[:3],
)


@given(SESSIONS, st.sampled_from([*FIXED_RULES, OF_CONCERN]))
def test_all_at_once_is_as_a_day_at_a_time(
    rows: list[tuple[str, int, int, tuple[str, float]]], rule: FixedRule
) -> None:
    zone = ZoneInfo("Europe/Oslo")
    sessions = [session(day, [measured], hour=quarter / 4, patient=patient) for patient, day, quarter, measured in rows]
    assert alert_days(rule, Readings(sessions, zone)) == oracle.alert_days(rule, sessions, zone)
