"""Intervals against published figures, statsmodels, and their own definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_rel  # type: ignore[import-untyped] # scipy ships no types
from scipy.stats import poisson as poisson_law  # type: ignore[import-untyped] # scipy ships no types
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped] # it ships no types
from statsmodels.stats.rates import confint_poisson  # type: ignore[import-untyped] # statsmodels ships no types
from statsmodels.stats.weightstats import DescrStatsW  # type: ignore[import-untyped] # statsmodels ships no types

from pipeline.outcomes.intervals import TAIL, clopper_pearson, mean, poisson, share, weighted_poisson


@pytest.mark.parametrize(
    ("events", "exposure", "low", "high", "within"),
    [
        (14, 400, 0.019135, 0.058724, 5e-7),  # StatsDirect's help, "Poisson rate confidence interval", its example
        (0, 1, 0.0, 3.689, 5e-4),  # the help page of R's epitools::pois.exact, for no events
    ],
)
def test_a_rates_interval_is_the_published_one(
    events: int, exposure: float, low: float, high: float, within: float
) -> None:
    assert np.allclose(poisson(events, exposure), (low, high), atol=within)


@given(st.integers(0, 3000), st.floats(0.1, 1e6))
@settings(deadline=None)
def test_a_rates_interval_is_that_of_statsmodels_and_leaves_its_tails(events: int, exposure: float) -> None:
    low, high = (float(end) for end in poisson(events, exposure))
    assert (low, high) == pytest.approx(confint_poisson(events, exposure, method="exact-c"), rel=1e-9)
    assert float(poisson_law.cdf(events, high * exposure)) == pytest.approx(TAIL, rel=1e-6)
    if events:
        assert float(poisson_law.sf(events - 1, low * exposure)) == pytest.approx(TAIL, rel=1e-6)


def test_a_weighted_rates_interval_is_that_of_fay_and_feuer() -> None:
    # Down's syndrome at fifth and later births, Michigan 1950 to 1964: Fleiss 1981, table 14.4. What R's
    # dsrTest(Cases, Births, Standard, mult = 1e5, method = "gamma") prints, in the vignette "dsrTest - examples" of
    # the package dsrTest 1.0.0 on CRAN.
    cases = np.array([0, 8, 63, 112, 262, 295])
    births = np.array([327, 30666, 123419, 149919, 104088, 34392])
    standard = np.array([319933, 931318, 786511, 488235, 237863, 61313])
    weights = standard / standard.sum() / births
    total, squares = (weights * cases).sum(), (weights**2 * cases).sum()
    low, high = weighted_poisson(total, squares, weights.max(), 1.0)
    assert np.allclose(1e5 * np.array([total, low, high]), (75.52901, 67.70212, 188.30017), atol=6e-5)


def test_the_interval_of_whole_stays_covers_their_nights() -> None:
    """Nights come stay by stay: the exact interval of single ones would cover far less."""
    random = np.random.default_rng(2)
    nights = np.array([1, 2, 3, 5, 8, 20])
    likely = np.array([0.2, 0.25, 0.2, 0.15, 0.15, 0.05])
    counts = random.poisson(60 * likely, size=(4000, len(nights)))
    true = 60 * (nights * likely).sum()
    total, squares = counts @ nights, counts @ nights**2
    low, high = weighted_poisson(total, squares, np.full(4000, 20), 1.0)
    covered = ((low <= true) & (true <= high)).mean()
    apart_low, apart_high = poisson(total, 1.0)
    assert covered > 0.95
    assert ((apart_low <= true) & (true <= apart_high)).mean() < 0.6


@pytest.mark.parametrize(("part", "whole"), [(81, 263), (15, 148), (0, 20), (1, 29), (29, 29)])
def test_a_shares_interval_is_that_of_scipy(part: int, whole: int) -> None:
    theirs = binomtest(part, whole).proportion_ci(method="wilson")
    assert np.allclose(share(part, whole), (part / whole, theirs.low, theirs.high), atol=1e-9)


@given(st.integers(1, 500).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
@settings(deadline=None)
def test_shares_are_as_statsmodels_has_them(told: tuple[int, int]) -> None:
    part, whole = told
    _, low, high = share(part, whole)
    assert (low, high) == pytest.approx(proportion_confint(part, whole, method="wilson"), abs=1e-9)
    assert clopper_pearson(part, whole) == pytest.approx(proportion_confint(part, whole, method="beta"), abs=1e-9)


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert np.isnan(share(0, 0)).all()


def test_a_mean_change_is_that_of_students_sleep_data() -> None:
    """The ten patients of Student 1908, as R's data set `sleep` has them; the interval by scipy's paired test."""
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    low, high = ttest_rel(second, first).confidence_interval(0.95)
    assert mean(second - first) == pytest.approx((1.58, low, high), abs=1e-9)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40))
@settings(deadline=None)
def test_means_are_as_statsmodels_has_them(values: list[float]) -> None:
    center, low, high = mean(values)
    theirs = DescrStatsW(values)
    assert center == pytest.approx(theirs.mean, abs=1e-9)
    assert (low, high) == pytest.approx(theirs.tconfint_mean(), abs=1e-7)


def test_few_values_tell_no_interval() -> None:
    assert np.isnan(mean([])).all()
    center, low, high = mean([3.0])
    assert (center, np.isnan(low), np.isnan(high)) == (3.0, True, True)
