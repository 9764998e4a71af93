"""One patient's history as it stands in the broker's log: what a past decision was a function of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.partitioner import partition_for
from agents.recordings.events import Event, RecordingError
from pipeline.triage.instants import from_ms
from schemas.codec import Codec, UnreadableError
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.assessments import Assessment
    from schemas.topics import Topic

DECIDED_ON: Final = (CARE, SUBMISSIONS)  # what decisions are a function of


class Told(NamedTuple):
    """An assessment, and when the broker took it."""

    at: datetime
    assessment: Assessment


async def told_of(bootstrap: str, prefix: str, partitions: int, patient: str) -> list[Told]:
    """Every assessment of `patient` on the log, in the order in which they were told; raises as `of_patient`."""
    told = await of_patient(bootstrap, prefix, partitions, patient, topics=(ASSESSMENTS,))
    return [Told(event.at, event.message) for event in told]  # type: ignore[arg-type] # of that topic alone


async def of_patient(
    bootstrap: str, prefix: str, partitions: int, patient: str, *, topics: tuple[Topic, ...] = DECIDED_ON
) -> list[Event]:
    """Everything that is on `topics` about `patient`, in the order in which the broker took it.

    Messages that cannot be read decided nothing, so they are left out; triage has named them in the dead letters.

    Raises
    ------
    RecordingError
        A topic does not have so many partitions.
    aiokafka.errors.KafkaConnectionError
        The broker does not answer.
    """
    key = patient.encode()
    number = partition_for(key, partitions)
    found: list[Event] = []
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    async with started(consumer):
        for topic in topics:
            found += await _read(consumer, TopicPartition(prefix + topic.name, number), topic, key)
    return sorted(found, key=lambda event: event.at)


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition, topic: Topic, key: bytes) -> list[Event]:
    consumer.assign([partition])
    await consumer._client.force_metadata_update()  # noqa: SLF001 - there is no public way to know a partition
    if partition.partition not in (consumer.partitions_for_topic(partition.topic) or set()):
        raise RecordingError(f"topic {partition.topic} has no partition {partition.partition}: is the prefix right?")
    end = (await consumer.end_offsets([partition]))[partition]
    await consumer.seek_to_beginning(partition)
    codec = Codec[Any](topic.message)
    found = []
    while await consumer.position(partition) < end:
        records = (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        for record in records:
            if record.key == key and record.offset < end:
                try:
                    found.append(Event(from_ms(record.timestamp), topic, codec.decode(record.value)))
                except UnreadableError:
                    continue
    return found
