"""Topics as the broker has them, held against topics as the vocabulary wants them.

Missing ones are created. What differs is never altered silently: a partition count that changes moves patients between
partitions, away from their state, so a person must decide.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # type: ignore[import-untyped] # the same
from aiokafka.errors import for_code  # type: ignore[import-untyped] # the same
from msgspec import Struct

from agents.broker.clients import started
from schemas.topics import MAX_MESSAGE_BYTES, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

REQUEST_TIMEOUT_MS: Final = 10_000
VISIBLE_TIMEOUT: Final = 15.0  # for a created topic to be shown [s]
RETRY_SECONDS: Final = 0.1
_TOPIC_EXISTS: Final = 36
_SAFE_REPLICATION: Final = 3  # from here on a write needs two copies before it counts as written


class TopicsError(RuntimeError):
    """The broker refused to create a topic."""


class Wanted(Struct, frozen=True, kw_only=True):
    """One topic as it should be."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


class Difference(Struct, frozen=True, kw_only=True):
    """One way in which a topic is not as it should be; `found` None: the topic is missing."""

    topic: str
    what: str  # "topic", "partitions", "replication" or the name of a configuration entry
    wanted: str
    found: str | None

    def __str__(self) -> str:
        if self.found is None:
            return f"topic {self.topic} is missing: run `sonevakt topics apply`"
        if self.what == "partitions":
            return (
                f"topic {self.topic} has {self.found} partitions, settings say {self.wanted}:"
                " set SONEVAKT_PARTITIONS to what all topics have; more partitions need a new topic prefix"
            )
        return f"topic {self.topic} has {self.what}={self.found}, wanted {self.wanted}: alter it with kafka-configs"


class Applied(Struct, frozen=True, kw_only=True):
    """What `apply` did, and what it left as it found it."""

    created: tuple[str, ...]
    differences: tuple[Difference, ...]


def topic_name(prefix: str, topic: str) -> str:
    """Return the broker's name for `topic` of the vocabulary."""
    return f"{prefix}{topic}"


def wanted(*, prefix: str, partitions: int, replication: int, changelogs: Iterable[str] = ()) -> tuple[Wanted, ...]:
    """Return every topic of the vocabulary, and the tables' changelogs (full names), as they should be."""
    copies = {"min.insync.replicas": "2"} if replication >= _SAFE_REPLICATION else {}
    changelog = {
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "compact",
        "retention.ms": "-1",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
    named = [(topic_name(prefix, topic.name), topic.config()) for topic in TOPICS]
    named += [(name, changelog) for name in changelogs]
    return tuple(
        Wanted(name=name, partitions=partitions, replication=replication, config={**config, **copies})
        for name, config in named
    )


async def apply(
    bootstrap: str, *, prefix: str, partitions: int, replication: int, changelogs: Iterable[str] = ()
) -> Applied:
    """Create what is missing and name what differs.

    Raises
    ------
    TopicsError
        The broker would not create a topic, or does not show it: its name and the broker's reason.
    aiokafka.errors.KafkaConnectionError
        The broker does not answer.
    """
    topics = wanted(prefix=prefix, partitions=partitions, replication=replication, changelogs=changelogs)
    async with _admin(bootstrap) as admin:
        there = await _partitions(admin)
        created = await _create(admin, [topic for topic in topics if topic.name not in there])
        await _until_there(admin, {topic.name for topic in topics})
        return Applied(created=created, differences=tuple(await _differences(admin, topics)))


async def differences(bootstrap: str, topics: Iterable[Wanted], *, config: bool = True) -> tuple[Difference, ...]:
    """Return what is not as it should be, changing nothing; without `config` only existence and partitions are asked.

    Raises
    ------
    aiokafka.errors.KafkaConnectionError
        The broker does not answer.
    """
    async with _admin(bootstrap) as admin:
        return tuple(await _differences(admin, list(topics), config=config))


def _admin(bootstrap: str) -> AbstractAsyncContextManager[AIOKafkaAdminClient]:
    return started(AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS))


async def _create(admin: AIOKafkaAdminClient, missing: list[Wanted]) -> tuple[str, ...]:
    if not missing:
        return ()
    answer = await admin.create_topics(
        [NewTopic(t.name, t.partitions, t.replication, topic_configs=t.config) for t in missing]
    )
    created = []
    for name, code, *words in answer.topic_errors:
        if code == 0:
            created.append(name)
        elif code != _TOPIC_EXISTS:  # another process may have created it in between
            said = next((word for word in words if isinstance(word, str)), for_code(code).__name__)
            raise TopicsError(f"the broker did not create topic {name}: {said}")
    return tuple(created)


async def _until_there(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Wait until the brokers show the topics: one that was created is not known everywhere at once."""
    deadline = asyncio.get_running_loop().time() + VISIBLE_TIMEOUT
    while missing := names - set(await _partitions(admin)):
        if asyncio.get_running_loop().time() > deadline:
            raise TopicsError(f"the broker does not show topic {min(missing)} that it created: look at its log")
        await asyncio.sleep(RETRY_SECONDS)


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, tuple[int, int]]:
    # All topics are asked for: naming one that does not exist would let some brokers create it.
    return {
        topic["topic"]: (len(topic["partitions"]), min((len(p["replicas"]) for p in topic["partitions"]), default=0))
        for topic in await admin.describe_topics()
    }


async def _differences(
    admin: AIOKafkaAdminClient, topics: Sequence[Wanted], *, config: bool = True
) -> list[Difference]:
    there = await _partitions(admin)
    found: list[Difference] = []
    present = [topic for topic in topics if topic.name in there]
    for topic in topics:
        if topic.name not in there:
            found.append(Difference(topic=topic.name, what="topic", wanted="present", found=None))
            continue
        partitions, replication = there[topic.name]
        if partitions != topic.partitions:
            found.append(
                Difference(topic=topic.name, what="partitions", wanted=str(topic.partitions), found=str(partitions))
            )
        if replication < topic.replication:
            found.append(
                Difference(topic=topic.name, what="replication", wanted=str(topic.replication), found=str(replication))
            )
    if config and present:
        configs = await _configs(admin, [topic.name for topic in present])
        found += [
            Difference(topic=topic.name, what=entry, wanted=value, found=configs[topic.name].get(entry, "unset"))
            for topic in present
            for entry, value in topic.config.items()
            if configs[topic.name].get(entry) != value
        ]
    return found


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    answers: list[Any] = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    configs: dict[str, dict[str, str]] = {}
    for answer in answers:
        for code, said, _kind, name, entries in answer.resources:
            if code != 0:
                raise TopicsError(f"the broker did not tell the configuration of topic {name}: {said}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs
