"""When the next registration is due, by the patient's own clock (Europe/Oslo), and from when its absence is told.

Registrations are a day after the plan's start and so on, at 10 in the morning unless a time is told. The clock is put
forward on 29 March 2026 and back on 25 October, when half past two comes twice: 00:30Z and 01:30Z in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from pipeline.triage import step
from schemas.assessments import PatientStatus
from schemas.care import Cadence, Limit, Paused, Transferred
from schemas.paging import Tick
from schemas.types import Phase, Weekday
from tests.histories import PATIENT, enrolled, moved_on, named, read, reading, signed, submitted
from tests.spec.test_signals import planned

OSLO: Final = ZoneInfo("Europe/Oslo")
PULSE: Final = "8867-4"
LIMITS: Final = (Limit(code=PULSE, unit="/min", yellow_high=100, red_high=120),)
START: Final = datetime(2026, 3, 20, tzinfo=UTC)
# Green, just not near the limit of 100 and just near it (half of the least spread of 3), yellow, red, no value.
VALUES: Final = {"g": 70, "f": 98.4, "n": 98.5, "y": 105, "r": 125, "x": 400}


def local(text: str) -> datetime:
    """An instant by the patient's clock, or by UTC where that is said by a Z."""
    if text.endswith("Z"):
        return datetime.strptime(f"2026 {text}", "%Y %d %b %H:%MZ").replace(tzinfo=UTC)
    return datetime.strptime(f"2026 {text}", "%Y %d %b %H:%M").replace(tzinfo=OSLO)


def status(cadence: Cadence, events: list[Any], until: datetime | None = None) -> PatientStatus:
    state, told = None, []
    for event in [*planned(limits=LIMITS, cadence=cadence), *events, *([Tick(at=until)] if until else [])]:
        state, outputs = step(state, event if isinstance(event, Tick) else read(event))
        told += [output for output in outputs if isinstance(output, PatientStatus)]
    return told[-1]


def hours(when: str) -> float:
    return (local(when) - START) / timedelta(hours=1)


def sent(when: str, kind: str = "g") -> Any:  # noqa: ANN401 - a submission
    return submitted(f"s-{when}", hours(when), reading(PULSE, VALUES[kind], "/min", hours(when)))


@pytest.mark.parametrize(
    ("registrations", "due"),
    [
        ("20 Mar 11:00 g", "21 Mar 10:00"),
        ("20 Mar 01:00 g", "21 Mar 10:00"),  # at the very start, which is midnight in UTC
        ("28 Mar 11:00 g", "29 Mar 10:00"),  # the wall clock holds over the change
        ("01 Apr 11:00 g", "02 Apr 10:00"),  # the 13th day: the next is the 14th
        ("02 Apr 11:00 g", "09 Apr 10:00"),  # the 14th: now weekly
        ("09 Apr 15:00 g", "16 Apr 10:00"),
        ("02 Apr 11:00 y", "03 Apr 10:00"),  # daily for a week, the yellow's day being the first
        ("02 Apr 11:00 y, 08 Apr 11:00 g", "10 Apr 10:00"),  # then every second day, near the limit
        ("02 Apr 11:00 y, 07 Apr 11:00 g", "08 Apr 10:00"),
        ("02 Apr 11:00 n", "04 Apr 10:00"),
        ("02 Apr 11:00 f", "09 Apr 10:00"),
        ("02 Apr 11:00 n, 21 Apr 11:00 g", "23 Apr 10:00"),
        ("02 Apr 11:00 n, 22 Apr 11:00 g", "29 Apr 10:00"),  # three weeks are over
        ("02 Apr 11:00 r", "03 Apr 10:00"),
        # Half an hour after midnight it is still the day before in UTC.
        ("21 Mar 00:30 g", "22 Mar 10:00"),
        ("02 Apr 00:30 y, 07 Apr 11:00 g", "08 Apr 10:00"),
        ("02 Apr 00:30 n, 21 Apr 11:00 g", "23 Apr 10:00"),
    ],
)
def test_the_plans_rhythm_and_what_shortens_it(registrations: str, due: str) -> None:
    events = [sent(one[:12], one[13:]) for one in registrations.split(", ")]
    assert status(Cadence(), events).due_at == local(due)


