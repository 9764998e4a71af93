"""One patient's own registrations, read from the broker for whoever asks what another plan would make of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.partitioner import partition_for
from schemas import topics
from schemas.codec import Codec, UnreadableError
from schemas.submissions import SubmissionEvent

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.submissions import Correction, Submission

WITHIN_S: Final = 20.0  # a page waits no longer [s]
_POLL_MS: Final = 200
_CODEC: Final = Codec[SubmissionEvent](SubmissionEvent)


class OwnLog:
    """Reads the one partition on which a patient's registrations lie.

    Parameters
    ----------
    bootstrap, prefix
        Where it is.
    """

    def __init__(self, bootstrap: str, prefix: str, fetch_wait_ms: int = 100) -> None:
        self._bootstrap = bootstrap
        self._topic = topic_name(prefix, topics.SUBMISSIONS.name)
        self._fetch_wait_ms = fetch_wait_ms

    async def read(self, patient: str, since: datetime) -> list[Submission | Correction]:
        """Return what a patient sent since an instant, in order of arrival; the unreadable are dead letters already.

        Raises
        ------
        TimeoutError
            The broker did not give it in time.
        aiokafka.errors.KafkaError
            It cannot be reached.
        """
        consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=self._fetch_wait_ms,
        )
        key = patient.encode()
        found: list[Submission | Correction] = []
        async with asyncio.timeout(WITHIN_S), started(consumer):
            assigned = consumer.assignment()
            if not assigned:
                raise TimeoutError("the topic of submissions is not there")
            partition = TopicPartition(self._topic, partition_for(key, len(assigned)))
            consumer.pause(*(assigned - {partition}))
            begins = await consumer.offsets_for_times({partition: round(since.timestamp() * 1000)})
            end = (await consumer.end_offsets([partition]))[partition]
            at = begins.get(partition)
            if at is None:  # nothing so new, or a broker that cannot tell: what there is is looked through
                await consumer.seek_to_beginning(partition)
            else:
                consumer.seek(partition, at.offset)
            while await consumer.position(partition) < end:
                polled = await consumer.getmany(partition, timeout_ms=_POLL_MS)
                for record in polled.get(partition, ()):
                    if record.key == key and record.value is not None:
                        found += _read(record.value)
        return found


def _read(raw: bytes) -> list[Submission | Correction]:
    try:
        return [_CODEC.decode(raw)]
    except UnreadableError:
        return []
