"""A canary came through when its episode ended in time; a service without a success for too long is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agents.board.successes import Successes
from schemas.assessments import Episode, EpisodeState, PatientStatus
from schemas.types import Zone

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
WITHIN, LATE_AFTER = timedelta(seconds=60), timedelta(seconds=375)


def successes(*services: str) -> Successes:
    found = Successes(services or ("joint-centre",), WITHIN, LATE_AFTER)
    found.begin(START)
    found.caught_up()
    return found


def status(zone: Zone, since: float, *, opened: float | None = None, service: str = "joint-centre") -> PatientStatus:
    """A canary's status since so many seconds, its episode opened at so many."""
    episode = None
    if opened is not None:
        at = START + timedelta(seconds=opened)
        episode = Episode(state=EpisodeState.OPENED, opened_at=at, worsened_at=at, zone_change_id=UUID(int=1))
    return PatientStatus(
        patient=f"canary-{service}-0",
        revision=1,
        zone=zone,
        since_at=START + timedelta(seconds=since),
        reasons=(),
        pathway="canary",
        service=service,
        episode=episode,
    )


def late(found: Successes, seconds: float) -> list[tuple[str, float]]:
    """Who is late after so many seconds, and since when."""
    now = START + timedelta(seconds=seconds)
    return [(service, (since - START).total_seconds()) for service, since in found.late(now)]


def flown(found: Successes, opened: float, closed: float, service: str = "joint-centre") -> None:
    found.heard(status(Zone.RED, opened, opened=opened, service=service))
    found.heard(status(Zone.GREEN, closed, service=service))


def test_a_canary_that_comes_through_again_and_again_is_never_late() -> None:
    found = successes()
    for number in range(10):
        assert late(found, 300 * number) == []
        flown(found, 300 * number, 300 * number + 2)


@pytest.mark.parametrize(("seconds", "told"), [(375, []), (376, [("joint-centre", 0)])])
def test_a_canary_that_was_never_heard_of_is_late_once_it_should_have_been(
    seconds: float, told: list[tuple[str, float]]
) -> None:
    assert late(successes(), seconds) == told


def test_a_service_is_late_since_its_own_last_success() -> None:
    found = successes("joint-centre", "north-centre")
    flown(found, 10, 12)
    flown(found, 10, 12, "north-centre")
    flown(found, 310, 312)
    assert late(found, 400) == [("north-centre", 12)]


def test_a_red_that_ended_too_late_is_no_success() -> None:
    found = successes()
    flown(found, 10, 12)
    flown(found, 310, 371)
    assert late(found, 400) == [("joint-centre", 12)]


def test_a_red_that_is_open_is_no_success() -> None:
    found = successes()
    flown(found, 10, 12)
    found.heard(status(Zone.RED, 310, opened=310))
    found.heard(status(Zone.YELLOW, 311, opened=310))
    assert late(found, 400) == [("joint-centre", 12)]


def test_a_success_before_the_board_began_counts_once_the_log_is_read() -> None:
    found = Successes(("joint-centre",), WITHIN, LATE_AFTER)
    found.begin(START)
    found.heard(status(Zone.GREEN, -3600))
    assert late(found, 1) == []
    found.caught_up()
    assert late(found, 1) == [("joint-centre", -3600)]
