"""Workers on the embedded broker: what they deliver, restore, and do not commit over."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.group import HeartbeatRequest
from faust.types import TP
from prometheus_client import CollectorRegistry

from agents.broker.clients import started
from agents.broker.embedded import EmbeddedBroker
from agents.broker.lag import LagWatch
from agents.metrics import Metrics
from agents.streaming import Handler, Output, Record, StreamSettings, StreamWorker
from agents.streaming.delivery import Delivery
from agents.watching import WorkerMetrics
from schemas.topics import MAX_MESSAGE_BYTES
from tests.agents.streaming.test_guards import Counting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.agents.conftest import Eventually

pytestmark = pytest.mark.timeout(120)
PARTITIONS = 2


def settings(bootstrap: str, table: str | None = None) -> StreamSettings:
    return StreamSettings(
        app_id="counting",
        process="counting",
        broker=bootstrap,
        partitions=PARTITIONS,
        sources=("submissions",),
        dead_letters="dead-letters",
        session_timeout_s=6.0,
        commit_interval_s=0.1,
        fetch_max_wait_ms=20,
        table=table,
    )


class Ended:
    """In place of the end of the process."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    def __call__(self, code: int, reason: str) -> None:
        assert reason
        self.codes.append(code)


@asynccontextmanager
async def working(handler: Handler, stream: StreamSettings, died: Ended | None = None) -> AsyncIterator[StreamWorker]:
    worker = StreamWorker(stream, handler, WorkerMetrics("test", Metrics(CollectorRegistry())), died or Ended())
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        assert await asyncio.wait_for(task, 30) == 0


@asynccontextmanager
async def broker() -> AsyncIterator[tuple[EmbeddedBroker, AIOKafkaProducer]]:
    with EmbeddedBroker(partitions=PARTITIONS, changelogs=("counting-state-changelog",)) as running:
        producer = AIOKafkaProducer(bootstrap_servers=running.bootstrap)
        await producer.start()
        try:
            yield running, producer
        finally:
            await producer.stop()


async def put(producer: AIOKafkaProducer, number: int, value: bytes = b"x") -> None:
    await producer.send_and_wait("submissions", value, key=b"sim-%d" % (number % 7), partition=number % 7 % PARTITIONS)


async def behind(bootstrap: str) -> int:
    async with LagWatch(bootstrap) as watch:
        return sum(lag.messages for lag in (await watch.behind("counting", ["submissions"])).values())


async def test_states_are_restored_exactly_and_what_was_committed_is_not_worked_again(eventually: Eventually) -> None:
    async with broker() as (running, producer):
        for number in range(70):
            await put(producer, number)
        stream = settings(running.bootstrap, table="state")
        async with working(Counting(), stream) as worker:
            table = worker._table.data
            await eventually(lambda: sum(map(int, table.values())) == 70)
            for _ in range(200):
                if await behind(running.bootstrap) == 0:
                    break
        assert await behind(running.bootstrap) == 0
        async with working(Counting(), stream) as second:
            await eventually(lambda: second.health().recovered, within=40)
            await put(producer, 0)
            await eventually(lambda: second._table.data.get(b"sim-0") == b"11")
            assert sorted(second._table.data.values()) == [b"10"] * 6 + [b"11"]


