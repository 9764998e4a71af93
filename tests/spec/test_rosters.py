"""Who has a duty at an instant, by the service's wall clock (Oslo), and when the next shift starts.

By day (07:00 to 15:00, Monday to Friday) nurse-1, in the evening (15:00 to 22:00, every day) nurse-2, and at night
(22:00 to 07:00, every day) nurse-3 with a lead. At weekends nobody is on duty by day. On 25 March nurse-4 has exchanged
the night with nurse-3. Instants are UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

import pytest

from pipeline.triage.rosters import next_shift_starts, on_duty
from schemas.services import Exchange, Roster, Service, Shift
from schemas.types import Weekday

WEEK: Final = tuple(Weekday)
SERVICE: Final = Service(
    name="The joint centre",
    roster=Roster(
        shifts=(
            Shift(days=WEEK[:5], starts="07:00", ends="15:00", duty={"nurse": "nurse-1"}),
            Shift(days=WEEK, starts="15:00", ends="22:00", duty={"nurse": "nurse-2"}),
            Shift(days=WEEK, starts="22:00", ends="07:00", duty={"nurse": "nurse-3", "lead": "lead-1"}),
        ),
        exchanges=(Exchange(day=date(2026, 3, 25), starts="22:00", duty={"nurse": "nurse-4"}),),
    ),
)


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "duty", "who"),
    [
        # A weekday, and the very minute of a hand-over.
        ("2026-03-23 11:00", "nurse", "nurse-1"),
        ("2026-03-23 13:59", "nurse", "nurse-1"),
        ("2026-03-23 14:00", "nurse", "nurse-2"),
        ("2026-03-23 20:59", "nurse", "nurse-2"),
        ("2026-03-23 21:00", "nurse", "nurse-3"),
        # A night over midnight.
        ("2026-03-23 23:30", "nurse", "nurse-3"),
        ("2026-03-24 05:59", "nurse", "nurse-3"),
        ("2026-03-24 06:00", "nurse", "nurse-1"),
        ("2026-03-24 02:00", "lead", "lead-1"),
        # The one night that was exchanged, from its first minute to its last; who was not in it stays.
        ("2026-03-25 20:59", "nurse", "nurse-2"),
        ("2026-03-25 21:00", "nurse", "nurse-4"),
        ("2026-03-26 05:59", "nurse", "nurse-4"),
        ("2026-03-26 06:00", "nurse", "nurse-1"),
        ("2026-03-25 23:00", "lead", "lead-1"),
        ("2026-03-26 21:00", "nurse", "nurse-3"),
        # A gap in the roster is nobody's.
        ("2026-03-23 11:00", "lead", None),
        ("2026-03-28 11:00", "nurse", None),
        ("2026-03-23 11:00", "doctor", None),
        # To summer time in the night to 29 March: it is an hour shorter, and its end an hour earlier.
        ("2026-03-29 00:59", "nurse", "nurse-3"),
        ("2026-03-29 01:00", "nurse", "nurse-3"),
        ("2026-03-29 04:59", "nurse", "nurse-3"),
        ("2026-03-29 05:00", "nurse", None),
        ("2026-03-29 13:00", "nurse", "nurse-2"),
        # And back in the night to 25 October: it is an hour longer.
        ("2026-10-25 00:30", "nurse", "nurse-3"),
        ("2026-10-25 01:30", "nurse", "nurse-3"),
        ("2026-10-25 05:59", "nurse", "nurse-3"),
        ("2026-10-25 06:00", "nurse", None),
    ],
)
def test_who_is_on_duty(instant: str, duty: str, who: str | None) -> None:
    assert on_duty(SERVICE, duty, utc(instant)) == who


@pytest.mark.parametrize(
    ("instant", "who"),
    [
        # Handed over at half past two, in the night in which the clock shows it twice: once, and not back again.
        ("2026-10-25 00:29", "nurse-1"),
        ("2026-10-25 00:30", "nurse-2"),
        ("2026-10-25 01:15", "nurse-2"),
        ("2026-10-25 01:45", "nurse-2"),
        # And in the night in which the clock never shows it: when it would have.
        ("2026-03-29 00:59", "nurse-1"),
        ("2026-03-29 01:30", "nurse-2"),
    ],
)
def test_who_is_on_duty_where_a_hand_over_lies_in_the_hour_of_the_change(instant: str, who: str) -> None:
    shifts = (
        Shift(days=WEEK, starts="14:30", ends="02:30", duty={"nurse": "nurse-1"}),
        Shift(days=WEEK, starts="02:30", ends="14:30", duty={"nurse": "nurse-2"}),
    )
    assert on_duty(Service(name="Another", roster=Roster(shifts=shifts)), "nurse", utc(instant)) == who


@pytest.mark.parametrize(
    ("instant", "starts"),
    [
        ("2026-03-23 05:59", "2026-03-23 06:00"),
        ("2026-03-23 06:00", "2026-03-23 14:00"),
        ("2026-03-23 23:00", "2026-03-24 06:00"),
        ("2026-03-27 22:00", "2026-03-28 14:00"),
        ("2026-03-28 22:00", "2026-03-29 13:00"),
        ("2026-10-24 22:00", "2026-10-25 14:00"),
    ],
)
def test_when_the_next_shift_starts(instant: str, starts: str) -> None:
    assert next_shift_starts(SERVICE, utc(instant)) == utc(starts)


@pytest.mark.parametrize(
    ("instant", "starts"),
    [
        ("2026-03-23 06:59", "2026-03-23 07:00"),
        ("2026-03-23 07:00", "2026-03-24 07:00"),
        ("2026-03-28 20:00", "2026-03-29 06:00"),
        ("2026-10-24 20:00", "2026-10-25 07:00"),
    ],
)
def test_without_a_roster_the_next_shift_starts_at_8_in_the_morning_and_nobody_is_named(
    instant: str, starts: str
) -> None:
    service = Service(name="A small one")
    assert next_shift_starts(service, utc(instant)) == utc(starts)
    assert on_duty(service, "nurse", utc(instant)) is None


def test_a_shift_of_one_day_a_week_starts_a_week_later() -> None:
    weekly = Roster(shifts=(Shift(days=(Weekday.MONDAY,), starts="07:00", ends="15:00", duty={"nurse": "nurse-1"}),))
    service = Service(name="A rare one", time_zone="UTC", roster=weekly)
    assert next_shift_starts(service, utc("2026-03-23 07:00")) == utc("2026-03-30 07:00")


def test_where_the_calendar_ends_no_shift_starts() -> None:
    assert next_shift_starts(SERVICE, datetime(9999, 12, 29, tzinfo=UTC)) is None
