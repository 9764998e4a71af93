"""What is shown of who waits for whom: reds for staff, and staff for registrations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest

from pipeline.triage.rules import RULES
from schemas.care import Acknowledged
from schemas.services import CANARY, EscalationStep, Ladder, Service
from tests.agents.triage.test_fold import PATIENTS, Triage
from tests.histories import SPO2_LIMITS, at, enrolled, named, signed, spo2, submitted, transferred

if TYPE_CHECKING:
    from typing import Any

CENTRE = "joint-centre"
DUE = 24 + 9  # hours: 10:00 in Oslo the day after


def shown(triage: Triage, name: str, service: str = CENTRE) -> float | None:
    return triage.metrics.registry.get_sample_value(f"sonevakt_{name}", {"service": service})


def red(triage: Triage, patient: str, hours: float) -> str:
    """A patient becomes red and is paged about: the zone change."""
    told = triage.work(
        triage.record("submissions", submitted(f"red-{hours}", hours, spo2(80, hours)), patient, hours=hours)
    )
    (page,) = [message for topic, message in told if topic == "pages"]
    change: str = page["zone_change_id"]
    return change


def acknowledge(triage: Triage, patient: str, change: str, hours: float) -> list[tuple[str, dict[str, Any]]]:
    taken = Acknowledged(
        event_id=named(f"taken-{hours}"),
        patient=patient,
        at=at(hours),
        recorded_at=at(hours),
        zone_change_id=UUID(change),
        by="nurse-1",
        reason_code="true",
    )
    return triage.work(triage.record("care", taken, patient, hours=hours))


def test_the_oldest_red_that_nobody_acknowledged_is_shown_until_somebody_does() -> None:
    triage = Triage()
    triage.follow_all()
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == 0
    first, second = red(triage, PATIENTS[0], 9), red(triage, PATIENTS[1], 10)
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == at(9).timestamp()
    acknowledge(triage, PATIENTS[0], first, 9.5)
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == at(10).timestamp()
    acknowledge(triage, PATIENTS[1], second, 11)
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == 0
    assert shown(triage, "paged_to_acknowledged_seconds_count") == 2
    assert shown(triage, "paged_to_acknowledged_seconds_sum") == pytest.approx(1800 + 3600)


def test_an_acknowledgement_that_comes_again_is_counted_once() -> None:
    triage = Triage()
    triage.follow_all()
    change = red(triage, PATIENTS[0], 9)
    acknowledge(triage, PATIENTS[0], change, 9.5)
    acknowledge(triage, PATIENTS[0], change, 9.6)
    assert shown(triage, "paged_to_acknowledged_seconds_count") == 1


def test_a_red_learnt_of_too_late_to_page_anybody_does_not_wait() -> None:
    triage = Triage()
    triage.follow_all()
    late = 9 + RULES.page_within_ms / 3_600_000 + 1
    sent = msgspec.structs.replace(submitted("late", 9, spo2(80, 9)), received_at=at(late))
    told = triage.work(triage.record("submissions", sent, PATIENTS[0], hours=late))
    assert not [message for topic, message in told if topic == "pages"]
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == 0


async def test_a_red_that_waits_still_waits_after_a_restart_of_the_worker() -> None:
    triage = Triage()
    triage.follow_all()
    red(triage, PATIENTS[0], 9)
    again = Triage()
    await again.fold.restored(triage.states.items())
    assert shown(again, "oldest_unacknowledged_red_timestamp_seconds") == at(9).timestamp()
    await again.fold.restored(())  # its partitions went to another worker
    assert shown(again, "oldest_unacknowledged_red_timestamp_seconds") == 0


def test_a_red_of_the_canary_waits_for_nobody() -> None:
    triage = Triage()
    taken = msgspec.structs.replace(enrolled(), pathway=CANARY)
    for message in (taken, signed(0, SPO2_LIMITS)):
        triage.work(triage.record("care", message, PATIENTS[0]))
    change = red(triage, PATIENTS[0], 8)
    acknowledge(triage, PATIENTS[0], change, 8.1)
    triage.tick(DUE)
    for name in (
        "oldest_unacknowledged_red_timestamp_seconds",
        "paged_to_acknowledged_seconds_count",
        "sessions_total",
    ):
        assert not shown(triage, name)
    assert not shown(triage, "due_patients")


def test_a_red_that_is_transferred_waits_on_the_other_services_ladder() -> None:
    triage = Triage()
    triage.follow_all()
    red(triage, PATIENTS[0], 9)
    triage.work(triage.record("care", transferred(9.5), PATIENTS[0], hours=9.5))
    triage.tick(9.6)
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds") == 0
    assert shown(triage, "oldest_unacknowledged_red_timestamp_seconds", "hospital") == at(9.5).timestamp()


def test_how_long_a_ladder_takes_is_its_services_own() -> None:
    ladder = Ladder(red=(EscalationStep(after_minutes=0, to="ward"), EscalationStep(after_minutes=3, to="doctor")))
    services = {CENTRE: Service(name="The joint centre", ladder=msgspec.structs.replace(ladder, repeat_minutes=2))}
    triage = Triage(services=services)
    assert shown(triage, "ladder_seconds") == 300
    triage.follow_all()
    triage.work(triage.record("care", transferred(9), PATIENTS[0], hours=9))
    triage.tick(9.1)
    assert shown(triage, "ladder_seconds", "hospital") == 45 * 60  # nothing is configured of it


def test_patients_whose_registration_is_due_are_counted_until_it_comes() -> None:
    triage = Triage()
    triage.follow_all()
    triage.tick(DUE - 0.01)
    assert shown(triage, "due_patients") == 0
    triage.tick(DUE)
    assert shown(triage, "due_patients") == len(PATIENTS)
    triage.work(triage.record("submissions", submitted("s", DUE, spo2(95, DUE)), PATIENTS[0], hours=DUE))
    triage.tick(DUE + 0.01)
    assert shown(triage, "due_patients") == len(PATIENTS) - 1


def test_sessions_are_counted_once_by_service() -> None:
    triage = Triage()
    triage.follow_all()
    assert shown(triage, "sessions_total") == len(PATIENTS)
    triage.work(triage.record("submissions", submitted("s", 9, spo2(95, 9)), PATIENTS[0], hours=9))
    triage.work(triage.record("submissions", submitted("s", 9, spo2(95, 9)), PATIENTS[0], hours=9))
    assert shown(triage, "sessions_total") == len(PATIENTS) + 1
    late = submitted("late", 8.5, spo2(95, 8.5))  # what follows it is judged again, and is no new session
    triage.work(triage.record("submissions", late, PATIENTS[0], hours=9))
    assert shown(triage, "sessions_total") == len(PATIENTS) + 2


def test_a_configured_service_shows_its_counters_before_anything_happens() -> None:
    triage = Triage(services={"lungs": Service(name="Lungs")})
    for name in ("sessions_total", "due_patients", "oldest_unacknowledged_red_timestamp_seconds"):
        assert shown(triage, name, "lungs") == 0
