"""How one triage worker drains a backlog on real Kafka, and how soon a new red behind it is paged.

By hand: `python -m benchmarks.backlog --submissions 100000 [--no-ahead]`. Patients register daily; all of it lies on
the broker, and is no longer new, before the worker starts as a process of its own. While it drains, every second
another patient who was green before comes in red. Ends by itself, also where the worker does not get on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import math
import os
import resource
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents import processes, wallclock
from agents.broker import lag
from agents.broker import topics as broker_topics
from agents.broker.clients import started
from agents.partitioner import partition_for
from agents.settings import Settings
from agents.streaming.received import RECEIVED_MS
from benchmarks.fold import care, session
from infra.local.servers import Kafka
from schemas.codec import encode
from schemas.submissions import Reading, Submission
from schemas.topics import ASSESSMENTS, CARE, PAGES, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from msgspec import Struct

PATIENTS = 2000
PARTITIONS = 4
LEAST_RATE = 200  # submissions a second; a worker slower than this is not waited for
AGE_S = 40.0  # of the youngest of the backlog when the worker starts; the broker dates what it takes
PAGED_WITHIN_S = 60.0  # after the last of the backlog


class Installation:
    """Topics on a broker, and what is written to them."""

    def __init__(self, bootstrap: str, submissions: int, *, ahead: bool) -> None:
        self.bootstrap = bootstrap
        self.prefix = f"bench-{uuid4().hex[:6]}-"
        self.days = math.ceil(submissions / PATIENTS)
        self.submissions = self.days * PATIENTS
        self.ahead = ahead
        self.random = Random(1)
        self.start = wallclock.now() - timedelta(days=self.days + 1)
        self.names = [f"sim-{number:05d}" for number in range(PATIENTS)]
        self.ill = [f"new-{number:05d}" for number in range(max(120, submissions // 500))]

    async def prepare(self) -> None:
        """Create the topics, and have everybody followed and those who will be ill green."""
        settings = Settings(broker=f"kafka://{self.bootstrap}", topic_prefix=self.prefix, partitions=PARTITIONS)
        await broker_topics.apply(
            self.bootstrap,
            prefix=self.prefix,
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(settings),),
        )
        async with self.producing() as producer:
            for name in (*self.names, *self.ill):
                for event in care(name, self.start):
                    await self.put(producer, CARE.name, name, event)
            await producer.flush()
        async with self.worker():
            await self.worked(CARE.name)
            async with self.producing() as producer:
                for name in self.ill:
                    await self.register(producer, session(name, self.days - 1, self.random, self.start))
                await producer.flush()
            await self.worked(SUBMISSIONS.name)

    async def fall_behind(self) -> None:
        """Write the backlog."""
        async with self.producing() as producer:
            for day in range(self.days):
                for name in self.names:
                    await self.register(producer, session(name, day, self.random, self.start))

    @contextlib.asynccontextmanager
    async def producing(self) -> AsyncIterator[AIOKafkaProducer]:
        """A producer that has written everything when the block ends."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks="all",
            linger_ms=20,
            max_batch_size=262_144,
            request_timeout_ms=60_000,
        )
        async with started(producer):
            yield producer
            await producer.flush()

    async def register(self, producer: AIOKafkaProducer, submission: Submission) -> None:
        """Write one submission."""
        await self.put(producer, SUBMISSIONS.name, submission.patient, submission)

    async def put(self, producer: AIOKafkaProducer, topic: str, patient: str, message: Struct) -> None:
        """Write one message."""
        key = patient.encode()
        await producer.send(self.prefix + topic, encode(message), key=key, partition=partition_for(key, PARTITIONS))

    @contextlib.asynccontextmanager
    async def worker(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The triage worker, ended in order after the block."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        env = ours | {
            "SONEVAKT_BROKER": f"kafka://{self.bootstrap}",
            "SONEVAKT_TOPIC_PREFIX": self.prefix,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "benchmarks.backlog", "--worker", *([] if self.ahead else ["--no-ahead"])]
        process = await asyncio.create_subprocess_exec(*command, env=env)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def worked(self, topic: str) -> None:
        """Wait until the worker has committed a topic."""
        async with asyncio.timeout(120):
            await lag.caught_up(self.bootstrap, f"{self.prefix}triage", [self.prefix + topic])


