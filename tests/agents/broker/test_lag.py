"""Lag is what the broker says, in messages and in seconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from agents.broker import lag
from agents.broker.embedded import EmbeddedBroker
from agents.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.agents.conftest import Eventually

WRITTEN_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=2) as running:
        producer = AIOKafkaProducer(bootstrap_servers=running.bootstrap)
        await producer.start()
        for number in range(5):
            at = WRITTEN_AT + timedelta(minutes=number)
            await producer.send_and_wait("submissions", b"x", partition=1, timestamp_ms=round(at.timestamp() * 1000))
        await producer.stop()
        yield running


async def commit(broker: EmbeddedBroker, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="triage", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition("submissions", 1)])
    await consumer.commit({TopicPartition("submissions", 1): offset})
    await consumer.stop()


async def test_a_group_that_never_committed_is_behind_by_everything(broker: EmbeddedBroker) -> None:
    behind = await lag.lag(broker.bootstrap, "triage", ["submissions", "care"])
    assert behind == {("submissions", 0): 0, ("submissions", 1): 5, ("care", 0): 0, ("care", 1): 0}


async def test_a_group_is_behind_by_what_it_has_not_committed(broker: EmbeddedBroker) -> None:
    await commit(broker, 3)
    assert await lag.lag(broker.bootstrap, "triage", ["submissions"]) == {("submissions", 0): 0, ("submissions", 1): 2}


async def test_a_topic_that_does_not_exist_has_no_lag_and_is_not_created(broker: EmbeddedBroker) -> None:
    assert await lag.lag(broker.bootstrap, "triage", ["nothing"]) == {}
    assert await lag.lag(broker.bootstrap, "triage", ["nothing"]) == {}


async def test_waiting_for_a_topic_that_does_not_exist_is_an_error(broker: EmbeddedBroker) -> None:
    with pytest.raises(LookupError, match="no topic nothing"):
        await lag.caught_up(broker.bootstrap, "triage", ["nothing"])


async def test_waiting_ends_when_the_last_message_is_committed(broker: EmbeddedBroker) -> None:
    waiting = asyncio.create_task(lag.caught_up(broker.bootstrap, "triage", ["submissions"], poll=0.02))
    await commit(broker, 4)
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    await commit(broker, 5)
    await asyncio.wait_for(waiting, 10)


async def test_seconds_are_the_age_of_the_oldest_message_not_committed(
    broker: EmbeddedBroker, eventually: Eventually
) -> None:
    await commit(broker, 3)
    metrics = Metrics(CollectorRegistry())
    noticed_at = WRITTEN_AT + timedelta(minutes=10)
    showing = asyncio.create_task(
        lag.show(broker.bootstrap, {"triage": ["submissions", "care"]}, metrics, every=0.02, now=lambda: noticed_at)
    )
    try:
        await eventually(lambda: measured_at(metrics) == noticed_at.timestamp())
        assert sample(metrics, "messages", "submissions") == 2
        assert sample(metrics, "seconds", "submissions") == pytest.approx(7 * 60)
        assert sample(metrics, "messages", "care") == 0
        assert sample(metrics, "seconds", "care") == 0
        await commit(broker, 5)
        await eventually(lambda: not sample(metrics, "messages", "submissions"))
        assert sample(metrics, "seconds", "submissions") == 0
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


@pytest.mark.parametrize("older", [0, 1])
async def test_the_oldest_message_is_that_of_all_partitions(broker: EmbeddedBroker, older: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    for partition in (0, 1):
        at = WRITTEN_AT - timedelta(hours=partition == older)
        await producer.send_and_wait("care", b"x", partition=partition, timestamp_ms=round(at.timestamp() * 1000))
    await producer.stop()
    async with lag.LagWatch(broker.bootstrap) as watch:
        since = await watch.waiting_since(await watch.behind("triage", ["care"]))
    assert since == {"care": WRITTEN_AT - timedelta(hours=1)}


async def test_the_embedded_broker_does_not_tell_of_members(broker: EmbeddedBroker) -> None:
    async with lag.LagWatch(broker.bootstrap) as watch:
        assert await watch.members("triage") is None


async def test_an_outage_of_the_broker_leaves_the_last_values_and_their_age(
    broker: EmbeddedBroker, eventually: Eventually
) -> None:
    metrics = Metrics(CollectorRegistry())
    moment = [WRITTEN_AT]
    showing = asyncio.create_task(
        lag.show(broker.bootstrap, {"triage": ["submissions"]}, metrics, every=0.02, now=lambda: moment[0])
    )
    try:
        await eventually(lambda: measured_at(metrics) == moment[0].timestamp())
        broker.set_down()
        moment[0] += timedelta(hours=1)
        await asyncio.wait({showing}, timeout=0.5)
        assert not showing.done()
        broker.set_up()
        await eventually(lambda: measured_at(metrics) == moment[0].timestamp())
        assert sample(metrics, "messages", "submissions") == 5
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


def sample(metrics: Metrics, unit: str, topic: str) -> float | None:
    name = f"sonevakt_consumer_lag_{unit}"
    return metrics.registry.get_sample_value(name, {"group": "triage", "topic": topic})


def measured_at(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("sonevakt_lag_measured_timestamp_seconds")