class Slow:
    """A sink that takes its time, and counts."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.taken: list[Record] = []
        self.begun = 0

    async def write(self, records: Sequence[Record]) -> list[tuple[int, Output]]:
        self.begun += len(records)
        await self.gate.wait()
        self.taken += records
        return []


async def test_what_a_sink_has_not_written_is_not_committed(eventually: Eventually) -> None:
    async with broker() as (running, producer):
        for number in range(5):
            await put(producer, number)
        sink = Slow()
        async with working(sink, settings(running.bootstrap)):
            await eventually(lambda: sink.begun > 0, within=40)
            assert await behind(running.bootstrap) == 5
            sink.gate.set()
            await eventually(lambda: len(sink.taken) == 5)


class Failing:
    """A sink with a defect."""

    async def write(self, records: Sequence[Record]) -> list[tuple[int, Output]]:
        raise ArithmeticError(len(records))


async def test_a_defect_in_a_sink_ends_the_process_and_acknowledges_nothing(eventually: Eventually) -> None:
    died = Ended()
    async with broker() as (running, producer):
        await put(producer, 0)
        async with working(Failing(), settings(running.bootstrap), died):
            await eventually(lambda: died.codes, within=40)
        assert died.codes[0] == 72
        assert await behind(running.bootstrap) == 1


async def test_a_worker_is_stopped_while_its_broker_is_away(eventually: Eventually) -> None:
    with EmbeddedBroker(partitions=PARTITIONS) as running:
        bootstrap = running.bootstrap
    async with working(Slow(), settings(bootstrap)) as worker:  # its end asserts that it stops
        await eventually(lambda: worker.fence.lag_s < 1)
        assert worker.health().assigned == 0


async def test_a_worker_that_cannot_deliver_shows_that_nothing_moves(eventually: Eventually) -> None:
    async with broker() as (running, producer):
        sink = Slow()
        async with working(sink, settings(running.bootstrap)) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            await put(producer, 0)
            await eventually(lambda: sink.begun > 0)
            await eventually(lambda: worker.health().still_s > 2.5)
            sink.gate.set()
            await eventually(lambda: worker.health().still_s == 0)


async def test_a_worker_whose_commits_do_not_come_through_shows_it(eventually: Eventually) -> None:
    async with broker() as (running, producer):
        sink = Slow()
        sink.gate.set()
        async with working(sink, settings(running.bootstrap)) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            worker.app.committed = Deaf(worker.app.committed)
            await put(producer, 0)
            await eventually(lambda: worker.health().uncommitted_s > 2)
            worker.app.committed = dict(worker.app.committed)
            await eventually(lambda: worker.health().uncommitted_s == 0)


async def test_a_worker_that_works_while_no_commit_comes_through_ends_and_shows_it_before(
    eventually: Eventually,
) -> None:
    died = Ended()
    async with broker() as (running, producer):
        sink = Slow()
        sink.gate.set()
        stream = dataclasses.replace(settings(running.bootstrap), stall_s=4)
        async with working(sink, stream, died) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            worker.app.committed = Deaf(worker.app.committed)
            shown = worker.metrics._metrics.uncommitted.labels("test")._value  # type: ignore[attr-defined] # WorkerMetrics

            async def put_on() -> None:
                while True:
                    await put(producer, 0)
                    await asyncio.sleep(0.2)

            putting = asyncio.create_task(put_on())
            await eventually(lambda: shown.get() > 2)
            assert died.codes == []
            await eventually(lambda: died.codes == [71])
            putting.cancel()


async def test_a_worker_to_which_nothing_is_handed_over_any_more_ends(eventually: Eventually) -> None:
    died = Ended()
    async with broker() as (running, producer):
        sink = Slow()
        sink.gate.set()
        stream = dataclasses.replace(settings(running.bootstrap), stall_s=2)
        async with working(sink, stream, died) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            worker.app.consumer._hand_over = throw_away
            await put(producer, 0)
            await eventually(lambda: died.codes == [71])
            assert sink.taken == []


async def throw_away(*_: object) -> None:
    """As upstream does with what it fetched before a seek."""


class Deaf(dict[TP, int]):
    """Learns of no commit."""

    def update(self, *_: object, **__: object) -> None: ...


class Carrier:
    """A messenger whose first message hangs."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.carried: list[bytes | None] = []

    async def carry(self, record: Record) -> list[tuple[int, Output]]:
        if record.value == b"slow":
            await self.gate.wait()
        self.carried.append(record.value)
        return [(record.partition, Output("receipts", record.key, b"done"))]


async def test_a_slow_message_holds_up_no_other_and_is_not_committed_over(eventually: Eventually) -> None:
    async with broker() as (running, producer):
        await put(producer, 0, b"slow")
        for _ in range(4):
            await put(producer, 0, b"quick")
        carrier = Carrier()
        async with working(carrier, settings(running.bootstrap)):
            await eventually(lambda: carrier.carried == [b"quick"] * 4, within=40)
            assert await behind(running.bootstrap) == 5
            carrier.gate.set()
            await eventually(lambda: len(carrier.carried) == 5)


async def test_a_delivery_outlives_an_outage_and_names_what_is_too_large() -> None:
    async with broker() as (running, _):
        delivery = Delivery(running.bootstrap, "dead-letters", lambda: None, lambda: True)
        await delivery.start()
        try:
            running.set_down()
            outputs = [(number % 2, Output("assessments", b"k", b"%d" % number)) for number in range(50)]
            outputs.append((0, Output("assessments", b"k", b"x" * 2_000_000)))
            sending = asyncio.create_task(delivery.send(outputs, lambda: True))
            await asyncio.sleep(0.5)
            assert not sending.done()
            running.set_up()
            refused = await asyncio.wait_for(sending, 60)
            assert [len(output.value) for _, output in refused] == [2_000_000]
        finally:
            await delivery.stop()


async def test_a_delivery_ends_where_the_partitions_are_another_s() -> None:
    async with broker() as (running, _):
        delivery = Delivery(running.bootstrap, "dead-letters", lambda: None, lambda: True)
        await delivery.start()
        try:
            ours = [True]
            outputs = [(0, Output("assessments", b"k", b"x"))]
            assert await delivery.send(outputs, lambda: ours[0]) == []
            running.set_down()
            sending = asyncio.create_task(delivery.send(outputs, lambda: ours[0]))
            await asyncio.sleep(0.2)
            ours[0] = False
            assert await asyncio.wait_for(sending, 60) is None
            running.set_up()
            assert await delivery.send(outputs, lambda: ours[0]) is None
        finally:
            await delivery.stop()


async def written(bootstrap: str, topic: str) -> int:
    async with started(AIOKafkaConsumer(bootstrap_servers=bootstrap)) as consumer:
        tps = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        return sum((await consumer.end_offsets(tps)).values())


