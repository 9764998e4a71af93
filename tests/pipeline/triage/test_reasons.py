"""All that a reason holds: the reading, the limit, the change and its window, whatever a sentence is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from schemas.assessments import Reason
from schemas.care import ChangeLimit, Limit, RelativeLimit, SustainedLimit
from schemas.types import Zone
from tests.histories import reading, submitted
from tests.pipeline.triage.test_decisions import judged
from tests.spec.test_signals import AWAY, FASTER, GLUCOSE, PULSE, SPO2, STEADY, TARGET, WEIGHT, WIDE, days, planned

if TYPE_CHECKING:
    from schemas.assessments import Assessment

EVERY: dict[str, Any] = {"limits": (WIDE,), "relative_limits": (AWAY,), "change_limits": (FASTER,)}
FOUR = Limit(code=PULSE, unit="/min", red_low=40, yellow_low=50, yellow_high=100, red_high=120)
OF_PULSE: dict[str, Any] = {"code": PULSE, "unit": "/min", "readings": (0,)}
OF_WEIGHT: dict[str, Any] = {"code": WEIGHT, "unit": "kg", "readings": (0,)}
OF_OXYGEN: dict[str, Any] = {"code": SPO2, "unit": "%", "readings": (0,)}
OXYGEN_USUAL = [96.0, 95, 96, 97, 96] * 2


def the(rule: str, found: Assessment) -> Reason:
    (reason,) = (reason for reason in found.reasons if reason.rule == rule)
    return reason


@pytest.mark.parametrize(
    ("plan", "code", "values", "follows"),
    [
        (
            {"limits": (FOUR,)},
            PULSE,
            [105],
            Reason(rule="limit_high", zone=Zone.YELLOW, value=105, limit=100, **OF_PULSE),
        ),
        ({"limits": (FOUR,)}, PULSE, [49], Reason(rule="limit_low", zone=Zone.YELLOW, value=49, limit=50, **OF_PULSE)),
        ({"limits": (FOUR,)}, PULSE, [39], Reason(rule="limit_low", zone=Zone.RED, value=39, limit=40, **OF_PULSE)),
        ({}, SPO2, [87], Reason(rule="oxygen_low", zone=Zone.RED, value=87, limit=88, **OF_OXYGEN)),
        (
            EVERY,
            PULSE,
            [80, 80, 101],
            Reason(rule="rise", zone=Zone.YELLOW, value=101, limit=20, change=21, hours=48, **OF_PULSE),
        ),
        (
            EVERY,
            PULSE,
            [80, 80, 54],
            Reason(rule="fall", zone=Zone.RED, value=54, limit=25, change=-26, hours=48, **OF_PULSE),
        ),
        (
            {"sustained_limits": (TARGET,)},
            GLUCOSE,
            [10.0, 11, 7, 10],
            Reason(
                rule="sustained",
                zone=Zone.YELLOW,
                code=GLUCOSE,
                unit="mmol/L",
                value=10,
                readings=(0,),
                count=3,
                of=4,
            ),
        ),
        (
            {"weight_change": True},
            WEIGHT,
            [80, 81.5],
            Reason(rule="weight_rise_day", zone=Zone.YELLOW, value=81.5, change=1.5, hours=24, **OF_WEIGHT),
        ),
        (
            {"weight_change": True},
            WEIGHT,
            [80, 80.7, 81.4, 82.1],
            Reason(rule="weight_rise_days", zone=Zone.YELLOW, value=82.1, change=2.1, hours=72, **OF_WEIGHT),
        ),
        (
            {"weight_change": True},
            WEIGHT,
            [80, 80.3, 80.6, 80.9, 81.2, 81.5, 82.1],
            Reason(rule="weight_rise_week", zone=Zone.YELLOW, value=82.1, change=2.1, hours=168, **OF_WEIGHT),
        ),
        (
            {"weight_change": True},
            WEIGHT,
            [100, 99, 98, 97, 94.9],
            Reason(rule="weight_fall_month", zone=Zone.YELLOW, value=94.9, change=-5.1, hours=720, **OF_WEIGHT),
        ),
    ],
)
def test_a_reason_holds_what_it_rests_on(plan: dict[str, Any], code: str, values: list[float], follows: Reason) -> None:
    assert the(follows.rule, judged(*planned(**plan), *days(code, values))) == follows


@pytest.mark.parametrize(
    ("plan", "code", "values", "follows"),
    [
        (EVERY, PULSE, [*STEADY, 59], {"rule": "relative_low", "zone": Zone.YELLOW, "limit": 60, **OF_PULSE}),
        (EVERY, PULSE, [*STEADY, 49], {"rule": "relative_low", "zone": Zone.RED, "limit": 50, **OF_PULSE}),
        (EVERY, PULSE, [*STEADY, 86], {"rule": "relative_high", "zone": Zone.YELLOW, "limit": 85, **OF_PULSE}),
        (EVERY, PULSE, [*STEADY, 96], {"rule": "relative_high", "zone": Zone.RED, "limit": 95, **OF_PULSE}),
        (EVERY, PULSE, [*STEADY, 86], {"rule": "deviation_noted", "zone": Zone.GREEN, **OF_PULSE}),
        (
            {"limits": (Limit(code=PULSE, unit="/min", red_low=30),)},
            PULSE,
            [*STEADY, 86],
            {"rule": "deviation", "zone": Zone.YELLOW, **OF_PULSE},
        ),
        (
            {},
            SPO2,
            [*OXYGEN_USUAL, 92.5],
            {"rule": "oxygen_below_normal", "zone": Zone.YELLOW, "change": -3.5, **OF_OXYGEN},
        ),
        (
            {"weight_change": True},
            WEIGHT,
            [80.0, 79.9, 80.1] * 4 + [80.5, 81.0, 81.5, 82.1],
            {"rule": "weight_over_normal", "zone": Zone.YELLOW, "change": 2.1, **OF_WEIGHT},
        ),
    ],
)
def test_a_reason_beside_the_own_normal_holds_that_too(
    plan: dict[str, Any], code: str, values: list[float], follows: dict[str, Any]
) -> None:
    found = judged(*planned(**plan), *days(code, values))
    deviation = found.readings[0].deviation
    assert deviation is not None
    assert the(follows["rule"], found) == Reason(value=values[-1], deviation=deviation, **follows)


@pytest.mark.parametrize(("away", "rule", "change"), [(75.0, "slow_rise", 4.0), (65.0, "slow_fall", -5.0)])
def test_slow_change_is_told_once_against_the_own_normal(away: float, rule: str, change: float) -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, red_high=170),))
    told = [
        reason
        for count in range(1, 7)
        for reason in judged(*plan, *days(PULSE, [*STEADY, *[away] * count])).reasons
        if reason.rule == rule
    ]
    assert told == [Reason(rule=rule, zone=Zone.GREEN, value=away, change=change, **OF_PULSE)]


@pytest.mark.parametrize(("side", "rule"), [(1, "drift_high"), (-1, "drift_low")])
def test_a_drift_is_told_by_how_far_the_own_normal_moved(side: int, rule: str) -> None:
    plan = planned(limits=(Limit(code=PULSE, unit="/min", red_low=30, red_high=170),))
    moved = [70.0 + 0.35 * side * day for day in range(40)]
    told = [
        reason
        for count in range(30, 40)
        for reason in judged(*plan, *days(PULSE, [*STEADY, *moved[:count]])).reasons
        if reason.rule == rule
    ]
    (reason,) = told
    assert reason.change is not None
    assert 6 <= reason.change * side < 6.5
    assert (reason.zone, reason.code, reason.unit, reason.readings) == (Zone.YELLOW, PULSE, "/min", (0,))


def test_reasons_name_the_readings_by_their_place() -> None:
    plan = planned(limits=(FOUR,))
    unknown, pulse = reading("99999-9", 1, "x", 10), reading(PULSE, 300, "/min", 10)
    slow, fast = reading(PULSE, 39, "/min", 10, "belt-1"), reading(PULSE, 301, "/min", 10, "belt-2")
    found = judged(*plan, submitted("s", 10, unknown, pulse, slow, fast))
    assert found.reasons == (
        Reason(rule="quality", zone=Zone.NO_DATA, value=1, readings=(0,), detail="unknown_code"),
        Reason(
            rule="quality",
            zone=Zone.NO_DATA,
            code=PULSE,
            unit="/min",
            value=300,
            readings=(1,),
            detail="implausible",
        ),
        Reason(rule="limit_high", zone=Zone.RED, code=PULSE, unit="/min", value=300, limit=120, readings=(1,)),
        Reason(rule="limit_low", zone=Zone.RED, code=PULSE, unit="/min", value=39, limit=40, readings=(2,)),
        Reason(
            rule="quality",
            zone=Zone.NO_DATA,
            code=PULSE,
            unit="/min",
            value=301,
            readings=(3,),
            detail="impossible",
        ),
    )


def test_changes_are_seen_within_a_session_too() -> None:
    sustained = SustainedLimit(code=PULSE, unit="/min", high=110, count=2, of=2)
    plan = planned(
        limits=(WIDE,),
        change_limits=(ChangeLimit(code=PULSE, unit="/min", hours=1, yellow_rise=30),),
        sustained_limits=(sustained,),
        relative_limits=(RelativeLimit(code=PULSE, unit="/min", red_above=60),),
    )
    rising = [reading(PULSE, pulse, "/min", 10 + hour) for hour, pulse in ((-0.2, 80), (-0.1, 110), (0, 115))]
    found = judged(*plan, submitted("s", 10, *rising))
    assert [(reason.rule, reason.change, reason.count, reason.readings) for reason in found.reasons] == [
        ("rise", 30, None, (1,)),
        ("rise", 35, None, (2,)),
        ("sustained", None, 2, (2,)),
    ]
