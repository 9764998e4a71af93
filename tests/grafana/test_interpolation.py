"""What stands in a query when it is asked, against what Grafana's documentation says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.grafana.interpolation import (
    Chosen,
    Period,
    UndefinedVariableError,
    flux,
    formatted,
    go_duration,
    promql,
    replaced,
)

STOP = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = Period(STOP - timedelta(days=1), STOP)
SERVICES = {"service": Chosen(("north", "south-1")), "patient": Chosen("p-1")}


@pytest.mark.parametrize(
    ("form", "several", "one"),
    [
        ("regex", "(north|south-1)", "p-1"),
        ("doublequote", '"north","south-1"', '"p-1"'),
        ("raw", "north,south-1", "p-1"),
        ("glob", "{north,south-1}", "p-1"),
        ("text", "north + south-1", "p-1"),
    ],
)
def test_a_value_takes_the_form_that_is_asked_for(form: str, several: str, one: str) -> None:
    assert formatted(SERVICES["service"], form) == several
    assert formatted(SERVICES["patient"], form) == one


def test_a_single_value_of_several_is_no_group() -> None:
    assert formatted(Chosen(("north",)), "regex") == "north"


def test_what_a_regular_expression_would_read_is_escaped() -> None:
    assert formatted(Chosen("a.b"), "regex") == r"a\.b"


def test_a_variable_that_is_not_defined_is_no_query() -> None:
    with pytest.raises(UndefinedVariableError, match="nobody"):
        replaced('r.patient == "${nobody}"', SERVICES)


@pytest.mark.parametrize(
    ("length", "points", "step", "expected"),
    [
        (timedelta(days=1), 1000, None, 60_000),
        (timedelta(hours=1), 1000, None, 5_000),
        (timedelta(days=90), 96, None, 43_200_000),
        (timedelta(days=1), 96, "30m", 1_800_000),
        (timedelta(minutes=5), 96, "30m", 1_800_000),
    ],
)
def test_the_interval_is_the_range_over_the_points_rounded(
    length: timedelta, points: int, step: str | None, expected: int
) -> None:
    assert Period(STOP - length, STOP, points, step).interval_ms == expected


def test_a_rate_looks_at_four_scrapes_at_least() -> None:
    short = Period(STOP - timedelta(minutes=15), STOP)
    assert promql("rate(x[$__rate_interval])", {}, short) == "rate(x[40000ms])"
    assert promql("rate(x[$__rate_interval])", {}, DAY) == "rate(x[70000ms])"


def test_the_whole_range_is_a_window_too() -> None:
    assert promql('increase(x{s=~"${service:regex}"}[$__range])', SERVICES, DAY) == (
        'increase(x{s=~"(north|south-1)"}[86400s])'
    )


def test_macros_of_flux_are_replaced_wherever_they_stand() -> None:
    asked = flux(
        "from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart, stop: v.timeRangeStop)"
        ' |> aggregateWindow(every: v.windowPeriod, fn: last) |> filter(fn: (r) => r.bucket == "${patient}")',
        SERVICES,
        DAY,
        "raw",
        "org",
    )
    assert asked == (
        'from(bucket: "raw") |> range(start: 2026-02-28T12:00:00Z, stop: 2026-03-01T12:00:00Z)'
        ' |> aggregateWindow(every: 1m0s, fn: last) |> filter(fn: (r) => "raw" == "p-1")'
    )


@pytest.mark.parametrize(
    ("length_ms", "told"),
    [(500, "500ms"), (5_000, "5s"), (60_000, "1m0s"), (900_000, "15m0s"), (43_200_000, "12h0m0s"), (1_500, "1.5s")],
)
def test_a_duration_is_written_as_go_writes_it(length_ms: int, told: str) -> None:
    assert go_duration(length_ms) == told
