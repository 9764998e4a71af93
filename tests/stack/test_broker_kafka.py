"""Topics and lag on a real Kafka: what the embedded broker cannot show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from agents import wallclock
from agents.broker import lag, topics
from agents.broker.clients import started
from agents.broker.reach import Reach
from agents.broker.topics import Difference, TopicsError
from agents.gateway.delivery import build_producer
from agents.streaming import Output
from agents.streaming.delivery import Delivery
from schemas.topics import DAY_MS, DEAD_LETTERS, MAX_MESSAGE_BYTES, TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.stack
PARTITIONS = 3
HOUR_MS = 3_600_000


@pytest.fixture
def bootstrap(kafka: Any) -> str:  # noqa: ANN401 - host:port: tests/stack/conftest.py
    return str(kafka.bootstrap)


@pytest.fixture
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    yield admin
    await admin.close()


@pytest.fixture
async def prefix(admin: AIOKafkaAdminClient) -> AsyncIterator[str]:
    """Give topics of the test's own, and take them away again."""
    prefix = f"test-{uuid4().hex[:8]}-"
    yield prefix
    await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])


async def eventually_lists(admin: AIOKafkaAdminClient, name: str) -> None:
    async with asyncio.timeout(20):
        while name not in await admin.list_topics():  # noqa: ASYNC110 - Kafka has no event to tell of it
            await asyncio.sleep(0.05)


async def apply(bootstrap: str, prefix: str, *, partitions: int = PARTITIONS) -> topics.Applied:
    return await topics.apply(
        bootstrap, prefix=prefix, partitions=partitions, replication=1, changelogs=[f"{prefix}state-changelog"]
    )


async def test_creates_what_is_missing_as_the_vocabulary_wants_it_and_a_second_time_nothing(
    bootstrap: str, prefix: str
) -> None:
    first = await apply(bootstrap, prefix)
    assert set(first.created) == {f"{prefix}{topic.name}" for topic in TOPICS} | {f"{prefix}state-changelog"}
    assert first.differences == ()
    second = await apply(bootstrap, prefix)
    assert second == topics.Applied(created=(), differences=())


async def test_a_changelog_is_compacted(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    changed = [
        topics.Wanted(name=f"{prefix}state-changelog", partitions=PARTITIONS, replication=1, config=config)
        for config in ({"cleanup.policy": "compact"}, {"cleanup.policy": "delete"})
    ]
    assert await topics.differences(bootstrap, changed[:1]) == ()
    (found,) = await topics.differences(bootstrap, changed[1:])
    assert (found.what, found.wanted, found.found) == ("cleanup.policy", "delete", "compact")


async def test_names_what_differs_and_alters_nothing(bootstrap: str, prefix: str, admin: AIOKafkaAdminClient) -> None:
    config = {"cleanup.policy": "compact", "retention.ms": "604800000", "max.message.bytes": "2000000"}
    await admin.create_topics([NewTopic(f"{prefix}care", PARTITIONS + 1, 1, topic_configs=config)])
    await eventually_lists(admin, f"{prefix}care")
    expected = {
        ("partitions", "3", "4"),
        ("message.timestamp.type", "LogAppendTime", "CreateTime"),
        ("cleanup.policy", "delete", "compact"),
        ("retention.ms", "-1", "604800000"),
        ("max.message.bytes", "1048576", "2000000"),
    }
    for _ in range(2):
        applied = await apply(bootstrap, prefix)
        assert {(one.what, one.wanted, one.found) for one in applied.differences} == expected
        assert {one.topic for one in applied.differences} == {f"{prefix}care"}


async def test_what_is_missing_is_a_difference_where_nothing_is_created(bootstrap: str, prefix: str) -> None:
    wanted = topics.wanted(prefix=prefix, partitions=PARTITIONS, replication=1)
    found = await topics.differences(bootstrap, wanted)
    assert [str(one) for one in found] == [
        f"topic {prefix}{topic.name} is missing: run `sonevakt topics apply`" for topic in TOPICS
    ]


async def test_more_copies_than_brokers_is_an_error_that_names_the_topic(bootstrap: str, prefix: str) -> None:
    with pytest.raises(TopicsError, match=rf"^the broker did not create topic {prefix}submissions: .*replication"):
        await topics.apply(bootstrap, prefix=prefix, partitions=PARTITIONS, replication=9)


async def test_too_few_copies_are_named(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    wanted = topics.wanted(prefix=prefix, partitions=PARTITIONS, replication=3)
    found = await topics.differences(bootstrap, wanted)
    assert Difference(topic=f"{prefix}care", what="replication", wanted="3", found="1") in found
    assert Difference(topic=f"{prefix}care", what="min.insync.replicas", wanted="2", found="1") in found


async def test_everything_is_taken_and_stamped_by_the_broker_whatever_its_writer_believes(
    bootstrap: str, prefix: str
) -> None:
    changelog = f"{prefix}triage-state-changelog"
    await topics.apply(bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1, changelogs=(changelog,))
    now_ms = round(wallclock.now().timestamp() * 1000)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with started(AIOKafkaProducer(bootstrap_servers=bootstrap)) as producer, started(consumer):
        for name in (*(prefix + topic.name for topic in TOPICS), changelog):
            for wrong_ms in (-90 * DAY_MS - HOUR_MS, 2 * HOUR_MS):  # past what is kept, and more than a broker takes
                await producer.send_and_wait(name, b"x", key=b"k", partition=0, timestamp_ms=now_ms + wrong_ms)
            consumer.assign([TopicPartition(name, 0)])
            found = [(await consumer.getone()).timestamp for _ in range(2)]
            assert [abs(at_ms - now_ms) < HOUR_MS for at_ms in found] == [True, True], name


async def test_lag_is_what_was_written_less_what_was_committed(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    topic, group = f"{prefix}pages", f"{prefix}paging"
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    put = [await producer.send_and_wait(topic, b"x", partition=1) for _ in range(5)]
    await producer.stop()
    assert await lag.lag(bootstrap, group, [topic]) == {(topic, 0): 0, (topic, 1): 5, (topic, 2): 0}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 1)])
    await consumer.commit({TopicPartition(topic, 1): 4})
    await consumer.stop()
    async with lag.LagWatch(bootstrap) as watch:
        behind = await watch.behind(group, [topic])
        assert {partition: one.messages for partition, one in behind.items() if one} == {(topic, 1): 1}
        since = await watch.waiting_since(behind)
        assert {name: round(at.timestamp() * 1000) for name, at in since.items()} == {topic: put[-1].timestamp}


