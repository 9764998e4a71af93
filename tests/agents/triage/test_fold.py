"""Batches of records through the fold: one bad message, patient or instant takes nobody else along."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.streaming import Folded, Record
from agents.triage import TriageFold
from agents.triage import fold as folding
from pipeline.triage import step, wakes_at
from pipeline.triage.instants import to_ms
from pipeline.triage.state import decode
from schemas.codec import encode
from schemas.paging import Tick
from schemas.services import CANARY, EscalationStep, Ladder, Service
from schemas.submissions import Answer
from tests.histories import SPO2_LIMITS, at, enrolled, named, signed, spo2, submitted

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENTS = tuple(f"sim-{number:04d}" for number in range(5))
OVERDUE = 24 + 9 + 14  # hours: due at 10:00 in Oslo the day after, and 14 hours of grace


class Triage:
    """A fold with what its worker holds."""

    def __init__(self, ratio: float = 0.9, services: dict[str, Service] | None = None) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.fold = TriageFold(
            prefix="", partitions=1, dead_letter_ratio=ratio, metrics=self.metrics, services=services or {}
        )
        self.states: dict[bytes, bytes] = {}
        self.offset = 0

    def record(self, topic: str, message: Any, patient: str | None = None, hours: float = 1000) -> Record:  # noqa: ANN401 - any message
        """A record of a patient's message, written at `hours`."""
        self.offset += 1
        if patient is not None:
            ident = {
                name: named(f"{patient}-{message.patient}-{getattr(message, name)}")
                for name in IDS
                if hasattr(message, name)
            }
            message = msgspec.structs.replace(message, patient=patient, **ident)
        raw = message if isinstance(message, bytes) else encode(message)
        key = patient.encode() if patient else None
        return Record(topic, 0, self.offset, key, raw, to_ms(at(hours)))

    def work(self, *records: Record) -> list[tuple[str, dict[str, Any]]]:
        """Work them all, as the worker does; what was told, by topic."""
        told: list[tuple[str, dict[str, Any]]] = []
        waiting: Sequence[Record] = records
        while waiting:
            folded: Folded = self.fold(waiting, self.states)
            self.states.update({key: raw for key, (_, raw) in folded.states.items()})
            told += [
                (one.topic, dict(one.headers) if one.topic == "dead-letters" else msgspec.json.decode(one.value))
                for _, one in folded.outputs
            ]
            waiting = waiting[folded.taken :]
        return told

    def follow_all(self) -> None:
        """Everybody is enrolled, has a plan, and registered green on the first day."""
        for patient in PATIENTS:
            self.work(
                self.record("care", enrolled(), patient),
                self.record("care", signed(0, SPO2_LIMITS), patient),
                self.record("submissions", submitted("first", 8, spo2(95, 8)), patient),
            )

    def tick(self, hours: float) -> list[tuple[str, dict[str, Any]]]:
        """Time comes to `hours`."""
        return self.work(self.record("ticks", Tick(at=at(hours))))

    def zones(self) -> dict[str, int]:
        """Where everybody stands, by severity."""
        return {key.decode(): decode(raw).marks[-1].zone for key, raw in self.states.items()}


ZONES = ("green", "red", "no_data")
IDS = ("event_id", "submission_id", "correction_id")


def reasons(told: list[tuple[str, dict[str, Any]]]) -> list[bytes]:
    return [message["reason"] for topic, message in told if topic == "dead-letters"]


def test_who_is_due_stays_due_where_the_batch_of_the_tick_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    triage = Triage()
    triage.follow_all()

    def failing(*_: object) -> object:
        raise ArithmeticError

    late = triage.record("ticks", Tick(at=at(OVERDUE)))
    poison = triage.record("submissions", submitted("poison", 9, spo2(95, 9)), PATIENTS[0])
    with monkeypatch.context() as patched:
        patched.setattr(folding, "encode", failing)
        with pytest.raises(ArithmeticError):
            triage.fold([late, poison], triage.states)
    assert set(triage.zones().values()) == {0}
    triage.work(late)
    assert set(triage.zones().values()) == {1}  # no data, all of them


def test_a_patient_on_whom_a_tick_fails_is_tried_again_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    triage = Triage()
    triage.follow_all()

    def failing(state: Any, event: Any, *more: Any) -> Any:  # noqa: ANN401 - as step
        if state is not None and state.patient == PATIENTS[2]:
            raise ArithmeticError
        return step(state, event, *more)

    with monkeypatch.context() as patched:
        patched.setattr(folding, "step", failing)
        triage.tick(OVERDUE)
    assert triage.zones() == {patient: 0 if patient == PATIENTS[2] else 1 for patient in PATIENTS}
    triage.tick(OVERDUE + 0.05)
    assert triage.zones()[PATIENTS[2]] == 0
    triage.tick(OVERDUE + 0.1)
    assert triage.zones()[PATIENTS[2]] == 1


