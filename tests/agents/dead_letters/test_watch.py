"""The figures of open dead letters follow what is written, through outages."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from agents import processes
from agents.dead_letters import log, watch
from agents.metrics import Metrics
from agents.settings import Settings
from schemas.codec import encode
from schemas.dead_letters import DeadLetterAct, DeadLetterAction
from tests.agents.dead_letters.conftest import AT_MS, PREFIX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.agents.conftest import Eventually
    from tests.agents.dead_letters.conftest import Installation

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@asynccontextmanager
async def watching(installation: Installation, **how: Any) -> AsyncIterator[Metrics]:  # noqa: ANN401 - of show
    metrics = Metrics(CollectorRegistry())
    showing = asyncio.create_task(
        watch.show(installation.bootstrap, PREFIX, metrics, **{"every": 0.02, "now": lambda: NOW} | how)
    )
    try:
        yield metrics
    finally:
        assert not showing.done()
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


def opened(metrics: Metrics, reason: str = "not_json") -> float | None:
    return metrics.registry.get_sample_value("sonevakt_open_dead_letters", {"reason": reason})


def oldest(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("sonevakt_oldest_open_dead_letter_seconds")


def read_at(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("sonevakt_dead_letters_read_timestamp_seconds")


async def act(installation: Installation, number: int) -> None:
    done = DeadLetterAct(
        at=NOW, topic="submissions", partition=2, offset=number, action=DeadLetterAction.RETRIED, by="operator-1"
    )
    await installation.write("dead-letter-acts", encode(done), key=f"submissions/2/{number}".encode())


async def test_they_rise_and_fall_with_letters_and_acts(installation: Installation, eventually: Eventually) -> None:
    await installation.bury(number=1, at_ms=AT_MS)
    await installation.bury(number=1, at_ms=AT_MS + 5)
    await installation.bury(number=2, at_ms=AT_MS + 60_000, reason="of somebody else")
    await act(installation, 3)
    await installation.bury(number=3)
    await installation.write("dead-letter-acts", b"{")
    async with watching(installation) as metrics:
        await eventually(lambda: read_at(metrics) == NOW.timestamp())
        assert (opened(metrics), opened(metrics, "unknown"), opened(metrics, "invalid")) == (1, 1, 0)
        assert oldest(metrics) == 3600
        await act(installation, 1)
        await eventually(lambda: opened(metrics) == 0)
        assert oldest(metrics) == 3540
        await act(installation, 2)
        await eventually(lambda: oldest(metrics) == 0)
        await installation.bury(number=4)
        await eventually(lambda: opened(metrics) == 1)


async def test_more_than_it_may_hold_are_counted_once_there_is_room(
    installation: Installation, eventually: Eventually
) -> None:
    for number in range(6):
        await installation.bury(number=number, at_ms=AT_MS + number * 60_000)
    async with watching(installation, most=4) as metrics:
        await eventually(lambda: (opened(metrics), oldest(metrics)) == (4, 3600))
        await act(installation, 0)
        await eventually(lambda: (opened(metrics), oldest(metrics)) == (3, 3540))
        await act(installation, 1)
        await eventually(lambda: (opened(metrics), oldest(metrics)) == (4, 3480))


async def test_an_outage_leaves_the_last_values_and_their_age(
    installation: Installation, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "REQUEST_TIMEOUT_MS", 2_000)
    moment = [NOW]
    await installation.bury(number=1)
    async with watching(installation, now=lambda: moment[0]) as metrics:
        await eventually(lambda: opened(metrics) == 1)
        installation.broker.set_down()
        await asyncio.sleep(0.3)
        moment[0] = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
        before = read_at(metrics)
        assert opened(metrics) == 1
        assert before == NOW.timestamp()
        installation.broker.set_up()
        await eventually(lambda: read_at(metrics) == moment[0].timestamp())


async def test_a_topic_that_is_missing_leaves_the_figures_unread(installation: Installation) -> None:
    metrics = Metrics(CollectorRegistry())
    showing = asyncio.create_task(watch.show(installation.bootstrap, "other-", metrics, every=0.02))
    await asyncio.sleep(0.3)
    assert not showing.done()
    assert read_at(metrics) == 0
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)


async def test_the_clock_shows_them_beside_its_ticks(installation: Installation, eventually: Eventually) -> None:
    await installation.bury(number=1)
    metrics = Metrics(CollectorRegistry())
    settings = Settings(topic_prefix=PREFIX, partitions=3, tick_seconds=0.1)
    clock = processes.clock(settings, installation.bootstrap, metrics)
    async with processes.running(clock):
        await eventually(lambda: opened(metrics) == 1 and clock.checks["ticks_confirmed"]())