async def test_a_worker_that_was_paused_after_it_was_asked_and_before_it_wrote_writes_nothing() -> None:
    asked = 0
    paused = asyncio.Event()

    class EndedError(Exception):
        """In place of the end of the process."""

    def fence() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:  # the first is before the batch is made, the next where the request goes out
            paused.set()
            raise EndedError

    async with broker() as (running, _):
        delivery = Delivery(running.bootstrap, "dead-letters", fence, lambda: True)
        await delivery.start()
        asked = 0
        sending = asyncio.create_task(delivery.send([(0, Output("assessments", b"k", b"x"))], lambda: True))
        await asyncio.wait_for(paused.wait(), 30)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await delivery.stop()
        assert await written(running.bootstrap, "assessments") == 0


async def test_nothing_is_written_while_the_broker_may_have_given_the_partitions_away() -> None:
    leased = [True]
    refused = asyncio.Event()

    def ours() -> bool:
        if not leased[0]:
            refused.set()
        return leased[0]

    async with broker() as (running, _):
        delivery = Delivery(running.bootstrap, "dead-letters", lambda: None, ours)
        await delivery.start()
        try:
            output = [(0, Output("assessments", b"k", b"x"))]
            assert await delivery.send(output, lambda: True) == []
            leased[0] = False
            sending = asyncio.create_task(delivery.send(output, lambda: True))
            await asyncio.wait_for(refused.wait(), 30)
            assert await written(running.bootstrap, "assessments") == 1
            assert not sending.done()
            leased[0] = True
            assert await asyncio.wait_for(sending, 60) == []
            assert await written(running.bootstrap, "assessments") == 2
        finally:
            await delivery.stop()


async def test_a_worker_hears_of_its_heartbeats_and_not_of_those_that_fail(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with broker() as (running, _), working(Slow(), settings(running.bootstrap)) as worker:
        await eventually(lambda: worker.health().recovered, within=40)
        since = worker.fence._leased
        await eventually(lambda: worker.fence._leased > since)
        coordinator = worker.app.consumer._thread._ensure_consumer()._coordinator
        send = coordinator._send_req

        async def cut_off(request: object) -> object:
            if isinstance(request, HeartbeatRequest):
                raise RequestTimedOutError
            return await send(request)

        with monkeypatch.context() as patched:
            patched.setattr(coordinator, "_send_req", cut_off)
            await eventually(lambda: not worker.fence.leased, within=40)
        await eventually(lambda: worker.fence.leased, within=40)


async def test_a_dead_letter_holds_a_message_of_the_greatest_size_whole() -> None:
    whole = Output("dead-letters", b"sim-0", b"x" * (MAX_MESSAGE_BYTES - 100), (("reason", b"not_json"),))
    async with broker() as (running, _):
        delivery = Delivery(running.bootstrap, "dead-letters", lambda: None, lambda: True)
        await delivery.start()
        try:
            assert await delivery.send([(0, whole)], lambda: True) == []
            other = whole._replace(topic="submissions")
            assert await delivery.send([(0, other)], lambda: True) == [(0, other)]
        finally:
            await delivery.stop()


async def test_a_sink_gives_up_what_it_cannot_write_once_the_partitions_go_away_and_writes_it_again(
    eventually: Eventually,
) -> None:
    died = Ended()
    async with broker() as (running, producer):
        await put(producer, 0)
        sink = Slow()
        async with working(sink, settings(running.bootstrap), died) as worker:
            await eventually(lambda: sink.begun > 0, within=40)
            await worker._revoked(worker.app, set(worker._assigned))
            assert died.codes == []
            assert sink.taken == []
            assert await behind(running.bootstrap) == 1
        sink.gate.set()
        async with working(sink, settings(running.bootstrap), died):
            await eventually(lambda: len(sink.taken) == 1, within=40)
    assert died.codes == []


async def test_pages_under_way_while_the_broker_is_away_are_no_standstill(eventually: Eventually) -> None:
    died = Ended()
    async with broker() as (running, producer):
        carrying = Carrying()
        stream = dataclasses.replace(settings(running.bootstrap), stall_s=2.0)
        async with working(carrying, stream, died) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            await put(producer, 0)
            await eventually(lambda: carrying.begun == 1)
            await eventually(lambda: worker.health().still_s > 4)
            assert died.codes == []
            carrying.gate.set()
            await eventually(lambda: worker.health().still_s == 0)


class Carrying:
    """A messenger whose pages take as long as they take."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = 0

    async def carry(self, _: Record) -> list[tuple[int, Output]]:
        self.begun += 1
        await self.gate.wait()
        return []


async def test_partitions_that_go_away_while_a_batch_is_written_end_the_process(eventually: Eventually) -> None:
    died = Ended()
    async with broker() as (running, producer):
        stream = settings(running.bootstrap, table="state")
        async with working(Counting(), stream, died) as worker:
            await eventually(lambda: worker.health().recovered, within=40)
            written = asyncio.Event()

            async def never(*_: object) -> list[tuple[int, Output]]:
                written.set()
                await asyncio.Event().wait()
                return []

            worker.delivery.send = never
            await put(producer, 0)
            await asyncio.wait_for(written.wait(), 40)
            await worker._revoked(worker.app, set(worker._assigned))
            assert died.codes == [73]
