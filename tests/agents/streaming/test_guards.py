"""Each guard by itself: what it lets through, and what it stops."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

from agents.streaming import Folded, Output, Record, UnverifiedVersionError, dead_letter, version
from agents.streaming.admission import Admission, OffsetGapError
from agents.streaming.consumer import BatchConsumer, BatchThread
from agents.streaming.fence import Fence
from agents.streaming.pace import Pace
from agents.streaming.underway import Underway
from agents.streaming.worker import StreamWorker
from schemas.dead_letters import DeadLetterReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.agents.conftest import Eventually

TOPIC = TP("submissions", 0)


def raw(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


def offsets(records: list[Any]) -> list[int]:
    return [record.offset for record in records]


def test_records_in_turn_are_admitted_and_repeated_ones_are_not() -> None:
    admission = Admission(frozenset())
    assert offsets(admission.admit(1, {TOPIC: 5}, TOPIC, raw(3, 4, 5, 6))) == [5, 6]
    assert offsets(admission.admit(1, {TOPIC: 5}, TOPIC, raw(6, 7))) == [7]


def test_a_hole_ends_it_at_the_first_record_and_later() -> None:
    admission = Admission(frozenset())
    with pytest.raises(OffsetGapError):
        admission.admit(1, {TOPIC: 5}, TOPIC, raw(6))
    admission.admit(2, {TOPIC: 5}, TOPIC, raw(5, 6))
    with pytest.raises(OffsetGapError):
        admission.admit(2, {TOPIC: 5}, TOPIC, raw(8))


def test_a_compacted_topic_may_leave_offsets_out() -> None:
    assert offsets(Admission(frozenset({"submissions"})).admit(1, {TOPIC: 5}, TOPIC, raw(9, 12))) == [9, 12]


def test_a_new_generation_starts_where_reading_was_sought() -> None:
    admission = Admission(frozenset())
    admission.admit(1, {TOPIC: 0}, TOPIC, raw(0, 1, 2, 3))
    assert offsets(admission.admit(2, {TOPIC: 2}, TOPIC, raw(2, 3))) == [2, 3]


def test_the_fence_ends_a_process_whose_loop_stood_still() -> None:
    now = [0.0]
    ended: list[float] = []
    fence = Fence(10, lambda: ended.append(now[0]), clock=lambda: now[0])
    now[0] = 5.9
    fence.check()
    assert ended == []
    now[0] = 6.1
    fence.check()
    assert ended == [6.1]


def test_what_the_broker_last_confirmed_is_a_lease_that_runs_out_and_is_renewed() -> None:
    now = [0.0]
    fence = Fence(10, lambda: None, clock=lambda: now[0])
    now[0] = 7.9
    assert fence.leased
    now[0] = 8.0
    assert not fence.leased
    fence.alive(3.0)
    assert fence.leased
    fence.alive(1.0)  # an answer that comes late takes nothing back
    assert fence.leased
    now[0] = 11.0
    assert not fence.leased


class Paced:
    """A pace with a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pace = Pace(60, clock=lambda: self.now)

    def at(self, now: float, *, waits: bool = False) -> str | None:
        """Whether it must end by then."""
        self.now = now
        return self.pace.stalled(waits=waits)


def test_messages_that_wait_while_nothing_moves_end_the_process() -> None:
    paced = Paced()
    assert [paced.at(now, waits=True) for now in (59, 61)] == [None, "messages wait and nothing moves"]
    assert paced.at(61, waits=False) is None
    paced.pace.moved()
    assert paced.at(120, waits=True) is None


def test_work_that_is_done_and_never_committed_ends_the_process() -> None:
    paced = Paced()
    for now in range(0, 60, 5):
        assert paced.at(now) is None
        paced.pace.done()
    assert paced.at(61) == "work is done and no commit comes through"
    paced.pace.committed()
    assert paced.at(62) is None


def test_no_commit_is_missed_where_no_work_is_done_either_as_while_the_broker_is_away() -> None:
    paced = Paced()
    paced.pace.done()
    assert [paced.at(now) for now in (31, 61, 6000)] == [None] * 3
    paced.pace.done()
    assert paced.at(6001) == "work is done and no commit comes through"


@pytest.mark.parametrize("name", version.VERIFIED)
def test_another_version_than_the_verified_one_is_refused(name: str) -> None:
    version.check()
    with pytest.raises(UnverifiedVersionError, match=name):
        version.check({**version.VERIFIED, name: "99.0"})


