"""How long a triage worker takes to have its patients again: their states from the changelog, to the first decision.

python -m benchmarks.restore --patients 100000 --days 14
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from random import Random
from time import monotonic
from uuid import uuid4

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents import processes
from agents.broker import topics as broker_topics
from agents.partitioner import partition_for
from agents.settings import Settings
from benchmarks.fold import followed, session
from infra.local.servers import Kafka
from pipeline.triage.state import encode
from schemas.codec import encode as to_json
from schemas.topics import ASSESSMENTS, SUBMISSIONS
from tests.faults.growth import MIB, resident
from tests.faults.product import COMMAND, Member

PARTITIONS = 6
LINGER_MS = 20


def name_of(number: int) -> str:
    """A simulated patient."""
    return f"sim-{number:06d}"


async def write_states(bootstrap: str, changelog: str, patients: int, days: int) -> int:
    """A state of so many days for each patient, as triage would have written it; the size of one [bytes]."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=LINGER_MS, max_batch_size=1_048_576)
    await producer.start()
    state, _ = followed(days)
    size = 0
    for number in range(patients):
        raw = encode(msgspec.structs.replace(state, patient=name_of(number)))
        key = name_of(number).encode()
        size = len(raw)
        await producer.send(changelog, raw, key=key, partition=partition_for(key, PARTITIONS))
    await producer.stop()
    return size


async def first_decision(bootstrap: str, prefix: str, day: int) -> None:
    """Send one registration and wait until it is assessed."""
    event = session(name_of(0), day, Random(3))
    key = event.patient.encode()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    consumer = AIOKafkaConsumer(
        prefix + ASSESSMENTS.name, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    await producer.send_and_wait(
        prefix + SUBMISSIONS.name, to_json(event), key=key, partition=partition_for(key, PARTITIONS)
    )
    await consumer.getone()
    await producer.stop()
    await consumer.stop()


async def main(patients: int, days: int) -> None:
    """Print the figures of one run."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with Kafka() as kafka, tempfile.TemporaryDirectory(prefix="sonevakt-restore-") as scratch:
        prefix = f"restore-{uuid4().hex[:6]}-"
        settings = Settings(broker=f"kafka://{kafka.bootstrap}", topic_prefix=prefix, partitions=PARTITIONS)
        changelog = processes.changelog(settings)
        await broker_topics.apply(
            kafka.bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1, changelogs=(changelog,)
        )
        size = await write_states(kafka.bootstrap, changelog, patients, days)
        env = {
            "PATH": "/usr/bin:/bin",
            "SONEVAKT_BROKER": settings.broker,
            "SONEVAKT_TOPIC_PREFIX": prefix,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
        }
        began = monotonic()
        worker = Member("triage", (*COMMAND, "triage"), env, Path(scratch) / "triage.log")
        await first_decision(kafka.bootstrap, prefix, days)
        seconds = monotonic() - began
        print(
            f"{patients} patients of {size} bytes each: {seconds:.1f} s from the start of the process to the first"
            f" decision, {resident(worker.pid) / MIB:.0f} MiB resident"
        )
        for end in worker.ends:
            print(f"ended by itself with {end.code}:\n{end.said}")
        await worker.leave()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m benchmarks.restore", description=__doc__)
    asked.add_argument("--patients", type=int, default=100_000)
    asked.add_argument("--days", type=int, default=14)
    given = asked.parse_args()
    uvloop.run(main(given.patients, given.days))
