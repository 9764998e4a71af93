"""The wall clock of a real process steps forward and back: nobody is called overdue for it, and nothing stands still.

libfaketime gives the processes another wall clock and leaves them their monotonic one; the broker keeps the true time.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.clients import started
from agents.replay.feed import Feed
from agents.settings import Settings
from infra.local import tools
from infra.local.process import free_port
from schemas.care import Paused
from schemas.codec import encode
from schemas.dead_letters import REASON
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, TICKS, ZONE_CHANGES
from tests.faults.product import COMMAND, Member
from tests.faults.workload import NEVER_DUE, Event, followed, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.workload import Submission

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
PARTITIONS: Final = 2
WITHIN_S: Final = 60.0
TOKEN: Final = "a-token-of-this-test-alone"  # noqa: S105 - it opens nothing else
PREFIX: Final = "clock-"


class Steps:
    """The file that says how far the processes' wall clock is from the true one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.to(0)

    def to(self, hours: float) -> None:
        """Step there, for every process at once."""
        written = self._file.with_suffix(".new")
        written.write_text(f"{hours:+g}h\n")
        written.replace(self._file)

    def env(self) -> dict[str, str]:
        """What makes a process follow."""
        tools.need("faketime")
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


class Installation:
    """Clock, triage and gateway as processes, and everything that they write."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.settings = Settings(
            broker=f"kafka://{bootstrap}", topic_prefix=f"{PREFIX}{uuid4().hex[:8]}-", partitions=PARTITIONS
        )
        self.bootstrap = bootstrap
        self.folder = folder
        self.steps = Steps(folder)
        self.port = free_port()
        self.heard: dict[str, list[Any]] = {
            topic.name: [] for topic in (ASSESSMENTS, ZONE_CHANGES, TICKS, DEAD_LETTERS)
        }

    async def start(self, stack: AsyncExitStack) -> None:
        await topics.apply(
            self.bootstrap,
            prefix=self.settings.topic_prefix,
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(self.settings),),
        )
        (self.folder / "tokens.json").write_bytes(msgspec.json.encode({"vendor": [sha256(TOKEN.encode()).hexdigest()]}))
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        env = {
            **ours,
            **self.steps.env(),
            "SONEVAKT_BROKER": self.settings.broker,
            "SONEVAKT_TOPIC_PREFIX": self.settings.topic_prefix,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_TICK_SECONDS": "0.3",
            "SONEVAKT_GATEWAY_TOKENS_FILE": str(self.folder / "tokens.json"),
            "SONEVAKT_GATEWAY_PORT": str(self.port),
        }
        self.members = [
            Member(name, (*COMMAND, name), env, self.folder / f"{name}.log") for name in ("triage", "clock", "gateway")
        ]
        for member in self.members:
            stack.push_async_callback(member.leave)
        names = [self.settings.topic_prefix + name for name in self.heard]
        consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=self.bootstrap, group_id=None, auto_offset_reset="earliest"
        )
        await stack.enter_async_context(started(consumer))
        hearing = asyncio.create_task(self._hear(consumer))
        stack.callback(hearing.cancel)
        self.feed = Feed(self.bootstrap, prefix=self.settings.topic_prefix, partitions=PARTITIONS, group="")
        self.producer = await stack.enter_async_context(self.feed.producing())

    async def _hear(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            self.heard[record.topic.removeprefix(self.settings.topic_prefix)].append(record)

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for a condition."""
        for _ in range(int(WITHIN_S / 0.05)):
            if holds():
                return
            await asyncio.sleep(0.05)
        told = "\n".join(member.tail(1000) for member in self.members)
        raise AssertionError(f"not within {WITHIN_S:g} s: {what}\n{told}")

    async def hand_in(self, message: Submission) -> int:
        """The gateway's answer, once it is there to give one."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        address = f"http://127.0.0.1:{self.port}/v1/submissions"
        async with aiohttp.ClientSession() as http, asyncio.timeout(WITHIN_S):
            while True:
                try:
                    async with http.post(address, data=encode(message), headers=headers) as answer:
                        return answer.status
                except aiohttp.ClientError:
                    await asyncio.sleep(0.2)

    async def judged(self, message: Submission) -> None:
        """Wait until a session is assessed."""
        await self.until(
            lambda: str(message.submission_id) in set(self._said(ASSESSMENTS, "submission_id")), "assessed"
        )

    def _said(self, topic: Any, field: str) -> Iterator[Any]:  # noqa: ANN401 - a topic
        yield from (msgspec.json.decode(record.value)[field] for record in self.heard[topic.name])

    def changes(self, patient: str) -> list[tuple[str, str]]:
        """The patient's changes of zone, each with its instant."""
        found = [msgspec.json.decode(record.value) for record in self.heard[ZONE_CHANGES.name]]
        return list(dict.fromkeys((one["to_zone"], one["at"]) for one in found if one["patient"] == patient))

    async def ticked(self, hours: float) -> None:
        """Wait until the clock says that time, so many hours from ours, to all."""

        def says(record: Any) -> bool:  # noqa: ANN401 - aiokafka's record is untyped
            said = msgspec.json.decode(record.value, type=dict[str, Any])["at"]
            ahead = msgspec.convert(said, type=type(wallclock.now())).timestamp() - record.timestamp / 1000
            return abs(ahead - 3600 * hours) < 600

        before = len(self.heard[TICKS.name])
        await self.until(lambda: sum(map(says, self.heard[TICKS.name][before:])) >= 2 * PARTITIONS, f"{hours} h ticked")


