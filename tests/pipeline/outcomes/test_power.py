"""Power against statsmodels and against the comparison itself, run on simulated patients."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.rates import power_poisson_ratio_2indep  # type: ignore[import-untyped] # it ships no types

from pipeline.outcomes.own_control import rate_ratio
from pipeline.outcomes.power import WANTED, Design, power, power_table, smallest_fall


@pytest.mark.parametrize("ratio", [0.5, 0.7, 0.8, 0.95, 1.3])
@pytest.mark.parametrize(("rate", "after_days"), [(0.5, 365), (1.0, 200), (2.0, 365)])
def test_power_is_that_of_statsmodels(ratio: float, rate: float, after_days: float) -> None:
    ours = power(Design(200, rate, after_days=after_days), ratio)
    theirs = power_poisson_ratio_2indep(
        rate1=rate * ratio,
        rate2=rate,
        nobs1=200 * after_days / 365,
        nobs_ratio=365 / after_days,
        exposure=1,
        value=1,
        method_var="alt",
        alternative="two-sided",
        return_results=False,
    )
    assert ours == pytest.approx(float(theirs), abs=5e-4)


@pytest.mark.parametrize(("ratio", "clumps"), [(0.7, 0.0), (0.8, 0.0), (0.7, 0.5)])
def test_power_is_how_often_the_comparison_finds_a_difference(ratio: float, clumps: float) -> None:
    random = np.random.default_rng(11)
    year = np.full(200, 365.0)
    found = 0
    for _ in range(600):
        rates = random.gamma(1.0, 1.0, 200) / (1 + clumps)
        before, after = (random.poisson(rates * side) for side in (1.0, ratio))
        before, after = (one + random.poisson(clumps * one) for one in (before, after))
        told = rate_ratio(before.astype(float), year, after.astype(float), year)
        found += told.high < 1 or told.low > 1
    # So many come together: one and a Poisson number of others.
    clustering = (clumps + (1 + clumps) ** 2) / (1 + clumps)
    assert found / 600 == pytest.approx(power(Design(200, 1.0, clustering=clustering), ratio), abs=0.05)


def test_the_smallest_fall_is_found_as_often_as_wanted_and_a_smaller_one_less_often() -> None:
    design = Design(200, 1.0)
    fall = smallest_fall(design)
    assert power(design, fall) == pytest.approx(WANTED, abs=1e-6)
    assert power(design, fall + 0.05) < WANTED
    assert smallest_fall(Design(2000, 1.0)) > fall
    assert math.isnan(smallest_fall(Design(1, 0.1)))


def test_two_hundred_patients_over_a_year() -> None:
    """What the analysts' guide prints."""
    told = power_table().set_index(["clustering", "yearly_rate"])
    assert told.loc[(1.0, 1.0), "smallest_fall"] == pytest.approx(0.74, abs=0.005)
    assert told.loc[(1.0, 1.0), "ratio_0.7"] == pytest.approx(0.90, abs=0.005)
    assert told.loc[(1.5, 1.0), "ratio_0.7"] == pytest.approx(0.75, abs=0.005)
    assert list(told["patients"].unique()) == [200]


def test_the_page_on_outcomes_prints_the_table_as_it_is() -> None:
    rows = [
        "| "
        + " | ".join([f"{row.clustering:.1f}", f"{row.yearly_rate:.1f}", *(f"{value:.2f}" for value in list(row)[3:])])
        + " |"
        for row in power_table().itertuples(index=False)
    ]
    page = (Path(__file__).parents[3] / "docs" / "outcomes.md").read_text(encoding="utf-8")
    assert "\n".join(rows) in page
