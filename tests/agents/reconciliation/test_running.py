"""The running check shows what is missing as long as it is, goes on behind what is accounted for, and says how far."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from agents.metrics import Metrics
from agents.reconciliation.running import Reconciling
from agents.storing.points import of_assessment
from schemas.assessments import Assessment
from schemas.codec import Codec
from schemas.topics import SUBMISSIONS
from tests.agents.reconciliation.made_up import AT, AT_MS, Installation

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agents.streaming import Record
    from schemas.topics import Topic

MINUTE_MS = 60_000


class Running:
    """A running check of a made-up installation, whose time the test sets."""

    def __init__(self) -> None:
        self.made = Installation()
        self.metrics = Metrics(CollectorRegistry())
        self.at = AT + timedelta(hours=1)
        self.read: list[tuple[str, int, int]] = []
        store: Any = self.made.store
        self.checking = Reconciling(
            bootstrap="",
            prefix="",
            partitions=1,
            store=store,
            metrics=self.metrics,
            every_s=60,
            settle_s=300,
            now=lambda: self.at,
        )
        reading = self.made.logs.read

        def read(topic: Topic, partition: int, start: int, stop: int) -> AsyncGenerator[Record, None]:
            self.read.append((topic.name, start, stop))
            return reading(topic, partition, start, stop)

        self.made.logs.read = read  # type: ignore[method-assign]

    async def round(self, minutes: float = 0) -> list[tuple[int, int]]:
        """Do one, so much later; what it read of the submissions."""
        self.at += timedelta(minutes=minutes)
        self.read.clear()
        await self.checking.round(self.made.logs)
        return [(start, stop) for name, start, stop in self.read if name == SUBMISSIONS.name]

    def shown(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"sonevakt_{name}", labels)


@pytest.fixture
def running() -> Running:
    return Running()


async def test_what_is_whole_is_shown_so_and_not_read_again(running: Running) -> None:
    for number in range(3):
        running.made.assess(number, running.made.submit(number, AT_MS + number), AT_MS + 100)

    assert await running.round() == [(0, 3)]
    assert await running.round(5) == [(3, 3)]
    assert running.shown("unaccounted", step="assessed") == 0
    assert running.shown("unaccounted", step="stored") == 0
    assert running.shown("accounted_until_timestamp_seconds") == (running.at - timedelta(seconds=300)).timestamp()
    assert running.shown("reconciled_timestamp_seconds") == running.at.timestamp()
    assert running.checking.moved_lately()


async def test_what_came_a_moment_ago_is_left_for_later(running: Running) -> None:
    running.made.submit(1, AT_MS + 59 * MINUTE_MS)
    assert await running.round() == [(0, 0)]
    assert running.shown("unaccounted", step="assessed") == 0
    await running.round(5)
    assert running.shown("unaccounted", step="assessed") == 1


async def test_a_hole_is_shown_until_it_is_mended(running: Running) -> None:
    running.made.assess(0, running.made.submit(0, AT_MS), AT_MS + 100)
    cause = running.made.submit(1, AT_MS + 1000)
    running.made.assess(2, running.made.submit(2, AT_MS + 2000), AT_MS + 2100)
    with capture_logs() as told:
        await running.round()
    assert running.shown("unaccounted", step="assessed") == 1
    assert running.shown("accounted_until_timestamp_seconds") == AT_MS / 1000 + 1
    assert [(line["event"], line["topic"], line["partition"], line["offset"]) for line in told] == [
        ("unaccounted", "submissions", 0, 1)
    ]
    late = running.made.assess(1, cause, AT_MS + 70 * MINUTE_MS, stored=False)
    assert await running.round(8) == [(1, 3)]
    assert running.shown("unaccounted", step="assessed") == 0
    assert running.shown("unaccounted", step="stored") == 0
    await running.round(30)
    assert running.shown("unaccounted", step="stored") == 1
    running.made.store.put(of_assessment(Codec[Assessment](Assessment).decode(late.value)))
    await running.round(5)
    assert running.shown("unaccounted", step="stored") == 0
    assert await running.round(5) == [(3, 3)]


async def test_a_hole_that_is_a_day_old_is_left_behind_and_that_is_told(running: Running) -> None:
    running.made.submit(1, AT_MS)
    await running.round()
    with capture_logs() as told:
        await running.round(24 * 60)
    assert running.shown("unaccounted", step="assessed") == 0
    assert [(line["event"], line["offset"]) for line in told] == [("unaccounted_left_behind", 0)]
    with capture_logs() as told:
        await running.round(5)
    assert told == []


async def test_a_missing_care_event_is_shown(running: Running) -> None:
    running.made.care(1, AT_MS, stored=False)
    await running.round()
    assert running.shown("unaccounted", step="care_stored") == 1


async def test_it_is_not_ready_before_it_looked(running: Running) -> None:
    assert not running.checking.moved_lately()
