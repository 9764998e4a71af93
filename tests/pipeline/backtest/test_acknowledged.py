"""The share of a rule's alerts that staff called right, by hand-made acknowledgements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pipeline.backtest.acknowledged import RIGHT, WRONG, by_rule, said_last
from schemas.assessments import Reason, ZoneChange
from schemas.care import Acknowledged, AlertReason
from schemas.types import Zone

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def change(number: int, *rules: str, retracted: bool = False, zone: Zone = Zone.RED) -> ZoneChange:
    return ZoneChange(
        zone_change_id=UUID(int=number),
        patient="p-1",
        at=NOW,
        from_zone=Zone.GREEN,
        to_zone=zone,
        reasons=(*(Reason(rule=rule, zone=zone) for rule in rules), Reason(rule="within_limits", zone=Zone.GREEN)),
        retracted=retracted,
    )


def said(number: int, code: str, minutes: int = 0) -> Acknowledged:
    at = NOW + timedelta(minutes=minutes)
    return Acknowledged(
        event_id=UUID(int=1000 * number + minutes),
        patient="p-1",
        at=at,
        recorded_at=at,
        zone_change_id=UUID(int=number),
        by="nurse-1",
        reason_code=code,
    )


def test_every_code_is_right_or_wrong_or_says_nothing() -> None:
    assert {*RIGHT, *WRONG, AlertReason.NOT_SAID.value} == {code.value for code in AlertReason}


def test_an_alert_counts_for_every_rule_that_raised_it_and_for_no_other() -> None:
    acknowledged = said_last([said(1, "true"), said(2, "device"), said(3, "exacerbation"), said(9, "true")])
    changes = [
        change(1, "limit_red", "deviation"),
        change(2, "limit_red"),
        change(3, "limit_red"),
        change(4, "slow_rise"),
    ]
    first, second = by_rule(changes, acknowledged)
    assert (first.rule, first.right, first.wrong, first.by_code) == (
        "limit_red",
        2,
        1,
        {"true": 1, "exacerbation": 1, "device": 1},
    )
    assert first.ppv == pytest.approx(2 / 3)
    assert first.interval == pytest.approx((0.2077, 0.9385), abs=1e-4)  # Wilson's score by hand, z = 1.96
    assert (second.rule, second.right, second.wrong, second.ppv) == ("deviation", 1, 0, 1.0)


@pytest.mark.parametrize("code", ["not-said", "canary", "called"])
def test_what_says_nothing_of_the_alert_is_counted_apart(code: str) -> None:
    (one,) = by_rule([change(1, "limit_red")], said_last([said(1, code)]))
    assert (one.right, one.wrong, one.not_said, one.ppv, one.interval) == (0, 0, 1, None, None)


def test_the_last_word_on_an_alert_counts_and_silence_is_none() -> None:
    told = said_last([said(1, "true", 5), said(1, "technique", 9), said(1, "not-said", 20)])
    assert told[UUID(int=1)].reason_code == "technique"


def test_what_was_taken_back_is_not_counted_twice() -> None:
    changes = [change(1, "limit_red"), change(1, "limit_red", retracted=True)]
    (one,) = by_rule(changes, said_last([said(1, "true")]))
    assert one.right == 1
