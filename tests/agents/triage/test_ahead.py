"""A new red behind a backlog is paged before its turn, and nothing else is told, kept or committed before it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from agents import wallclock
from agents.broker.clients import started
from agents.broker.embedded import EmbeddedBroker
from agents.broker.lag import LagWatch
from agents.metrics import Metrics
from agents.streaming import Folded, Output, Place, Record, StreamSettings, StreamWorker
from agents.triage import TriageFold, ahead
from agents.triage.ahead import Heard, LookAhead
from agents.watching import WorkerMetrics
from pipeline.triage import lost, step
from pipeline.triage.instants import to_ms
from pipeline.triage.state import encode as to_raw
from schemas.codec import Codec, encode
from schemas.paging import PageRequest
from schemas.submissions import Correction, CorrectionAction
from schemas.topics import TOPICS
from tests.agents.streaming.test_worker import Ended
from tests.histories import SPO2_LIMITS, START, at, enrolled, named, signed, spo2, submitted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from tests.agents.conftest import Eventually

PAGES: Codec[PageRequest] = Codec(PageRequest)
CHANGELOG = "triage-state-changelog"
ILL, WELL = "sim-0001", "sim-0002"
GREEN, RED = 95, 80
OUTAGE = 10  # hours


def now() -> float:
    """Hours since the start."""
    return (wallclock.now() - START).total_seconds() / 3600


def of(patient: str, message: Any) -> Any:  # noqa: ANN401 - any message
    """The message as the patient's own."""
    ids = {
        name: named(f"{patient}-{getattr(message, name)}")
        for name in ("event_id", "submission_id")
        if hasattr(message, name)
    }
    return msgspec.structs.replace(message, patient=patient, **ids)


def sent(patient: str, name: str, hours: float, value: float, late: float = 0) -> Any:  # noqa: ANN401 - a submission
    return of(patient, submitted(name, hours, spo2(value, hours), late=late))


# On a broker.


class Held:
    """A fold that takes nothing while it is held."""

    def __init__(self, fold: TriageFold) -> None:
        self._fold = fold
        self.goes_on = True

    def __call__(self, records: Sequence[Record], states: Any) -> Folded:  # noqa: ANN401 - as a fold
        return self._fold(records, states) if self.goes_on else Folded([], {}, 0)

    async def restored(self, states: Iterable[tuple[bytes, bytes]]) -> None:
        await self._fold.restored(states)

    def delivered(self, records: Sequence[Record]) -> None:
        self._fold.delivered(records)


class Triage:
    """A worker of triage that looks ahead."""

    def __init__(self, bootstrap: str, producer: AIOKafkaProducer, prefix: str = "") -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.producer = producer
        self.metrics = Metrics(CollectorRegistry())
        self.fold = TriageFold(prefix=prefix, partitions=1, dead_letter_ratio=0.9, metrics=self.metrics)
        self.held = Held(self.fold)
        stream = StreamSettings(
            app_id=f"{prefix}triage",
            process="triage",
            broker=bootstrap,
            partitions=1,
            sources=self.fold.sources,
            dead_letters=f"{prefix}dead-letters",
            session_timeout_s=6.0,
            commit_interval_s=0.1,
            fetch_max_wait_ms=20,
            table="state",
        )
        self.worker = StreamWorker(stream, self.held, WorkerMetrics("triage", self.metrics), Ended())
        self.ahead = LookAhead(self.worker, self.fold, bootstrap, self.metrics)

    async def put(self, topic: str, message: Any, hours: float) -> None:  # noqa: ANN401 - any message
        """Write it as of then."""
        await self.producer.send_and_wait(
            self.prefix + topic,
            encode(message),
            key=message.patient.encode(),
            partition=0,
            timestamp_ms=to_ms(at(hours)),
        )

    async def read(self, topic: str) -> list[Any]:
        """Everything on a topic."""
        place = TopicPartition(self.prefix + topic, 0)
        async with started(AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None)) as consumer:
            end = (await consumer.end_offsets([place]))[place]
            consumer.assign([place])
            consumer.seek(place, 0)
            found: list[Any] = []
            while len(found) < end:
                found += (await consumer.getmany(timeout_ms=50)).get(place, [])
            return found

    async def told(self, topic: str, count: int) -> list[Any]:
        """Everything on a topic, once there is so much."""
        while True:
            found = await self.read(topic)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)

    async def counts(self) -> dict[str, int]:
        """How many messages lie on each topic that triage writes."""
        wanted = [topic.name for topic in TOPICS if topic.name not in self.fold.sources]
        return {topic: len(await self.read(topic)) for topic in (*wanted, CHANGELOG)}

    async def done(self) -> int:
        """Submissions that are committed."""
        async with LagWatch(self.bootstrap) as watch:
            topic = self.fold.submissions
            return (await watch.behind(f"{self.prefix}triage", [topic]))[topic, 0].first

    def shown(self, name: str) -> float | None:
        """A sample."""
        return self.metrics.registry.get_sample_value(f"sonevakt_{name}")

    async def follow(self, eventually: Eventually) -> None:
        """Both patients have a plan and were green before the outage."""
        before = now() - 2 * OUTAGE
        for patient in (ILL, WELL):
            await self.put("care", of(patient, enrolled(before - 1)), before)
            await self.put("care", of(patient, signed(before - 1, SPO2_LIMITS)), before)
        for patient in (ILL, WELL):
            await eventually(lambda patient=patient: self.worker._table.data.get(patient.encode()), within=40)
            await self.put("submissions", sent(patient, "before", before, GREEN), before)
        await self.told("assessments", 2)
        while True:
            if await self.done() == 2:
                return

    async def fall_behind(self) -> None:
        """Submissions of the time of the outage come, and none of them is worked."""
        self.held.goes_on = False
        for number in range(20):
            hours = now() - OUTAGE + number / 20
            await self.put("submissions", sent(WELL, f"backlog-{number}", hours, GREEN), hours)


