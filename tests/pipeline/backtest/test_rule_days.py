"""Whose the alert days are: of one rule alone, or of several."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from pipeline.backtest import engine
from pipeline.backtest.days import BLOOD_PRESSURE, PULSE
from pipeline.backtest.rule_days import RuleDays, days_by_rule
from schemas.assessments import Assessment, JudgedReading, Quality, Reason
from schemas.types import Zone
from tests.pipeline.backtest.recordings import PULSE as PULSE_CODE
from tests.pipeline.backtest.recordings import SYSTOLIC, at, days


def assessed(day: int, *reasons: tuple[str, Zone, str]) -> Assessment:
    codes = (SYSTOLIC, PULSE_CODE)
    return Assessment(
        assessment_id=UUID(int=day),
        submission_id=UUID(int=day),
        patient="sim-0001",
        revision=1,
        at=at(day),
        received_at=at(day),
        zone=Zone.GREEN,
        reasons=tuple(
            Reason(rule=rule, zone=zone, code=code, readings=(codes.index(code),)) for rule, zone, code in reasons
        ),
        readings=tuple(_reading(code, at(day)) for code in codes),
        service=None,
        plan_version=1,
        rules_version="1",
    )


def _reading(code: str, when: datetime) -> JudgedReading:
    return JudgedReading(code=code, vital=None, value=1, unit="1", measured_at=when, quality=Quality.VALID)


FOUND = [
    assessed(0, ("limit_high", Zone.RED, SYSTOLIC), ("deviation", Zone.YELLOW, SYSTOLIC)),
    assessed(1, ("limit_high", Zone.RED, SYSTOLIC)),
    assessed(2, ("limit_high", Zone.RED, SYSTOLIC)),
    assessed(3, ("deviation", Zone.YELLOW, SYSTOLIC), ("limit_high", Zone.YELLOW, PULSE_CODE)),
    assessed(4, ("deviation_noted", Zone.GREEN, SYSTOLIC)),
    assessed(9, ("limit_high", Zone.RED, SYSTOLIC)),
]


def test_a_day_of_several_rules_is_a_day_of_each_and_of_none_alone() -> None:
    told = days_by_rule(FOUND, BLOOD_PRESSURE, UTC, labelled=days(0, 1), measured=days(*range(9)))
    assert told == (
        RuleDays(rule="limit_high", alert_days=3, labelled=2, without_label=1, alone_labelled=1, alone_without_label=1),
        RuleDays(rule="deviation", alert_days=2, labelled=1, without_label=1, alone_labelled=0, alone_without_label=1),
    )


def test_each_class_has_its_own_days_and_all_rules_make_the_alert_days() -> None:
    (only,) = days_by_rule(FOUND, PULSE, UTC, labelled=days(), measured=days(*range(9)))
    assert (only.rule, only.alert_days, only.without_label) == ("limit_high", 1, 1)
    by_rule = engine.alert_days_by_rule(FOUND, BLOOD_PRESSURE, UTC)
    assert by_rule == {"limit_high": days(0, 1, 2, 9), "deviation": days(0, 3)}
    assert engine.alert_days(FOUND, BLOOD_PRESSURE, UTC) == days(0, 1, 2, 3, 9)
