"""Real receivers on loopback, and a messenger that pages them."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from yarl import URL

from agents.metrics import Metrics
from agents.paging.messenger import Messenger
from agents.paging.receiver import Receiver, Stage
from agents.paging.settings import PagingSettings
from agents.paging.signing import SigningSecret
from agents.paging.ways import Address, Way, Ways
from agents.paging.ways.webhook import WebhookWay
from agents.streaming.records import Headers, Record
from schemas.codec import Codec, encode
from schemas.paging import PageCause, PageRequest, Priority, Receipt
from schemas.services import Contact, EscalationStep, Ladder, Service, Webhook
from schemas.types import Zone

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from agents.acknowledging.links import Links
    from agents.wallclock import Clock

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RECEIPTS = Codec[Receipt](Receipt)
KEYS = {name: f"{name}-".encode() * 6 for name in ("lungs", "heart")}


def secret_of(service: str) -> SigningSecret:
    return SigningSecret.parse("whsec_" + base64.b64encode(KEYS[service]).decode())


def record(value: bytes | None, key: bytes | None, *, offset: int = 7, headers: Headers = ()) -> Record:
    """Return a record of the topic `pages`."""
    return Record("t-pages", 3, offset, key, value, 0, headers)


def page(number: int = 1, *, service: str = "lungs", ask: int = 1, **changed: Any) -> PageRequest:  # noqa: ANN401 - any field
    request = PageRequest(
        page_id=UUID(int=number),
        patient=f"p-{number}",
        service=service,
        zone=Zone.RED,
        priority=Priority.HIGH,
        at=NOW,
        zone_change_id=UUID(int=1000 + number),
        assessment_id=None,
        ask=ask,
        causes=(PageCause(rule="limit", code="59408-5"),),
        episode_id=UUID(int=2000 + number),
    )
    return msgspec.structs.replace(request, **changed)


def posted(number: int = 1, *, headers: Headers = (), **changed: Any) -> Record:  # noqa: ANN401 - any field
    """Return a page request as a record."""
    request = page(number, **changed)
    return record(encode(request), request.patient.encode(), headers=headers)


def service_with(name: str, **contacts: tuple[str, ...]) -> Service:
    """Return a service whose contacts have such ways, and whose ladder is the nurse alone."""
    anything = Webhook(url="https://vakt.example", secret_file="secret")  # noqa: S106 - a file's name
    return Service(
        name=f"The {name} centre",
        ladder=Ladder(red=(EscalationStep(after_minutes=0, to="nurse"),)),
        contacts={
            contact.replace("_", "-"): Contact(ways=dict.fromkeys(ways, anything)) for contact, ways in contacts.items()
        },
    )


class Ward:
    """A messenger with its receivers."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.metrics = Metrics(CollectorRegistry())
        self.addresses: dict[str, URL] = {}

    async def receiver(self, before: Stage | None = None, after: Stage | None = None) -> Receiver:
        """Start a receiver for every service."""
        stages = {name: stage for name, stage in (("before", before), ("after", after)) if stage is not None}
        receiver = Receiver({name: secret_of(name) for name in KEYS}, lambda: NOW, **stages)
        await self.serve(receiver.application())
        return receiver

    async def serve(self, application: web.Application) -> None:
        """Let every service be paged at `application`."""
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/pages/")
        self.addresses = {name: base / name for name in KEYS}

    async def messenger(self, *, services: tuple[str, ...] = ("lungs", "heart"), **changed: Any) -> Messenger:  # noqa: ANN401 - any setting
        """Open a messenger with quick backoff and changed settings, all of whose services page by one webhook."""
        ways: Ways = {
            Address(name, "nurse", "webhook"): WebhookWay(self.addresses[name], secret_of(name)) for name in services
        }
        return await self.by({name: service_with(name, nurse=("webhook",)) for name in services}, ways, **changed)

    async def by(
        self,
        services: dict[str, Service],
        ways: dict[Address, Way],
        *,
        links: Links | None = None,
        clock: Clock = lambda: NOW,
        **changed: Any,  # noqa: ANN401 - any setting
    ) -> Messenger:
        """Open a messenger with these ways."""
        settings = PagingSettings(**{"backoff_s": 0.001, "backoff_most_s": 0.002, **changed})
        messenger = Messenger(services, ways, settings, clock, self.metrics, links=links, prefix="t-")
        return await self._stack.enter_async_context(messenger)

    def count(self, series: str, **labels: str) -> float:
        """Return a sample of the messenger's metrics."""
        return self.metrics.registry.get_sample_value(series, labels) or 0.0


@pytest.fixture
async def ward() -> AsyncIterator[Ward]:
    async with AsyncExitStack() as stack:
        yield Ward(stack)


def answers(*statuses: int) -> Stage:
    """Return a stage that answers so, one after the other, and then goes on."""
    left = list(statuses)

    async def stage(service: str, page_id: str) -> int | None:
        del service, page_id
        return left.pop(0) if left else None

    return stage


def held(service: str, until: asyncio.Event, entered: Callable[[], None] = lambda: None) -> Stage:
    """Return a stage in which the pages of `service` stay until an event."""

    async def stage(of: str, page_id: str) -> int | None:
        del page_id
        if of == service:
            entered()
            await until.wait()
        return None

    return stage


def receipt_in(outputs: list[tuple[int, Any]]) -> Receipt:
    ((_, output),) = outputs
    """Return the only output's receipt."""
    return RECEIPTS.decode(output.value)
