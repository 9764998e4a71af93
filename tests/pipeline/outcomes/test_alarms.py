"""Alarms per nurse and per rule: by hand, and against what `sonevakt evaluate alerts` works out of the messages."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.backtest import acknowledged as by_messages
from pipeline.outcomes.alarms import CODES, alarm_load, alarms, by_rule
from pipeline.outcomes.time_at_risk import scope
from schemas.assessments import Reason, ZoneChange
from schemas.care import Acknowledged
from schemas.types import Zone
from tests.oracles.outcomes import Event
from tests.pipeline.outcomes.made import START, at, enrolled, frame
from tests.pipeline.outcomes.test_zones import changes

DAY = 24


def test_easing_calls_nobody_and_what_was_taken_back_called_in_error() -> None:
    told = changes(
        [
            (0, "sim-1", "green", False),
            (1, "sim-1", "yellow", False),
            (2, "sim-1", "red", False),
            (3, "sim-1", "yellow", False),
            (4, "sim-1", "green", False),
            (5, "sim-1", "red", True),
            (6, "sim-1", "no_data", False),
            (7, "sim-1", "red", False),
            (8, "sim-1", "red", False),
        ]
    )
    assert [(time - at(0)) / timedelta(hours=1) for time in alarms(told)["time"]] == [1, 2, 7, 8]
    paused = told.assign(alert_reasons=[*["none"] * 7, "limit_red:spo2,red_kept:none", "limit_red:spo2"])
    assert [(time - at(0)) / timedelta(hours=1) for time in alarms(paused)["time"]] == [1, 2, 8]


def test_load_is_shared_among_the_nurses_who_work() -> None:
    events = [enrolled(0, "sim-1"), enrolled(0, "sim-2", service="b")]
    here = scope(frame(events), START, at(10 * DAY), "all")
    told = changes([(1, "sim-1", "red", False), (30, "sim-1", "green", False), (40, "sim-1", "yellow", False)])
    nurses = pd.DataFrame(
        {"service": ["a", "a"], "start": [at(-5), at(5 * DAY)], "stop": [at(5 * DAY), at(50 * DAY)], "nurses": [1, 2]}
    )
    found = alarm_load(told, here, nurses, by=("service",)).set_index("service")
    assert found.loc["a", ["alarms", "red", "patients", "followed", "days"]].tolist() == [2, 1, 1, 1, 10]
    assert found.loc["a", ["per_1000", "nurse_days", "per_nurse_day"]].tolist() == [200.0, 15.0, 2 / 15]
    assert found.loc["b", "alarms"] == 0
    assert np.isnan(found.loc["b", "per_nurse_day"])
    with pytest.raises(ValueError, match="by service"):
        alarm_load(told, here, nurses, by=("pathway",))


RULES = ("limit_red", "deviation_yellow", "news2")
ALERTS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from([*CODES, "not-said", "called"]), max_size=3),
    ),
    max_size=12,
    unique_by=lambda one: one[0],
)


@given(ALERTS)
@settings(deadline=None, max_examples=25)
def test_how_often_a_rule_is_right_is_as_the_messages_have_it(told: list[tuple[int, list[str], list[str]]]) -> None:
    messages, said, rows, events = [], [], [], [enrolled(0)]
    for place, (hour, rules, codes) in enumerate(sorted(told)):
        ident = UUID(int=place)
        messages.append(
            ZoneChange(
                zone_change_id=ident,
                patient="sim-1",
                at=at(hour),
                from_zone=Zone.GREEN,
                to_zone=Zone.RED,
                reasons=tuple(Reason(rule=rule, zone=Zone.RED) for rule in rules),
            )
        )
        rows.append((hour, ",".join(f"{rule}:spo2,{rule}:heart_rate" for rule in rules), str(ident)))
        for number, code in enumerate(codes):
            events.append(
                Event(hour + number, "sim-1", "acknowledged", {"zone_change_id": str(ident), "reason_code": code})
            )
            said.append(
                Acknowledged(
                    event_id=UUID(int=1000 + len(said)),
                    patient="sim-1",
                    at=at(hour + number),
                    recorded_at=at(hour + number),
                    zone_change_id=ident,
                    by="simulated-nurse",
                    reason_code=code,
                )
            )
    zone_changes = changes([(hour, "sim-1", "red", False) for hour, _, _ in rows]).assign(
        alert_reasons=[reasons for _, reasons, _ in rows],
        zone_change_id=[ident for _, _, ident in rows],
        from_zone="green",
    )
    here = scope(frame(events), START, at(300), "all")
    ours = by_rule(zone_changes, frame(events), here).set_index("rule")
    theirs = by_messages.by_rule(messages, by_messages.said_last(said))
    assert ours["alarms"].to_dict() == {
        rule: count for rule in RULES if (count := sum(rule in rules for _, rules, _ in told))
    }
    for one in theirs:
        row = ours.loc[one.rule]
        assert (row["right"], row["wrong"], row["not_said"]) == (one.right, one.wrong, one.not_said)
        assert {code: row[code] for code in CODES if row[code]} == one.by_code
        if one.ppv is not None and one.interval is not None:
            assert row[["ppv", "low", "high"]].tolist() == pytest.approx([one.ppv, *one.interval])
    assert ours["acknowledged"].sum() == sum(one.right + one.wrong + one.not_said for one in theirs)
