"""kill -9 of the triage worker, again and again with a backlog: nothing is lost, and nothing is decided otherwise."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from agents import processes
from agents.broker import topics
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.replay.tally import Tally
from agents.settings import Settings
from pipeline import cohort
from pipeline.triage import State, step
from schemas.assessments import Assessment
from schemas.topics import CARE

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
KILLS = 3
PARTITIONS = 4


def decided(events: list[Event]) -> dict[Any, Assessment]:
    """The newest assessments, by the fold alone."""
    states: dict[str, State | None] = {}
    found: dict[Any, Assessment] = {}
    for event in events:
        patient = event.message.patient
        states[patient], outputs = step(states.get(patient), event.message)
        for output in outputs:
            if isinstance(output, Assessment):
                found[output.assessment_id] = output
    return found


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def worker(settings: Settings) -> asyncio.subprocess.Process:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from agents.commands import main; main()",
        "run",
        "triage",
        env={
            **ours,
            "SONEVAKT_BROKER": settings.broker,
            "SONEVAKT_TOPIC_PREFIX": settings.topic_prefix,
            "SONEVAKT_PARTITIONS": str(settings.partitions),
            "SONEVAKT_SESSION_TIMEOUT_S": "6",
            "SONEVAKT_INSTANCE": "one",
        },
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_a_worker_killed_with_a_backlog_loses_nothing_and_decides_the_same(kafka_bootstrap: str) -> None:
    simulated = cohort.simulate(7, datetime(2026, 3, 2, tzinfo=UTC), 60, 120)
    events = sorted(
        (Event(*event) for event in simulated.events), key=lambda event: (event.topic is not CARE, event.at)
    )
    wanted = decided(events)
    settings = Settings(
        broker=f"kafka://{kafka_bootstrap}", topic_prefix=f"kill-{uuid4().hex[:8]}-", partitions=PARTITIONS
    )
    await topics.apply(
        kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=PARTITIONS,
        replication=1,
        changelogs=(processes.changelog(settings),),
    )
    feed = Feed(kafka_bootstrap, prefix=settings.topic_prefix, partitions=PARTITIONS, group="")
    tally = Tally(kafka_bootstrap, settings.topic_prefix)
    await tally.start()
    try:
        async with processes.running(processes.Process("tally", tally.run)), feed.producing() as producer:
            await feed.send_all(producer, events[: len(events) // 2])
            for kill in range(KILLS):
                process = await worker(settings)
                heard = len(tally.assessments)
                await until(lambda heard=heard: len(tally.assessments) > heard or len(tally.assessments) >= len(wanted))
                process.kill()
                await process.wait()
                share = slice(
                    len(events) * (KILLS + kill) // (2 * KILLS), len(events) * (KILLS + kill + 1) // (2 * KILLS)
                )
                await feed.send_all(producer, events[share])
            process = await worker(settings)
            try:
                await until(lambda: len(tally.assessments) >= len(wanted))
                await until(lambda: tally.assessments == wanted)
            finally:
                process.terminate()
                assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        await tally.stop()
    assert tally.letters == {}
