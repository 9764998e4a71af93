"""What the board knows of the core, over the embedded broker: parts that stop are told, and others are not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agents import processes
from agents.board import platform as watched
from agents.board.platform import KINDS, Platform, Trouble
from agents.broker.embedded import EmbeddedBroker
from agents.settings import Settings
from dashboards.board.words import LANGUAGES, word
from tests.canary_path import SERVICES, Installation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.agents.conftest import Eventually

pytestmark = pytest.mark.timeout(180)
PARTITIONS = 3


class Store:
    """Answers, or does not."""

    answers = True

    async def ping(self) -> bool:
        return self.answers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        partitions=PARTITIONS,
        store=f"sqlite:///{tmp_path / 'store.sqlite'}",
        commit_interval_s=0.1,
        session_timeout_s=6.0,
        tick_seconds=0.5,
        canary_seconds=0.5,
        canary_within_seconds=4.0,
    )


@pytest.fixture
def broker(settings: Settings) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=PARTITIONS, changelogs=(processes.changelog(settings),)) as running:
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold what is amiss for less, and ask more often."""
    monkeypatch.setattr(watched, "HOLD_S", 2.0)
    monkeypatch.setattr(watched, "CLEAR_S", 0.5)
    monkeypatch.setattr(watched, "ASK_EVERY_S", 0.2)
    monkeypatch.setattr(watched, "AGE_S", 1.5)
    monkeypatch.setattr(watched, "CANARY_SLACK_S", 1.0)


@asynccontextmanager
async def watching(platform: Platform) -> AsyncIterator[Platform]:
    task = asyncio.create_task(platform.run())
    try:
        yield platform
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def kinds(platform: Platform) -> set[str]:
    return {trouble.kind for trouble in platform.troubles}


async def test_each_part_that_stops_is_told_and_taken_back_when_it_is_there_again(
    settings: Settings, broker: EmbeddedBroker, tmp_path: Path, eventually: Eventually
) -> None:
    store = Store()
    async with Installation(settings, broker.bootstrap, tmp_path) as parts:
        await parts.is_heard()
        async with watching(processes.platform(parts.settings, broker.bootstrap, ping=store.ping)) as platform:
            await parts.is_heard(more=4)
            assert platform.troubles == ()
            for name in ("triage", "paging", "storing", "clock"):
                await parts.stop(name)
                await eventually(lambda name=name: name in kinds(platform), within=60)
                await parts.start(name)
                await eventually(lambda: platform.troubles == (), within=60)
            store.answers = False
            await eventually(lambda: kinds(platform) == {"store"}, within=60)
            store.answers = True
            await eventually(lambda: platform.troubles == (), within=60)
            await parts.stop("canary")
            await eventually(lambda: [t.service for t in platform.troubles] == list(SERVICES), within=60)
            assert kinds(platform) == {"canary_late"}
            await parts.start("canary")
            await eventually(lambda: platform.troubles == (), within=60)
            broker.set_down()
            await eventually(lambda: "broker" in kinds(platform), within=60)
            broker.set_up()
            await eventually(lambda: platform.troubles == (), within=60)


async def test_while_the_store_is_away_storing_is_not_at_fault(
    settings: Settings, broker: EmbeddedBroker, tmp_path: Path, eventually: Eventually
) -> None:
    store = Store()
    async with Installation(settings, broker.bootstrap, tmp_path) as parts:
        await parts.is_heard()
        async with watching(processes.platform(parts.settings, broker.bootstrap, ping=store.ping)) as platform:
            await parts.stop("storing")
            await eventually(lambda: kinds(platform) == {"storing"}, within=60)
            store.answers = False
            await eventually(lambda: kinds(platform) == {"store"}, within=60)


async def test_a_broker_that_was_never_there_is_told(settings: Settings, eventually: Eventually) -> None:
    platform = processes.platform(settings, "127.0.0.1:9")
    async with watching(platform):
        assert platform.troubles == ()
        await eventually(lambda: kinds(platform) == {"broker"}, within=60)


def test_the_gravest_trouble_is_told_first(settings: Settings) -> None:
    assert KINDS[0] == "broker"
    assert KINDS[-1] == "store"
    assert processes.platform(settings, "127.0.0.1:9").troubles == ()
    assert Trouble._fields == ("kind", "since", "service")


@pytest.mark.parametrize("kind", KINDS)
def test_every_trouble_has_its_words_in_every_language(kind: str) -> None:
    said = {word(f"trouble.{kind}", lang) for lang in LANGUAGES}
    assert len(said) == len(LANGUAGES)
    assert kind.replace("_", " ") not in said
