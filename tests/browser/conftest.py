"""A real browser before a real board: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import json
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.board import live, reading
from agents.broker.embedded import EmbeddedBroker
from agents.health import Health
from agents.http import serving
from agents.metrics import Metrics
from agents.people import demo
from agents.people.passwords import Passwords
from agents.people.users import User, UserFile
from agents.replay.feed import Feed
from agents.settings import Settings
from schemas.people import Role
from tests.browser.stage import SERVICES, Entry, person

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
PASSWORD = "a long password of nobody's"  # noqa: S105 - of people who are not
PEOPLE = {
    "nurse-1": person(Role.NURSE, services={"joint-centre"}),
    "nurse-2": person(Role.NURSE, ref="nurse-2", name="Nurse Two", services={"joint-centre"}),
    "doctor-1": person(Role.DOCTOR, ref="doctor-1", name="Doctor One", services={"joint-centre"}),
    "doctor-2": person(Role.DOCTOR, ref="doctor-2", name="Doctor Two", services={"joint-centre"}),
    "stranger-1": person(Role.NURSE, ref="stranger-1", name="Nurse Elsewhere", services={"simulated-hospital"}),
    "analyst-1": person(Role.ANALYST, ref="analyst-1", name="Analyst One", services=SERVICES),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs a browser."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A chromium of its own, while the block runs."""
    path = shutil.which("chromium")
    assert path is not None, "install chromium: make chromium does"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        await launched.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A chromium of its own."""
    async with chromium() as launched:
        yield launched


class Whole:
    """Broker, triage and a board, with events fed to them."""

    def __init__(self, url: str, desk: Desk, access: Written, feed: Feed, producer: AIOKafkaProducer) -> None:
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
        await context.add_cookies([{"name": "lang", "value": lang, "url": self.url}])
        page = await context.new_page()
        await self.sign_in(page, who, path)
        return page

    async def sign_in(self, page: Page, who: str, path: str = "/") -> None:
        """Go to a page, and by way of the door into it."""
        await page.goto(f"{self.url}{path}")
        await page.fill("#ref", who)
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_url(self.url + path)


class Written:
    """The access log as it stands on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def entries(self) -> list[Entry]:
        """Everything that was written down but signing in, in order."""
        lines = [line for file in sorted(self._folder.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
        found = [json.loads(line) for line in lines]
        return [
            Entry(one["person"], one["action"], one.get("patient"), one.get("service"), one["outcome"])
            for one in found
            if not one["action"].startswith("sign_in")
        ]


def users(folder: Path) -> None:
    """Write the user file: everybody has the same password."""
    hashed = Passwords().hash(PASSWORD)
    with UserFile(folder / "users.json").changing() as held:
        for who in PEOPLE.values():
            held[who.ref] = User(
                name=who.name, roles=who.roles, services=who.services, password=hashed, valid_from_at=wallclock.now()
            )


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
        settings = demo.settings_in(tmp_path, settings)
        users(tmp_path)
        people = await stack.enter_async_context(processes.opened_people(settings, metrics))
        await demo.fill(people.directory, ["patient-a", "patient-b"])
        shown = processes.board(settings, broker.bootstrap, metrics, None, people)
        for process in (processes.triage(settings, broker.bootstrap, metrics), shown.process):
            await stack.enter_async_context(processes.running(process))
        pages = shown.pages(Health("board", metrics, shown.process.checks))
        port = await stack.enter_async_context(serving(pages, host="127.0.0.1", port=0))
        feed = Feed(broker.bootstrap, prefix="", partitions=3, group="")
        producer = await stack.enter_async_context(feed.producing())
        yield Whole(f"http://127.0.0.1:{port}", shown.desk, Written(tmp_path / "access"), feed, producer)
