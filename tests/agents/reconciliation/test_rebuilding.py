"""Storing is set back to an earlier place in the logs, and never on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from click.testing import CliRunner

from agents.broker.clients import started
from agents.broker.embedded import EmbeddedBroker
from agents.commands import main
from agents.reconciliation import rebuilding
from schemas.topics import ASSESSMENTS, CARE

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTITIONS = 2
WRITTEN_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MESSAGES = 5  # a minute apart, in partition 1 of two topics
SPREAD = {(topic, partition): MESSAGES * partition for topic in (ASSESSMENTS.name, CARE.name) for partition in (0, 1)}


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=PARTITIONS) as running:
        yield running


async def written(broker: EmbeddedBroker, *, committed: int) -> None:
    """Messages, and a storing group that has stored the first of them."""
    async with started(AIOKafkaProducer(bootstrap_servers=broker.bootstrap)) as producer:
        for name, partition in SPREAD:
            for number in range(MESSAGES * partition):
                at = WRITTEN_AT + timedelta(minutes=number)
                await producer.send_and_wait(name, b"{}", partition=partition, timestamp_ms=round(at.timestamp() * 1e3))
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="storing", enable_auto_commit=False)
    async with started(consumer):
        consumer.assign([TopicPartition(*place) for place in SPREAD])
        await consumer.commit({TopicPartition(*place): min(committed, count) for place, count in SPREAD.items()})


async def commits(broker: EmbeddedBroker) -> dict[tuple[str, int], int | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="storing", enable_auto_commit=False)
    async with started(consumer):
        return {place: await consumer.committed(TopicPartition(*place)) for place in SPREAD}


@pytest.mark.parametrize(
    ("committed", "from_at", "wanted"),
    [
        (5, None, 0),  # all that is kept
        (5, WRITTEN_AT + timedelta(minutes=3), 3),
        (5, WRITTEN_AT + timedelta(minutes=2, seconds=1), 3),
        (5, WRITTEN_AT + timedelta(days=1), 5),  # nothing was written since
        (2, WRITTEN_AT + timedelta(minutes=3), 2),  # what is not stored yet is not passed over
    ],
)
async def test_storing_goes_on_from_what_was_written_since_and_never_past_what_it_has_not_stored(
    broker: EmbeddedBroker, committed: int, from_at: datetime | None, wanted: int
) -> None:
    await written(broker, committed=committed)
    async with rebuilding.opened(
        broker.bootstrap, "storing", prefix="", partitions=PARTITIONS, patience_s=1.0
    ) as group:
        places = await group.places(from_at)
        found = {(one.topic.name, one.partition): (one.offset, one.messages) for one in places if one.messages}
        assert {(one.topic, one.partition) for one in places} == {
            (topic, number) for topic in rebuilding.TOPICS for number in range(PARTITIONS)
        }
        assert found == {
            place: (wanted, count - wanted) for place, count in SPREAD.items() if count - min(wanted, count) > 0
        }
        await group.set_back(places)
    assert await commits(broker) == {place: min(wanted, count) for place, count in SPREAD.items()}


async def test_the_command_says_what_it_would_store_again_and_does_nothing_unless_it_may(
    broker: EmbeddedBroker,
) -> None:
    await written(broker, committed=MESSAGES)
    env = {"SONEVAKT_BROKER": f"kafka://{broker.bootstrap}", "SONEVAKT_PARTITIONS": str(PARTITIONS)}
    command = ["store", "rebuild", "--from", (WRITTEN_AT + timedelta(minutes=4)).isoformat()]
    asked = await asyncio.to_thread(CliRunner().invoke, main, command, env=env, input="n\n")
    assert asked.exit_code == 1
    assert "assessments: 1\n" in asked.output
    assert "pages: 0\n" in asked.output
    assert "these 2 messages" in asked.output
    assert await commits(broker) == SPREAD
    done = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--yes"], env=env)
    assert done.exit_code == 0
    assert await commits(broker) == {place: min(count, 4) for place, count in SPREAD.items()}


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T12:00:00"])
def test_a_time_without_an_offset_is_refused(text: str) -> None:
    refused = CliRunner().invoke(main, ["store", "rebuild", "--from", text], env={"SONEVAKT_BROKER": "kafka://h:1"})
    assert refused.exit_code == 2
    assert refused.stderr == "sonevakt: --from takes a time with an offset, as 2026-03-01T12:00:00+01:00\n"
