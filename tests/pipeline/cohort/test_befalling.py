"""What befalls simulated patients has the truth that it says, and is the same whenever it is simulated again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pipeline.cohort.befalling import RATIO, befalls, taken_over
from pipeline.cohort.people import person
from schemas.assessments import ZoneChange
from schemas.care import Admitted, AlertReason, Discharged
from schemas.types import Zone

START, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 365
STOP = START + timedelta(days=DAYS)
PEOPLE = [person(3, number, START, DAYS, 400) for number in range(1, 401)]


def test_the_rate_after_enrolment_is_the_true_ratio_of_that_before() -> None:
    counts, days = [0, 0], [0.0, 0.0]
    for one in PEOPLE:
        if one.ends_at is not None:
            continue
        admitted = [event.at for event in befalls(3, one, STOP) if isinstance(event.message, Admitted)]
        after = [at for at in admitted if at >= one.enrolled_at]
        counts[0] += len(admitted) - len(after)
        counts[1] += len(after)
        days[0] += DAYS
        days[1] += (STOP - one.enrolled_at) / timedelta(days=1)
    assert counts[0] > 300
    # Three standard deviations of some 500 and 350 admissions whose rates differ between patients.
    assert (counts[1] / days[1]) / (counts[0] / days[0]) == pytest.approx(RATIO, abs=0.2)


def test_events_come_in_order_before_the_end_and_are_the_same_again() -> None:
    for one in PEOPLE[::40]:
        told = befalls(3, one, STOP)
        assert told == befalls(3, one, STOP)
        times = [event.at for event in told]
        assert times == sorted(times)
        assert all(at < STOP for at in times)
        ids = {event.message.event_id for event in told}
        assert len(ids) == len(told)
        stays = [event.message for event in told if isinstance(event.message, Admitted | Discharged)]
        assert all(isinstance(first, Admitted) for first in stays[::2])


def test_most_alarms_are_taken_over_after_they_began_with_a_reason() -> None:
    changes = [
        ZoneChange(
            zone_change_id=UUID(int=number),
            patient="sim-0001",
            at=START,
            from_zone=Zone.GREEN,
            to_zone=Zone.RED,
            service="a",
        )
        for number in range(200)
    ]
    answers = [answer for change in changes if (answer := taken_over(3, change)) is not None]
    assert 170 < len(answers) < 200
    assert all(answer.at > START for answer in answers)
    assert {answer.message.reason_code for answer in answers} <= {reason.value for reason in AlertReason}