@asynccontextmanager
async def at_work(made: Triage) -> AsyncIterator[Triage]:
    """It works while the block runs, and ends in order."""
    working = asyncio.create_task(made.worker.run())
    looking = asyncio.create_task(made.ahead.run())
    try:
        yield made
    finally:
        made.held.goes_on = True
        made.worker.stop()
        assert await asyncio.wait_for(working, 30) == 0
        assert not looking.done()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@asynccontextmanager
async def triage() -> AsyncIterator[Triage]:
    """On a broker of its own."""
    with EmbeddedBroker(partitions=1, changelogs=(CHANGELOG,)) as broker:
        async with (
            started(AIOKafkaProducer(bootstrap_servers=broker.bootstrap)) as producer,
            at_work(Triage(broker.bootstrap, producer)) as made,
        ):
            yield made


@pytest.mark.timeout(120)
async def test_a_new_red_behind_a_backlog_is_paged_before_its_turn_and_asked_for_again_in_it(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LOOK_S", 0.05)
    async with triage() as made:
        await made.follow(eventually)
        await made.fall_behind()
        await eventually(lambda: made.shown("partitions_ahead") == 1)
        before, states = await made.counts(), dict(made.worker._table.data)
        hours = now()
        await made.put("submissions", sent(ILL, "red", hours, RED), hours)
        await eventually(lambda: made.shown("pages_ahead_total") == 1)

        assert made.fold.hurries
        assert await made.counts() == before | {"pages": 1}
        assert dict(made.worker._table.data) == states
        assert await made.done() == 2

        made.held.goes_on = True
        await eventually(lambda: made.shown("partitions_ahead") == 0)
        first, second = await made.told("pages", 2)
        assert first.value == second.value
        assert (first.key, first.headers) == (second.key, (*second.headers, ("ahead", b"1")))
        assert PAGES.decode(first.value).patient == ILL
        assert second.headers == (("received_ms", b"%d" % to_ms(at(hours))),)
        assert (made.ahead.heard.bytes, made.fold.hurries, made.shown("ahead_failures_total")) == (0, False, 0)


@pytest.mark.timeout(120)
async def test_without_a_backlog_nothing_is_read_a_second_time(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[None] = []

    async def look(_: LookAhead) -> None:
        looked.append(None)

    monkeypatch.setattr(ahead, "LOOK_S", 0.001)
    monkeypatch.setattr(LookAhead, "_look", look)
    async with triage() as made:
        await made.follow(eventually)
        looked.clear()  # what the history above was is old
        for number in range(5):
            await made.put("submissions", sent(ILL, f"{number}", now(), RED), now())
        await made.told("assessments", 7)
        assert len(await made.read("pages")) == 1
        assert looked == []


# Without one.


class Beside:
    """In place of a worker that is late."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.fold = TriageFold(prefix="", partitions=1, dead_letter_ratio=0.9, metrics=self.metrics)
        self.states: dict[bytes, bytes] = {}
        self.place: Place | None = Place(generation=1, next=3, waits=True, late_s=3600)
        self.written: list[PageRequest] = []
        self.revoked = False
        worker: Any = self
        self.ahead = LookAhead(worker, self.fold, "127.0.0.1:1", self.metrics)
        self.ahead._next = {0: 10}
        self.offset = 10

    def places(self, topic: str) -> dict[int, Place]:
        assert topic == "submissions"
        return {} if self.place is None else {0: self.place}

    def confirmed(self, key: bytes) -> bytes | None:
        return self.states.get(key)

    async def add(self, generation: int, topic: str, partition: int, outputs: list[Output]) -> bool:
        assert (generation, topic, partition) == (1, "submissions", 0)
        if not self.revoked:
            self.written += [PAGES.decode(output.value) for output in outputs]
        return not self.revoked

    def follow(self, patient: str, *more: Any) -> None:  # noqa: ANN401 - any messages
        """The patient has a plan, and this was worked."""
        state = None
        for event in (of(patient, enrolled()), of(patient, signed(0, SPO2_LIMITS)), *more):
            state, _ = step(state, event)
        assert state is not None
        self.states[patient.encode()] = to_raw(state)

    async def look(self, *messages: Any) -> None:  # noqa: ANN401 - any messages
        """These come, one poll."""
        records = []
        for message in messages:
            key, value = (
                (b"sim", message) if isinstance(message, bytes) else (message.patient.encode(), encode(message))
            )
            time_ms = to_ms(getattr(message, "received_at", at(200)))
            records.append(
                SimpleNamespace(
                    topic="submissions", partition=0, offset=self.offset, key=key, value=value, timestamp=time_ms
                )
            )
            self.offset += 1
        await self.ahead._work(0, records)

    def shown(self, name: str) -> float | None:
        """A sample."""
        return self.metrics.registry.get_sample_value(f"sonevakt_{name}")


def paged(beside: Beside) -> list[str]:
    return [page.patient for page in beside.written]


async def test_one_red_asks_for_one_page_also_where_the_fold_has_gone_on_meanwhile() -> None:
    beside = Beside()
    beside.follow(ILL)
    await beside.look(sent(ILL, "1", 100, RED), sent(ILL, "2", 101, RED))
    beside.follow(ILL, sent(ILL, "backlog", 90, GREEN))
    await beside.look(sent(ILL, "3", 102, RED), sent(ILL, "1", 100, RED))
    assert paged(beside) == [ILL]
    assert beside.shown("pages_ahead_total") == 1
    assert beside.ahead._next == {0: 14}


async def test_who_is_not_known_yet_or_has_no_plan_or_cannot_be_read_waits_for_the_turn() -> None:
    beside = Beside()
    enrolled_only, _ = step(None, of("sim-0003", enrolled()))
    assert enrolled_only is not None
    beside.follow("sim-0004")
    aside = lost.put_aside(beside.states[b"sim-0004"])
    beside.states = {b"sim-0003": to_raw(enrolled_only), b"sim-0004": aside}
    await beside.look(*(sent(f"sim-000{number}", "red", 100, RED) for number in range(1, 5)))
    assert paged(beside) == []
    assert beside.shown("ahead_failures_total") == 0


async def test_a_page_has_the_id_that_it_has_in_its_turn_whatever_was_taken_back_of_the_patient_before() -> None:
    beside, error = Beside(), of(ILL, submitted("error", 90, spo2(RED, 90)))
    void = Correction(
        correction_id=named("void"),
        submission_id=error.submission_id,
        patient=ILL,
        recorded_at=at(91),
        action=CorrectionAction.ENTERED_IN_ERROR,
    )
    beside.follow(ILL, error, void)
    state, red = lost.read(beside.states[ILL.encode()]), sent(ILL, "red", 100, RED)
    assert state.taken_back
    for event in (sent(ILL, "backlog", 95, GREEN), red):
        state, told = step(state, event)
        assert state is not None
    await beside.look(red)
    (ahead_of_it,), (in_turn,) = beside.written, [one for one in told if isinstance(one, PageRequest)]
    assert (ahead_of_it.page_id, ahead_of_it.incident_id) == (in_turn.page_id, in_turn.incident_id)


@pytest.mark.parametrize(("late", "pages"), [(72, [ILL]), (72.01, [])])
async def test_what_was_measured_too_long_ago_to_page_is_not_even_looked_at(late: float, pages: list[str]) -> None:
    beside = Beside()
    beside.follow(ILL)
    await beside.look(sent(ILL, "red", 100, RED, late=late))
    assert paged(beside) == pages
    assert (beside.ahead.heard.of(ILL.encode()) != ()) == bool(pages)


async def test_corrections_and_what_cannot_be_read_are_left_to_the_fold() -> None:
    beside = Beside()
    beside.follow(ILL, sent(ILL, "first", 99, GREEN))
    correction = Correction(
        correction_id=named("c"),
        submission_id=sent(ILL, "first", 99, GREEN).submission_id,
        patient=ILL,
        recorded_at=at(100),
        action=CorrectionAction.REPLACED,
        readings=(spo2(RED, 99),),
    )
    future = msgspec.structs.replace(sent(ILL, "future", 100, RED), received_at=at(100))
    await beside.look(correction, b"{")
    records = [SimpleNamespace(topic="submissions", partition=0, offset=12, key=ILL.encode(), timestamp=to_ms(at(99)))]
    records[0].value = encode(future)
    await beside.ahead._work(0, records)
    assert (paged(beside), beside.shown("ahead_failures_total"), beside.ahead._next) == ([], 0, {0: 13})


async def test_a_step_that_fails_is_counted_and_takes_no_neighbour_along(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside()
    beside.follow(ILL)
    beside.follow(WELL)

    def failing(state: Any, event: Any, *more: Any) -> Any:  # noqa: ANN401 - as step
        if event.patient == WELL:
            raise ArithmeticError
        return step(state, event, *more)

    monkeypatch.setattr(ahead, "step", failing)
    await beside.look(sent(WELL, "1", 100, RED), sent(ILL, "1", 100, RED))
    assert (paged(beside), beside.shown("ahead_failures_total")) == ([ILL], 1)


@pytest.mark.parametrize("gone", ["while it is written", "before"])
async def test_nothing_is_written_once_the_partition_is_another_s(gone: str) -> None:
    beside = Beside()
    beside.follow(ILL)
    beside.revoked = gone == "while it is written"
    if gone == "before":
        beside.place = None
    await beside.look(sent(ILL, "1", 100, RED))
    assert (paged(beside), beside.shown("pages_ahead_total"), beside.ahead._next) == ([], 0, {})
    beside.revoked, beside.place = False, Place(generation=1, next=3, waits=True, late_s=3600)
    await beside.look(sent(ILL, "1", 100, RED))
    assert paged(beside) == []
    beside.ahead._next = {0: 10}  # begun anew
    await beside.look(sent(ILL, "1", 100, RED))
    assert paged(beside) == [ILL]


async def test_what_is_remembered_is_bounded_for_one_patient_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "OF_ONE", 2)
    beside = Beside()
    beside.follow(ILL)
    await beside.look(*(sent(ILL, f"{number}", 100 + number, GREEN) for number in range(4)))
    assert len(beside.ahead.heard.of(ILL.encode())) == 2
    heard = Heard(most=100)
    for number in range(1000):
        heard.add(b"%d" % (number % 50), b"x" * 30)
        assert heard.bytes <= 100
    assert len(heard._of) == 3
    heard.add(b"large", b"x" * 101)
    assert (heard.bytes, len(heard._of)) == (0, 0)


class Reading:
    """In place of a consumer."""

    def __init__(self) -> None:
        self.assigned: list[int] = []
        self.sought: dict[int, int] = {}

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 1000)

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        assert all(abs(to_ms(wallclock.now()) - 30_000 - ms) < 10_000 for ms in times.values())
        return {one: SimpleNamespace(offset=900) if one.partition == 1 else None for one in times}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = sorted(one.partition for one in partitions)
        self.sought.clear()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition.partition] = offset


def place(*, offset: int = 5, waits: bool = True, late_s: float = 3600.0) -> Place:
    return Place(generation=1, next=offset, waits=waits, late_s=late_s)


async def test_it_begins_with_what_came_lately_and_ends_where_the_worker_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside, reading = Beside(), Reading()
    look = beside.ahead
    look._next.clear()
    places: dict[int, Place] = {}
    monkeypatch.setattr(beside, "places", lambda _: places)
    places |= {0: place(), 1: place(), 2: place(late_s=29), 3: place(waits=False), 4: place(), 5: place()}
    assert await look._choose(reading)
    assert reading.assigned == [0, 1, 4, 5]
    assert reading.sought == {0: 1000, 1: 900, 4: 1000, 5: 1000}
    assert beside.shown("partitions_ahead") == 4
    look._next[0] = 1010
    places |= {0: place(late_s=29), 1: place(offset=900, late_s=29), 4: place(late_s=1.9), 5: place(waits=False)}
    assert await look._choose(reading)
    assert (reading.assigned, reading.sought) == ([0], {0: 1010})
    places.clear()
    assert not await look._choose(reading)
    assert (reading.assigned, beside.shown("partitions_ahead")) == ([], 0)


async def test_whatever_fails_it_is_counted_and_it_goes_on(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Beside()
    monkeypatch.setattr(ahead, "LOOK_S", 0.001)

    def failing(_: str) -> dict[int, Place]:
        raise ArithmeticError

    monkeypatch.setattr(beside, "places", failing)
    running = asyncio.create_task(beside.ahead.run())
    await eventually(lambda: (beside.shown("ahead_failures_total") or 0) > 3)
    assert not running.done()
    running.cancel()
