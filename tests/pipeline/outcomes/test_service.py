"""Caseload, equipment and contacts: by hand, and against a look at every patient or device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.caseload import caseload
from pipeline.outcomes.contacts import contacts
from pipeline.outcomes.equipment import equipment_use, loans
from pipeline.outcomes.frames import READINGS
from pipeline.outcomes.intervals import poisson
from pipeline.outcomes.time_at_risk import scope
from tests.oracles import outcomes as oracle
from tests.oracles.outcomes import Event
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories, moved

if TYPE_CHECKING:
    from datetime import datetime

DAY = 24
WEEKS = 21 * DAY


def test_users_are_told_against_the_target_in_force() -> None:
    events = [
        enrolled(0, "sim-1"),
        enrolled(2 * DAY, "sim-2"),
        enrolled(10 * DAY, "sim-3"),
        moved(12 * DAY, "ended", "sim-1"),
        Event(13 * DAY, "sim-2", "transferred", {"service": "b"}),
    ]
    here = scope(frame(sorted(events, key=lambda event: event.hour)), START, at(15 * DAY), "week", zone="UTC")
    targets = pd.DataFrame({"service": ["a", "a", "b"], "time": [at(-1), at(8 * DAY), at(0)], "users": [4, 10, 2]})
    told = caseload(here, targets)
    of_a = told[told["service"] == "a"]
    # The first of February 2026 is a Sunday: weeks of one day, seven and seven.
    assert of_a[["users", "came", "left"]].to_numpy().tolist() == [[1, 1, 0], [2, 1, 0], [1, 1, 2]]
    assert of_a[["target", "share"]].to_numpy().tolist() == [[4, 0.25], [4, 0.5], [10, 0.1]]
    of_b = told[told["service"] == "b"]
    assert of_b[["users", "came", "left", "share"]].to_numpy().tolist()[-1] == [1, 1, 0, 0.5]
    everybody = caseload(here, by=())
    assert everybody["users"].tolist() == [1, 2, 2]
    assert everybody["came"].tolist() == [1, 1, 1]
    assert everybody["target"].isna().all()


@given(histories(WEEKS))
@settings(deadline=None, max_examples=25)
def test_users_are_as_a_look_at_everybody_and_moves_explain_them(events: list[Event]) -> None:
    told = caseload(scope(frame(events), START, at(WEEKS), "week", zone="UTC"))
    for row in told.to_dict("records"):
        stop: datetime = {"2026-W05": at(DAY), "2026-W06": at(8 * DAY), "2026-W07": at(15 * DAY)}.get(
            row["period"], at(WEEKS)
        )
        last = int((stop - START).total_seconds() // 3600) - 1
        here = [oracle.traits(events, patient, last) for patient in PATIENTS]
        assert row["users"] == sum(by is not None and by[0] == row["service"] for by in here)
    for _, one in told.groupby("service"):
        before = one["users"].shift(fill_value=0)
        assert (one["users"] == before + one["came"] - one["left"]).all()


def handed(hour: int, device: str, patient: str = "sim-1", equipment: str = "oximeter") -> Event:
    return Event(hour, patient, "equipment_handed_out", {"device": device, "equipment": equipment})


def back(hour: int, device: str, patient: str = "sim-1") -> Event:
    return Event(hour, patient, "equipment_returned", {"device": device})


def readings(told: list[tuple[int, str, str]]) -> pd.DataFrame:
    """Hour, patient, device."""
    rows: list[dict[str, Any]] = [
        {"time": at(hour), "patient": patient, "device": device, "withdrawn": 0.0} for hour, patient, device in told
    ]
    return pd.DataFrame(rows).reindex(columns=list(READINGS.columns))


def test_what_is_out_for_long_and_tells_nothing_is_not_used() -> None:
    events = [
        handed(0, "a"),
        handed(0, "b"),
        handed(10 * DAY, "c"),
        back(40 * DAY, "c"),
        handed(50 * DAY, "d", "sim-2"),
        handed(60 * DAY, "b", "sim-2"),  # nobody said that it came back
        handed(95 * DAY, "e", "sim-2", "cuff"),
    ]
    told = readings(
        [(90 * DAY, "sim-1", "a"), (80 * DAY, "sim-1", "b"), (20 * DAY, "sim-2", "d"), (70 * DAY, "sim-1", "none")]
    )
    found = equipment_use(frame(events), told, at(5 * DAY), at(100 * DAY)).set_index("equipment")
    oximeters = found.loc["oximeter"]
    assert oximeters[["handed_out", "returned", "out", "asked", "used"]].tolist() == [3, 2, 3, 3, 1]
    assert oximeters["device_days"] == 95 + 55 + 30 + 50 + 40
    assert oximeters["share"] == pytest.approx(1 / 3)
    assert found.loc["cuff", ["out", "asked"]].tolist() == [1, 0]
    assert np.isnan(found.loc["cuff", "share"])


LOANS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["a", "b"]), st.sampled_from([*PATIENTS, None])),
    max_size=12,
    unique_by=lambda one: one[:2],
).map(lambda told: sorted(told, key=lambda one: one[0]))


@given(LOANS)
@settings(deadline=None, max_examples=25)
def test_loans_are_as_a_look_at_each_hour(told: list[tuple[int, str, str | None]]) -> None:
    events = [back(hour, device) if who is None else handed(hour, device, who) for hour, device, who in told]
    found = loans(frame(events), at(200))
    for device in ("a", "b"):
        for hour in range(0, 200, 7):
            holder = None
            for when, which, who in told:
                if which == device and when <= hour:
                    holder = who
            here = found[(found["device"] == device) & (found["start"] <= at(hour)) & (found["stop"] > at(hour))]
            assert here["patient"].tolist() == ([] if holder is None else [holder])


def test_contacts_are_told_by_kind_and_whether_they_reached_anybody() -> None:
    def contact(hour: int, kind: str, *, reached: bool) -> Event:
        return Event(hour, "sim-1", "contact_made", {"contact": kind, "reached": float(reached)})

    events = [
        enrolled(0),
        contact(5, "call", reached=True),
        contact(6, "call", reached=False),
        contact(7, "visit", reached=True),
        Event(8, "sim-1", "joint_consultation", {"services": 2.0}),
        moved(100 * DAY, "ended"),
        contact(101 * DAY, "call", reached=True),
    ]
    found = contacts(frame(events), scope(frame(events), START, at(200 * DAY), "all"), by=()).set_index("kind")
    assert found["made"].to_dict() == {"call": 2, "message": 0, "video": 0, "visit": 1, "joint_consultation": 1}
    assert found.loc["call", ["patients", "followed", "days", "per_1000", "reached", "reached_share"]].tolist() == [
        1,
        1,
        100,
        20,
        1,
        0.5,
    ]
    assert found.loc["call", ["low", "high"]].tolist() == pytest.approx([1000 * float(end) for end in poisson(2, 100)])
    assert np.isnan(found.loc["joint_consultation", "reached"])
