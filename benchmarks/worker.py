"""One triage worker on real Kafka beside Quix Streams running the same fold on the same topics in the same run.

Both read the same preloaded submissions of 2,000 patients and keep a state for each. Ours writes assessments and
statuses and waits for every confirmation before it commits; Quix Streams writes assessments, with its own guarantees.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from random import Random
from time import monotonic
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import CollectorRegistry

from agents import processes
from agents.broker import lag
from agents.broker import topics as broker_topics
from agents.metrics import Metrics
from agents.partitioner import partition_for
from agents.settings import Settings
from benchmarks.fold import care, session
from infra.local.servers import Kafka
from pipeline.triage import step
from pipeline.triage.state import decode, encode
from schemas.codec import Codec
from schemas.codec import encode as to_json
from schemas.submissions import SubmissionEvent
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS

PATIENTS = 2000
DAYS = 15
PARTITIONS = 4
RATE = 50
LATENCY_S = 20


def fold_alone() -> float:
    """Seconds that the decisions take of all submissions that `load` writes, without any message."""
    random = Random(1)
    states = {}
    names = [f"sim-{number:05d}" for number in range(PATIENTS)]
    for name in names:
        state = None
        for event in care(name):
            state, _ = step(state, event)
        states[name] = state
    taken = 0.0
    for day in range(DAYS):
        events = [session(name, day, random) for name in names]
        began = monotonic()
        for one in events:
            states[one.patient], _ = step(states[one.patient], one)
        taken += monotonic() - began
    return taken


async def load(bootstrap: str, prefix: str) -> int:
    """Write everybody's plan and registrations; how many submissions."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20, max_batch_size=262_144)
    await producer.start()
    random = Random(1)
    names = [f"sim-{number:05d}" for number in range(PATIENTS)]
    for name in names:
        for event in care(name):
            await producer.send(
                prefix + CARE.name,
                to_json(event),
                key=name.encode(),
                partition=partition_for(name.encode(), PARTITIONS),
            )
    await producer.flush()
    for day in range(DAYS):
        for name in names:
            await producer.send(
                prefix + SUBMISSIONS.name,
                to_json(session(name, day, random)),
                key=name.encode(),
                partition=partition_for(name.encode(), PARTITIONS),
            )
    await producer.flush()
    await producer.stop()
    return PATIENTS * DAYS


async def written(bootstrap: str, topic: str, wanted: int) -> float:
    """Seconds from the first to the last of `wanted` messages, as they are seen at the topic's end."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        began = None
        while True:
            ends = sum((await consumer.end_offsets(consumer.assignment())).values())
            if ends and began is None:
                began, first = monotonic(), ends
            if began is not None and ends >= wanted:
                return (monotonic() - began) * wanted / max(1, wanted - first)
            await asyncio.sleep(0.05)
    finally:
        await consumer.stop()


async def ours(bootstrap: str, prefix: str, wanted: int) -> tuple[float, list[float]]:
    """Submissions a second of our worker, and its latencies at RATE a second [s]."""
    settings = Settings(broker=f"kafka://{bootstrap}", topic_prefix=prefix, partitions=PARTITIONS)
    process = processes.triage(settings, bootstrap, Metrics(CollectorRegistry()))
    async with processes.running(process):
        seconds = await written(bootstrap, prefix + ASSESSMENTS.name, wanted)
        async with lag.LagWatch(bootstrap) as watch:  # until the load is committed too, or its end would be measured
            while any((await watch.behind(f"{prefix}triage", [prefix + SUBMISSIONS.name])).values()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return wanted / seconds, await latencies(bootstrap, prefix)


async def latencies(bootstrap: str, prefix: str) -> list[float]:
    """From the write of a submission to the sight of its assessment, in order [s]."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    consumer = AIOKafkaConsumer(
        prefix + ASSESSMENTS.name, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="latest"
    )
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()
    sent: dict[bytes, float] = {}
    taken: list[float] = []
    random = Random(2)

    async def hear() -> None:
        async for record in consumer:
            began = sent.pop(record.key, None)
            if began is not None:
                taken.append(monotonic() - began)

    hearing = asyncio.create_task(hear())
    for number in range(RATE * LATENCY_S):
        name = f"sim-{number % PATIENTS:05d}"
        key = name.encode()
        sent[key] = monotonic()
        await producer.send(
            prefix + SUBMISSIONS.name,
            to_json(session(name, DAYS + number // PATIENTS, random)),
            key=key,
            partition=partition_for(key, PARTITIONS),
        )
        await asyncio.sleep(1 / RATE)
    while sent:  # noqa: ASYNC110 - the last ones are on their way
        await asyncio.sleep(0.05)
    hearing.cancel()
    await producer.stop()
    await consumer.stop()
    return sorted(taken)


async def quix(bootstrap: str, prefix: str, wanted: int) -> float:
    """Submissions a second of Quix Streams with the same fold, in a process of its own."""
    out = f"{prefix}quix-assessments"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(out, PARTITIONS, 1)])
    await admin.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.worker", "quix", bootstrap, prefix, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        return wanted / await written(bootstrap, out, wanted)
    finally:
        process.terminate()
        await process.wait()