def test_one_tick_finds_so_many_due_and_the_next_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "DUE_AT_ONCE", 2)
    triage = Triage()
    triage.follow_all()
    counts = []
    for _ in range(3):
        triage.tick(OVERDUE)
        counts.append(sum(triage.zones().values()))
    assert counts == [2, 4, 5]


def test_a_batch_is_worked_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "SLICE_S", 0)
    triage = Triage()
    records = [triage.record("care", enrolled(), patient) for patient in PATIENTS]
    assert triage.fold(records, {}).taken == 1
    monkeypatch.setattr(folding, "SLICE_S", 60)
    assert triage.fold(records, {}).taken == 5


def test_a_tick_for_which_many_are_due_is_worked_in_slices_and_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    triage = Triage()
    triage.follow_all()
    monkeypatch.setattr(folding, "SLICE_S", 0)
    late = triage.record("ticks", Tick(at=at(OVERDUE)))
    after = triage.record("care", enrolled(), PATIENTS[0])
    taken, counts, told = [], [], 0
    waiting = [late, after]
    while waiting:
        folded = triage.fold(waiting, triage.states)
        triage.states.update({key: raw for key, (_, raw) in folded.states.items()})
        told += sum(one.topic == "zone-changes" for _, one in folded.outputs)
        waiting = waiting[folded.taken :]
        taken.append(folded.taken)
        counts.append(sum(zone == 1 for zone in triage.zones().values()))
    assert taken == [0, 0, 0, 0, 1, 1]
    assert counts == [1, 2, 3, 4, 5, 5]
    assert told == 5


def test_slices_are_shorter_while_something_else_is_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "HURRIED_SLICE_S", 0)
    triage = Triage()
    records = [triage.record("care", enrolled(), patient) for patient in PATIENTS]
    assert triage.fold(records, {}).taken == 5
    triage.fold.hurries = True
    assert triage.fold(records, {}).taken == 1


async def test_a_restart_knows_who_is_due() -> None:
    before = Triage()
    before.follow_all()
    after = Triage()
    after.states = dict(before.states)
    await after.fold.restored(after.states.items())
    after.tick(OVERDUE)
    assert set(after.zones().values()) == {1}
    assert [wakes_at(decode(raw)) for raw in after.states.values()] == [None] * 5


def test_a_clock_whose_machine_is_ahead_makes_nobody_overdue() -> None:
    triage = Triage()
    triage.follow_all()
    ahead = triage.record("ticks", Tick(at=at(OVERDUE + 1000)), hours=OVERDUE - 1)
    assert triage.work(ahead) == []
    assert set(triage.zones().values()) == {0}
    right = triage.record("ticks", Tick(at=at(OVERDUE + 1000)), hours=OVERDUE)
    changes = [message for topic, message in triage.work(right) if topic == "zone-changes"]
    assert {change["at"] for change in changes} == {f"{at(OVERDUE):%Y-%m-%dT%H:%M:%SZ}"}
    assert len(changes) == len(PATIENTS)


def test_a_clock_whose_machine_is_set_back_takes_nothing_back() -> None:
    triage = Triage()
    triage.follow_all()
    triage.tick(OVERDUE)
    before = dict(triage.states)
    assert triage.work(triage.record("ticks", Tick(at=at(3)), hours=OVERDUE + 1)) == []
    assert triage.states == before
    triage.work(triage.record("submissions", submitted("s", 60, spo2(80, 60)), PATIENTS[0], hours=60))
    assert triage.zones()[PATIENTS[0]] == 3


@pytest.mark.parametrize(
    ("ahead", "dead"), [(timedelta(minutes=10), False), (timedelta(minutes=10, milliseconds=1), True)]
)
def test_what_claims_to_come_from_the_future_is_a_dead_letter_and_its_patient_not_monitored(
    ahead: timedelta, *, dead: bool
) -> None:
    triage = Triage()
    triage.follow_all()
    sent = msgspec.structs.replace(submitted("s", 30, spo2(95, 30)), received_at=at(30) + ahead)
    told = triage.work(triage.record("submissions", sent, PATIENTS[0], hours=30))
    assert reasons(told) == ([b"future"] if dead else [])
    assert triage.zones()[PATIENTS[0]] == (4 if dead else 0)
    assert triage.zones()[PATIENTS[1]] == 0
    triage.work(triage.record("submissions", submitted("t", 31, spo2(80, 31)), PATIENTS[0], hours=31))
    assert triage.zones()[PATIENTS[0]] == 3