async def test_steps_of_the_wall_clock_make_nobody_overdue_and_stop_nothing(
    tmp_path: Path, kafka_bootstrap: str
) -> None:
    async with AsyncExitStack() as stack:
        here = Installation(kafka_bootstrap, tmp_path)
        await here.start(stack)
        now = wallclock.now()
        leaves_at = now + timedelta(hours=1)
        waiting, leaving = "sim-waiting", "sim-leaving"
        for name in (waiting, leaving):
            for event in followed(name, now - timedelta(days=3), cadence=NEVER_DUE):
                await here.feed.send(here.producer, event)
            message = session(name, now - timedelta(minutes=5), 0, red=False).message
            assert await here.hand_in(message) == 202
            await here.judged(message)
        await pause(here, waiting, leaves_at)
        green = here.changes(waiting)
        await here.ticked(0)

        here.steps.to(+2)
        await here.ticked(+2)
        assert here.changes(waiting) == green  # the broker's time is what counts
        future = session(waiting, wallclock.now(), 1, red=False).message
        assert await here.hand_in(future) == 202
        await here.until(lambda: b"future" in letters(here), "what was stamped by a clock ahead is named, not lost")

        here.steps.to(-2)
        await here.ticked(-2)
        assert await here.hand_in(session(waiting, wallclock.now(), 2, red=False).message) == 422
        soon = (wallclock.now() + timedelta(seconds=2)).replace(microsecond=0)
        await pause(here, leaving, soon)
        early = session(leaving, wallclock.now() - timedelta(hours=3), 3, red=False).message
        assert await here.hand_in(early) == 202
        await here.judged(early)

        here.steps.to(0)
        await here.until(lambda: "not_monitored" in dict(here.changes(leaving)), "what fell due meanwhile is decided")
        at = dict(here.changes(leaving))["not_monitored"]
        assert msgspec.convert(at, type=type(soon)) == soon  # at its own instant, whoever noticed it when
        after = session(leaving, wallclock.now(), 4, red=False).message
        assert await here.hand_in(after) == 202
        await here.judged(after)
        assert {member.name: member.ends for member in here.members} == {"triage": [], "clock": [], "gateway": []}


async def pause(here: Installation, patient: str, at: Any) -> None:  # noqa: ANN401 - an instant
    """A pause of the patient's from `at` on."""
    at = at.replace(microsecond=0)
    event = Paused(
        event_id=uuid4(), patient=patient, at=at, recorded_at=wallclock.now(), ends_at=at + timedelta(days=2)
    )
    await here.feed.send(here.producer, Event(wallclock.now(), CARE, event))


def letters(here: Installation) -> set[bytes]:
    """Why there are dead letters."""
    return {dict(record.headers)[REASON] for record in here.heard[DEAD_LETTERS.name]}