TWICE: Final = Cadence(daily_days=0, weekdays=(Weekday.MONDAY, Weekday.THURSDAY))


@pytest.mark.parametrize(
    ("registration", "due"),
    [
        ("20 Mar 11:00 g", "23 Mar 10:00"),  # a Friday: Monday is next
        ("22 Mar 11:00 g", "23 Mar 10:00"),
        ("23 Mar 09:00 g", "26 Mar 10:00"),
        ("25 Mar 11:00 g", "26 Mar 10:00"),
        ("26 Mar 11:00 g", "30 Mar 10:00"),  # over the change of the clock
        ("26 Mar 11:00 y", "27 Mar 10:00"),  # daily after yellow
        ("26 Mar 11:00 n", "28 Mar 10:00"),  # every second day near a limit
    ],
)
def test_twice_a_week_on_days_of_the_plan(registration: str, due: str) -> None:
    assert status(TWICE, [sent(registration[:12], registration[13:])]).due_at == local(due)


@pytest.mark.parametrize(
    ("registration", "due"),
    [("20 Mar 11:00", "21 Mar 10:00"), ("01 Apr 11:00", "02 Apr 10:00"), ("02 Apr 11:00", "06 Apr 10:00")],
)
def test_the_daily_days_come_before_the_days_of_the_week(registration: str, due: str) -> None:
    """Daily for 14 days, and then on Mondays."""
    daily = Cadence(daily_days=14, weekdays=(Weekday.MONDAY,))
    assert status(daily, [sent(registration)]).due_at == local(due)


@pytest.mark.parametrize(
    ("registrations", "now", "zone", "due"),
    [
        ("20 Mar 11:00 x", "20 Mar 12:00", "no_data", "20 Mar 10:00"),  # it was not what was due
        ("20 Mar 11:00 g, 21 Mar 09:00 x", "21 Mar 09:30", "no_data", "21 Mar 10:00"),
        ("20 Mar 11:00 g, 21 Mar 09:00 x, 21 Mar 09:10 g", "21 Mar 09:30", "green", "22 Mar 10:00"),
        ("20 Mar 11:00 g, 21 Mar 09:00 x", "22 Mar 00:00", "no_data", "21 Mar 10:00"),
        ("20 Mar 11:00 r, 21 Mar 09:00 x", "21 Mar 09:30", "red", "21 Mar 10:00"),
    ],
)
def test_what_cannot_be_judged_is_not_what_was_due(registrations: str, now: str, zone: str, due: str) -> None:
    found = status(Cadence(), [sent(one[:12], one[13:]) for one in registrations.split(", ")], local(now))
    assert (found.zone, found.due_at) == (zone, local(due))


BOTH: Final = (PULSE, "8480-6")  # what each registration must hold: pulse and systolic pressure


def in_parts(cadence: Cadence, whole: str, *parts: str) -> PatientStatus:
    """After a whole registration and others that lack the systolic pressure; each is a time and a kind."""
    events = [sent(part[:12], part[13:]) for part in parts]
    systolic = reading(BOTH[1], 120, "mm[Hg]", hours(whole[:12]))
    first = sent(whole[:12], whole[13:])
    events.insert(0, structs.replace(first, readings=(*first.readings, systolic)))
    state, told = None, []
    for event in [*planned(limits=LIMITS, cadence=cadence, vitals=BOTH), *events]:
        state, outputs = step(state, read(event))
        told += [output for output in outputs if isinstance(output, PatientStatus)]
    return told[-1]


