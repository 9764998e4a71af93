"""Triage, paging, broker and store stopped one by one, as real processes on the real servers.

Within a minute the board can say what is not at work, and the heartbeat stops where it should and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents import processes
from agents import settings as deployment
from agents.broker import topics
from agents.http import serving
from infra.local.process import free_port
from infra.local.servers import InfluxDB, Kafka
from tests.canary_path import SERVICES, Outside, configured
from tests.faults.product import COMMAND, Member

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import TracebackType

    from agents.board.platform import Platform
    from agents.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
NAMES = ("triage", "storing", "paging", "clock", "gateway", "canary")
PROMISE_S = 60.0  # from a fault to the word on the board
PATIENCE_S = 120.0  # for everything else


class Running:
    """The product's own processes beside servers of their own, and a board's knowledge of them."""

    def __init__(self, kafka: Kafka, influxdb: InfluxDB, folder: Path) -> None:
        self.kafka = kafka
        self.influxdb = influxdb
        self.outside = Outside()
        self.platform: Platform
        self._folder = folder
        self._ports = {name: free_port() for name in NAMES}
        self._members: dict[str, Member] = {}
        self._env: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        settings = await self._configured()
        await topics.apply(
            settings.bootstrap,
            prefix=settings.topic_prefix,
            partitions=settings.partitions,
            replication=1,
            changelogs=(processes.changelog(settings),),
        )
        for name in NAMES:
            self.start(name)
        self.platform = processes.platform(settings, settings.bootstrap, ping=processes.store_ping(settings))
        watching = processes.Process("platform", self.platform.run)
        await self._stack.enter_async_context(processes.running(watching))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(member.leave(killed=True) for member in self._members.values()))
        await self._stack.aclose()

    async def _configured(self) -> Settings:
        port = await self._stack.enter_async_context(serving(self.outside.application(), host="127.0.0.1", port=0))
        gateway_port = free_port()
        named = configured(
            self._folder,
            SERVICES,
            self._ports["canary"],
            gateway_port,
            f"http://127.0.0.1:{port}{self.outside.path}",
        )
        token = self._folder / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(self.influxdb.token)
        said = {
            **{deployment.variable(name): value for name, value in named.items()},
            "SONEVAKT_BROKER": f"kafka://{self.kafka.bootstrap}",
            "SONEVAKT_STORE": self.influxdb.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_ORG": self.influxdb.org,
            "SONEVAKT_INFLUXDB_BUCKET": self.influxdb.bucket,
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(token),
            "SONEVAKT_TOPIC_PREFIX": f"proves-{uuid4().hex[:8]}-",
            "SONEVAKT_PARTITIONS": "3",
            "SONEVAKT_GATEWAY_PORT": str(gateway_port),
            "SONEVAKT_CANARY_SECONDS": "5",
            "SONEVAKT_CANARY_WITHIN_SECONDS": "5",
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        self._env = {**ours, **said}
        return deployment.read(said)

    def start(self, name: str) -> None:
        """Start a process, and again whenever it ends by itself, as an orchestrator does."""
        env = {**self._env, "SONEVAKT_INSTANCE": "one", "SONEVAKT_HTTP_PORT": str(self._ports[name])}
        self._members[name] = Member(name, (*COMMAND, name), env, self._folder / f"{name}.log")

    async def kill(self, name: str) -> None:
        """Kill -9, and nobody starts it again."""
        await self._members.pop(name).leave(killed=True)

    async def withheld(self) -> float:
        """How many heartbeats the canary's process did not send."""
        url = f"http://127.0.0.1:{self._ports['canary']}/metrics"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            families = text_string_to_metric_families(await answer.text())
        return next(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "sonevakt_heartbeats_total" and sample.labels == {"outcome": "withheld"}
        )

    def kinds(self) -> set[str]:
        """What the board would say is not at work."""
        return {trouble.kind for trouble in self.platform.troubles}

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"{name}: {member.tail()}" for name, member in self._members.items())


async def within(seconds: float, holds: Callable[[], bool], what: str, running: Running) -> float:
    """Wait until it holds; how long it took [s]."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what is waited for is in other processes
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not within {seconds:g} s: {what}; {running.platform.troubles}\n{running.logs()}")
    return loop.time() - began


async def all_is_well(running: Running) -> None:
    beats = running.outside.beats
    await within(PATIENCE_S, lambda: running.outside.beats > beats + 1, "the outside hears heartbeats", running)
    await within(PATIENCE_S, lambda: running.platform.troubles == (), "no trouble", running)


async def a_round_without_a_heartbeat(running: Running) -> None:
    begin = await running.withheld()
    async with asyncio.timeout(PATIENCE_S):
        while await running.withheld() == begin:  # noqa: ASYNC110 - it is another process that tells
            await asyncio.sleep(0.1)


async def goes_silent(running: Running) -> None:
    """Wait until two rounds in a row have ended without a heartbeat."""
    await a_round_without_a_heartbeat(running)
    beats = running.outside.beats
    await a_round_without_a_heartbeat(running)
    assert running.outside.beats == beats


async def test_what_is_stopped_is_said_within_a_minute_and_the_heartbeat_stops_where_it_should(tmp_path: Path) -> None:
    with Kafka() as kafka, InfluxDB() as influxdb:
        async with Running(kafka, influxdb, tmp_path) as running:
            await all_is_well(running)

            async def stopped(name: str, stop: Awaitable[object], *, silent: bool) -> None:
                await stop
                took_s = await within(PROMISE_S, lambda: name in running.kinds(), f"{name} is told", running)
                told = f"{name}: told after {took_s:.1f} s as {sorted(running.kinds())}"
                print(told)  # noqa: T201 - measured, and not asserted closer than the promise
                beats = running.outside.beats
                if silent:
                    await goes_silent(running)
                else:
                    await within(PATIENCE_S, lambda: running.outside.beats > beats + 2, "heartbeats go on", running)
                    assert running.kinds() == {name}

            for name in ("triage", "paging"):
                await stopped(name, running.kill(name), silent=True)
                running.start(name)
                await all_is_well(running)
            await stopped("store", asyncio.to_thread(influxdb.stop), silent=False)
            influxdb.start()
            await all_is_well(running)
            await stopped("broker", asyncio.to_thread(kafka.kill), silent=True)
            kafka.start()
            await all_is_well(running)
