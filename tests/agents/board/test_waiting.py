"""Since when a patient waits for staff: what they have seen is not waited for, and what they have not seen is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agents.board.model import Patient
from agents.board.rows import waits_since
from schemas.assessments import Episode, EpisodeState, PatientStatus, ZoneChange
from schemas.care import Acknowledged
from schemas.types import Zone

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def at(hours_ago: float) -> datetime:
    return NOW - timedelta(hours=hours_ago)


def red(changes: list[float], acknowledged: list[int], since: float) -> tuple[PatientStatus, Patient]:
    """A patient, red since so many hours, who turned red anew so many hours ago, of which some were taken over."""
    one = Patient("p-1")
    for number, hours in enumerate(changes):
        one.alarms.change(
            ZoneChange(
                zone_change_id=UUID(int=number),
                patient="p-1",
                at=at(hours),
                from_zone=Zone.RED if number else Zone.GREEN,
                to_zone=Zone.RED,
                reasons=(),
            )
        )
    for number in acknowledged:
        when = at(changes[number] - 0.25)
        one.course.take(
            Acknowledged(
                event_id=UUID(int=100 + number),
                patient="p-1",
                at=when,
                recorded_at=when,
                zone_change_id=UUID(int=number),
                by="nurse-1",
                reason_code="true",
            )
        )
    newest = len(changes) - 1
    taken = newest in acknowledged
    episode = Episode(
        state=EpisodeState.ACKNOWLEDGED if taken else EpisodeState.WORSENED,
        opened_at=at(changes[0]),
        worsened_at=at(changes[-1]),
        zone_change_id=UUID(int=newest),
        acknowledged=taken,
    )
    status = PatientStatus(
        patient="p-1", revision=1, zone=Zone.RED, since_at=at(since), reasons=(), service="north", episode=episode
    )
    return status, one


@pytest.mark.parametrize(
    ("changes", "acknowledged", "since", "waits"),
    [
        ([5], [], 5, 5),  # nobody came
        ([72, 1], [], 72, 72),  # nobody came, and it grew worse
        ([72, 1], [0], 72, 1),  # somebody came, and it grew worse since
        ([72, 6, 1], [0], 72, 6),  # somebody came, and it grew worse twice since
        ([72, 6, 1], [0, 1], 72, 1),
        ([72, 6, 1], [1], 72, 1),
        ([72, 1], [0, 1], 72, 72),  # nobody is waited for: the zone's own time
        ([72, 6], [0], 2, 2),  # never longer than it is in the zone
    ],
)
def test_a_patient_waits_since_the_first_worsening_after_staff_came(
    changes: list[float], acknowledged: list[int], since: float, waits: float
) -> None:
    assert waits_since(*red(changes, acknowledged, since)) == at(waits)


def test_without_an_alert_a_patient_waits_since_the_zone_began() -> None:
    status = PatientStatus(patient="p-1", revision=1, zone=Zone.NO_DATA, since_at=at(3), reasons=())
    assert waits_since(status, Patient("p-1")) == at(3)
