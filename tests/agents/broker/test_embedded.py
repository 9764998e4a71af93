"""The embedded broker speaks Kafka to aiokafka, fails on demand and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.broker import library
from agents.broker.embedded import EmbeddedBroker, EmbeddedBrokerError
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PRODUCE = 0
NOT_ENOUGH_REPLICAS = 19


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=3, prefix="t-", changelogs=["t-triage-state-changelog"]) as running:
        yield running


@pytest.fixture
async def producer(broker: EmbeddedBroker) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", request_timeout_ms=2_000)
    await producer.start()
    yield producer
    await producer.stop()


async def test_has_every_topic_and_the_named_changelogs_with_the_wanted_partitions(broker: EmbeddedBroker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    await admin.close()
    assert {f"t-{topic.name}" for topic in TOPICS} | {"t-triage-state-changelog"} == set(found)
    assert set(found.values()) == {3}


async def test_a_consumer_of_a_group_reads_what_was_written_and_a_restarted_one_goes_on(
    broker: EmbeddedBroker, producer: AIOKafkaProducer
) -> None:
    for number in range(2):
        await producer.send_and_wait("t-submissions", str(number).encode(), key=b"p", partition=1)
    read = []
    for _ in range(2):
        consumer = AIOKafkaConsumer(
            "t-submissions",
            bootstrap_servers=broker.bootstrap,
            group_id="g",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=6_000,
        )
        await consumer.start()
        record = await asyncio.wait_for(consumer.getone(), 10)
        await consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})
        await consumer.stop()
        read.append((record.partition, record.key, record.value))
    assert read == [(1, b"p", b"0"), (1, b"p", b"1")]


async def test_a_broker_that_is_down_refuses_and_keeps_what_it_had(broker: EmbeddedBroker) -> None:
    broker.set_down()
    absent = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, request_timeout_ms=1_000)
    with pytest.raises(KafkaError):
        await absent.start()
    await absent.stop()
    broker.set_up()
    back = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await back.start()
    await asyncio.wait_for(back.send_and_wait("t-care", b"x"), 10)
    await back.stop()


async def test_pushed_errors_meet_the_next_requests_and_are_retried_past(
    broker: EmbeddedBroker, producer: AIOKafkaProducer
) -> None:
    broker.push_request_errors(PRODUCE, [NOT_ENOUGH_REPLICAS] * 2)
    confirmed = await asyncio.wait_for(producer.send_and_wait("t-care", b"x", partition=0), 10)
    assert confirmed.offset == 0


async def test_a_slow_broker_answers_later(broker: EmbeddedBroker, producer: AIOKafkaProducer) -> None:
    await producer.send_and_wait("t-care", b"warm", partition=0)
    broker.set_rtt(0.5)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await producer.send_and_wait("t-care", b"slow", partition=0)
    assert loop.time() - before >= 0.45


def test_closing_frees_port_and_threads() -> None:
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("threads of C libraries can be counted on Linux only")
    EmbeddedBroker().close()  # the library starts what it keeps for good
    before = set(tasks.iterdir())
    for _ in range(3):
        with EmbeddedBroker() as broker:
            host, port = broker.bootstrap.split(":")
            assert set(tasks.iterdir()) - before
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect((host, int(port)))
    # A thread that was joined may be listed by the kernel for a moment more.
    patience = time.monotonic() + 20
    while set(tasks.iterdir()) - before and time.monotonic() < patience:
        time.sleep(0.01)
    assert not set(tasks.iterdir()) - before


def test_a_closed_broker_says_so_instead_of_crashing() -> None:
    broker = EmbeddedBroker()
    broker.close()
    broker.close()
    with pytest.raises(EmbeddedBrokerError, match="is closed"):
        broker.set_down()


def test_a_topic_that_exists_may_be_asked_for_again() -> None:
    with EmbeddedBroker() as broker:
        broker.create_topic("submissions", 12)


def test_a_topic_without_partitions_is_refused() -> None:
    with EmbeddedBroker() as broker, pytest.raises(EmbeddedBrokerError, match="topic x needs at least one partition"):
        broker.create_topic("x", 0)


def test_a_missing_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_is_librdkafka", lambda _name: False)
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    with pytest.raises(library.LibraryNotFoundError, match="reinstall it from a wheel"):
        library.find()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("librdkafka-0cb94173.so.1", True),
        ("librdkafka.1.dylib", True),
        ("librdkafka-1b2c.dll", True),
        ("librdkafka++.1.dylib", False),
        ("librdkafkacpp-1b2c.dll", False),
        ("libssl-1b2c.so.3", False),
        ("librdkafka.h", False),
    ],
)
def test_knows_the_library_by_its_name_on_every_system(name: str, *, expected: bool) -> None:
    assert library._is_librdkafka(name) is expected