@pytest.mark.parametrize(
    ("alert_days", "part", "due"),
    [
        (7, "23 Mar 12:00 g", "27 Mar 10:00"),  # nobody waits for it
        (7, "23 Mar 12:00 n", "27 Mar 10:00"),
        (7, "23 Mar 12:00 x", "27 Mar 10:00"),
        (7, "23 Mar 12:00 y", "24 Mar 10:00"),  # an alert asks for the next day's
        (7, "23 Mar 00:30 y", "24 Mar 10:00"),  # by the patient's own days
        (2, "23 Mar 12:00 y", "24 Mar 10:00"),
        (1, "23 Mar 12:00 y", "27 Mar 10:00"),
        (0, "23 Mar 12:00 y", "27 Mar 10:00"),
        (7, "26 Mar 23:59 g", "27 Mar 10:00"),
        (7, "26 Mar 12:00 y", "27 Mar 10:00"),  # and puts nothing off
        (7, "20 Mar 12:00 y", "21 Mar 10:00"),
    ],
)
def test_a_part_that_nobody_waits_for_puts_nothing_off(alert_days: int, part: str, due: str) -> None:
    """The whole registration was made on 20 March, and the next is due after a week."""
    weekly = Cadence(daily_days=0, alert_days=alert_days)
    assert in_parts(weekly, "20 Mar 11:00 g", part).due_at == local(due)


@pytest.mark.parametrize(
    ("times", "part", "zone"),
    [
        ("10:00", "26 Mar 23:59 g", "green"),
        ("10:00", "27 Mar 00:00 g", "no_data"),  # from midnight on it is what is due, and lacks something
        ("00:30", "26 Mar 23:59 g", "green"),
        ("00:30", "27 Mar 00:00 g", "no_data"),
        ("08:00 20:00", "27 Mar 00:00 g", "no_data"),
    ],
)
def test_from_midnight_on_a_registration_is_one_that_is_due_that_day(times: str, part: str, zone: str) -> None:
    weekly = Cadence(daily_days=0, times=tuple(times.split()))
    assert in_parts(weekly, "20 Mar 20:30 g", part).zone == zone


SELDOM: Final = Cadence(daily_days=1)  # weekly from the first day on


@pytest.mark.parametrize(
    ("at_the_start", "due"),
    [("20 Mar 01:00 g", "27 Mar 10:00"), ("20 Mar 01:00 n", "22 Mar 10:00"), ("20 Mar 01:00 y", "21 Mar 10:00")],
)
def test_the_very_start_belongs_to_what_counts(at_the_start: str, due: str) -> None:
    assert status(SELDOM, [sent(at_the_start[:12], at_the_start[13:])]).due_at == local(due)


@pytest.mark.parametrize(("before", "due"), [("g", "30 Mar 10:00"), ("n", "30 Mar 10:00"), ("y", "30 Mar 10:00")])
def test_what_was_before_the_patient_was_enrolled_anew_shortens_nothing(before: str, due: str) -> None:
    ended, anew = (hours(when) for when in ("21 Mar 09:00", "22 Mar 09:00"))
    again = [enrolled(anew), signed(anew, *LIMITS, version=2, cadence=SELDOM)]
    events = [sent("20 Mar 11:00", before), moved_on(ended, Phase.ENDED), *again, sent("23 Mar 11:00")]
    assert status(SELDOM, events).due_at == local(due)


SEVERAL: Final = Cadence(times=("08:00", "12:00", "16:00", "20:00"), every_days=1, grace_minutes=120)


@pytest.mark.parametrize(
    ("registration", "due"),
    [
        ("20 Mar 08:10", "20 Mar 12:00"), ("20 Mar 09:59", "20 Mar 12:00"), ("20 Mar 10:00", "20 Mar 16:00"),
        ("20 Mar 10:01", "20 Mar 16:00"), ("20 Mar 17:59", "20 Mar 20:00"), ("20 Mar 18:00", "21 Mar 08:00"),
        ("20 Mar 19:00", "21 Mar 08:00"), ("20 Mar 23:59", "21 Mar 08:00"),
        ("28 Mar 20:05", "29 Mar 08:00"),
    ],
)  # fmt: skip
def test_several_a_day(registration: str, due: str) -> None:
    assert status(SEVERAL, [sent(registration)]).due_at == local(due)


