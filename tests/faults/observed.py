"""What is on the broker and in the store after the faults, held against what must be there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.streaming.received import RECEIVED_MS
from agents.triage.ahead import AHEAD
from pipeline.triage.state import decode
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import OFFSET, PARTITION, TOPIC
from schemas.topics import ASSESSMENTS, DEAD_LETTERS, PAGES, RECEIPTS, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from agents.stores.port import TimeSeriesStore
    from tests.faults.workload import Workload

SHOWN: Final = 5  # of each kind of difference


@dataclass
class Observed:
    """Everything that was written.

    Attributes
    ----------
    repeats
        Messages beyond the first of their kind, by topic.
    assessed_at
        When each assessment was written [s since 1970].
    written
        When each state was written [s since 1970], and its size [bytes].
    received
        Page id -> when the broker took the session behind it [ms since 1970].
    asked, delivered
        Page id -> when it was first asked for, and when its delivery was told [ms since 1970].
    carried
        Pages of which was told what became of them, whatever that was.
    ahead
        Pages asked ahead of a backlog; they stand for none of those that the fold must ask for in its turn.
    """

    messages: dict[str, Counter[bytes]] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    regressed: Counter[str] = field(default_factory=Counter)
    letters: set[tuple[str, int, int]] = field(default_factory=set)
    buried: set[UUID] = field(default_factory=set)
    assessed_at: list[float] = field(default_factory=list)
    written: list[tuple[float, int]] = field(default_factory=list)
    received: dict[UUID, int] = field(default_factory=dict)
    asked: dict[UUID, int] = field(default_factory=dict)
    delivered: dict[UUID, int] = field(default_factory=dict)
    carried: set[UUID] = field(default_factory=set)
    ahead: int = 0

    @property
    def repeats(self) -> dict[str, int]:
        """So many identical messages more than needed, by topic."""
        return {topic: sum(seen.values()) - len(seen) for topic, seen in self.messages.items()}


async def observe(bootstrap: str, prefix: str, changelog: str) -> Observed:
    """Read every topic that something comes out on, from its beginning to its end."""
    found = Observed()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    async with started(consumer):
        for topic in (ASSESSMENTS, ZONE_CHANGES, PAGES, RECEIPTS):
            codec = Codec[Any](topic.message)
            async for record in _records(consumer, prefix + topic.name):
                try:
                    message = codec.decode(record.value)
                except UnreadableError:
                    continue  # poison of ours
                _take(found, topic.name, message, record)
        async for record in _records(consumer, prefix + DEAD_LETTERS.name):
            headers = {name: value.decode() for name, value in record.headers}
            found.letters.add((headers[TOPIC].removeprefix(prefix), int(headers[PARTITION]), int(headers[OFFSET])))
        seen: dict[bytes, int] = {}
        async for record in _records(consumer, changelog):
            if record.value is None:
                continue
            weight = _weight(record.value)
            if weight < seen.get(record.key, 0):
                found.regressed[record.key.decode()] += 1
            seen[record.key] = weight
            found.written.append((record.timestamp / 1000, len(record.value)))
            found.states[record.key.decode()] = record.value
    return found


def _take(found: Observed, topic: str, message: Any, record: Any) -> None:  # noqa: ANN401 - of any topic
    headers = dict(record.headers)
    if topic == RECEIPTS.name:
        found.carried.add(message.page_id)
        if message.reason is None:
            found.delivered.setdefault(message.page_id, record.timestamp)
        return
    if topic == PAGES.name:
        if AHEAD in headers:
            found.ahead += 1
            return
        if message.ask != 1:
            return
        if RECEIVED_MS in headers:
            found.received.setdefault(message.page_id, int(headers[RECEIVED_MS]))
            found.asked.setdefault(message.page_id, record.timestamp)
    if topic == ASSESSMENTS.name:
        found.assessed_at.append(record.timestamp / 1000)
    found.messages.setdefault(topic, Counter())[record.value] += 1


def _weight(raw: bytes) -> int:
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


def differences(wanted: Workload, found: Observed, poison: set[tuple[str, int, int]]) -> list[str]:
    """What is not as it must be, in words; none where nothing was lost and nothing differs."""
    wrong: list[str] = []
    for topic in (ASSESSMENTS.name, ZONE_CHANGES.name):
        must, there = wanted.messages.get(topic, set()), set(found.messages.get(topic, ()))
        wrong += _told(f"{topic} missing", must - there)
        wrong += _told(f"{topic} that a clean run does not have", there - must)
    pages = {msgspec.json.decode(raw)["page_id"] for raw in found.messages.get(PAGES.name, ())}
    asked = {str(page) for page in wanted.pages}
    wrong += _told("page requests missing", asked - pages)
    wrong += _told("page requests that a clean run does not have", pages - asked)
    wrong += _told("pages without a receipt", set(wanted.pages) - found.carried)
    wrong += _told("pages that still matter without a receipt of delivery", wanted.lasting - set(found.delivered))
    wrong += _told("poison that is no dead letter", poison - found.letters)
    buried = len(found.letters - poison)
    if buried != len(wanted.refused):
        wrong.append(f"dead letters beside the poison: {buried} of {len(wanted.refused)}")
    wrong += _told("patients whose state regressed", set(found.regressed))
    wrong += _told("patients without a state", set(wanted.states) - set(found.states))
    other = {
        patient
        for patient, raw in found.states.items()
        if patient in wanted.states and decode(raw) != wanted.states[patient]
    }
    wrong += _told("patients whose final state differs", other)
    return wrong


async def stored(wanted: Workload, store: TimeSeriesStore) -> list[str]:
    """What the store lacks of what was decided, in words."""
    start, stop = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=365)
    frame = await store.read("assessment", start=start, stop=stop, fields=["submission_id", "revision", "zone"])
    frame = frame.dropna()  # InfluxDB shows a point that is being written field by field
    there = (
        {}
        if frame.empty
        else {row.submission_id: (int(row.revision), row.zone) for row in frame.itertuples(index=False)}
    )
    must = {str(one.submission_id): (one.revision, one.zone.value) for one in wanted.newest.values()}
    wrong = _told("assessments not in the store", set(must) - set(there))
    wrong += _told("assessments in the store that nobody made", set(there) - set(must))
    wrong += _told("assessments older in the store", {one for one in must if one in there and there[one] != must[one]})
    readings = await store.read("reading", start=start, stop=stop, fields=["submission_id"])
    counted = Counter() if readings.empty else Counter(readings["submission_id"])
    sent = {str(one.submission_id): len(one.readings) for one in wanted.newest.values() if one.readings}
    wrong += _told(
        "sessions without all their readings in the store", {one for one in sent if counted[one] < sent[one]}
    )
    return wrong


def _told(what: str, those: set[Any]) -> list[str]:
    if not those:
        return []
    return [f"{what}: {len(those)}, such as {', '.join(sorted(str(one)[:120] for one in those)[:SHOWN])}"]
