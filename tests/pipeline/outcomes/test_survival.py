"""Kaplan and Meier on published data, against statsmodels, by hand, and against a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight  # type: ignore[import-untyped] # statsmodels ships no types

from pipeline.outcomes.survival import at_days, kaplan_meier, time_to_end, time_to_first_admission
from pipeline.outcomes.time_at_risk import scope
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories, moved, stay

if TYPE_CHECKING:
    from tests.oracles.outcomes import Event

# Freireich et al., Blood 21 (6), 1963: weeks in remission on 6-mercaptopurine, as Le, Introductory Biostatistics, 2003,
# example 11.1, prints them; a plus is still in remission.
WEEKS = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"


def told(text: str) -> tuple[pd.Series, pd.Series]:
    marks = pd.Series(text.split())
    return marks.str.rstrip("+").astype(float), ~marks.str.endswith("+")


def test_remissions_are_as_statsmodels_has_them() -> None:
    """The shares by hand too: 18 of 21, then 16 of 17, 14 of 15, 11 of 12, 10 of 11, 6 of 7, 5 of 6."""
    durations, happened = told(WEEKS)
    curve = kaplan_meier(durations, happened).set_index("day")
    theirs = SurvfuncRight(durations.to_numpy(), happened.to_numpy().astype(int))
    by_hand = np.cumprod([18 / 21, 16 / 17, 14 / 15, 11 / 12, 10 / 11, 6 / 7, 5 / 6])
    for week, share, spread, hand in zip(
        theirs.surv_times, theirs.surv_prob, theirs.surv_prob_se, by_hand, strict=True
    ):
        half = 1.959964 * spread / (share * np.log(share))  # of the logarithm of the cumulative hazard
        assert curve.loc[week, "share"] == pytest.approx(hand)
        ends = sorted((share ** np.exp(half), share ** np.exp(-half)))
        assert tuple(curve.loc[week, ["share", "low", "high"]]) == pytest.approx((share, *ends), abs=1e-6)
    assert curve.loc[10, ["at_risk", "events"]].tolist() == [15, 1]
    assert curve["at_risk"].iloc[0] == 21


TIMES = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=40)


@given(TIMES)
@settings(deadline=None)
def test_curves_are_as_statsmodels_has_them(times: list[tuple[int, bool]]) -> None:
    durations = pd.Series([float(time) for time, _ in times])
    happened = pd.Series([event for _, event in times])
    curve = kaplan_meier(durations, happened)
    if not happened.any():
        assert (curve["share"] == 1).all()
        return
    theirs = SurvfuncRight(durations, happened.astype(int))
    ours = curve[curve["events"] > 0]
    assert ours["day"].tolist() == theirs.surv_times.tolist()
    assert np.allclose(ours["share"], theirs.surv_prob)
    assert ours["at_risk"].tolist() == theirs.n_risk.tolist()


@given(TIMES)
@settings(deadline=None)
def test_curves_are_as_a_day_at_a_time(times: list[tuple[int, bool]]) -> None:
    curve = kaplan_meier(pd.Series([float(time) for time, _ in times]), pd.Series([event for _, event in times]))
    share = 1.0
    slow = {}
    for day in sorted({time for time, _ in times}):
        at_risk = sum(time >= day for time, _ in times)
        share *= 1 - sum(time == day and event for time, event in times) / at_risk
        slow[float(day)] = (at_risk, share)
    assert curve["day"].tolist() == list(slow)
    assert curve["at_risk"].tolist() == [at_risk for at_risk, _ in slow.values()]
    assert np.allclose(curve["share"], [one for _, one in slow.values()])


def test_given_days_are_read_off_the_curve_and_not_beyond_it() -> None:
    read = at_days(kaplan_meier(*told(WEEKS)), asked=(3, 8, 35, 40)).set_index("day")
    assert read.index.tolist() == [3, 8, 35]
    assert read.loc[3, ["at_risk", "events", "share"]].tolist() == [21, 0, 1.0]
    assert read.loc[8, ["at_risk", "events"]].tolist() == [16, 4]
    assert read.loc[8, "share"] == pytest.approx(0.807, abs=6e-4)
    assert read.loc[35, "at_risk"] == 1


@given(histories(200))
@settings(deadline=None, max_examples=20)
def test_time_to_the_first_admission_is_as_an_hour_at_a_time(events: list[Event]) -> None:
    here = scope(frame(events), START, at(200), "all")
    slow, ends = [], []
    for patient in PATIENTS:
        followed = [oracle.traits(events, patient, hour) is not None for hour in range(200)]
        if not any(followed):
            continue
        begun = followed.index(True)
        left = followed.index(False, begun) if False in followed[begun:] else 200
        came = [first for first, *_ in oracle.stays(events, patient, 200) if begun <= first < left]
        slow.append(((came[0] if came else left) - begun, bool(came)))
        ends.append((left - begun, left < 200))
    for ours, theirs in ((time_to_first_admission(here), slow), (time_to_end(here), ends)):
        known = kaplan_meier(
            pd.Series([hours / 24 for hours, _ in theirs], dtype=float),
            pd.Series([one for _, one in theirs], dtype=bool),
        )
        assert np.allclose(ours[list(known.columns)], known, equal_nan=True)


def test_curves_by_group_are_those_of_each_group() -> None:
    events = [
        enrolled(0, "sim-1"),
        enrolled(0, "sim-2", service="b"),
        *stay(48, 50, "sim-2"),
        moved(96, "ended", "sim-1"),
    ]
    here = scope(frame(sorted(events, key=lambda event: event.hour)), START, at(240), "all")
    told = time_to_first_admission(here, by=("service",)).set_index("service")
    assert told.loc["a", ["day", "at_risk", "events", "share"]].tolist() == [4.0, 1, 0, 1.0]
    assert told.loc["b", ["day", "at_risk", "events", "share"]].tolist() == [2.0, 1, 1, 0.0]


def test_nobody_makes_no_curve() -> None:
    assert kaplan_meier(pd.Series(dtype=float), pd.Series(dtype=bool)).empty
