"""What triage says of the canaries: their latest statuses, as the topic brings them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.canary.patients import PATHWAY, PREFIX
from schemas.assessments import PatientStatus
from schemas.codec import Codec, UnreadableError
from schemas.topics import PATIENT_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_MS: Final = 500
FETCH_WAIT_MS: Final = 100
REQUEST_TIMEOUT_MS: Final = 5_000
AGAIN_S: Final = 1.0
_STATUS: Final = Codec[PatientStatus](PatientStatus)
_PREFIX: Final = PREFIX.encode()
_log = structlog.get_logger()


@dataclass(kw_only=True)
class Hearing:
    """One reader of the statuses, without a group, from their beginning; other patients' are passed over unread.

    Attributes
    ----------
    bootstrap, prefix
        Where it reads.
    heard
        Told of every status of a canary, in order.
    """

    bootstrap: str
    prefix: str
    heard: Callable[[PatientStatus], None]
    _complete: bool = field(default=False, init=False)

    def complete(self) -> bool:
        """Return whether it has read all that there was when it connected, and is connected."""
        return self._complete

    async def run(self) -> None:
        """Read for ever, through every outage of the broker; ends when cancelled."""
        while True:
            try:
                async with started(self._consumer()) as consumer:
                    await self._follow(consumer)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("canaries_not_heard", error=type(error).__name__)
            finally:
                self._complete = False
            await asyncio.sleep(AGAIN_S)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            topic_name(self.prefix, PATIENT_STATUS.name),
            bootstrap_servers=self.bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        end: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        while True:
            polled: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=POLL_MS)
            for records in polled.values():
                for record in records:
                    self._take(record.key, record.value)
            if end and not self._complete:
                behind = [one for one in end if await consumer.position(one) < end[one]]
                self._complete = not behind

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        if key is None or value is None or not key.startswith(_PREFIX):
            return
        try:
            status = _STATUS.decode(value)
        except UnreadableError:
            return  # a canary that cannot be read does not come through, which is what is to be told
        if status.pathway == PATHWAY:
            self.heard(status)
