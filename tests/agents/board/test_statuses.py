"""The board's memory: the latest status of each patient, and no unreadable one taken for good news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry

from agents.board.statuses import Statuses
from agents.metrics import Metrics
from pipeline.triage.lost import lost
from schemas.assessments import PatientStatus, Reason
from schemas.codec import encode
from schemas.types import Phase, Zone

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
WRITTEN_MS = round(NOW.timestamp() * 1000)


def status(patient: str = "p-1", zone: Zone = Zone.GREEN, revision: int = 1) -> PatientStatus:
    reason = Reason(rule="within_limits", zone=zone)
    return PatientStatus(patient=patient, revision=revision, zone=zone, since_at=NOW, reasons=(reason,))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def statuses(metrics: Metrics) -> Statuses:
    return Statuses(metrics)


def take(statuses: Statuses, one: PatientStatus) -> None:
    statuses.take(one.patient.encode(), encode(one), WRITTEN_MS)


def test_holds_the_latest_status_of_each_patient(statuses: Statuses) -> None:
    for one in (status("p-1"), status("p-2"), status("p-1", Zone.RED, 2)):
        take(statuses, one)
    assert {row.patient: row.zone for row in statuses.rows} == {"p-1": Zone.RED, "p-2": Zone.GREEN}


def test_an_older_revision_written_later_changes_nothing(statuses: Statuses) -> None:
    take(statuses, status(zone=Zone.RED, revision=5))
    take(statuses, status(zone=Zone.GREEN, revision=4))
    assert [row.zone for row in statuses.rows] == [Zone.RED]


def test_the_same_revision_written_again_is_taken(statuses: Statuses) -> None:
    take(statuses, status(zone=Zone.GREEN, revision=5))
    take(statuses, status(zone=Zone.NO_DATA, revision=5))  # time passed, no event came
    assert [row.zone for row in statuses.rows] == [Zone.NO_DATA]


def test_a_message_without_value_takes_the_patient_off_the_list(statuses: Statuses) -> None:
    take(statuses, status())
    statuses.take(b"p-1", None, WRITTEN_MS)
    statuses.take(b"p-2", None, WRITTEN_MS)
    assert statuses.rows == ()


@pytest.mark.parametrize(
    ("held", "shown"), [(Zone.GREEN, Zone.NOT_MONITORED), (Zone.RED, Zone.RED), (Zone.YELLOW, Zone.YELLOW)]
)
def test_a_patient_whose_state_cannot_be_read_is_not_monitored_until_it_can_and_an_alert_stands(
    statuses: Statuses, held: Zone, shown: Zone
) -> None:
    take(statuses, structs.replace(status(zone=held, revision=5), service="joint-centre"))
    for _ in range(2):
        take(statuses, lost("p-1", NOW))
        take(statuses, lost("p-2", NOW))
    assert [(row.zone, row.service, len(row.reasons)) for row in statuses.rows] == [
        (shown, "joint-centre", 2),
        (Zone.NOT_MONITORED, None, 1),
    ]
    take(statuses, status(zone=held, revision=5))
    assert [len(row.reasons) for row in statuses.rows] == [1, 1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"{", "not_json"), (b"{}", "invalid"), (encode(status("p-other")), "wrong_key")],
)
def test_a_patient_whose_status_cannot_be_read_is_not_monitored(
    statuses: Statuses, metrics: Metrics, value: bytes, reason: str
) -> None:
    take(statuses, status())
    for key in (b"p-1", b"p-never-seen"):
        statuses.take(key, value, WRITTEN_MS)
        statuses.take(key, value, WRITTEN_MS)
    assert [(row.patient, row.zone) for row in statuses.rows] == [
        ("p-1", Zone.NOT_MONITORED),
        ("p-never-seen", Zone.NOT_MONITORED),
    ]
    assert all(row.reasons[-1].detail == "unreadable_messages" for row in statuses.rows)
    assert [row.since_at for row in statuses.rows] == [NOW, NOW]
    assert statuses.unreadable == 2
    labels = {"process": "board", "reason": reason}
    assert metrics.registry.get_sample_value("sonevakt_dead_letters_total", labels) == 4


@pytest.mark.parametrize("written_ms", [-(2**62), -1, 2**62])
def test_an_unreadable_status_of_an_impossible_time_is_shown_all_the_same(statuses: Statuses, written_ms: int) -> None:
    statuses.take(b"p-1", b"{", written_ms)
    assert [(row.patient, row.zone) for row in statuses.rows] == [("p-1", Zone.NOT_MONITORED)]


@pytest.mark.parametrize("zone", [Zone.RED, Zone.YELLOW])
def test_an_alert_that_stands_is_not_lowered_by_what_cannot_be_read(statuses: Statuses, zone: Zone) -> None:
    take(statuses, status(zone=zone))
    statuses.take(b"p-1", b"{", WRITTEN_MS)
    (row,) = statuses.rows
    assert row.zone is zone
    assert row.reasons[-1].detail == "unreadable_messages"


def test_the_next_readable_status_holds_again(statuses: Statuses) -> None:
    take(statuses, status(zone=Zone.RED, revision=2))
    statuses.take(b"p-1", b"{", WRITTEN_MS)
    take(statuses, status(zone=Zone.GREEN, revision=3))
    assert statuses.rows == (status(zone=Zone.GREEN, revision=3),)
    assert statuses.unreadable == 0


def test_a_message_without_patient_is_counted_and_shown_to_nobody(statuses: Statuses, metrics: Metrics) -> None:
    statuses.take(None, encode(status()), WRITTEN_MS)
    assert statuses.rows == ()
    labels = {"process": "board", "reason": "missing_patient"}
    assert metrics.registry.get_sample_value("sonevakt_dead_letters_total", labels) == 1


def test_the_overdue_are_counted_without_the_ended(statuses: Statuses, metrics: Metrics) -> None:
    late = {"due_at": NOW - timedelta(minutes=1)}
    for one in (
        structs.replace(status("a", Zone.NO_DATA), **late),
        structs.replace(status("b", Zone.NO_DATA), due_at=NOW + timedelta(minutes=1)),
        structs.replace(status("c", Zone.NOT_MONITORED), **late),
        structs.replace(status("d", Zone.NOT_MONITORED), phase=Phase.ENDED, **late),
    ):
        take(statuses, one)
    statuses.count(NOW)
    assert metrics.registry.get_sample_value("sonevakt_overdue_patients") == 1
    take(statuses, status("a", Zone.GREEN, 2))
    statuses.count(NOW)
    assert metrics.registry.get_sample_value("sonevakt_overdue_patients") == 0
