"""The machine's clock is read as an instant in UTC."""

from __future__ import annotations

from datetime import UTC, timedelta

from agents import wallclock


def test_now_is_in_utc_and_goes_on() -> None:
    first = wallclock.now()
    assert first.tzinfo is UTC
    assert timedelta(0) <= wallclock.now() - first < timedelta(minutes=1)
