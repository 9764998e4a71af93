"""What a process answers about itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from agents import http
from agents.health import Health
from agents.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.agents.conftest import Eventually


class Process:
    """A process with two checks that can be made to fail, and its address."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.assigned = True
        self.sink: object = True
        self.health = Health("triage", self.metrics, {"assigned": lambda: self.assigned, "sink": self._sink}, bound=0.2)
        self.url = ""

    def _sink(self) -> bool:
        if isinstance(self.sink, Exception):
            raise self.sink
        return bool(self.sink)


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    process = Process()

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("p-7f3a")

    app = http.application(process.health, process.metrics, routes=[web.get("/broken", broken)])
    async with http.serving(app, host="127.0.0.1", port=0) as port:
        process.url = f"http://127.0.0.1:{port}"
        yield process


async def get(process: Process, path: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(process.url + path) as response:
        return response.status, await response.text(), dict(response.headers)


async def test_a_process_that_does_its_work_is_alive_and_ready(process: Process) -> None:
    assert (await get(process, "/livez"))[:2] == (200, '{"event_loop":true}')
    assert (await get(process, "/readyz"))[:2] == (200, '{"event_loop":true,"assigned":true,"sink":true}')


async def test_one_check_that_fails_makes_it_not_ready_and_is_named(process: Process) -> None:
    process.assigned = False
    assert (await get(process, "/readyz"))[:2] == (503, '{"event_loop":true,"assigned":false,"sink":true}')
    assert (await get(process, "/livez"))[0] == 200


async def test_a_check_that_raises_does_not_hold(process: Process) -> None:
    process.sink = ValueError("p-7f3a")
    status, text, _ = await get(process, "/readyz")
    assert (status, text) == (503, '{"event_loop":true,"assigned":true,"sink":false}')


async def test_a_blocked_event_loop_is_not_alive_and_its_lag_is_shown(process: Process, eventually: Eventually) -> None:
    await get(process, "/livez")
    time.sleep(0.6)  # noqa: ASYNC251 - the blocking is what is tested
    assert process.health.live() == {"event_loop": False}
    name = "sonevakt_event_loop_lag_seconds"

    def late() -> bool:
        return (process.metrics.registry.get_sample_value(name, {"process": "triage"}) or 0) > 0.2

    await eventually(late)
    for _ in range(2):
        beat = process.health._beat_at
        await eventually(lambda before=beat: process.health._beat_at != before)
    assert late()  # whoever asks now and then sees the worst of a while
    assert (await get(process, "/livez"))[0] == 200


async def test_a_process_that_never_ran_is_not_alive() -> None:
    assert Health("clock", Metrics(CollectorRegistry()), {}).live() == {"event_loop": False}


async def test_metrics_are_prometheus_s_text(process: Process) -> None:
    process.metrics.assessments.labels("red").inc(2)
    status, text, headers = await get(process, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert 'sonevakt_assessments_total{zone="red"} 2.0' in text


@pytest.mark.parametrize(("path", "status"), [("/readyz", 200), ("/nothing", 404)])
async def test_every_answer_forbids_what_a_page_does_not_need(process: Process, path: str, status: int) -> None:
    answered, _, headers = await get(process, path)
    assert answered == status
    assert {name: headers[name] for name in http.SECURITY_HEADERS} == http.SECURITY_HEADERS


async def test_a_failing_handler_tells_the_caller_nothing(process: Process) -> None:
    status, text, _ = await get(process, "/broken")
    assert status == 500
    assert "p-7f3a" not in text


async def test_a_port_that_is_taken_is_an_error(process: Process) -> None:
    app = http.application(process.health, process.metrics)
    with pytest.raises(OSError, match="address already in use"):
        async with http.serving(app, host="127.0.0.1", port=int(process.url.rsplit(":", 1)[1])):
            pass