def run_quix(bootstrap: str, prefix: str) -> None:
    """The peer: plans are put into the first state, as its streams join no topics."""
    from quixstreams import Application, State  # noqa: PLC0415 - a dependency of this benchmark alone

    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=bootstrap,
            consumer_group=f"{prefix}quix",
            auto_offset_reset="earliest",
            state_dir=folder,
            auto_create_topics=True,
            loglevel=logging.ERROR,
        )
        source = app.topic(prefix + SUBMISSIONS.name, value_deserializer="bytes", key_deserializer="bytes")
        target = app.topic(f"{prefix}quix-assessments", value_serializer="bytes", key_serializer="bytes")
        codec: Codec[SubmissionEvent] = Codec(SubmissionEvent)

        def fold(value: bytes, state: State) -> bytes:
            event = codec.decode(value)
            raw = state.get("state")
            held = decode(bytes.fromhex(raw)) if raw else None
            if held is None:
                for one in care(event.patient):
                    held, _ = step(held, one)
            held, outputs = step(held, event)
            assert held is not None
            state.set("state", encode(held).hex())
            return to_json(outputs[0])  # type: ignore[arg-type] # an assessment

        frame = app.dataframe(source)
        frame = frame.apply(fold, stateful=True)
        frame.to_topic(target)
        app.run()


async def main() -> None:
    """Print the figures of one run."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with Kafka() as kafka:
        prefix = f"bench-{uuid4().hex[:6]}-"
        settings = Settings(broker=f"kafka://{kafka.bootstrap}", topic_prefix=prefix, partitions=PARTITIONS)
        await broker_topics.apply(
            kafka.bootstrap,
            prefix=prefix,
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(settings),),
        )
        wanted = await load(kafka.bootstrap, prefix)
        rate, taken = await ours(kafka.bootstrap, prefix, wanted)
        alone = fold_alone() / wanted
        print(
            f"one triage worker: {rate:.0f} submissions/s, {1e6 / rate:.0f} us each;"
            f" the fold alone over the same {wanted}: {alone * 1e6:.0f} us"
        )
        print(
            f"received to assessed at {RATE}/s: p50 {taken[len(taken) // 2] * 1000:.0f} ms,"
            f" p99 {taken[int(len(taken) * 0.99)] * 1000:.0f} ms, longest {taken[-1] * 1000:.0f} ms, of {len(taken)}"
        )
        peer = await quix(kafka.bootstrap, prefix, wanted)
        print(f"Quix Streams, the same fold: {peer:.0f} submissions/s; ours is {rate / peer:.2f} of it")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "quix":
        run_quix(sys.argv[2], sys.argv[3])
    else:
        os.environ.pop("SONEVAKT_BROKER", None)
        import uvloop

        uvloop.run(main())
