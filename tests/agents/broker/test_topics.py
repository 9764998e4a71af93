"""What topics should be, and how a difference is told. Creating and comparing is tested on a real Kafka."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaConnectionError

from agents.broker import topics
from agents.broker.embedded import EmbeddedBroker
from agents.broker.topics import Difference
from schemas.topics import TOPICS


def test_every_topic_of_the_vocabulary_is_wanted_with_the_same_partitions() -> None:
    wanted = topics.wanted(prefix="north-", partitions=6, replication=1, changelogs=["north-triage-state-changelog"])
    names = [*(f"north-{topic.name}" for topic in TOPICS), "north-triage-state-changelog"]
    assert [topic.name for topic in wanted] == names
    assert {topic.partitions for topic in wanted} == {6}
    assert wanted[-1].config["cleanup.policy"] == "compact"


@pytest.mark.parametrize(("replication", "expected"), [(1, None), (2, None), (3, "2")])
def test_with_three_copies_two_must_have_a_message_before_it_counts(replication: int, expected: str | None) -> None:
    wanted = topics.wanted(prefix="", partitions=6, replication=replication)
    assert {topic.config.get("min.insync.replicas") for topic in wanted} == {expected}


@pytest.mark.parametrize(
    ("what", "found", "said"),
    [
        ("topic", None, "topic care is missing: run `sonevakt topics apply`"),
        ("partitions", "4", "topic care has 4 partitions, settings say 12: set SONEVAKT_PARTITIONS"),
        ("retention.ms", "1", "topic care has retention.ms=1, wanted 12: alter it with kafka-configs"),
    ],
)
def test_a_difference_says_what_to_do(what: str, found: str | None, said: str) -> None:
    difference = Difference(topic="care", what=what, wanted="12", found=found)
    assert str(difference).startswith(said)
    assert "\n" not in str(difference)


async def test_partitions_and_missing_topics_are_told_of_a_broker_that_tells_no_configuration() -> None:
    with EmbeddedBroker(partitions=3) as broker:
        asked = topics.wanted(prefix="", partitions=12, replication=1, changelogs=["none-changelog"])
        found = await topics.differences(broker.bootstrap, asked, config=False)
        assert {one.what: one.found for one in found} == {"partitions": "3", "topic": None}
        assert len(found) == len(TOPICS) + 1
        asked = topics.wanted(prefix="", partitions=3, replication=1)
        assert await topics.differences(broker.bootstrap, asked, config=False) == ()


async def test_a_broker_that_is_away_is_an_error() -> None:
    with EmbeddedBroker(partitions=3) as broker:
        broker.set_down()
        with pytest.raises(KafkaConnectionError):
            await topics.apply(broker.bootstrap, prefix="", partitions=3, replication=1)
