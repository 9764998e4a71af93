"""The u-chart against scipy's law of counts, and its rules on runs against their publication."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.control_chart import runs, u_chart
from pipeline.outcomes.rates import PER

# Defects of ten rolls of cloth, and how many inspection units each has.
DEFECTS = (14, 12, 20, 11, 7, 10, 21, 16, 19, 23)
UNITS = (10.0, 8.0, 13.0, 10.0, 9.5, 10.0, 12.0, 10.5, 12.0, 12.5)


def series(events: tuple[int, ...], days: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame({"events": events, "days": days})


def test_limits_are_three_standard_deviations_of_a_poisson_rate_from_the_center() -> None:
    """By scipy's law of counts: the deviation of so many defects as are expected of so many units, by the units."""
    told = u_chart(series(DEFECTS, tuple(PER * units for units in UNITS)))
    center = Fraction(sum(DEFECTS)) / Fraction(sum(UNITS))
    assert center == Fraction(306, 215)
    for units, low, high in zip(UNITS, told["low"], told["high"], strict=True):
        half = 3 * float(poisson.std(float(center) * units)) / units
        assert (low, high) == pytest.approx((float(center) - half, float(center) + half))
    assert np.allclose(told["center"], float(center))
    assert not told["beyond"].any()


def test_a_point_beyond_its_limits_is_told_and_limits_are_never_below_none() -> None:
    told = u_chart(series((10, 11, 9, 60, 10, 12), (1000.0,) * 5 + (100.0,)), baseline=3)
    assert told["center"].iloc[0] == 10.0
    assert list(told["beyond"]) == [False, False, False, True, False, True]
    assert (told["low"] >= 0).all()


def test_a_period_without_days_signals_nothing() -> None:
    told = u_chart(series((4, 0, 6), (500.0, 0.0, 600.0)))
    assert list(told["beyond"]) == [False, False, False]
    assert np.isnan(told["per_1000"].iloc[1])


@pytest.mark.parametrize(
    ("points", "longest", "crossings"), [(10, 6, 2), (12, 7, 3), (16, 7, 4), (20, 7, 6), (24, 8, 8)]
)
def test_bounds_of_runs_are_those_of_anhoej_and_olesen(points: int, longest: int, crossings: int) -> None:
    """PLoS ONE 9 (11), 2014, e113825: round(log2 n + 3), and the 5th percentile of Binomial(n - 1, 0.5)."""
    told = runs(np.resize([1.0, -1.0], points))
    assert (told.longest_by_chance, told.crossings_by_chance) == (longest, crossings)
    assert not told.shifted


def test_a_lasting_shift_is_told_where_no_point_is_beyond() -> None:
    told = u_chart(series((12, 13, 12, 14, 13, 12, 13, 12, 7, 8, 7, 6, 8, 7, 8, 7), (1000.0,) * 16))
    assert not told["beyond"].any()
    assert told["shifted"].all()


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), max_size=40))
@settings(deadline=None)
def test_runs_are_as_a_point_at_a_time(distances: list[float]) -> None:
    sides = [distance > 0 for distance in distances if distance != 0]
    lengths = [len(list(run)) for _, run in groupby(sides)]
    told = runs(np.array(distances))
    assert told.longest == max(lengths, default=0)
    assert told.crossings == max(len(lengths) - 1, 0)
