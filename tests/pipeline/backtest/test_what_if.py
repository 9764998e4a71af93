"""The same plan changes nothing; a tighter one gives more alerts, and says on which days and why."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from pipeline.backtest import what_if as module
from pipeline.backtest.histories import OutOfScopeError
from pipeline.backtest.what_if import UnknownPatientError, WhatIf, what_if
from pipeline.triage import RULES, Rules
from schemas.care import Limit, Plan
from tests.edges import at_the_edges
from tests.histories import PATIENT, at, enrolled, every_signal, followed, reading, signed, submitted

EDGES = 120  # histories at the edges of what decides
PULSE = Limit(code="8867-4", unit="/min", yellow_high=100, red_high=120)
TIGHTER = Limit(code="8867-4", unit="/min", yellow_high=90, red_high=105)


def recording(days: int = 40) -> list[Any]:
    fast = {20: 95.0, 25: 110.0, 38: 92.0}
    sessions = [
        submitted(f"d{day}", 24 * day + 10, reading("8867-4", fast.get(day, 70), "/min", 24 * day + 10))
        for day in range(days)
    ]
    return [enrolled(), signed(0, PULSE), *sessions]


def plan(*limits: Limit) -> Plan:
    return Plan(version=7, valid_from_at=at(0), limits=limits)


def test_the_same_plan_changes_nothing() -> None:
    found = what_if(recording(), plan(PULSE), days=30)
    (one,) = found.patients
    assert one.old == one.new == found.old
    assert (one.added, one.gone, one.added_by, one.gone_by) == ((), (), {}, {})
    assert one.old.yellow > 0


def test_a_tighter_plan_gives_more_alerts_and_says_which() -> None:
    (one,) = what_if(recording(), plan(TIGHTER), days=30).patients
    assert [str(day) for day in one.added] == [str((at(24 * day)).date()) for day in (20, 38)]
    assert one.gone == ()
    assert one.new.red * one.weeks == pytest.approx(1)
    assert one.old.red == one.old.pages == 0
    assert one.new.pages * one.weeks == pytest.approx(1)
    assert one.added_by["limit_high 8867-4"] == 2


def test_a_looser_plan_gives_fewer() -> None:
    (one,) = what_if(recording(), plan(Limit(code="8867-4", unit="/min", red_high=160)), days=30).patients
    assert [str(day) for day in one.gone] == [str(at(24 * 25).date())]
    assert one.new.yellow == 0


def test_what_lies_before_the_window_is_not_counted() -> None:
    (one,) = what_if(recording(), plan(TIGHTER), days=10).patients
    assert [str(day) for day in one.added] == [str(at(24 * 38).date())]
    assert one.weeks == pytest.approx(10 / 7)


def test_patients_without_anything_in_the_window_are_named() -> None:
    other = [msgspec.structs.replace(event, patient="sim-0002") for event in recording(5)]
    found = what_if([*recording(), *other], plan(PULSE), days=20)
    assert ([one.patient for one in found.patients], found.without) == ([PATIENT], ("sim-0002",))
    assert what_if(recording(), plan(PULSE), patient=PATIENT).without == ()
    assert what_if([], plan(PULSE)) == WhatIf(
        days=90, patients=(), weeks=0, old=found.old.__class__(yellow=0, red=0, no_data=0, changes=0, pages=0),
        new=found.old.__class__(yellow=0, red=0, no_data=0, changes=0, pages=0), without=(),
    )  # fmt: skip


def test_an_unknown_patient_is_named() -> None:
    with pytest.raises(UnknownPatientError):
        what_if(recording(), plan(PULSE), patient="sim-0009")


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from([20, 90]))
def test_what_is_judged_at_once_is_what_the_fold_comes_to(
    monkeypatch: pytest.MonkeyPatch, seed: int, days: int
) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    events = followed(random, long=True)
    asked = every_signal(random, 0, 1).plan
    at_once = what_if(events, asked, days=days)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_at_once", out_of_scope)
        assert what_if(events, asked, days=days) == at_once


def test_so_is_what_lies_at_an_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    for seed in range(EDGES):
        random = Random(seed)  # noqa: S311 - no secret
        events = at_the_edges(random, in_turn=True)
        plan = at_the_edges(random, in_turn=True)[1].plan
        days = random.choice([20, 90])
        with suppress(OutOfScopeError):
            at_once = judged_by(monkeypatch, "_at_once", events, plan, days)
            assert judged_by(monkeypatch, "_by_the_fold", events, plan, days) == at_once, seed
            compared += 1
    assert compared > 0.4 * EDGES


@pytest.mark.parametrize("limit", ["care_events", "care_bytes"])
def test_where_more_is_taken_over_than_is_kept_the_fold_is_asked(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    events = [
        enrolled(),
        signed(0, PULSE),
        *(
            submitted(f"d{day}", 24 * day, reading("8867-4", 110 if day % 3 else 70, "/min", 24 * day))
            for day in range(1, 40)
        ),
    ]
    rooms = range(3, 40) if limit == "care_events" else range(600, 4_000, 80)
    judged = []
    for room in rooms:
        rules = structs.replace(RULES, **{limit: room})
        try:
            at_once = judged_by(monkeypatch, "_at_once", events, plan(TIGHTER), 90, rules)
        except OutOfScopeError:
            judged.append(False)
        else:
            assert judged_by(monkeypatch, "_by_the_fold", events, plan(TIGHTER), 90, rules) == at_once, room
            judged.append(True)
    assert judged == sorted(judged)
    assert set(judged) == {False, True}


def judged_by(  # noqa: PLR0913, PLR0917 - what is asked, and how
    monkeypatch: pytest.MonkeyPatch, way: str, events: list[Any], plan: Plan, days: int, rules: Rules = RULES
) -> WhatIf:
    """What comes of one way of judging alone; raises OutOfScopeError where that is not asked."""
    (other,) = {"_at_once", "_by_the_fold"} - {way}
    with monkeypatch.context() as patched:
        patched.setattr(module, other, out_of_scope)
        return what_if(events, plan, days=days, rules=rules)


def test_what_came_in_its_turn_needs_no_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_by_the_fold", out_of_scope)
    assert what_if(recording(), plan(TIGHTER), days=30).patients


@pytest.mark.parametrize("back", [1, 12, 30, 60])
def test_what_is_signed_for_the_past_of_an_alert_is_folded(monkeypatch: pytest.MonkeyPatch, back: int) -> None:
    """Whoever took the alert over had not seen what it became by that, and has to take it over again."""
    pulses = [70.0] * 20 + [110.0, 125.0, 70.0, 70.0, 110.0, 70.0, 70.0]
    sessions = [
        submitted(f"d{day}", 24 * day + 10, reading("8867-4", pulse, "/min", 24 * day + 10))
        for day, pulse in enumerate(pulses)
    ]
    signed_at = 24 * 21 + 10.75
    later = signed(signed_at - back, TIGHTER, version=2, recorded=signed_at)
    events = [enrolled(), signed(0, PULSE), *sessions[:22], later, *sessions[22:]]
    with pytest.raises(OutOfScopeError):
        judged_by(monkeypatch, "_at_once", events, plan(PULSE), 3)
    assert what_if(events, plan(PULSE), days=3) == judged_by(monkeypatch, "_by_the_fold", events, plan(PULSE), 3)


def test_what_did_not_is_folded() -> None:
    late = submitted("late", 24 * 30, reading("8867-4", 130, "/min", 24 * 30), late=60)
    (one,) = what_if([*recording(), late], plan(PULSE), days=20).patients
    assert one.old == one.new
    assert one.old.red * one.weeks == pytest.approx(1)


def out_of_scope(*_: object) -> None:
    raise OutOfScopeError("not asked")
