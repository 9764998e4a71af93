"""Stays in hospital and their nights: by hand, and against an event-by-event reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.stays import nights, readmitted, stays
from tests.oracles import outcomes as oracle
from tests.oracles.outcomes import Event
from tests.pipeline.outcomes.made import PATIENTS, at, frame, histories, stay

if TYPE_CHECKING:
    from collections.abc import Sequence

HOURS = 200
OSLO = ZoneInfo("Europe/Oslo")


def told(events: Sequence[Event]) -> list[tuple[datetime, datetime, bool, bool]]:
    found = stays(frame(events), at(HOURS))
    return list(found[["admitted", "discharged", "acute", "open"]].itertuples(index=False, name=None))


@given(histories(HOURS))
@settings(deadline=None)
def test_stays_are_as_one_event_after_the_other(events: list[Event]) -> None:
    found = stays(frame(events), at(HOURS))
    for patient in PATIENTS:
        ours = found.loc[found["patient"] == patient, ["admitted", "discharged", "acute", "open"]]
        theirs = [
            (at(first), at(last), acute, still) for first, last, acute, still in oracle.stays(events, patient, HOURS)
        ]
        assert list(ours.itertuples(index=False, name=None)) == theirs


def test_a_transfer_is_one_stay_and_eight_hours_later_is_another() -> None:
    assert told([*stay(0, 20), *stay(27, 50)]) == [(at(0), at(50), True, False)]
    assert told([*stay(0, 20, acute=False), *stay(28, 50)]) == [
        (at(0), at(20), False, False),
        (at(28), at(50), True, False),
    ]


def test_a_second_admission_without_a_discharge_is_a_transfer_and_a_discharge_alone_is_nothing() -> None:
    twice = [Event(0, "sim-1", "admitted", {"acute": 0.0}), *stay(10, 40)]
    assert told(twice) == [(at(0), at(40), False, False)]
    assert told([Event(5, "sim-1", "discharged")]) == []


def test_who_is_admitted_and_discharged_at_once_was_admitted() -> None:
    assert told([*stay(10, 10)]) == [(at(10), at(10), True, False)]


def test_who_was_not_discharged_is_still_there() -> None:
    assert told([Event(150, "sim-1", "admitted", {"acute": 1.0})]) == [(at(150), at(HOURS), True, True)]


def test_a_readmission_is_acute_and_within_thirty_days() -> None:
    day = 24
    events = [
        *stay(0, day),
        *stay(11 * day, 12 * day, acute=False),
        *stay(42 * day, 43 * day),
        *stay(73 * day + 1, 80 * day),
    ]
    found = stays(frame(events), at(100 * day))
    assert readmitted(found).tolist() == [False, False, True, False]


@given(st.integers(0, 9000), st.integers(0, 600))
@settings(deadline=None)
def test_a_stay_has_as_many_nights_as_its_last_date_is_after_its_first(first: int, length: int) -> None:
    """Over the whole year, summer time included; each night belongs to the date on which it begins."""
    begun = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=first)
    ended = begun + timedelta(hours=length)
    one = pd.DataFrame({"patient": ["sim-1"], "admitted": [pd.Timestamp(begun)], "discharged": [pd.Timestamp(ended)]})
    found = nights(one)
    dates = [time.tz_convert(OSLO).date() for time in found["time"]]
    slow = []
    day = begun.astimezone(OSLO).date()
    while day < ended.astimezone(OSLO).date():
        slow.append(day)
        day += timedelta(days=1)
    assert dates == slow
    assert all(time.tz_convert(OSLO).hour == 23 for time in found["time"])