@pytest.mark.parametrize(
    ("cadence", "now", "zone"),
    [
        ("daily", "21 Mar 23:59", "green"), ("daily", "22 Mar 00:00", "no_data"),  # due at 10, 14 hours of grace
        ("several", "20 Mar 17:59", "green"), ("several", "20 Mar 18:00", "no_data"),
    ],
)  # fmt: skip
def test_blue_at_its_instant(cadence: str, now: str, zone: str) -> None:
    kind = SEVERAL if cadence == "several" else Cadence()
    found = status(kind, [sent("20 Mar 12:30")], local(now))
    assert found.zone == zone
    if zone == "no_data":
        assert found.since_at == local(now)


@pytest.mark.parametrize(
    ("last", "now", "missed"),
    [
        ("g", "21 Mar 23:59", False), ("g", "22 Mar 00:00", True),
        ("y", "21 Mar 16:59", False), ("y", "21 Mar 17:00", True),  # half of the 14 hours of grace
        ("r", "21 Mar 16:59", False), ("r", "21 Mar 17:00", True),
    ],
)  # fmt: skip
def test_silence_after_yellow_or_red_is_told_of_sooner(last: str, now: str, missed: bool) -> None:  # noqa: FBT001
    found = status(Cadence(), [sent("20 Mar 12:30", last)], local(now))
    assert ("overdue" in [reason.rule for reason in found.reasons]) is missed
    assert found.zone == {"g": "no_data" if missed else "green", "y": "yellow", "r": "red"}[last]


@pytest.mark.parametrize(("now", "zone"), [("22 Mar 23:59", "green"), ("23 Mar 00:00", "no_data")])
def test_after_a_green_one_later_the_whole_grace_is_given_again(now: str, zone: str) -> None:
    events = [sent("20 Mar 12:30", "y"), sent("21 Mar 12:30", "g")]
    assert status(Cadence(), events, local(now)).zone == zone