async def test_a_commit_never_passes_what_is_not_finished(eventually: Eventually) -> None:
    done: list[int] = []
    underway = Underway(1, 8, lambda _, offset: done.append(offset), lambda _: None)
    gates = [asyncio.Event() for _ in range(3)]

    async def work(gate: asyncio.Event) -> bool:
        await gate.wait()
        return True

    for offset, gate in enumerate(gates):
        await underway.begin(TOPIC, offset, work(gate))
    gates[2].set()
    gates[1].set()
    await asyncio.sleep(0)
    assert done == []
    gates[0].set()
    await eventually(lambda: done == [3])


async def test_work_that_fails_is_told_and_never_counts_as_finished(eventually: Eventually) -> None:
    done: list[int] = []
    failed: list[str] = []
    underway = Underway(1, 8, lambda _, offset: done.append(offset), failed.append)

    async def fails() -> bool:
        raise RuntimeError

    async def works() -> bool:
        return True

    await underway.begin(TOPIC, 0, fails())
    await underway.begin(TOPIC, 1, works())
    await eventually(lambda: failed == ["RuntimeError"])
    assert done == []


async def test_no_more_than_so_many_are_under_way_at_once(eventually: Eventually) -> None:
    running: list[int] = []
    gate = asyncio.Event()
    underway = Underway(1, 2, lambda *_: None, lambda _: None)

    async def work(number: int) -> bool:
        running.append(number)
        return await gate.wait()

    await underway.begin(TOPIC, 0, work(0))
    await underway.begin(TOPIC, 1, work(1))
    third = asyncio.create_task(underway.begin(TOPIC, 2, work(2)))
    await eventually(lambda: running == [0, 1])
    assert not third.done()
    gate.set()
    await eventually(lambda: running == [0, 1, 2])


def test_a_dead_letter_holds_the_original_bytes_and_where_they_came_from() -> None:
    record = Record("submissions", 3, 41, b"sim-0001", b"{bad", 0)
    partition, letter = dead_letter(
        "dead-letters", record, DeadLetterReason.INVALID, "readings[0].unit", process="triage"
    )
    assert (partition, letter.topic, letter.key, letter.value) == (3, "dead-letters", b"sim-0001", b"{bad")
    assert dict(letter.headers) == {
        "reason": b"invalid",
        "process": b"triage",
        "topic": b"submissions",
        "partition": b"3",
        "offset": b"41",
        "field": b"readings[0].unit",
    }


class Counting:
    """Counts a key's records, and fails on one that says so."""

    def __call__(self, records: Sequence[Record], states: Mapping[bytes, bytes]) -> Folded:
        held: dict[bytes, tuple[int, bytes]] = {}
        outputs = []
        for record in records:
            if record.value == b"poison":
                raise ArithmeticError
            key = record.key or b""
            counted = int(held[key][1] if key in held else states.get(key, b"0")) + 1
            held[key] = (record.partition, b"%d" % counted)
            outputs.append((record.partition, Output("assessments", key, b"%d" % counted)))
        return Folded(outputs, held, len(records))

    async def restored(self, states: object) -> None: ...

    def delivered(self, records: object) -> None: ...


SETTINGS = SimpleNamespace(dead_letters="dead-letters", process="triage")


@pytest.mark.parametrize("poisoned", [0, 1, 6, 7])
def test_a_record_on_which_the_fold_fails_is_named_and_takes_no_neighbour_along(poisoned: int) -> None:
    values = [b"poison" if number == poisoned else b"" for number in range(8)]
    records = [Record("submissions", 0, number, b"sim-0001", value, 0) for number, value in enumerate(values)]
    reasons: list[DeadLetterReason] = []
    worker: Any = SimpleNamespace(metrics=SimpleNamespace(dead_letter=reasons.append), settings=SETTINGS)
    worker._bisect = lambda *args: StreamWorker._bisect(worker, *args)
    folded = worker._bisect(Counting(), records, {b"sim-0001": b"10"})
    assert folded.states == {b"sim-0001": (0, b"17")}
    assert reasons == [DeadLetterReason.INTERNAL_ERROR]
    letters = [dict(output.headers)["process"] for _, output in folded.outputs if output.topic == "dead-letters"]
    assert letters == [b"triage"]
    assert [output.value for _, output in folded.outputs if output.topic == "assessments"] == [
        b"%d" % counted for counted in range(11, 18)
    ]


