"""Reads patient-status from its beginning, for ever, and knows whether it has heard everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents.broker.clients import started
from agents.broker.topics import topic_name
from schemas.topics import PATIENT_STATUS

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from agents.board.statuses import Statuses

POLL_MS: Final = 500
FETCH_WAIT_MS: Final = 500  # the broker keeps an empty fetch so long, and other questions wait behind it
REQUEST_TIMEOUT_MS: Final = 5_000
ASK_EVERY: Final = 2.0  # how often the broker is asked what it has [s]
STALE_AFTER: Final = 15.0  # a list that was not known to be complete for so long says so [s]
_log = structlog.get_logger()


@dataclass(kw_only=True)
class Reading:
    """One reader of the topic, without a group: every board reads all of it.

    Attributes
    ----------
    bootstrap, prefix
        Where it reads: every partition that the topic has.
    statuses
        Where it puts what it read.
    """

    bootstrap: str
    prefix: str
    statuses: Statuses
    _complete_at: float | None = field(default=None, init=False)  # when all was heard, by the loop's clock [s]
    _asked_at: float = field(default=float("-inf"), init=False)

    def up_to_date(self) -> bool:
        """Return whether everything that the broker has was heard, not long ago."""
        return self._complete_at is not None and asyncio.get_running_loop().time() - self._complete_at < STALE_AFTER

    async def run(self) -> None:
        """Read for ever, through every outage of the broker; ends when cancelled."""
        while True:
            try:
                async with started(self._consumer()) as consumer:
                    self._asked_at = float("-inf")
                    while True:
                        await self._read(consumer)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("board_not_connected", error=type(error).__name__)
                await asyncio.sleep(1.0)

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

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        polled: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=POLL_MS)
        for records in polled.values():
            for record in records:
                self.statuses.take(record.key, record.value, record.timestamp)
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at < ASK_EVERY:
            return
        # A consumer cut off from its broker just reads nothing: only an answer of the broker tells the two apart.
        async with asyncio.timeout(REQUEST_TIMEOUT_MS / 1000):
            assigned = consumer.assignment()
            end = await consumer.end_offsets(assigned)
            behind = [one for one in assigned if await consumer.position(one) < end[one]]
        self._asked_at = loop.time()
        if assigned and not behind:
            self._complete_at = self._asked_at
