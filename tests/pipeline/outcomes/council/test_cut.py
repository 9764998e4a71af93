"""Months, quarters and the whole are one table to whoever attacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.council.cut import by_service, by_time, cut, quarters
from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.disclosure.suppressing import WIDTH, Group, suppressed
from pipeline.outcomes.rates import readmissions
from pipeline.outcomes.responsibility import held
from tests.oracles.disclosure import intervals
from tests.pipeline.outcomes.simulated import Truth, care_events

if TYPE_CHECKING:
    from pipeline.outcomes.time_at_risk import Scope

START, STOP = pd.Timestamp("2026-01-01", tz="Europe/Oslo"), pd.Timestamp("2026-07-01", tz="Europe/Oslo")
MONTHS = [f"2026-0{month}" for month in range(1, 7)]
QUARTER_OF = {month: f"2026-Q{1 + place // 3}" for place, month in enumerate(MONTHS)}
SERVICES = ("a", "b", "c")


def table(inner: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Events by service and month, with every quarter and total."""
    frame = pd.DataFrame([(*key, events) for key, events in inner.items()], columns=["service", "period", "events"])
    quarterly = frame.assign(period=frame["period"].map(QUARTER_OF)).groupby(["service", "period"])["events"].sum()
    parts = [frame, quarterly.reset_index()]
    whole = frame.groupby("service")["events"].sum().reset_index().assign(period=TOTAL)
    parts.append(whole)
    every = [part.groupby("period")["events"].sum().reset_index().assign(service=TOTAL) for part in parts]
    return pd.concat([*parts, *every], ignore_index=True)


def numbers(few: float) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(0, 5), st.integers(0, 60)) if few else st.integers(0, 60)


@given(st.lists(numbers(0.5), min_size=18, max_size=18))
@settings(deadline=None, max_examples=25)
def test_no_month_can_be_worked_out_of_quarters_and_totals(told: list[int]) -> None:
    inner = dict(zip([(service, month) for service in SERVICES for month in MONTHS], told, strict=True))
    frame = table(inner)
    named = quarters(frame, ("service", "period"), QUARTER_OF)
    assert named["a", "2026-Q2"] == [("a", month) for month in MONTHS[3:]]
    assert (TOTAL, "2026-Q1") in named
    found = suppressed(frame, ["service", "period"], [Group("events", ("events",))], further=named)
    keys = list(found[["service", "period"]].itertuples(index=False, name=None))
    values = dict(zip(keys, frame["events"].astype(float), strict=True))
    gone = {key for key, hidden in zip(keys, found["events_hidden"], strict=True) if hidden}
    sums = {
        (service, period): [
            cell for cell in inner if service in (cell[0], TOTAL) and period in (cell[1], QUARTER_OF[cell[1]], TOTAL)
        ]
        for service, period in keys
    }
    seen = intervals(list(inner), values, gone, sums=sums)
    for key, (low, high) in seen.items():
        assert high - low >= WIDTH, (key, low, high, values[key])
    assert {key for key, value in values.items() if 0 < value < 5} <= gone


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return care_events(Truth(runs=3, patients=40), seed=4)


def test_a_half_year_has_quarters_and_months_that_add_up(cohort: pd.DataFrame) -> None:
    when = cut(cohort, START, STOP, "Europe/Oslo")
    assert when.quarters is not None
    assert list(when.shown.periods["period"]) == ["2026-Q1", "2026-Q2"]
    told = by_time("held", when, lambda scope, by: held(scope, by=by), months=True)
    days = told.pivot_table(index="service", columns="period", values="days")
    assert np.allclose(days[MONTHS[:3]].sum(axis="columns"), days["2026-Q1"])
    assert np.allclose(days["2026-Q1"] + days["2026-Q2"], days[TOTAL])
    assert np.allclose(days.drop(index=TOTAL).sum(), days.loc[TOTAL])


def test_a_quarter_is_told_by_months(cohort: pd.DataFrame) -> None:
    when = cut(cohort, START, pd.Timestamp("2026-04-01", tz="Europe/Oslo"), "Europe/Oslo")
    assert when.quarters is None
    assert list(when.shown.periods["period"]) == MONTHS[:3]


def test_where_services_do_not_add_up_the_whole_is_withheld_if_it_would_tell(cohort: pd.DataFrame) -> None:
    """By service two are told and one is hidden, and their sum would give it away."""
    when = cut(cohort, START, STOP, "Europe/Oslo")

    def tell(_: Scope, by: tuple[str, ...]) -> pd.DataFrame:
        rows: list[dict[str, Any]] = [{"service": "a", "n": 40}, {"service": "b", "n": 30}, {"service": "c", "n": 3}]
        if "service" not in by:
            rows = [{"n": 73}]
        frame = pd.DataFrame(rows).rename(columns={"n": "discharges"})
        frame = frame.assign(patients=frame["discharges"], readmitted=0, share=0.0, low=0.0, high=0.1)
        return frame.assign(period="2026-Q1") if "period" in by else frame

    told = by_service("readmissions", when, tell)
    first = told[told["period"] == "2026-Q1"].set_index("service")
    assert first.loc["c", "discharges_hidden"]
    if not first.loc[TOTAL, "discharges_hidden"]:
        assert first["discharges_hidden"].sum() >= 2


def test_readmissions_pass_as_they_are(cohort: pd.DataFrame) -> None:
    when = cut(cohort, START, STOP, "Europe/Oslo")
    told = by_time("readmissions", when, lambda scope, by: readmissions(scope, by=by), months=True)
    assert set(told["period"]) >= {TOTAL, "2026-Q1"}
    assert "patient" not in told
