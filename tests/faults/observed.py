"""What lies on the broker after the faults: every record of every topic, and what is plain from them."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.streaming.received import received_ms
from agents.triage.ahead import AHEAD
from pipeline.triage.state import decode
from schemas.codec import Codec, UnreadableError
from schemas.topics import ASSESSMENTS, DEAD_LETTERS, PAGES, PATIENT_STATUS, RECEIPTS, TOPICS, ZONE_CHANGES
from tests.faults.clean import Letter, digest, letter_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from schemas.paging import PageRequest, Receipt
    from schemas.topics import Topic

Place = tuple[str, int, int]  # topic without prefix, partition, offset
FETCH_BYTES: Final = 8_388_608
_STATUS: Final = Codec[Any](PATIENT_STATUS.message)


@dataclass
class Observed:
    """Everything that was written.

    Attributes
    ----------
    records
        Topic without prefix -> its records, by partition and offset.
    messages
        The digest of what came out, each with how often, poison of ours left out.
    statuses, late
        Patient -> the newest; and those of whom it is older than one that was written before it.
    asks, ahead
        Page id -> what was asked in its turn, and ahead of it.
    receipts
        Page id -> what became of its asks.
    letters
        Dead letter -> its key and bytes, as often as it was written.
    newest, regressed
        Patient -> state, and how often one stood for less than the one before.
    weights
        Patient -> how much the newest state stands for.
    written
        When each state was written [s since 1970], and its size [bytes].
    """

    records: dict[str, list[Any]] = field(default_factory=dict)
    messages: dict[str, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    statuses: dict[str, bytes] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    asks: dict[UUID, list[PageRequest]] = field(default_factory=lambda: defaultdict(list))
    ahead: dict[UUID, list[PageRequest]] = field(default_factory=lambda: defaultdict(list))
    receipts: dict[UUID, list[Receipt]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[Letter, list[tuple[bytes | None, bytes]]] = field(default_factory=lambda: defaultdict(list))
    newest: dict[str, bytes] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    regressed: Counter[str] = field(default_factory=Counter)
    written: list[tuple[float, int]] = field(default_factory=list)

    @property
    def repeats(self) -> dict[str, int]:
        """So many identical messages more than needed, by topic."""
        return {topic: sum(seen.values()) - len(seen) for topic, seen in self.messages.items()}

    @property
    def assessed_at(self) -> list[float]:
        """When each assessment was written [s since 1970], in order."""
        return sorted(record.timestamp / 1000 for record in self.records.get(ASSESSMENTS.name, ()))


async def observe(bootstrap: str, prefix: str, changelog: str, poison: set[Place]) -> Observed:
    """Read every topic from its beginning to its end."""
    found = Observed()
    consumer = _consumer(bootstrap)
    async with started(consumer):
        for topic in TOPICS:
            records = [record async for record in _records(consumer, prefix + topic.name)]
            found.records[topic.name] = sorted(records, key=lambda record: (record.partition, record.offset))
        async for record in _records(consumer, changelog):
            _state(found, record)
    for name in (ASSESSMENTS.name, ZONE_CHANGES.name):
        found.messages[name].update(
            digest(record.value)
            for record in found.records[name]
            if (name, record.partition, record.offset) not in poison
        )
    ages: dict[str, tuple[int, float]] = {}
    for record in found.records[PATIENT_STATUS.name]:
        if (PATIENT_STATUS.name, record.partition, record.offset) not in poison:
            _status(found, record.key.decode(), record.value, ages)
    for record in found.records[DEAD_LETTERS.name]:
        if (DEAD_LETTERS.name, record.partition, record.offset) not in poison:
            headers = {name: value.decode() for name, value in record.headers}
            found.letters[letter_of(headers, prefix)].append((record.key, record.value))
    _pages(found, poison)
    return found


async def newest(bootstrap: str, prefix: str, topic: Topic, poison: set[Place]) -> dict[str, bytes]:
    """Patient -> the newest of what lies on `topic`."""
    consumer = _consumer(bootstrap)
    async with started(consumer):
        return {
            record.key.decode(): record.value
            async for record in _records(consumer, prefix + topic.name)
            if (topic.name, record.partition, record.offset) not in poison
        }


def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )


def _pages(found: Observed, poison: set[Place]) -> None:
    pages, receipts = Codec[Any](PAGES.message), Codec[Any](RECEIPTS.message)
    for record in found.records[PAGES.name]:
        if (PAGES.name, record.partition, record.offset) not in poison:
            page = pages.decode(record.value)
            ahead = AHEAD in dict(record.headers)
            (found.ahead if ahead else found.asks)[page.page_id].append(page)
            if not ahead:
                found.messages[PAGES.name][digest(record.value)] += 1
    for record in found.records[RECEIPTS.name]:
        try:
            receipt = receipts.decode(record.value)
        except UnreadableError:
            continue  # poison of ours
        if (RECEIPTS.name, record.partition, record.offset) not in poison:
            found.receipts[receipt.page_id].append(receipt)


def waits(found: Observed) -> dict[UUID, tuple[int, int]]:
    """Page id -> when the broker took the session behind it, and when its delivery was told [ms since 1970]."""
    codec, began, ended = Codec[Any](PAGES.message), {}, {}
    for record in found.records[PAGES.name]:
        taken_ms = received_ms(record.headers)
        if taken_ms is not None:
            with contextlib.suppress(UnreadableError):  # poison of ours
                began.setdefault(codec.decode(record.value).page_id, taken_ms)
    for page_id, receipts in found.receipts.items():
        delivered = [receipt.at.timestamp() for receipt in receipts if receipt.reason is None]
        if delivered:
            ended[page_id] = round(1000 * min(delivered))
    return {page_id: (at, ended[page_id]) for page_id, at in began.items() if page_id in ended}


def _state(found: Observed, record: Any) -> None:  # noqa: ANN401 - aiokafka's record is untyped
    if record.value is None:
        return
    patient = record.key.decode()
    stands_for = weight(record.value)
    if stands_for < found.weights.get(patient, 0):
        found.regressed[patient] += 1
    found.newest[patient], found.weights[patient] = record.value, stands_for
    found.written.append((record.timestamp / 1000, len(record.value)))


def _status(found: Observed, patient: str, raw: bytes, ages: dict[str, tuple[int, float]]) -> None:
    """Take a status; `ages` are the highest revision and the latest time that were told of each patient."""
    told = _STATUS.decode(raw)
    age = (told.revision, 0.0 if told.at is None else told.at.timestamp())
    if age < ages.get(patient, age):
        found.late.add(patient)
    else:
        found.late.discard(patient)
        ages[patient] = age
    found.statuses[patient] = raw


def weight(raw: bytes) -> int:
    """How much a state stands for: more with every session and correction, also when the oldest are forgotten."""
    state = decode(raw)
    return state.base.events + state.sessions_weight


async def _records(consumer: AIOKafkaConsumer, topic: str) -> AsyncIterator[Any]:
    """Every record of a topic, up to where it ends now."""
    consumer._client.add_topic(topic)
    while not (numbers := consumer.partitions_for_topic(topic)):
        await consumer._client.force_metadata_update()
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    while any([await consumer.position(one) < end for one, end in ends.items()]):
        for one, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                if record.offset < ends[one]:
                    yield record
