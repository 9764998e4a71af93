"""What the board keeps of a patient is bounded, and what is repeated or late changes nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry

from agents.board import alarms, courses, judged
from agents.board.alarms import Alarms
from agents.board.courses import Course
from agents.board.judged import Judgements
from agents.board.model import Model
from agents.board.rows import STORM_PATIENTS, storms
from agents.metrics import Metrics
from schemas import topics
from schemas.assessments import PatientStatus, ZoneChange
from schemas.care import Acknowledged, ContactKind, ContactMade, Enrolled, EquipmentHandedOut, EquipmentReturned
from schemas.codec import encode
from schemas.paging import Outcome, PageRequest, Priority, Receipt
from schemas.types import Zone
from tests.agents.board.test_history import NOW, assessment
from tests.browser.stage import told

COMMON = {"patient": "p-1", "at": NOW, "recorded_at": NOW}


def test_of_an_assessment_the_highest_revision_stands_whichever_comes_last() -> None:
    revisions = [assessment(1, value, revision=revision) for revision, value in ((1, 90.0), (2, 91.0), (3, 92.0))]
    for order in permutations(revisions):
        held = Judgements()
        for one in (*order, *order):
            held.take(one, NOW)
        assert [(one.revision, one.readings[0].value) for one in held.newest()] == [(3, 92.0)]


def test_the_newest_registrations_of_a_month_are_kept_and_no_more() -> None:
    held = Judgements()
    for number in range(judged.KEPT + 5):
        at = NOW - timedelta(hours=number)
        held.take(structs.replace(assessment(0, 90), assessment_id=UUID(int=number), at=at), NOW)
    assert not held.take(assessment(judged.KEPT_DAYS + 1, 90), NOW)
    kept = held.newest()
    assert (len(kept), kept[-1].id, kept[0].id) == (judged.KEPT, UUID(int=0), UUID(int=judged.KEPT - 1))


def test_a_retraction_takes_its_zone_change_away_and_old_ones_go() -> None:
    held = Alarms()
    change = ZoneChange(zone_change_id=UUID(int=1), patient="p-1", at=NOW, from_zone=Zone.GREEN, to_zone=Zone.RED)
    assert held.change(change)
    assert held.since(NOW, Zone.RED) == [change]
    assert held.change(structs.replace(change, retracted=True))
    assert held.changes() == []
    for number in range(alarms.KEPT + 3):
        at = NOW + timedelta(minutes=number)
        held.change(structs.replace(change, zone_change_id=UUID(int=number + 2), at=at))
    assert (len(held.changes()), held.changes()[0].at) == (alarms.KEPT, NOW + timedelta(minutes=3))


def test_whom_a_page_reached_is_known_whether_the_receipt_or_the_page_comes_first() -> None:
    change = UUID(int=1)
    page = PageRequest(
        page_id=UUID(int=2), patient="p-1", service="centre", zone=Zone.RED, priority=Priority.HIGH, at=NOW,
        zone_change_id=change, assessment_id=None, ask=1,
    )  # fmt: skip
    receipt = Receipt(
        receipt_id=uuid4(), page_id=page.page_id, patient="p-1", ask=1, outcome=Outcome.DELIVERED, at=NOW, attempts=1,
        told="nurse-2",
    )  # fmt: skip
    for order in permutations((page, receipt)):
        held = Alarms()
        for one in (*order, *order):
            held.asked(one) if isinstance(one, PageRequest) else held.delivered(one)
        assert held.told(change) == ("nurse-2",)


def test_who_has_an_episode_is_who_acknowledged_it_first() -> None:
    first, second = (
        Acknowledged(
            patient="p-1",
            at=at,
            recorded_at=at,
            event_id=uuid4(),
            zone_change_id=UUID(int=1),
            by=by,
            reason_code="true",
        )
        for by, at in (("nurse-1", NOW), ("nurse-2", NOW + timedelta(seconds=1)))
    )
    for order in permutations((first, second)):
        held = Course()
        for one in order:
            held.take(one)
        taken = held.taken(UUID(int=1))
        assert taken is not None
        assert taken.by == "nurse-1"
        assert held.taken(UUID(int=2)) is None


def test_contacts_of_years_are_forgotten_and_an_enrolment_and_a_device_that_is_out_are_not() -> None:
    held = Course()
    enrolled = Enrolled(**COMMON, event_id=uuid4(), pathway="copd", service="centre", municipality="town")
    out = EquipmentHandedOut(**COMMON, event_id=uuid4(), device="cuff-1", kind="cuff")
    back = EquipmentHandedOut(**COMMON, event_id=uuid4(), device="cuff-2", kind="cuff")
    held.take(enrolled)
    held.take(out)
    held.take(back)
    returned = NOW + timedelta(minutes=1)
    held.take(EquipmentReturned(patient="p-1", at=returned, recorded_at=returned, event_id=uuid4(), device="cuff-2"))
    assert [(one.device, one.returned) for one in held.lent()] == [("cuff-1", None), ("cuff-2", returned)]
    for number in range(3 * courses.KEPT):
        at = NOW + timedelta(hours=number + 1)
        held.take(
            ContactMade(
                patient="p-1",
                at=at,
                recorded_at=at,
                event_id=uuid4(),
                kind=ContactKind.CALL,
                reached=True,
                by="nurse-1",
            )
        )
    assert held.enrolled() == enrolled
    assert [(one.device, one.returned) for one in held.lent()] == [("cuff-1", None)]
    assert len(held.events()) == courses.KEPT + 2


@pytest.mark.parametrize(("key", "value"), [(b"p-1", b"{"), (b"p-2", None), (None, b"{}")])
def test_what_cannot_be_read_is_counted_and_takes_nothing_away(key: bytes | None, value: bytes | None) -> None:
    metrics = Metrics(CollectorRegistry())
    model = Model(metrics, lambda: NOW)
    takers = told(model)
    takers[topics.ASSESSMENTS.name](b"p-1", encode(assessment(1, 90)), 0)
    takers[topics.ASSESSMENTS.name](key, value, 0)
    takers[topics.ASSESSMENTS.name](b"p-other", encode(assessment(1, 91)), 0)
    assert [one.readings[0].value for one in model.patient("p-1").judgements.newest()] == [90]
    labels = {"process": "board", "reason": "wrong_key"}
    assert metrics.registry.get_sample_value("sonevakt_dead_letters_total", labels) == 1


@pytest.mark.parametrize(
    ("apart_minutes", "patients", "expected"),
    [(1, STORM_PATIENTS, [STORM_PATIENTS]), (1, STORM_PATIENTS - 1, []), (10, STORM_PATIENTS, [])],
)
def test_many_reds_of_one_service_within_minutes_are_a_storm(
    apart_minutes: int, patients: int, expected: list[int]
) -> None:
    reds = [
        PatientStatus(
            patient=f"p-{number}",
            revision=1,
            zone=Zone.RED,
            since_at=NOW - timedelta(minutes=number * apart_minutes),
            reasons=(),
            service="centre",
        )
        for number in range(patients)
    ]
    elsewhere = structs.replace(reds[0], patient="p-elsewhere", service="hospital")
    assert [storm.patients for storm in storms([*reds, elsewhere], NOW)] == expected
    assert storms(reds, NOW + timedelta(days=1)) == []
