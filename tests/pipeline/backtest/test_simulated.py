"""The engine on simulated patients: the slow ones are found earlier than by limits alone."""

from __future__ import annotations

from statistics import median

import msgspec
import pytest

from pipeline.backtest.simulated import BY, Simulated, on_cohort, together

SMALL = {"days": 50, "patients": 60}


@pytest.fixture(scope="module")
def found() -> dict[str, Simulated]:
    return {by: on_cohort(by, 5, **SMALL) for by in BY}


def test_own_normal_finds_most_and_the_slow_ones_earlier(found: dict[str, Simulated]) -> None:
    engine, limits = found["engine"], found["plan limits alone"]
    assert engine.every.deteriorations == limits.every.deteriorations > 5
    assert engine.every.found >= 0.9 * engine.every.deteriorations
    assert engine.slow.found >= limits.slow.found
    assert engine.slow.deteriorations > engine.inside.deteriorations > 0
    assert (engine.slow.lead_days or 0) > (limits.slow.lead_days or 0)
    assert engine.alerts_per_month > 0


def test_the_same_seed_gives_the_same_figures(found: dict[str, Simulated]) -> None:
    assert on_cohort("engine", 5, **SMALL) == found["engine"]
    assert msgspec.json.decode(msgspec.json.encode(found["engine"]), type=Simulated) == found["engine"]


def test_several_cohorts_are_one_with_all_their_deteriorations(found: dict[str, Simulated]) -> None:
    one, other = found["engine"], on_cohort("engine", 6, **SMALL)
    both = together([one, other])
    assert both.seed is None
    assert both.every.found == one.every.found + other.every.found
    assert both.every.leads == tuple(sorted((*one.every.leads, *other.every.leads)))
    assert both.slow.lead_days == median(both.slow.leads)
    assert both.alerts_per_month * both.patient_months == pytest.approx(
        one.alerts_per_month * one.patient_months + other.alerts_per_month * other.patient_months
    )
    assert together([one]).every == one.every
