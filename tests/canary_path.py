"""An installation with canaries in one process, whose parts can be stopped one by one, and an outside that listens.

The pages to the canaries are configured in both ways, by the webhooks file and by the services file: which of the two
paging reads is the settings' own matter.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Self

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry

from agents import processes
from agents.http import serving
from agents.metrics import Metrics
from agents.settings import Settings
from infra.local.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from agents.processes import Process

SERVICES = ("joint-centre", "north-centre")


def configured(folder: Path, services: tuple[str, ...], port: int, gateway_port: int, heartbeat: str) -> dict[str, str]:
    """Files of an installation whose canaries listen on `port`: the settings that name them."""
    webhooks, described = {}, {}
    for service in services:
        (folder / f"{service}.secret").write_text(f"whsec_{b64encode(token_bytes(32)).decode()}")
        way = {"url": f"http://127.0.0.1:{port}/pages/{service}", "secret_file": f"{service}.secret"}
        contact = {"ways": {"webhook": {"kind": "webhook", **way}}}
        webhooks[service] = way
        ladder = {"red": [{"after_minutes": 0, "to": "nurse"}]}
        described[service] = {"name": service, "ladder": ladder, "contacts": {"nurse": contact, "canary": contact}}
    token = token_urlsafe(32)
    texts = {
        "webhooks_file": msgspec.json.encode(webhooks),
        "services_file": msgspec.json.encode(described),
        "gateway_tokens_file": msgspec.json.encode({"canary": [hashlib.sha256(token.encode()).hexdigest()]}),
        "canary_token_file": token.encode(),
        "heartbeat_url_file": heartbeat.encode(),
    }
    known = [name for name in texts if name in Settings.__struct_fields__]
    for name in known:
        (folder / name).write_bytes(texts[name])
    return {name: str(folder / name) for name in known} | {"gateway_url": f"http://127.0.0.1:{gateway_port}"}


@dataclass
class Outside:
    """A dead man's server: it counts who still lives."""

    beats: int = 0
    answer: int = 200
    path: str = field(default_factory=lambda: f"/{token_urlsafe(16)}")

    def application(self) -> web.Application:
        """Return it as an application."""

        async def hear(_: web.Request) -> web.Response:
            self.beats += self.answer == 200
            return web.Response(status=self.answer)

        app = web.Application()
        app.router.add_get(self.path, hear)
        return app


class Installation:
    """Everything on one broker; an async context manager that ends it.

    Parameters
    ----------
    settings
        Broker, store, partitions, times; files are its own.
    """

    def __init__(self, settings: Settings, bootstrap: str, folder: Path) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.outside = Outside()
        self.settings = settings
        self._bootstrap = bootstrap
        self._folder = folder
        self._stack = AsyncExitStack()
        self._parts: dict[str, AsyncExitStack] = {}
        self._port, self._gateway_port = free_port(), free_port()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        heard = await self._stack.enter_async_context(serving(self.outside.application(), host="127.0.0.1", port=0))
        named = configured(
            self._folder,
            SERVICES,
            self._port,
            self._gateway_port,
            f"http://127.0.0.1:{heard}{self.outside.path}",
        )
        self.settings = msgspec.structs.replace(self.settings, **named)
        for name in ("triage", "storing", "paging", "clock", "gateway", "canary"):
            await self.start(name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in ("canary", "gateway", "clock", "paging", "storing", "triage"):
            await self.stop(name)
        await self._stack.aclose()

    async def start(self, name: str) -> None:
        """Start a part that is not there."""
        settings, bootstrap, metrics = self.settings, self._bootstrap, self.metrics
        stack = self._parts[name] = AsyncExitStack()
        process: Process
        if name == "triage":
            process = processes.triage(settings, bootstrap, metrics)
        elif name == "storing":
            store = await stack.enter_async_context(processes.opened_store(settings, metrics))
            process = processes.storing(settings, bootstrap, metrics, store)
        elif name == "paging":
            process = await stack.enter_async_context(processes.paging(settings, bootstrap, metrics))
        elif name == "clock":
            process = processes.clock(settings, bootstrap, metrics)
        elif name == "gateway":
            process, _ = await stack.enter_async_context(
                processes.gateway(settings, bootstrap, metrics, self._gateway_port)
            )
        else:
            process = await stack.enter_async_context(processes.canary(settings, bootstrap, metrics))
            assert process.application is not None
            await stack.enter_async_context(serving(process.application, host="127.0.0.1", port=self._port))
        await stack.enter_async_context(processes.running(process))

    async def stop(self, name: str) -> None:
        """Stop a part, if it is there."""
        if (part := self._parts.pop(name, None)) is not None:
            await part.aclose()

    def rounds(self, outcome: str) -> float:
        """How many rounds of all services ended so."""
        return sum(self.metrics.canary_rounds.labels(service, outcome)._value.get() for service in SERVICES)

    def withheld(self) -> float:
        """How many heartbeats were not sent."""
        return float(self.metrics.heartbeats.labels("withheld")._value.get())

    async def goes_silent(self, within_s: float = 60.0) -> None:
        """Wait until the heartbeat has stopped: two rounds in a row without one."""
        begin = self.withheld()
        await _until(lambda: self.withheld() > begin, within_s)
        beats = self.outside.beats
        await _until(lambda: self.withheld() > begin + 1, within_s)
        assert self.outside.beats == beats

    async def is_heard(self, more: int = 2, within_s: float = 60.0) -> None:
        """Wait until the outside has heard so many more heartbeats."""
        begin = self.outside.beats
        await _until(lambda: self.outside.beats >= begin + more, within_s)


async def _until(holds: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event to tell of it
            await asyncio.sleep(0.02)