async def test_messages_past_their_retention_are_no_lag(
    bootstrap: str, prefix: str, admin: AIOKafkaAdminClient
) -> None:
    await apply(bootstrap, prefix)
    topic = f"{prefix}submissions"
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for _ in range(5):
        await producer.send_and_wait(topic, b"x", partition=0)
    await producer.stop()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=3)})
    assert (await lag.lag(bootstrap, f"{prefix}triage", [topic]))[topic, 0] == 2


async def test_a_topic_that_is_missing_is_out_of_reach(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    async with started(build_producer(bootstrap)) as producer:
        known, missing = (Reach(producer, f"{prefix}{name}", every_s=0.3) for name in ("submissions", "nowhere"))
        asking = [asyncio.create_task(one.run()) for one in (known, missing)]
        async with asyncio.timeout(20):
            while not known.holds():  # noqa: ASYNC110 - what is awaited is the broker's answer
                await asyncio.sleep(0.05)
        assert not missing.holds()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_a_dead_letter_holds_a_message_of_the_greatest_size_whole(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    name = f"{prefix}{DEAD_LETTERS.name}"
    whole = Output(name, b"sim-0", b"x" * (MAX_MESSAGE_BYTES - 100), (("reason", b"not_json"),))
    delivery = Delivery(bootstrap, name, lambda: None, lambda: True)
    await delivery.start()
    try:
        assert await delivery.send([(0, whole)], lambda: True) == []
    finally:
        await delivery.stop()
    consumer = AIOKafkaConsumer(name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
        assert (record.value, dict(record.headers)) == (whole.value, dict(whole.headers))
    finally:
        await consumer.stop()


async def test_kafka_tells_how_many_members_a_group_has(bootstrap: str, prefix: str) -> None:
    await apply(bootstrap, prefix)
    group, topic = f"{prefix}group", f"{prefix}submissions"
    async with lag.LagWatch(bootstrap) as watch, asyncio.timeout(60):
        assert await watch.members(group) == 0
        async with started(AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group)) as consumer:
            await consumer.seek_to_end()
            assert await watch.members(group) == 1
        while await watch.members(group):  # noqa: ASYNC110 - Kafka has no event to tell of it
            await asyncio.sleep(0.05)
