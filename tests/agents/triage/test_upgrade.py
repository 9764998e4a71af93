"""Workers of two versions over the same states, on the embedded broker: the older one tells what it cannot read."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import CollectorRegistry

from agents.broker.embedded import EmbeddedBroker
from agents.metrics import Metrics
from agents.streaming import StreamSettings, StreamWorker
from agents.triage import TriageFold
from agents.watching import WorkerMetrics
from pipeline.triage import lost, state
from schemas.codec import encode
from schemas.paging import Tick
from tests.agents.streaming.test_worker import Ended
from tests.agents.triage.test_fold import PATIENTS, Triage
from tests.agents.triage.test_lost import KEY, newer
from tests.histories import at, spo2, submitted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.agents.conftest import Eventually

pytestmark = pytest.mark.timeout(120)
CHANGELOG = "triage-state-changelog"
TOLD = ("assessments", "patient-status", "dead-letters", CHANGELOG)


class Topics:
    """What is on the topics, and a way to write more."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer = producer
        self._consumer = consumer
        self.records: list[Any] = []

    async def read(self) -> None:
        """For ever."""
        async for record in self._consumer:
            self.records.append(record)

    async def put(self, topic: str, key: bytes | None, value: bytes) -> None:
        """One message."""
        await self._producer.send_and_wait(topic, value, key=key, partition=0)

    async def submit(self, patient: str, hours: float) -> None:
        """A session with a very low saturation."""
        session = submitted(f"{patient}-{hours}", hours, spo2(80, hours))
        await self.put("submissions", patient.encode(), encode(msgspec.structs.replace(session, patient=patient)))

    def of(self, topic: str, key: bytes) -> list[Any]:
        """The patient's records there."""
        return [record for record in self.records if record.topic == topic and record.key == key]

    def zones(self, topic: str, key: bytes) -> list[str]:
        """The zones that the patient's messages there tell."""
        return [msgspec.json.decode(record.value)["zone"] for record in self.of(topic, key)]


@asynccontextmanager
async def topics() -> AsyncIterator[tuple[str, Topics]]:
    with EmbeddedBroker(partitions=1, changelogs=(CHANGELOG,)) as running:
        producer = AIOKafkaProducer(bootstrap_servers=running.bootstrap)
        consumer = AIOKafkaConsumer(*TOLD, bootstrap_servers=running.bootstrap, auto_offset_reset="earliest")
        await producer.start()
        await consumer.start()
        found = Topics(producer, consumer)
        reading = asyncio.create_task(found.read())
        try:
            yield running.bootstrap, found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await consumer.stop()
            await producer.stop()


@asynccontextmanager
async def triaging(bootstrap: str, died: Ended) -> AsyncIterator[Metrics]:
    metrics = Metrics(CollectorRegistry())
    fold = TriageFold(prefix="", partitions=1, dead_letter_ratio=0.9, metrics=metrics)
    stream = StreamSettings(
        app_id="triage",
        process="triage",
        broker=bootstrap,
        partitions=1,
        sources=fold.sources,
        dead_letters="dead-letters",
        session_timeout_s=6.0,
        commit_interval_s=0.1,
        fetch_max_wait_ms=20,
        table="state",
    )
    worker = StreamWorker(stream, fold, WorkerMetrics("triage", metrics), died)
    task = asyncio.create_task(worker.run())
    try:
        yield metrics
    finally:
        worker.stop()
        assert await asyncio.wait_for(task, 30) == 0


async def test_an_older_worker_stops_for_one_patient_only_and_a_newer_one_takes_it_all_up_again(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Triage()
    before.follow_all()
    raw = newer(before.states[KEY])
    other = PATIENTS[1].encode()
    died = Ended()
    async with topics() as (bootstrap, on):
        for key, known in {**before.states, KEY: raw}.items():
            await on.put(CHANGELOG, key, known)

        async with triaging(bootstrap, died) as metrics:  # of this version
            await eventually(lambda: metrics.unreadable_states._value.get() == 1, within=40)
            await on.put("ticks", None, encode(Tick(at=at(9))))
            await eventually(lambda: on.zones("patient-status", KEY) == ["not_monitored"])
            for patient in PATIENTS[:2]:
                await on.submit(patient, 9)
            await eventually(lambda: on.zones("assessments", other) == ["red"])
            await eventually(lambda: len(on.of("dead-letters", KEY)) == 1)
        (letter,) = on.of("dead-letters", KEY)
        assert dict(letter.headers)["reason"] == b"unreadable_state"
        assert [record.value for record in on.of(CHANGELOG, KEY)] == [raw, lost.put_aside(raw)]
        assert on.zones("assessments", KEY) == []

        monkeypatch.setattr(state, "STATE_VERSION", state.STATE_VERSION + 1)
        async with triaging(bootstrap, died) as metrics:  # of the newer version
            await on.put("ticks", None, encode(Tick(at=at(9.5))))
            await eventually(lambda: on.zones("patient-status", KEY) == ["not_monitored", "green"], within=40)
            assert metrics.unreadable_states._value.get() == 0
            await on.put("submissions", KEY, letter.value)  # the dead letter, sent again
            await eventually(lambda: on.zones("assessments", KEY) == ["red"])
            await eventually(lambda: on.zones("patient-status", KEY)[-1] == "red")
    assert died.codes == []
