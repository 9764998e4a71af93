"""Steps of a rate: the coal-mining disasters, simulated series, and a slow search."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.change_points import change_points, evidence

# British coal-mining disasters, 1851 to 1962 (Jarrett, Biometrika 66 (1), 1979): 191 of them. The likelihood of one
# step is greatest after 41 years, so that 1892 is the first year of the lower rate (Carlin, Gelfand and Smith, J. R.
# Statist. Soc. C 41 (2), 1992; Raftery and Akman, Biometrika 73 (1), 1986: 3.1 a year before, 0.9 after).
COAL = (
    "4541043406334026335453144155342522342132211113001011003103220111010100021000110233112111124200140001000001001010"
)


def series(events: list[int], days: list[float] | None = None) -> pd.DataFrame:
    periods = [str(1851 + place) for place in range(len(events))]
    return pd.DataFrame({"period": periods, "events": events, "days": days or [365.0] * len(events)})


def test_the_disasters_fell_after_1891_to_less_than_a_third() -> None:
    events = [int(year) for year in COAL]
    assert (len(events), sum(events)) == (112, 191)
    told = change_points(series(events))
    assert told["period"].iloc[0] == "1892"
    assert told["p"].iloc[0] == 1 / 2000
    ratio = (sum(events[41:]) / 71) / (sum(events[:41]) / 41)
    assert round(ratio, 2) == 0.29
    assert np.isclose(told["ratio"].iloc[0], ratio) == (len(told) == 1)


def test_a_step_is_found_in_rates_and_not_in_counts() -> None:
    days = [1000.0] * 6 + [3000.0] * 6
    assert change_points(series([10] * 6 + [30] * 6, days)).empty
    told = change_points(series([10] * 6 + [90] * 6, days))
    assert told["period"].tolist() == ["1857"]
    assert told["ratio"].tolist() == [3.0]


def test_even_series_have_steps_no_more_often_than_chance_allows() -> None:
    random = np.random.default_rng(4)
    found = sum(not change_points(series(list(random.poisson(8, 20))), draws=199).empty for _ in range(300))
    assert found / 300 < 0.08


def test_the_same_series_has_the_same_steps_again() -> None:
    events = list(np.random.default_rng(9).poisson([5] * 8 + [12] * 8))
    assert change_points(series(events)).equals(change_points(series(events)))


def test_nothing_happened_or_one_period_has_no_step() -> None:
    assert change_points(series([0, 0, 0])).empty
    assert change_points(series([7])).empty


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 400)), min_size=2, max_size=20))
@settings(deadline=None)
def test_the_evidence_is_that_of_the_two_rates_worked_out_one_by_one(told: list[tuple[int, int]]) -> None:
    def of(part: list[tuple[int, int]]) -> float:
        events, days = sum(one for one, _ in part), sum(one for _, one in part)
        return sum(one * math.log(events / days * time) - events / days * time for one, time in part) if events else 0.0

    ours = evidence(np.array([one for one, _ in told]), np.array([float(one) for _, one in told]))
    slow = [2 * (of(told[:place]) + of(told[place:]) - of(told)) for place in range(1, len(told))]
    assert np.allclose(ours, slow, atol=1e-8)
