"""The clock reaches every partition, and goes on after the broker was away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from agents.broker.embedded import EmbeddedBroker
from agents.clock import ticking
from agents.clock.ticking import Ticking
from agents.metrics import Metrics
from schemas.codec import Codec
from schemas.paging import Tick

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.agents.conftest import Eventually

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TICK = Codec[Tick](Tick)


class Clockwork:
    """Goes one minute further each time it is looked at."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        """Return the next minute."""
        self.at += timedelta(minutes=1)
        return self.at


def clock(broker: EmbeddedBroker, *, every: float = 0.05) -> Ticking:
    metrics = Metrics(CollectorRegistry())
    return Ticking(bootstrap=broker.bootstrap, prefix="t-", partitions=3, every=every, metrics=metrics, now=Clockwork())


@asynccontextmanager
async def running(ticks: Ticking) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(ticks.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read(broker: EmbeddedBroker, count: int) -> list[tuple[int, bytes | None, Tick]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("t-ticks", number) for number in range(3)])
    records = []
    async with asyncio.timeout(20):
        while len(records) < count:
            records += [one for some in (await consumer.getmany(timeout_ms=200)).values() for one in some]
    await consumer.stop()
    return [(record.partition, record.key, TICK.decode(record.value)) for record in records]


def delivered(ticks: Ticking, outcome: str = "delivered") -> float:
    return ticks.metrics.registry.get_sample_value("sonevakt_ticks_total", {"outcome": outcome}) or 0


async def test_every_round_tells_every_partition_the_same_instant_without_a_key(eventually: Eventually) -> None:
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        ticks = clock(broker)
        async with running(ticks):
            await eventually(lambda: delivered(ticks) >= 6)
            assert ticks.confirmed_lately()
            read_back = await read(broker, 6)
    instants: dict[datetime, set[int]] = {}
    for partition, key, tick in read_back:
        assert key is None
        instants.setdefault(tick.at, set()).add(partition)
    assert instants[min(instants)] == {0, 1, 2}
    assert len(instants) >= 2
    assert ticks.metrics.registry.get_sample_value("sonevakt_last_tick_timestamp_seconds", {}) > START.timestamp()


async def test_goes_on_after_an_outage_without_catching_up(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(ticking, "REQUEST_TIMEOUT_MS", 500)
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        ticks = clock(broker, every=0.2)
        async with running(ticks) as task:
            await eventually(lambda: delivered(ticks) > 0)
            broker.set_down()
            await eventually(lambda: delivered(ticks, "failed") >= 30)
            await eventually(lambda: not ticks.confirmed_lately())
            assert not task.done()
            broker.set_up()
            await eventually(ticks.confirmed_lately)
            loop = asyncio.get_running_loop()
            began, before = loop.time(), delivered(ticks)
            await eventually(lambda: delivered(ticks) >= before + 3 * 6)
            # Six rounds more, of which two may come at once; rounds that were missed would all come at once.
            assert loop.time() - began >= 3 * 0.2


async def test_starts_before_the_broker_does(monkeypatch: pytest.MonkeyPatch, eventually: Eventually) -> None:
    monkeypatch.setattr(ticking, "REQUEST_TIMEOUT_MS", 500)
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        broker.set_down()
        ticks = clock(broker)
        async with running(ticks):
            await eventually(lambda: delivered(ticks, "failed") > 0)
            assert not ticks.confirmed_lately()
            broker.set_up()
            await eventually(lambda: delivered(ticks) > 0)


async def test_a_whole_number_of_partitions_is_counted_and_nothing_waits_in_memory(eventually: Eventually) -> None:
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        broker.set_rtt(0.3)  # six times as slow as the clock
        ticks = clock(broker)
        async with running(ticks):
            await eventually(lambda: delivered(ticks) >= 6)
            asked = (ticks.now.at - START) / timedelta(minutes=1)  # type: ignore[attr-defined] # the Clockwork
            # Each round looks twice at the time: for its ticks and for the metric.
            assert asked <= 2 * (delivered(ticks) / 3 + 1)