def test_blue_is_told_of_at_its_own_instant_however_late_it_is_noticed() -> None:
    found = status(Cadence(), [sent("20 Mar 12:30")], local("22 Mar 19:00"))
    assert (found.zone, found.since_at) == ("no_data", local("22 Mar 00:00"))


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("21 Mar 12:00", "not_monitored", "-"), ("25 Mar 11:59", "not_monitored", "-"),
        ("25 Mar 12:00", "no_data", "26 Mar 10:00"),
    ],
)  # fmt: skip
def test_a_pause_asks_for_nothing_and_ends(now: str, zone: str, due: str) -> None:
    begin, end = local("21 Mar 09:00"), local("25 Mar 12:00")
    pause = Paused(event_id=named("pause"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=end)
    found = status(Cadence(), [sent("20 Mar 12:30"), pause], local(now))
    assert found.zone == zone
    assert found.due_at == (None if due == "-" else local(due))


@pytest.mark.parametrize(
    ("times", "pause_ends", "due"),
    [
        ("10:00", "25 Mar 09:59", "25 Mar 10:00"), ("10:00", "25 Mar 10:00", "25 Mar 10:00"),
        ("10:00", "25 Mar 10:01", "26 Mar 10:00"),
        ("00:10", "25 Mar 00:10", "25 Mar 00:10"), ("00:10", "25 Mar 00:11", "26 Mar 00:10"),
        # There is no half past two that night: it is an hour later, after ten past three.
        ("02:30 03:10", "29 Mar 01:00", "29 Mar 03:10"), ("02:30 03:10", "29 Mar 03:10", "29 Mar 03:10"),
        ("02:30 03:10", "29 Mar 03:11", "29 Mar 03:30"), ("02:30 03:10", "29 Mar 03:31", "30 Mar 02:30"),
    ],
)  # fmt: skip
def test_the_first_time_from_the_end_of_a_pause_on_is_due(times: str, pause_ends: str, due: str) -> None:
    begin, end = local("21 Mar 09:00"), local(pause_ends)
    pause = Paused(event_id=named("pause"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=end)
    assert status(Cadence(times=tuple(times.split())), [sent("20 Mar 12:30"), pause], end).due_at == local(due)


AUTUMN: Final = [
    # Times of the day, grace in minutes, the registration, when the next is due and when it is overdue.
    ("10:00", 840, "23 Oct 11:00", "24 Oct 08:00Z", "24 Oct 22:00Z"),
    ("10:00", 840, "24 Oct 11:00", "25 Oct 09:00Z", "25 Oct 23:00Z"),  # the wall clock holds over the change
    ("10:00", 840, "25 Oct 11:00", "26 Oct 09:00Z", "26 Oct 23:00Z"),
    ("20:00", 840, "23 Oct 21:00", "24 Oct 18:00Z", "25 Oct 08:00Z"),  # 14 hours of grace, not 14 on the clock
    ("10:00", 840, "24 Oct 22:30Z", "26 Oct 09:00Z", "26 Oct 23:00Z"),  # half an hour into the 25th
    ("10:00", 840, "25 Oct 22:30Z", "26 Oct 09:00Z", "26 Oct 23:00Z"),  # half an hour before its end
    ("10:00", 840, "25 Oct 23:00Z", "27 Oct 09:00Z", "27 Oct 23:00Z"),  # the 26th has begun
    # Due before the change and overdue after it; due in the hour that comes twice, at the first of the two.
    ("01:30", 120, "24 Oct 11:00", "24 Oct 23:30Z", "25 Oct 01:30Z"),
    ("02:00", 60, "24 Oct 11:00", "25 Oct 00:00Z", "25 Oct 01:00Z"),
    ("02:30", 0, "24 Oct 11:00", "25 Oct 00:30Z", "25 Oct 00:30Z"),
    ("02:30", 60, "24 Oct 11:00", "25 Oct 00:30Z", "25 Oct 01:30Z"),
    ("02:59", 120, "24 Oct 11:00", "25 Oct 00:59Z", "25 Oct 02:59Z"),
    ("03:00", 120, "24 Oct 11:00", "25 Oct 02:00Z", "25 Oct 04:00Z"),
    ("02:30", 60, "25 Oct 00:40Z", "26 Oct 01:30Z", "26 Oct 02:30Z"),
    ("02:30", 60, "25 Oct 01:40Z", "26 Oct 01:30Z", "26 Oct 02:30Z"),
    # Several a day: half-way between two times is told by the wall clock.
    ("08:00 20:00", 120, "24 Oct 20:05", "25 Oct 07:00Z", "25 Oct 09:00Z"),
    ("01:00 05:00", 120, "25 Oct 00:59Z", "25 Oct 04:00Z", "25 Oct 06:00Z"),  # one minute to three, the first time
    ("01:00 05:00", 120, "25 Oct 01:59Z", "25 Oct 04:00Z", "25 Oct 06:00Z"),  # and the second
    ("01:00 05:00", 120, "25 Oct 02:00Z", "26 Oct 00:00Z", "26 Oct 02:00Z"),  # three
]


@pytest.mark.parametrize(("times", "grace", "registration", "due", "overdue"), AUTUMN)
def test_due_and_overdue_over_the_night_on_which_the_clock_is_put_back(
    times: str, grace: int, registration: str, due: str, overdue: str
) -> None:
    daily = Cadence(times=tuple(times.split()), daily_days=0, every_days=1, grace_minutes=grace)
    registered = [sent(registration)]
    a_minute = timedelta(minutes=1)
    before = status(daily, registered, local(overdue) - a_minute)
    after = status(daily, registered, local(overdue) + a_minute)
    assert before.due_at == local(due)
    assert before.zone == "green"
    assert (after.zone, after.since_at) == ("no_data", local(overdue))


@pytest.mark.parametrize(
    ("cadence", "registration", "due"),
    [
        (Cadence(daily_days=0), "18 Oct 11:00", "25 Oct 10:00"),  # weekly
        (Cadence(daily_days=0), "21 Oct 11:00", "28 Oct 10:00"),
        (Cadence(daily_days=0, weekdays=(Weekday.SUNDAY,)), "19 Oct 11:00", "25 Oct 10:00"),
        (Cadence(daily_days=0, weekdays=(Weekday.MONDAY, Weekday.SUNDAY)), "25 Oct 11:00", "26 Oct 10:00"),
    ],
)
def test_a_rhythm_of_days_over_the_night_on_which_the_clock_is_put_back(
    cadence: Cadence, registration: str, due: str
) -> None:
    assert status(cadence, [sent(registration)]).due_at == local(due)


@pytest.mark.parametrize(
    ("times", "pause_ends", "due"),
    [
        ("02:30 03:10", "25 Oct 00:29Z", "25 Oct 00:30Z"), ("02:30 03:10", "25 Oct 00:30Z", "25 Oct 00:30Z"),
        ("02:30 03:10", "25 Oct 00:31Z", "25 Oct 02:10Z"),
        ("02:30 03:10", "25 Oct 01:30Z", "25 Oct 02:10Z"),  # half past two for the second time asks for nothing
        ("02:30 03:10", "25 Oct 02:10Z", "25 Oct 02:10Z"), ("02:30 03:10", "25 Oct 02:11Z", "26 Oct 01:30Z"),
    ],
)  # fmt: skip
def test_the_first_time_from_the_end_of_a_pause_in_that_night(times: str, pause_ends: str, due: str) -> None:
    begin, end = local("24 Oct 09:00"), local(pause_ends)
    pause = Paused(event_id=named("pause"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=end)
    daily = Cadence(times=tuple(times.split()), daily_days=0, every_days=1)
    assert status(daily, [sent("23 Oct 12:30"), pause], end).due_at == local(due)


WEEKLY: Final = Cadence(daily_days=0)
NEW_PLANS: Final = {
    "the same": WEEKLY,
    "in the evening": Cadence(daily_days=0, times=("18:00",)),
    "every third day": Cadence(daily_days=0, every_days=3),
    "on Mondays": Cadence(daily_days=0, weekdays=(Weekday.MONDAY,)),
    "every four weeks": Cadence(daily_days=0, every_days=28),
    "an hour of grace": Cadence(daily_days=0, grace_minutes=60),
    "daily at first": Cadence(daily_days=14),
}


@pytest.mark.parametrize(
    ("signing", "due", "zone"),
    [
        ("25 Mar 12:00", "26 Mar 10:00", "green"),  # the first of its times, and none of before it was signed
        ("27 Mar 09:59", "27 Mar 10:00", "green"),
        ("27 Mar 12:00", "27 Mar 10:00", "green"),  # what was due already is due
        ("28 Mar 12:00", "27 Mar 10:00", "no_data"),
    ],
)
def test_a_new_rhythm_makes_nobody_late_for_what_was_not_due(signing: str, due: str, zone: str) -> None:
    """The patient was to register again on 27 March, and by the new plan every day."""
    plan = signed(hours(signing), *LIMITS, version=2, cadence=Cadence(daily_days=0, every_days=1))
    found = status(WEEKLY, [sent("20 Mar 11:00"), plan])
    assert (found.zone, found.due_at) == (zone, local(due))


@pytest.mark.parametrize(
    ("new_plan", "due", "overdue"),
    [
        ("the same", "02 Apr 10:00", "03 Apr 00:00"),
        ("in the evening", "02 Apr 18:00", "03 Apr 08:00"),
        ("every third day", "29 Mar 10:00", "30 Mar 00:00"),
        ("on Mondays", "30 Mar 10:00", "31 Mar 00:00"),
        ("every four weeks", "23 Apr 10:00", "24 Apr 00:00"),
        ("an hour of grace", "02 Apr 10:00", "02 Apr 11:00"),
        ("daily at first", "27 Mar 10:00", "28 Mar 00:00"),
    ],
)
@pytest.mark.parametrize("told", ["in turn", "before the registration is"])
def test_a_plan_signed_between_two_registrations_changes_what_is_due(
    new_plan: str, due: str, overdue: str, told: str
) -> None:
    """The patient registers on Thursday 26 March and was to do so once a week."""
    signing = signed(hours("26 Mar 12:00"), *LIMITS, version=2, cadence=NEW_PLANS[new_plan])
    events = [sent("26 Mar 11:00"), signing]
    if told != "in turn":
        events.reverse()
    a_minute = timedelta(minutes=1)
    before = status(WEEKLY, events, local(overdue) - a_minute)
    after = status(WEEKLY, events, local(overdue) + a_minute)
    assert (before.zone, before.due_at) == ("green", local(due))
    assert (after.zone, after.since_at) == ("no_data", local(overdue))


@pytest.mark.parametrize(
    ("pauses", "now", "zone"),
    [
        # One that lies within another ends nothing.
        ("21 Mar 09:00 to 25 Mar 12:00, 22 Mar 09:00 to 23 Mar 12:00", "23 Mar 11:59", "not_monitored"),
        ("21 Mar 09:00 to 25 Mar 12:00, 22 Mar 09:00 to 23 Mar 12:00", "23 Mar 12:00", "not_monitored"),
        ("21 Mar 09:00 to 25 Mar 12:00, 22 Mar 09:00 to 23 Mar 12:00", "25 Mar 11:59", "not_monitored"),
        ("21 Mar 09:00 to 25 Mar 12:00, 22 Mar 09:00 to 23 Mar 12:00", "25 Mar 12:00", "no_data"),
        # One that begins in another goes on after it.
        ("21 Mar 09:00 to 23 Mar 12:00, 22 Mar 09:00 to 25 Mar 12:00", "23 Mar 12:00", "not_monitored"),
        ("21 Mar 09:00 to 23 Mar 12:00, 22 Mar 09:00 to 25 Mar 12:00", "25 Mar 12:00", "no_data"),
        # One that begins when the other ends leaves no time between.
        ("21 Mar 09:00 to 23 Mar 12:00, 23 Mar 12:00 to 25 Mar 12:00", "23 Mar 12:00", "not_monitored"),
        ("21 Mar 09:00 to 23 Mar 12:00, 23 Mar 12:01 to 25 Mar 12:00", "23 Mar 12:00", "no_data"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_pauses_that_overlap_are_one(pauses: str, now: str, zone: str, *, turned: bool) -> None:
    told, recorded = [], local("21 Mar 09:00")
    for number, pause in enumerate(pauses.split(", ")):
        begin, end = map(local, pause.split(" to "))
        told.append(Paused(event_id=named(f"p-{number}"), patient=PATIENT, at=begin, recorded_at=recorded, ends_at=end))
    found = status(Cadence(), [sent("20 Mar 12:30"), *(reversed(told) if turned else told)], local(now))
    assert found.zone == zone


def test_whatever_staff_do_after_a_pause_nothing_is_due_before_its_end() -> None:
    begin, end = local("21 Mar 09:00"), local("25 Mar 12:00")
    pause = Paused(event_id=named("pause"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=end)
    moved = local("25 Mar 13:00")
    other = Transferred(event_id=named("t"), patient=PATIENT, at=moved, recorded_at=moved, service="municipal-centre")
    found = status(Cadence(), [sent("20 Mar 12:30"), pause, other], local("25 Mar 14:00"))
    assert (found.zone, found.due_at) == ("no_data", local("26 Mar 10:00"))
    assert [reason.rule for reason in found.reasons] == ["awaiting_registration"]


def test_what_is_registered_in_a_pause_brings_nothing_sooner() -> None:
    begin, end = local("03 Apr 09:00"), local("05 Apr 12:00")
    pause = Paused(event_id=named("pause"), patient=PATIENT, at=begin, recorded_at=begin, ends_at=end)
    events = [sent("02 Apr 11:00"), pause, sent("04 Apr 11:00")]
    assert status(Cadence(), events, local("05 Apr 12:00")).due_at == local("11 Apr 10:00")
