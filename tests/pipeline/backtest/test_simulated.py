"""The engine on simulated patients: the slow ones are found earlier than by limits alone."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.backtest.simulated import BY, Simulated, on_cohort

SMALL = {"days": 50, "patients": 60}


@pytest.fixture(scope="module")
def found() -> dict[str, Simulated]:
    return {by: on_cohort(by, 5, **SMALL) for by in BY}


def test_own_normal_finds_most_and_the_slow_ones_earlier(found: dict[str, Simulated]) -> None:
    engine, limits = found["engine"], found["plan limits alone"]
    assert engine.every.deteriorations == limits.every.deteriorations > 5
    assert engine.every.found >= 0.9 * engine.every.deteriorations
    assert (engine.slow.lead_days or 0) > (limits.slow.lead_days or 0)
    assert engine.alerts_per_month > 0


def test_the_same_seed_gives_the_same_figures(found: dict[str, Simulated]) -> None:
    assert on_cohort("engine", 5, **SMALL) == found["engine"]
    assert msgspec.json.decode(msgspec.json.encode(found["engine"]), type=Simulated) == found["engine"]
