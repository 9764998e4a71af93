"""A state that the broker does not take stays as it was: what would have made it so is named, and the next is judged.

No state of ours comes to a message's limit (400,000 bytes of sessions, 64,000 each of names, care and what waits), so
the broker is given a lower one here, as an installation's own may be.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.clients import started
from agents.replay.feed import Feed
from agents.settings import Settings
from pipeline.triage.state import decode
from schemas.dead_letters import REASON, DeadLetterReason
from schemas.topics import DEAD_LETTERS
from tests.faults.product import COMMAND, Member
from tests.faults.workload import BYTES_6, answers, followed, session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
MOST_BYTES: Final = 50_000
PATIENT: Final = "sim-large"


async def test_a_state_that_the_broker_refuses_is_named_and_the_patient_is_followed_on(
    tmp_path: Path, kafka_bootstrap: str
) -> None:
    settings = Settings(broker=f"kafka://{kafka_bootstrap}", topic_prefix=f"state-{uuid4().hex[:8]}-", partitions=1)
    changelog, letters = processes.changelog(settings), settings.topic_prefix + DEAD_LETTERS.name
    await topics.apply(
        kafka_bootstrap, prefix=settings.topic_prefix, partitions=1, replication=1, changelogs=(changelog,)
    )
    async with started(AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)) as admin:
        lower = {"max.message.bytes": str(MOST_BYTES)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, changelog, configs=lower)])
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    env = {
        **ours,
        "SONEVAKT_BROKER": settings.broker,
        "SONEVAKT_TOPIC_PREFIX": settings.topic_prefix,
        "SONEVAKT_PARTITIONS": "1",
    }
    now = wallclock.now()
    feed = Feed(kafka_bootstrap, prefix=settings.topic_prefix, partitions=1, group="")
    consumer = AIOKafkaConsumer(
        changelog, letters, bootstrap_servers=kafka_bootstrap, group_id=None, auto_offset_reset="earliest"
    )
    heard: dict[str, list[Any]] = {changelog: [], letters: []}

    async def until(holds: Any) -> None:  # noqa: ANN401 - a condition
        async with asyncio.timeout(90):
            while not holds():
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        heard[record.topic].append(record)

    def sessions() -> int:
        return len(decode(heard[changelog][-1].value).sessions) if heard[changelog] else 0

    async with AsyncExitStack() as stack:
        worker = Member("triage", (*COMMAND, "triage"), env, tmp_path / "triage.log")
        stack.push_async_callback(worker.leave)
        await stack.enter_async_context(started(consumer))
        producer = await stack.enter_async_context(feed.producing())
        await feed.send_all(producer, list(followed(PATIENT, now - timedelta(days=3))))
        await feed.send(producer, session(PATIENT, now - timedelta(hours=3), 0, red=False))
        await until(lambda: sessions() == 1)
        large = session(PATIENT, now - timedelta(hours=2), 1, red=False, answers=answers(BYTES_6))
        await feed.send(producer, large)
        await until(lambda: heard[letters])
        assert [dict(record.headers)[REASON].decode() for record in heard[letters]] == [DeadLetterReason.OVERSIZE_STATE]
        assert sessions() == 1
        await feed.send(producer, session(PATIENT, now - timedelta(hours=1), 2, red=False))
        await until(lambda: sessions() == 2)
        kept = {one.id for one in decode(heard[changelog][-1].value).sessions}
        assert large.message.submission_id.bytes not in kept
        assert worker.ends == []
