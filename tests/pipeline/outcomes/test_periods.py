"""Calendar periods: quarters of the service's own calendar, cut to what is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.periods import Every, periods

OSLO = ZoneInfo("Europe/Oslo")


def test_quarters_begin_at_midnight_where_the_service_is() -> None:
    told = periods(datetime(2026, 1, 1, tzinfo=OSLO), datetime(2027, 1, 1, tzinfo=OSLO))
    assert told["period"].tolist() == ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]
    assert told["start"].tolist() == [datetime(2026, month, 1, tzinfo=OSLO) for month in (1, 4, 7, 10)]
    assert told["whole"].all()


def test_a_period_that_was_cut_says_so() -> None:
    told = periods(datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC))
    assert told["whole"].tolist() == [False, False]
    assert (told["start"].iloc[0], told["stop"].iloc[-1]) == (
        datetime(2026, 2, 10, tzinfo=UTC),
        datetime(2026, 4, 2, tzinfo=UTC),
    )


def test_weeks_are_those_of_the_standard() -> None:
    told = periods(datetime(2026, 12, 28, tzinfo=OSLO), datetime(2027, 1, 11, tzinfo=OSLO), "week")
    assert told["period"].tolist() == ["2026-W53", "2027-W01"]


@pytest.mark.parametrize("wrong", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)])
def test_a_period_without_a_length_is_refused(wrong: datetime) -> None:
    with pytest.raises(ValueError, match="begins before it ends"):
        periods(datetime(2026, 1, 1, tzinfo=UTC), wrong)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        periods(datetime(2026, 1, 1), datetime(2026, 2, 1, tzinfo=UTC))  # noqa: DTZ001 - that is the test


def name_of(day: date, every: Every) -> str:
    return {
        "week": "{0.year}-W{0.week:02}".format(day.isocalendar()),
        "month": f"{day.year}-{day.month:02}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": f"{day.year}",
        "all": "all",
    }[every]


@given(
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.integers(1, 500),
    st.sampled_from(["week", "month", "quarter", "year", "all"]),
)
@settings(deadline=None)
def test_every_day_lies_in_the_period_of_its_date(first: date, length: int, every: Every) -> None:
    start = datetime(first.year, first.month, first.day, tzinfo=OSLO)
    last = first + timedelta(days=length)
    told = periods(start, datetime(last.year, last.month, last.day, tzinfo=OSLO), every)
    assert (told["stop"].iloc[:-1].to_numpy() == told["start"].iloc[1:].to_numpy()).all()
    for number in range(0, length, 7):
        day = first + timedelta(days=number)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=OSLO)
        here = told[(told["start"] <= noon) & (told["stop"] > noon)]
        assert here["period"].tolist() == [name_of(day, every)]
