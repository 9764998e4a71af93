"""A worker that is killed while it takes up its patients again, more than once, has them all in the end."""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents import processes
from agents.broker import topics
from agents.broker.clients import started
from agents.partitioner import partition_for
from agents.settings import Settings
from benchmarks.fold import followed, session
from benchmarks.restore import name_of, write_states
from pipeline.triage import step
from pipeline.triage.state import decode
from schemas.codec import encode
from schemas.topics import ASSESSMENTS, SUBMISSIONS
from tests.faults.product import COMMAND, Member

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
PARTITIONS: Final = 6  # as write_states spreads them
PATIENTS: Final = 5_000
DAYS: Final = 90
KILLS: Final = 3
BEGUN: Final = "_restart_recovery"  # in the log of a worker that has begun to read its states
WITHIN_S: Final = 120.0


async def ends(consumer: AIOKafkaConsumer, topic: str) -> int:
    """How many messages there are."""
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    return sum((await consumer.end_offsets(places)).values())


async def newest(consumer: AIOKafkaConsumer, topic: str) -> dict[str, bytes]:
    """Each patient's newest state."""
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    until = await consumer.end_offsets(places)
    await consumer.seek_to_beginning(*places)
    found: dict[str, bytes] = {}
    while any([await consumer.position(place) < end for place, end in until.items()]):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.update({record.key.decode(): record.value for record in records})
    return found


async def test_a_worker_killed_while_it_restores_five_thousand_patients_has_them_all_in_the_end(
    tmp_path: Path, kafka_bootstrap: str
) -> None:
    prefix = f"restore-{uuid4().hex[:8]}-"
    settings = Settings(broker=f"kafka://{kafka_bootstrap}", topic_prefix=prefix, partitions=PARTITIONS)
    changelog = processes.changelog(settings)
    await topics.apply(kafka_bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1, changelogs=(changelog,))
    await write_states(kafka_bootstrap, changelog, PATIENTS, DAYS)
    random = Random(PATIENTS)  # noqa: S311 - not a secret
    # What each patient sends next waits already: whoever is not restored would be judged as if never known.
    events = {name_of(number): session(name_of(number), DAYS, random) for number in range(PATIENTS)}
    async with started(AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all", linger_ms=20)) as producer:
        for patient, event in events.items():
            key = patient.encode()
            await producer.send(prefix + SUBMISSIONS.name, encode(event), key, partition_for(key, PARTITIONS))
        await producer.flush()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    env = {
        **ours,
        "SONEVAKT_BROKER": settings.broker,
        "SONEVAKT_TOPIC_PREFIX": prefix,
        "SONEVAKT_PARTITIONS": str(PARTITIONS),
        "SONEVAKT_SESSION_TIMEOUT_S": "6",
        "SONEVAKT_INSTANCE": "one",
    }
    log = tmp_path / "triage.log"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with started(consumer), asyncio.timeout(WITHIN_S):
        worker = Member("triage", (*COMMAND, "triage"), env, log)
        try:
            for _ in range(KILLS):
                before = log.read_text().count(BEGUN) if log.exists() else 0
                while not log.exists() or log.read_text().count(BEGUN) == before:  # noqa: ASYNC110 - its log
                    await asyncio.sleep(0.01)
                assert worker.kill()
                assert await ends(consumer, prefix + ASSESSMENTS.name) == 0  # it had not come to its first decision
            while await ends(consumer, prefix + ASSESSMENTS.name) < PATIENTS:  # noqa: ASYNC110 - the broker is asked
                await asyncio.sleep(0.2)
            while await ends(consumer, changelog) < 2 * PATIENTS:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.2)
        finally:
            await worker.leave()
        found = await newest(consumer, changelog)
    state, _ = followed(DAYS)
    wanted = {
        patient: step(msgspec.structs.replace(state, patient=patient), event)[0] for patient, event in events.items()
    }
    assert set(found) == set(wanted)
    assert {patient for patient, raw in found.items() if decode(raw) != wanted[patient]} == set()
    assert worker.ends == []
