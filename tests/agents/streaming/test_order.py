"""In which order a worker and its parts do things, and what each does not go on to: without a broker, with fakes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import ConsumerStoppedError, NotEnoughReplicasError
from faust.types import TP
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.streaming import Output, Record, StreamWorker, UnverifiedVersionError, dead_letter, version
from agents.streaming.app import SafeApp
from agents.streaming.consumer import QUEUED_POLLS, BatchConsumer, BatchThread, BatchTransport, Fetched
from agents.streaming.delivery import Delivery
from agents.streaming.recovery import SeekFirstRecovery
from agents.watching import WorkerMetrics
from schemas.dead_letters import DeadLetterReason
from tests.agents.streaming.test_guards import Counting
from tests.agents.streaming.test_worker import Ended, Slow, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.agents.conftest import Eventually

NOWHERE = "127.0.0.1:1"
TOPIC = TP("submissions", 0)
KEY = b"sim-0"


def records(*offsets: int) -> list[Any]:
    return [
        SimpleNamespace(
            topic=TOPIC.topic, partition=0, offset=offset, key=KEY, value=b"x", timestamp=offset, headers=()
        )
        for offset in offsets
    ]


def poll(generation: int, *offsets: int) -> Any:  # noqa: ANN401 - Faust's event is untyped
    message = SimpleNamespace(topic=TOPIC.topic, partition=0, generation_id=generation)
    return SimpleNamespace(message=message, value=records(*offsets))


def unopened(fence: Callable[[], None] = lambda: None) -> Delivery:
    """A delivery whose producer is never started, and so needs no end."""
    delivery = Delivery(NOWHERE, "dead-letters", fence, lambda: True)
    delivery._producer._closed = True
    return delivery


class Writing:
    """In place of the delivery: what is written, and what happens while it is."""

    def __init__(self) -> None:
        self.most_bytes = 1 << 30
        self.sent: list[Output] = []
        self.written: list[list[tuple[str, bytes]]] = []
        self.too_large: set[str] = set()
        self.meanwhile: Callable[[str], None] = lambda _: None

    async def send(
        self, outputs: Sequence[tuple[int, Output]], holds: Callable[[], bool]
    ) -> list[tuple[int, Output]] | None:
        self.written.append([(output.topic, output.value) for _, output in outputs])
        self.sent += [output for _, output in outputs]
        for topic in {output.topic for _, output in outputs}:
            self.meanwhile(topic)
        refused = [o for o in outputs if o[1].topic in self.too_large or len(o[1].value) > self.most_bytes]
        return refused if holds() else None


class Standing:
    """A worker that stands outside of any group, in generation 1."""

    def __init__(self, handler: Any = None, *, table: bool = True) -> None:  # noqa: ANN401 - any handler
        self.died = Ended()
        self.metrics = Metrics(CollectorRegistry())
        stream = settings(NOWHERE, table="state" if table else None)
        self.worker = StreamWorker(stream, handler or Counting(), WorkerMetrics("test", self.metrics), self.died)
        self.writing = Writing()
        self.worker.delivery._producer._closed = True  # never started
        self.worker.delivery = self.writing  # type: ignore[assignment] # a fake of it
        self.app: Any = self.worker.app
        self.app.consumer_generation_id = 1
        self.app.expected = {TOPIC: 0}

    @property
    def done(self) -> list[int]:
        """What may be committed."""
        return list(self.app.done.values())

    @property
    def held(self) -> dict[bytes, bytes]:
        """The states that are held for true."""
        return dict(self.worker._table.data)

    def letters(self, reason: str) -> float | None:
        return self.metrics.registry.get_sample_value(
            "sonevakt_dead_letters_total", {"process": "test", "reason": reason}
        )

    async def events(self, *polls: Any) -> None:  # noqa: ANN401 - Faust's events
        """Hand these over, as Faust does."""

        async def come() -> Any:  # noqa: ANN401 - the same
            for one in polls:
                yield one

        stream = SimpleNamespace(
            channel=SimpleNamespace(queue=asyncio.Queue()), noack=lambda: SimpleNamespace(events=come)
        )
        await self.worker._agent(stream)


# A worker.


async def test_outputs_come_first_then_the_changelog_and_only_then_may_a_commit_pass() -> None:
    standing = Standing()
    seen: list[tuple[str, dict[bytes, bytes], list[int]]] = []
    standing.writing.meanwhile = lambda topic: seen.append((topic, standing.held, standing.done))
    await standing.worker._work([poll(1, 0, 1)])
    assert seen == [("assessments", {}, []), ("counting-state-changelog", {}, [])]
    assert (standing.held, standing.done) == ({KEY: b"2"}, [2])


@pytest.mark.parametrize("until", ["assessments", "counting-state-changelog"])
async def test_nothing_goes_on_once_the_partitions_are_another_s(until: str) -> None:
    standing = Standing()

    def moved(topic: str) -> None:
        if topic == until:
            standing.app.consumer_generation_id = 2

    standing.writing.meanwhile = moved
    await standing.worker._work([poll(1, 0, 1)])
    assert [writes[0][0] for writes in standing.writing.written][-1] == until
    assert (standing.held, standing.done) == ({}, [])


async def test_what_was_polled_for_an_earlier_generation_is_dropped() -> None:
    standing = Standing()
    await standing.worker._work([poll(0, 0, 1), poll(1, 0)])
    assert (standing.held, standing.done) == ({KEY: b"1"}, [1])


async def test_a_hole_ends_the_process_and_nothing_of_it_is_worked() -> None:
    standing = Standing()
    await standing.events(poll(1, 1))
    assert standing.died.codes == [70]
    assert (standing.writing.written, standing.held, standing.done) == ([], {}, [])
    assert standing.metrics.registry.get_sample_value("sonevakt_offset_jumps_total", {"process": "test"}) == 1


async def test_the_fence_is_asked_between_outputs_and_changelog() -> None:
    standing = Standing()

    def paused(topic: str) -> None:
        if topic == "assessments":
            standing.worker.fence._ticked -= 1000

    class EndedError(Exception):
        pass

    def end(*_: object) -> None:
        raise EndedError

    standing.writing.meanwhile = paused
    standing.worker._die = end
    with pytest.raises(EndedError):
        await standing.worker._work([poll(1, 0)])
    assert [writes[0][0] for writes in standing.writing.written] == ["assessments"]
    assert standing.done == []


async def test_an_output_that_is_too_large_is_named_and_the_rest_goes_on() -> None:
    standing = Standing()
    standing.writing.too_large = {"assessments"}
    await standing.worker._work([poll(1, 0)])
    assert (standing.held, standing.done, standing.letters("oversize_output")) == ({KEY: b"1"}, [1], 1)


async def test_a_dead_letter_that_the_broker_does_not_take_whole_keeps_its_reason_and_where_it_came_from() -> None:
    standing = Standing()
    standing.writing.most_bytes = 2_000
    origin = Record(TOPIC.topic, 0, 17, KEY, b"x" * 5_000, 1)
    assert await standing.worker._deliver(
        1, [dead_letter("dead-letters", origin, DeadLetterReason.NOT_JSON, process="triage")]
    )
    said = dict(standing.writing.sent[-1].headers)
    assert (said["reason"], said["topic"], said["offset"], said["cut"]) == (b"not_json", b"submissions", b"17", b"1")
    assert standing.writing.sent[-1].value == b"x" * 1_000


async def test_a_dead_letter_that_the_broker_takes_not_even_cut_is_never_passed_over() -> None:
    standing = Standing()
    standing.writing.too_large = {"dead-letters"}
    origin = Record(TOPIC.topic, 0, 17, KEY, b"x", 1)
    with pytest.raises(RuntimeError):
        await standing.worker._deliver(
            1, [dead_letter("dead-letters", origin, DeadLetterReason.NOT_JSON, process="triage")]
        )


async def test_a_state_that_is_too_large_stays_as_it_was_and_its_record_is_named() -> None:
    standing = Standing()
    standing.writing.too_large = {"counting-state-changelog"}
    await standing.worker._work([poll(1, 0)])
    assert (standing.held, standing.done, standing.letters("oversize_state")) == ({}, [1], 1)
    assert standing.writing.written[-1] == [("dead-letters", b"x")]
    assert dict(standing.writing.sent[-1].headers)["process"] == b"counting"


async def test_a_batch_at_work_keeps_the_partitions_until_it_is_done() -> None:
    sink = Slow()
    standing = Standing(sink, table=False)
    working = asyncio.create_task(standing.events(poll(1, 0)))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(standing.worker._revoked(standing.app, {TOPIC}))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not leaving.done()
    sink.gate.set()
    await leaving
    assert standing.done == [1]
    await working


@pytest.mark.parametrize("gone", ["", "another generation", "revoked"])
async def test_what_is_added_beside_the_batch_at_work_is_written_only_while_the_partition_is_this_workers(
    gone: str,
) -> None:
    standing = Standing()
    await standing.worker._assign(standing.app, {TOPIC})

    def meanwhile(_: str) -> None:
        if gone == "another generation":
            standing.app.consumer_generation_id = 2
        elif gone == "revoked":
            standing.worker._assigned.discard(TOPIC)

    standing.writing.meanwhile = meanwhile
    added = await standing.worker.add(1, TOPIC.topic, TOPIC.partition, [Output("pages", KEY, b"x")])
    assert added == (not gone)
    assert (standing.held, standing.done) == ({}, [])


async def test_how_far_and_how_late_a_worker_is_in_each_partition() -> None:
    standing = Standing()
    await standing.worker._assign(standing.app, {TOPIC})
    standing.app.consumer = SimpleNamespace(highwater=lambda _: 3)
    assert standing.worker.places(TOPIC.topic) == {}
    standing.worker._recovered_generation = 1
    assert standing.worker.places(TOPIC.topic) == {}  # nothing taken up yet
    await standing.worker._work([poll(1, 0, 1)])
    place = standing.worker.places(TOPIC.topic)[0]
    assert (place.generation, place.next, place.waits) == (1, 2, True)
    assert place.late_s > 1_000_000_000  # they are from 1970
    assert standing.worker.places("care") == {}
    await standing.worker._work([poll(1, 2)])
    assert standing.worker.places(TOPIC.topic) == {0: (1, 3, False, 0.0)}
    standing.app.consumer_generation_id = 2
    assert standing.worker.places(TOPIC.topic) == {}


async def test_a_faust_that_has_crashed_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr("agents.streaming.worker._WATCH_S", 0.001)
    standing = Standing()
    standing.app._crash(ArithmeticError())
    watching = asyncio.create_task(standing.worker._watch())
    await eventually(lambda: standing.died.codes == [72])
    await watching


async def test_a_worker_does_not_start_on_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(version.VERIFIED, "faust-streaming", "0.0")
    with pytest.raises(UnverifiedVersionError):
        Standing()


async def test_the_app_is_set_as_keeping_messages_asks_for() -> None:
    standing = Standing()
    conf = standing.app.conf
    assert str(conf.processing_guarantee.value) == "at_least_once"
    assert (conf.stream_wait_empty, conf.stream_recovery_delay, conf.table_standby_replicas) == (False, 0.0, 0)
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.producer_acks) == (False, True, -1)
    assert (conf.web_enabled, conf.web_tables_enabled, conf.web_router_enabled) == (False, False, False)
    assert unopened()._producer._sender._acks == -1


async def test_our_parts_are_where_faust_takes_its_own_from() -> None:
    app: Any = Standing().app
    assert isinstance(app, SafeApp)
    assert isinstance(app.transport, BatchTransport)
    assert isinstance(app.consumer, BatchConsumer)
    assert isinstance(app.consumer._thread, BatchThread)
    assert isinstance(app.tables.recovery, SeekFirstRecovery)


# Reading.


class Polled:
    """A consumer with one poll at hand, and where its records go."""

    def __init__(self, during: Callable[[Polled], None] = lambda _: None) -> None:
        self.sought = 0
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        channel = SimpleNamespace(queue=self.queue)
        tables = SimpleNamespace(changelog_topics=set())

        async def acquire() -> None:
            return None

        self.app = SimpleNamespace(
            consumer_generation_id=1,
            tables=tables,
            flow_control=SimpleNamespace(acquire=acquire),
            topics=SimpleNamespace(_tp_index={TOPIC: [channel]}),
            should_stop=False,
        )
        self.consumer: Any = BatchConsumer.__new__(BatchConsumer)
        self.consumer.app = self.app
        self.consumer.flow_active = True
        self.consumer._stopped, self.consumer._crashed = asyncio.Event(), asyncio.Event()
        self.consumer._active_partitions = {TOPIC}
        self.consumer._read_offset = {}
        self.consumer._thread = SimpleNamespace(seeks=1)
        self.consumer._to_message = lambda _, record: SimpleNamespace(offset=record.offset, tp=TOPIC)

        async def polled(_: float) -> tuple[Any, Any]:
            asyncio.get_running_loop().call_soon(during, self)
            return Fetched({TOPIC: records(0, 1)}, seeks=1), None

        async def seek() -> None:
            self.sought += 1

        self.consumer._wait_next_records = polled
        self.consumer.perform_seek = seek

    async def poll(self) -> None:
        await self.consumer._poll(SimpleNamespace(should_stop=False))


async def test_a_poll_is_handed_over_whole_with_the_generation_that_it_is_of() -> None:
    polled = Polled()
    await polled.poll()
    event = polled.queue.get_nowait()
    assert ([record.offset for record in event.value], event.message.generation_id) == ([0, 1], 1)
    assert (polled.consumer._read_offset, polled.sought) == ({TOPIC: 1}, 0)


async def test_what_is_polled_while_the_flow_stands_is_read_again() -> None:
    polled = Polled()
    polled.consumer.flow_active = False
    await polled.poll()
    assert (polled.queue.qsize(), polled.sought, polled.consumer._read_offset) == (0, 1, {})


async def test_what_was_polled_before_a_new_generation_is_not_handed_over() -> None:
    def moved(polled: Polled) -> None:
        async def acquire() -> None:
            polled.app.consumer_generation_id = 2

        polled.app.flow_control.acquire = acquire

    polled = Polled(moved)
    await polled.poll()
    assert (polled.queue.qsize(), polled.consumer._read_offset) == (0, {})


async def test_what_was_fetched_before_a_seek_and_comes_to_light_after_it_is_not_of_the_new_generation() -> None:
    polled = Polled()
    polled.app.consumer_generation_id = 2  # it changed, and was sought, while the poll was on its way between threads
    polled.consumer._thread.seeks = 2
    await polled.poll()
    assert (polled.queue.qsize(), polled.consumer._read_offset) == (0, {})


async def test_what_waits_for_room_while_its_partition_is_sought_is_read_again() -> None:
    polled = Polled()
    for _ in range(QUEUED_POLLS):
        polled.queue.put_nowait(None)
    polling = asyncio.create_task(polled.poll())
    await asyncio.sleep(0)
    polled.consumer._thread.seeks = 2
    polled.queue.get_nowait()
    await polling
    assert polled.queue.qsize() == QUEUED_POLLS - 1


async def test_polling_waits_for_a_worker_that_has_enough_to_do() -> None:
    polled = Polled()
    for _ in range(QUEUED_POLLS):
        polled.queue.put_nowait(None)
    polling = asyncio.create_task(polled.poll())
    await asyncio.sleep(0.02)
    assert polled.queue.qsize() == QUEUED_POLLS
    for _ in range(QUEUED_POLLS):
        polled.queue.get_nowait()
    await polling
    assert polled.queue.qsize() == 1


@pytest.mark.parametrize("stopping", [True, False])
async def test_a_consumer_that_stops_unasked_is_no_quiet_end(*, stopping: bool) -> None:
    polled = Polled()

    async def stopped(_: float) -> None:
        raise ConsumerStoppedError

    polled.consumer._wait_next_records = stopped
    polled.app.should_stop = stopping
    draining = polled.consumer._drain_messages(SimpleNamespace(should_stop=False))
    if stopping:
        await draining
    else:
        with pytest.raises(ConsumerStoppedError):
            await draining


# Restoring.


@pytest.mark.parametrize("tables", [True, False])
async def test_nothing_is_resumed_before_every_partition_is_sought_and_the_queues_are_clear(*, tables: bool) -> None:
    did: list[str] = []

    def note(what: str) -> Any:  # noqa: ANN401 - something to call
        return lambda *_: did.append(what)

    def later(what: str) -> Any:  # noqa: ANN401 - something to await
        async def do(*_: object) -> None:
            did.append(what)

        return do

    app = SimpleNamespace(
        consumer=SimpleNamespace(
            assignment=lambda: {TOPIC},
            perform_seek=later("seek"),
            resume_partitions=note("resume partitions"),
            resume_flow=note("resume flow"),
        ),
        consumer_generation_id=1,
        conf=SimpleNamespace(broker_request_timeout=1),
        on_rebalance_complete=SimpleNamespace(send=later("rebalance complete")),
        restored=later("states restored"),
        flow_control=SimpleNamespace(resume=note("clear queues")),
        _fetcher=SimpleNamespace(maybe_start=later("fetch")),
        assignor=SimpleNamespace(assigned_standbys=set),
        on_rebalance_end=note("rebalance end"),
    )
    recovery: Any = SeekFirstRecovery.__new__(SeekFirstRecovery)
    recovery.app = app
    recovery.tables = SimpleNamespace(values=list, on_actives_ready=note("actives"), on_standbys_ready=note("standbys"))
    recovery.completed = asyncio.Event()
    recovery._set_recovery_ended = note("recovery ended")
    recovery._is_changelog_tp = lambda _: False

    async def wait(coro: Any, *, timeout: float) -> None:  # noqa: ANN401, ASYNC109 - as upstream's
        assert timeout
        await coro

    recovery._wait = wait
    await (recovery.on_recovery_completed(1) if tables else recovery._resume_streams(1))
    order = ["seek", "states restored", "clear queues", "resume partitions", "resume flow", "fetch"]
    assert [step for step in did if step in order] == order


# Writing.


async def test_a_batch_is_written_only_while_the_fence_and_the_generation_hold_and_again_where_it_failed() -> None:
    asked: list[str] = []
    delivery = unopened(lambda: asked.append("fence"))
    tries = [NotEnoughReplicasError(), []]

    async def write(*_: object) -> list[Output]:
        asked.append("write")
        result = tries.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def holds() -> bool:
        asked.append("holds")
        return True

    delivery._write = write  # type: ignore[method-assign] # what it would do at a broker
    assert await delivery.send([(0, Output("assessments", KEY, b"x"))], holds) == []
    assert asked == ["fence", "holds", "write", "fence", "holds", "write", "holds"]


async def test_a_message_counts_as_written_when_the_broker_has_confirmed_it() -> None:
    delivery = unopened()
    confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def buffered(*_: object, **__: object) -> asyncio.Future[None]:
        return confirmed

    delivery._producer.send_batch = buffered
    sending = asyncio.create_task(delivery.send([(0, Output("assessments", KEY, b"x"))], lambda: True))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not sending.done()
    confirmed.set_result(None)
    assert await sending == []
