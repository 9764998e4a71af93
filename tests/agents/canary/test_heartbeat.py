"""A heartbeat is sent once, in bounded time, to the one address; its failure is counted and harms nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from yarl import URL

from agents import wallclock
from agents.canary import heartbeat
from agents.canary.heartbeat import Heartbeat
from agents.http import serving
from agents.metrics import Metrics
from tests.canary_path import Outside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
async def address(outside: Outside) -> AsyncIterator[URL]:
    async with serving(outside.application(), host="127.0.0.1", port=0) as port:
        yield URL(f"http://127.0.0.1:{port}{outside.path}")


def counted(metrics: Metrics) -> dict[str, float]:
    outcomes = ("sent", "failed", "withheld")
    found = {outcome: metrics.heartbeats.labels(outcome)._value.get() for outcome in outcomes}
    return {outcome: value for outcome, value in found.items() if value}


async def test_each_beat_is_heard_once(metrics: Metrics, outside: Outside, address: URL) -> None:
    beating = Heartbeat(address, metrics, wallclock.now)
    began = metrics.last_heartbeat._value.get()
    await beating.beat()
    await beating.beat()
    assert (outside.beats, counted(metrics)) == (2, {"sent": 2})
    assert metrics.last_heartbeat._value.get() > began > 0


@pytest.mark.parametrize("answer", [404, 500, 301])
async def test_an_outside_that_does_not_take_it_is_a_failure(
    metrics: Metrics, outside: Outside, address: URL, answer: int
) -> None:
    outside.answer = answer
    beating = Heartbeat(address, metrics, wallclock.now)
    began = metrics.last_heartbeat._value.get()
    await beating.beat()
    assert (counted(metrics), metrics.last_heartbeat._value.get()) == ({"failed": 1}, began)


async def test_an_outside_that_is_not_there_is_a_failure_and_its_address_is_not_logged(
    metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    await Heartbeat(URL("http://127.0.0.1:9/secret-text"), metrics, wallclock.now).beat()
    assert counted(metrics) == {"failed": 1}
    assert "secret-text" not in "".join(capsys.readouterr())


async def test_an_outside_that_hangs_is_a_failure(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "TIMEOUT_S", 0.2)
    ended = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await ended.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", hang)
    async with serving(app, host="127.0.0.1", port=0) as port:
        await Heartbeat(URL(f"http://127.0.0.1:{port}/"), metrics, wallclock.now).beat()
        ended.set()
    assert counted(metrics) == {"failed": 1}


async def test_one_that_is_withheld_is_counted_and_not_sent(metrics: Metrics, outside: Outside, address: URL) -> None:
    Heartbeat(address, metrics, wallclock.now).withhold()
    assert (outside.beats, counted(metrics)) == (0, {"withheld": 1})


async def test_without_an_address_nothing_is_sent_or_missed(metrics: Metrics) -> None:
    beating = Heartbeat(None, metrics, wallclock.now)
    await beating.beat()
    beating.withhold()
    assert (counted(metrics), metrics.last_heartbeat._value.get()) == ({}, 0)