class Pages:
    """When each patient's page is first seen on its topic."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.took_s: dict[str, float] = {}

    async def hear(self, consumer: AIOKafkaConsumer) -> None:
        """For ever."""
        async for record in consumer:
            took_s = wallclock.now().timestamp() - int(dict(record.headers)[RECEIVED_MS]) / 1000
            self.took_s.setdefault(record.key.decode(), took_s)


async def fall_ill(installation: Installation, sent: list[str]) -> None:
    """Every second another patient comes in red, as long as there are any."""
    async with installation.producing() as producer:
        for name in installation.ill:
            now = wallclock.now()
            reading = Reading(code="2708-6", value=70.0, unit="%", measured_at=now)
            sent.append(name)
            await installation.register(
                producer, Submission(submission_id=uuid4(), patient=name, received_at=now, readings=(reading,))
            )
            await asyncio.sleep(1)


async def drain(installation: Installation, process: asyncio.subprocess.Process) -> float:
    """Print the worker's memory as it goes on; seconds from its first assessment to the backlog's last."""
    topic = installation.prefix + ASSESSMENTS.name
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=installation.bootstrap, group_id=None)
    async with started(consumer), asyncio.timeout(60 + installation.submissions / LEAST_RATE):
        before = sum((await consumer.end_offsets(places)).values())
        began, first, tenths = 0.0, 0, 0
        while True:
            if process.returncode is not None:
                raise SystemExit(f"the worker ended with {process.returncode}")
            done = sum((await consumer.end_offsets(places)).values()) - before
            if done and not began:
                began, first = monotonic(), done
            while tenths < 10 and done >= installation.submissions * (tenths + 1) / 10:
                tenths += 1
                print(f"  {tenths * 10:3d} %: {resident(process.pid) / 2**20:.0f} MiB", flush=True)
            if tenths == 10:
                return (monotonic() - began) * installation.submissions / max(1, installation.submissions - first)
            await asyncio.sleep(0.1)


def resident(pid: int) -> int:
    """Memory of a process [B]."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def measure(submissions: int, *, ahead: bool) -> None:
    """Print the figures of one run."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with Kafka() as kafka:
        installation = Installation(kafka.bootstrap, submissions, ahead=ahead)
        await installation.prepare()
        await installation.fall_behind()
        await asyncio.sleep(AGE_S)
        print(f"{installation.submissions} submissions of {PATIENTS} patients wait; looks ahead: {ahead}", flush=True)
        pages, sent = Pages(installation), []
        consumer = AIOKafkaConsumer(
            installation.prefix + PAGES.name,
            bootstrap_servers=kafka.bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
        )
        async with started(consumer), installation.worker() as process:
            tasks = [asyncio.create_task(pages.hear(consumer)), asyncio.create_task(fall_ill(installation, sent))]
            try:
                seconds = await drain(installation, process)
                tasks[1].cancel()
                async with asyncio.timeout(PAGED_WITHIN_S):
                    while len(pages.took_s) < len(sent):  # noqa: ASYNC110 - the last ones are on their way
                        await asyncio.sleep(0.1)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        took = sorted(pages.took_s.values())
        print(f"drained at {installation.submissions / seconds:.0f} submissions/s, in {seconds:.0f} s")
        print(
            f"a new red, received to page asked: median {median(took):.2f} s, 90 of 100 within"
            f" {took[int(len(took) * 0.9)]:.2f} s, longest {took[-1]:.2f} s, of {len(took)}"
        )


def work(*, ahead: bool) -> None:
    """Be the worker: as `sonevakt run triage`, but for the look ahead where it is not wanted."""
    from agents.commands import main  # noqa: PLC0415 - the measuring process needs none of it
    from agents.triage import ahead as looking  # noqa: PLC0415 - the same

    if not ahead:
        looking.AFTER_S = math.inf  # type: ignore[misc] # for this process alone
    sys.argv = ["sonevakt", "run", "triage"]
    main()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backlog", description=__doc__)
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--no-ahead", dest="ahead", action="store_false", help="every page waits for its turn")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(ahead=given.ahead)
    else:
        import uvloop

        uvloop.run(measure(given.submissions, ahead=given.ahead))