def test_one_that_is_read_again_after_a_restart_changes_nothing() -> None:
    triage = Triage()
    triage.follow_all()
    sent = msgspec.structs.replace(submitted("s", 30, spo2(95, 30)), received_at=at(40))
    future = triage.record("submissions", sent, PATIENTS[0], hours=30)
    triage.work(future)
    doubted = dict(triage.states)
    triage.work(future)
    assert triage.states == doubted
    triage.work(triage.record("submissions", submitted("t", 31, spo2(95, 31)), PATIENTS[0], hours=31))
    known = dict(triage.states)
    triage.work(future)
    assert triage.states == known
    assert triage.zones()[PATIENTS[0]] == 0


def test_a_care_event_of_the_future_is_a_dead_letter() -> None:
    triage = Triage()
    triage.follow_all()
    event = signed(40, SPO2_LIMITS, version=2, recorded=900)
    told = triage.work(triage.record("care", event, PATIENTS[0], hours=30))
    assert reasons(told) == [b"future"]
    assert [message["process"] for topic, message in told if topic == "dead-letters"] == [b"triage"]


def test_a_patient_whose_state_is_full_is_not_monitored() -> None:
    triage = Triage()
    triage.follow_all()
    told = []
    for number in range(6):
        answers = tuple(
            Answer(questionnaire="long", questionnaire_version=1, link_id=f"{number}-{n}", value="x" * 500)
            for n in range(200)
        )
        told += triage.work(
            triage.record("submissions", submitted(f"s{number}", 9 + number, spo2(95, 9), answers=answers), PATIENTS[0])
        )
    assert b"history_full" in reasons(told)
    assert triage.zones()[PATIENTS[0]] == 4


def test_patients_are_counted_by_zone() -> None:
    triage = Triage()
    triage.follow_all()
    triage.work(triage.record("submissions", submitted("s", 9, spo2(80, 9)), PATIENTS[0]))
    shown = {zone: triage.metrics.registry.get_sample_value("sonevakt_patients", {"zone": zone}) for zone in ZONES}
    assert shown == {"green": 4, "red": 1, "no_data": 0}


def counted(triage: Triage) -> dict[str, float]:
    """How many patients stand where, and how many registrations were judged."""
    shown = {
        (sample.name, sample.labels.get("zone")): sample.value
        for metric in triage.metrics.registry.collect()
        for sample in metric.samples
    }
    return {
        "red": shown["sonevakt_patients", "red"],
        "judged": sum(value for (name, _), value in shown.items() if name == "sonevakt_assessments_total"),
    }


async def test_who_only_tries_the_alarm_path_is_paged_and_counted_nowhere() -> None:
    triage = Triage()
    plan = signed(0, SPO2_LIMITS)
    for patient, pathway in ((PATIENTS[0], "copd"), (PATIENTS[1], CANARY)):
        taken = msgspec.structs.replace(enrolled(), pathway=pathway)
        triage.work(triage.record("care", taken, patient), triage.record("care", plan, patient))
        told = triage.work(triage.record("submissions", submitted("red", 8, spo2(80, 8)), patient))
        (page,) = [message for topic, message in told if topic == "pages"]
        assert page.get("test", False) == (pathway == CANARY)
    assert counted(triage) == {"red": 1, "judged": 1}
    await triage.fold.restored(triage.states.items())
    assert counted(triage)["red"] == 1


async def test_a_red_climbs_the_ladder_of_its_service_over_a_restart_of_the_worker() -> None:
    ladder = Ladder(red=(EscalationStep(after_minutes=0, to="ward"), EscalationStep(after_minutes=3, to="doctor")))
    services = {"joint-centre": Service(name="The joint centre", ladder=ladder)}
    triage = Triage(services=services)
    for message in (enrolled(), signed(0, SPO2_LIMITS)):
        triage.work(triage.record("care", message, PATIENTS[0]))
    told = triage.work(triage.record("submissions", submitted("red", 8, spo2(80, 8)), PATIENTS[0]))
    assert [message["to"] for topic, message in told if topic == "pages"] == ["ward"]
    again = Triage(services=services)
    again.states = triage.states
    await again.fold.restored(again.states.items())
    assert again.tick(8 + 2.9 / 60) == []
    told = again.tick(8 + 3 / 60)
    assert [(message["to"], message["step"]) for topic, message in told if topic == "pages"] == [("doctor", 1)]
    assert again.tick(8 + 3.1 / 60) == []
