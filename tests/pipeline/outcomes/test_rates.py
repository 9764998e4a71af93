"""Rates per 1,000 patient-days: by hand, and against an hour-by-hour count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.outcomes.following import TRAITS
from pipeline.outcomes.intervals import poisson
from pipeline.outcomes.rates import MEASURES, admissions, rates, readmissions, series
from pipeline.outcomes.time_at_risk import Scope, scope
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories, moved, stay

if TYPE_CHECKING:
    import pandas as pd

    from tests.oracles.outcomes import Event

HOURS = 240
DAY = 24


def scoped(events: list[Event], hours: int = HOURS) -> Scope:
    return scope(frame(events), START, at(hours), "all", zone="UTC")


def of(told: pd.DataFrame, measure: str) -> dict[str, Any]:
    return told.set_index("measure").loc[measure].to_dict()


@given(histories(HOURS))
@settings(deadline=None, max_examples=20)
def test_events_and_days_are_as_an_hour_at_a_time(events: list[Event]) -> None:
    told = rates(frame(events), scoped(events), by=TRAITS)
    followed, at_risk = oracle.hours(events, PATIENTS, 0, HOURS)
    theirs: Counter[Any] = Counter()
    days: Counter[Any] = Counter()
    for (_, by), count in at_risk.items():
        days["admissions", by] += count
    for (_, by), count in followed.items():
        days["bed_days", by] += count
    for patient in PATIENTS:
        before = None
        for first, last, acute, _ in oracle.stays(events, patient, HOURS):
            by = oracle.traits(events, patient, first)
            theirs["admissions", by] += 1
            theirs["acute_admissions", by] += acute
            theirs["readmissions", by] += acute and before is not None and first - before <= 30 * DAY
            for night in range(first // DAY, last // DAY):
                theirs["bed_days", oracle.traits(events, patient, night * DAY + DAY - 1)] += 1
            before = last
    for event in events:
        if event.kind == "emergency_contact":
            theirs["emergency_contacts", oracle.traits(events, event.patient, event.hour)] += 1
    for row in told.to_dict("records"):
        by = tuple(row[name] for name in TRAITS)
        assert row["events"] == theirs.pop((row["measure"], by), 0)
        assert row["days"] == pytest.approx(
            days["bed_days" if row["measure"] == "bed_days" else "admissions", by] / DAY
        )
    assert not +Counter({key: count for key, count in theirs.items() if key[1] is not None})


def test_days_in_hospital_are_not_at_risk_of_an_admission() -> None:
    events = [enrolled(0), *stay(2 * DAY, 5 * DAY), moved(8 * DAY, "ended")]
    told = rates(frame(events), scoped(events), by=())
    assert of(told, "admissions")["days"] == 5.0
    assert of(told, "admissions")["per_1000"] == 200.0
    assert of(told, "bed_days") | {"events": 3, "days": 8.0, "per_1000": 375.0} == of(told, "bed_days")


def test_intervals_are_exact_per_event_and_by_stay_for_nights() -> None:
    events = [enrolled(0), *stay(DAY, 2 * DAY), *stay(4 * DAY, 9 * DAY)]
    told = rates(frame(events), scoped(events), by=())
    row = of(told, "admissions")
    low, high = poisson(2, row["days"])
    assert (row["low"], row["high"]) == pytest.approx((1000 * low, 1000 * high))
    nights = of(told, "bed_days")
    low, high = poisson(nights["events"], nights["days"])
    assert nights["low"] < 1000 * low
    assert nights["high"] > 1000 * high


def test_only_what_happened_in_follow_up_counts() -> None:
    events = [
        *stay(0, 20),
        enrolled(2 * DAY),
        *stay(3 * DAY, 4 * DAY),
        moved(6 * DAY, "ended"),
        *stay(7 * DAY, 8 * DAY),
    ]
    told = scoped(events)
    assert of(rates(frame(events), told, by=()), "admissions")["events"] == 1
    assert len(admissions(told)) == 3


def test_what_nobody_was_followed_for_has_no_row_and_what_did_not_happen_has_one() -> None:
    told = rates(frame([enrolled(0)]), scoped([enrolled(0)]), by=("service",))
    assert told["measure"].tolist() == sorted(MEASURES)
    assert told["events"].sum() == 0
    assert np.allclose(told["high"], 1000 * 3.688879 / 10, rtol=1e-6)
    assert rates(frame([]), scoped([]), by=("service",)).empty


def test_the_share_readmitted_is_of_discharges_whose_thirty_days_are_known() -> None:
    events = [enrolled(0), *stay(DAY, 2 * DAY), *stay(20 * DAY, 21 * DAY), *stay(60 * DAY, 61 * DAY)]
    told = readmissions(scoped(events, 70 * DAY), by=())
    assert told[["discharges", "patients", "readmitted", "share"]].to_numpy().tolist() == [[2, 1, 1, 0.5]]
    left = [*events, moved(25 * DAY, "ended")]
    assert readmissions(scoped(left, 70 * DAY), by=())["discharges"].tolist() == []


@given(histories(HOURS))
@settings(deadline=None, max_examples=20)
def test_the_share_readmitted_is_as_a_discharge_at_a_time(events: list[Event]) -> None:
    slow = []
    for patient in PATIENTS:
        known = oracle.stays(events, patient, HOURS)
        for place, (_, last, _, still) in enumerate(known):
            then = [oracle.traits(events, patient, hour) for hour in range(last, last + 2 * DAY)]
            if still or last + 2 * DAY > HOURS or None in then:
                continue
            later = known[place + 1] if place + 1 < len(known) else None
            slow.append(later is not None and later[2] and later[0] - last <= 2 * DAY)
    told = readmissions(scoped(events), by=(), days=2)
    assert told[["discharges", "readmitted"]].to_numpy().tolist() == ([[len(slow), sum(slow)]] if slow else [])


def test_a_series_is_one_measure_over_periods() -> None:
    events = [enrolled(0), *stay(40 * DAY, 41 * DAY)]
    told = scope(frame(events), at(-40 * DAY), at(59 * DAY), "month", zone="UTC")
    one = series(rates(frame(events), told), told, "admissions")
    assert one["period"].tolist() == ["2025-12", "2026-01", "2026-02", "2026-03"]
    assert one["events"].tolist() == [0, 0, 0, 1]
    assert one["days"].tolist() == [0.0, 0.0, 28.0, 30.0]
