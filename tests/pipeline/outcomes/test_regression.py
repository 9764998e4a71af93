"""Trends and interruptions against a published tutorial, statsmodels asked by itself, and known truths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped] # statsmodels ships no types
from scipy.stats import t  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.periods import periods
from pipeline.outcomes.regression import YEAR, interrupted, trend
from tests.pipeline.outcomes.sicily import EPISODES, POPULATION

if TYPE_CHECKING:
    import pandas as pd

BAN = datetime(2005, 1, 1, tzinfo=UTC)


def sicily() -> pd.DataFrame:
    months = periods(datetime(2002, 1, 1, tzinfo=UTC), datetime(2006, 12, 1, tzinfo=UTC), "month", "UTC")
    return months.assign(events=EPISODES, days=POPULATION)


def of(told: pd.DataFrame, term: str) -> tuple[float, float, float]:
    row = told.set_index("term").loc[term]
    return float(row["ratio"]), float(row["low"]), float(row["high"])


def test_the_smoking_ban_lowered_coronary_episodes_as_the_tutorial_has_it() -> None:
    """The data of Lopez Bernal et al. 2017, and their two models by statsmodels: plain, and with season and dispersion.

    They count equal months and the normal law; we count days of the calendar and Student's t: within 0.003.
    """
    count = len(EPISODES)
    month, banned = np.arange(1, count + 1), (np.arange(count) >= 36).astype(float)
    plain = np.column_stack([np.ones(count), month, banned])
    season = [wave(2 * np.pi * month * pair / 12) for pair in (1, 2) for wave in (np.sin, np.cos)]

    def tutorial(columns: Any, **scale: str) -> tuple[float, float, float]:  # noqa: ANN401 - an array
        model = sm.GLM(np.array(EPISODES), columns, sm.families.Poisson(), offset=np.log(POPULATION))
        fitted = model.fit(**scale)
        low, high = fitted.conf_int()[2]
        return float(np.exp(fitted.params[2])), float(np.exp(low)), float(np.exp(high))

    assert of(interrupted(sicily(), BAN), "level")[0] == pytest.approx(tutorial(plain)[0], abs=0.003)
    told = interrupted(sicily(), BAN, harmonics=2)
    theirs = tutorial(np.column_stack([plain, *season]), scale="X2")
    assert of(told, "level") == pytest.approx(theirs, abs=0.003)
    assert theirs[0] < 0.9


def months(random: np.random.Generator, count: int, rate: float, per_year: float, step: float) -> pd.DataFrame:
    """Counts with a known trend and a known step at the half."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    told = periods(start, datetime(2020 + count // 12, 1, 1, tzinfo=UTC), "month", "UTC")
    years = np.arange(len(told)) / 12
    expected = rate * np.exp(np.log(per_year) * years) * np.where(np.arange(len(told)) < len(told) // 2, 1.0, step)
    days = random.uniform(3000, 6000, len(told))
    return told.assign(events=random.poisson(expected * days / 1000), days=days)


def test_the_estimates_are_those_of_statsmodels_asked_by_itself() -> None:
    told = months(np.random.default_rng(3), 48, 3.0, 0.9, 0.8)
    middle = told["start"] + (told["stop"] - told["start"]) / 2
    years = (middle - told["start"].iloc[0]).dt.total_seconds().to_numpy() / 86_400 / YEAR
    after = (np.arange(48) >= 24).astype(float)
    fit = sm.GLM(
        told["events"].to_numpy(),
        sm.add_constant(np.column_stack([years, after])),
        family=sm.families.Poisson(),
        exposure=told["days"].to_numpy(),
    ).fit(scale="X2")
    ours = interrupted(told, told["start"].iloc[24])
    assert np.allclose(ours["ratio"], np.exp(fit.params[1:]))
    spread = fit.bse[1:] / np.sqrt(min(1.0, fit.scale))
    assert np.allclose(ours["low"], np.exp(fit.params[1:] - t.isf(0.025, 45) * spread))


def test_a_known_trend_and_step_are_covered_as_often_as_promised() -> None:
    random = np.random.default_rng(8)
    hits = {"trend": 0, "level": 0}
    for _ in range(300):
        told = months(random, 36, 3.0, 0.9, 0.8)
        found = interrupted(told, told["start"].iloc[18])
        for term, true in (("trend", 0.9), ("level", 0.8)):
            _, low, high = of(found, term)
            hits[term] += low <= true <= high
    assert all(0.92 <= count / 300 <= 0.99 for count in hits.values()), hits


def test_a_trend_that_changes_is_told_apart_from_the_one_before() -> None:
    told = periods(datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), "month", "UTC")
    years = np.arange(len(told)) / 12
    rate = 5000 * np.exp(0.1 * years - 0.3 * np.maximum(years - 5, 0))
    found = interrupted(told.assign(events=rate.round(), days=1000.0), told["start"].iloc[60], slope=True)
    assert of(found, "trend")[0] == pytest.approx(np.exp(0.1), abs=0.005)
    assert of(found, "trend_change")[0] == pytest.approx(np.exp(-0.3), abs=0.005)
    assert of(found, "level")[0] == pytest.approx(1.0, abs=0.03)


def test_the_period_in_which_it_changed_is_left_out() -> None:
    told = sicily()
    within = interrupted(told, datetime(2005, 1, 15, tzinfo=UTC))
    without = interrupted(told.drop(index=36), datetime(2005, 1, 15, tzinfo=UTC))
    assert within.equals(without)


def test_too_few_periods_or_a_side_without_events_tell_nothing() -> None:
    assert trend(sicily().head(2))["ratio"].isna().all()
    assert trend(sicily().assign(events=0))["ratio"].isna().all()
    empty = sicily()
    empty.loc[empty["start"] >= BAN, "events"] = 0
    assert interrupted(empty, BAN)["ratio"].isna().all()
    assert trend(sicily())["ratio"].iloc[0] > 1