class Slicing(Counting):
    """Takes three records at once, and fails on poison."""

    def __call__(self, records: Sequence[Record], states: Mapping[bytes, bytes]) -> Folded:
        return super().__call__(records[:3], states)


def test_a_fold_that_takes_its_time_is_given_the_rest_again_whatever_fails_between() -> None:
    values = [b"poison" if number == 4 else b"" for number in range(8)]
    records = [Record("submissions", 0, number, b"sim-0001", value, 0) for number, value in enumerate(values)]
    worker: Any = SimpleNamespace(metrics=SimpleNamespace(dead_letter=lambda _: None), settings=SETTINGS)
    worker._bisect = lambda *args: StreamWorker._bisect(worker, *args)
    states: dict[bytes, bytes] = {}
    letters = 0
    while records:
        folded = worker._bisect(Slicing(), records, states)
        assert 0 < folded.taken <= len(records)
        records = records[folded.taken :]
        states.update({key: state for key, (_, state) in folded.states.items()})
        letters += sum(output.topic == "dead-letters" for _, output in folded.outputs)
    assert (states, letters) == ({b"sim-0001": b"7"}, 1)


async def test_an_empty_set_of_partitions_fetches_nothing_where_upstream_would_fetch_all_of_them() -> None:
    assert await BatchThread._fetch_records(SimpleNamespace(), None, set()) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("committed", "place", "jumps"),
    [(7, 7, 0), (None, 3, 0), (3, 3, 0), (20, 20, 0), (2, 3, 1), (21, 3, 1), (0, 3, 1)],
    ids=["commit", "no commit", "at the start", "at the end", "older than the log", "newer than the log", "the first"],
)
@pytest.mark.parametrize("fleeting", [True, False])
async def test_every_partition_is_sought_to_its_commit_or_where_the_log_begins(
    committed: int | None, place: int, jumps: int, *, fleeting: bool
) -> None:
    sought: dict[TP, Any] = {}

    class Fake:
        def assignment(self) -> set[TP]:
            return {TP("submissions", 0), TP("submissions", 1), TP("triage-state-changelog", 0)}

        async def committed(self, tp: TP) -> int | None:
            return 9 if tp.partition == 0 else committed

        def seek(self, tp: TP, offset: int) -> None:
            sought[tp] = offset

        async def beginning_offsets(self, tps: list[TP]) -> dict[TP, int]:
            return dict.fromkeys(tps, 3)

        async def end_offsets(self, tps: list[TP]) -> dict[TP, int]:
            return dict.fromkeys(tps, 20)

    told: dict[TP, int] = {}
    jumped: list[int] = []
    app = SimpleNamespace(
        tables=SimpleNamespace(changelog_topics={"triage-state-changelog"}),
        positioned=told.update,
        jumped=lambda: jumped.append(1),
        fleeting={"submissions"} if fleeting else set(),
    )
    thread: Any = SimpleNamespace(seeks=0, app=app, _ensure_consumer=Fake)
    positions = await BatchThread._seek_all(thread)
    assert thread.seeks == 1
    assert sought == positions == told == {TP("submissions", 0): 9, TP("submissions", 1): place}
    assert len(jumped) == (0 if fleeting else jumps)


def test_only_what_was_declared_done_in_this_generation_is_committed() -> None:
    app = SimpleNamespace(done={(4, TOPIC): 12, (3, TP("submissions", 1)): 99}, consumer_generation_id=4)
    consumer: Any = SimpleNamespace(app=app)
    assert BatchConsumer._new_offset(consumer, TOPIC) == 12
    assert BatchConsumer._new_offset(consumer, TP("submissions", 1)) is None
    assert list(BatchConsumer._filter_tps_with_pending_acks(consumer)) == [TOPIC]


@pytest.mark.parametrize("taken", [True, False])
async def test_a_commit_that_the_broker_refused_is_not_held_for_done(
    monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    async def commit(*_: object) -> bool:
        return taken

    monkeypatch.setattr(Consumer, "_commit", commit)
    consumer = BatchConsumer.__new__(BatchConsumer)
    consumer.app = SimpleNamespace(committed={TOPIC: 5})  # type: ignore[assignment]
    assert consumer._should_commit(TOPIC, 7)
    await consumer._commit({TOPIC: 7})
    assert consumer._should_commit(TOPIC, 7) is not taken
