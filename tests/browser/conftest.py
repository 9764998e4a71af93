"""A real browser before a real board: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright
from prometheus_client import CollectorRegistry

from agents import processes
from agents.board import live, reading
from agents.board.serving import board
from agents.broker.embedded import EmbeddedBroker
from agents.health import Health
from agents.http import serving
from agents.metrics import Metrics
from agents.replay.feed import Feed
from agents.settings import Settings
from schemas.people import Role
from tests.browser.stage import SERVICES, Access, person, signed_in_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiokafka import AIOKafkaProducer
    from playwright.async_api import Browser, Page

    from agents.board.desk import Desk
    from agents.recordings.events import Event

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PEOPLE = {
    "nurse-1": person(Role.NURSE, services={"joint-centre"}),
    "nurse-2": person(Role.NURSE, ref="nurse-2", name="Nurse Two", services={"joint-centre"}),
    "doctor-1": person(Role.DOCTOR, ref="doctor-1", name="Doctor One", services={"joint-centre"}),
    "stranger-1": person(Role.NURSE, ref="stranger-1", name="Nurse Elsewhere", services={"simulated-hospital"}),
    "analyst-1": person(Role.ANALYST, ref="analyst-1", name="Analyst One", services=SERVICES),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs a browser."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A chromium of its own."""
    path = shutil.which("chromium")
    assert path is not None, "install chromium: make test-browser does"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        await launched.close()


class Whole:
    """Broker, triage and a board, with events fed to them."""

    def __init__(self, url: str, desk: Desk, access: Access, feed: Feed, producer: AIOKafkaProducer) -> None:
        self.url = url
        self.desk = desk
        self.access = access
        self._feed = feed
        self._producer = producer

    async def send(self, *events: Event) -> None:
        """Write events as gateway and board would."""
        for event in events:
            await self._feed.send(self._producer, event)

    async def opened(self, browser: Browser, who: str, path: str = "/", lang: str = "en") -> Page:
        """Open a page as somebody, in a browser of their own."""
        context = await browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(20_000)
        await context.add_cookies(
            [{"name": name, "value": value, "url": self.url} for name, value in (("who", who), ("lang", lang))]
        )
        page = await context.new_page()
        await page.goto(self.url + path)
        return page


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    """The main path up to the board, on the embedded broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "POLL_MS", 50)
    monkeypatch.setattr(live, "BEAT_S", 0.5)
    settings = Settings(partitions=3, commit_interval_s=0.1, session_timeout_s=6.0, tick_seconds=0.5)
    metrics = Metrics(CollectorRegistry())
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker(partitions=3, changelogs=(processes.changelog(settings),)))
        shown, desk = processes.board(settings, broker.bootstrap, metrics, None)
        desk.access = access = Access()
        for process in (processes.triage(settings, broker.bootstrap, metrics), shown):
            await stack.enter_async_context(processes.running(process))
        app = board(Health("board", metrics, shown.checks), metrics, desk, signed_in=signed_in_as(PEOPLE))
        port = await stack.enter_async_context(serving(app, host="127.0.0.1", port=0))
        feed = Feed(broker.bootstrap, prefix="", partitions=3, group="")
        producer = await stack.enter_async_context(feed.producing())
        yield Whole(f"http://127.0.0.1:{port}", desk, access, feed, producer)
