"""What came of it: the newest revision of every assessment, zone changes, pages, receipts and dead letters, counted."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker import clients
from schemas.codec import UNREADABLE, Codec
from schemas.dead_letters import REASON, TOPIC
from schemas.topics import ASSESSMENTS, DEAD_LETTERS, PAGES, RECEIPTS, SUBMISSIONS, ZONE_CHANGES

if TYPE_CHECKING:
    from schemas.assessments import Assessment, ZoneChange
    from schemas.paging import PageRequest, Receipt

_TOLD: Final = (ASSESSMENTS, ZONE_CHANGES, PAGES, RECEIPTS, DEAD_LETTERS)
POLL_MS: Final = 100


class _Named(msgspec.Struct, tag_field="type", tag="submission"):
    """What a dead submission is known by."""

    submission_id: UUID


_named: Final = msgspec.json.Decoder(_Named)


class Tally:
    """Reads the outputs from now on; `run` is a task, `settled` waits for it to have heard everything.

    Attributes
    ----------
    assessments
        Assessment id -> its newest revision.
    changes
        Zone change id -> as last told, retracted or not.
    pages, delivered
        Ids of pages asked for, and of those delivered.
    letters
        (topic, partition, offset) of a dead message -> reason.
    dead_submissions
        Ids of the dead messages that were submissions, as far as their bytes tell it.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=POLL_MS,
        )
        self._prefix = prefix
        self._codecs: dict[str, Codec[Any]] = {
            prefix + topic.name: Codec(topic.message) for topic in _TOLD if topic.message is not None
        }
        self.assessments: dict[UUID, Assessment] = {}
        self.changes: dict[UUID, ZoneChange] = {}
        self.pages: set[UUID] = set()
        self.delivered: set[UUID] = set()
        self.failed_asks = 0
        self.letters: dict[tuple[bytes, bytes, bytes], str] = {}
        self.dead_submissions: set[UUID] = set()

    async def start(self) -> None:
        """Begin at the beginning of every topic."""
        await clients.start(self._consumer)
        self._consumer.subscribe([self._prefix + topic.name for topic in _TOLD])

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS)
            for records in polled.values():
                for record in records:
                    self._take(record)

    async def settled(self) -> None:
        """Wait until everything that is written has been read."""
        while True:
            assigned = self._consumer.assignment()
            if assigned:
                ends = await self._consumer.end_offsets(assigned)
                positions = [await self._consumer.position(one) >= end for one, end in ends.items()]
                if all(positions):
                    return
            await asyncio.sleep(POLL_MS / 1000)

    async def stop(self) -> None:
        """Let go of the connection."""
        await clients.stop(self._consumer)

    def zones(self) -> Counter[str]:
        """Registrations by the zone of their newest assessment."""
        return Counter(assessment.zone.value for assessment in self.assessments.values())

    def _take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's record is untyped
        codec = self._codecs.get(record.topic)
        if codec is None:
            self._bury(dict(record.headers), record.value)
            return
        message = codec.decode(record.value)
        name = record.topic.removeprefix(self._prefix)
        if name == ASSESSMENTS.name:
            self._assess(message)
        elif name == ZONE_CHANGES.name:
            self.changes[message.zone_change_id] = message
        elif name == PAGES.name:
            self._page(message)
        else:
            self._receive(message)

    def _assess(self, message: Assessment) -> None:
        known = self.assessments.get(message.assessment_id)
        if known is None or known.revision <= message.revision:
            self.assessments[message.assessment_id] = message

    def _page(self, message: PageRequest) -> None:
        self.pages.add(message.page_id)

    def _receive(self, message: Receipt) -> None:
        if message.reason is None:
            self.delivered.add(message.page_id)
        else:
            self.failed_asks += 1

    def _bury(self, headers: dict[str, bytes], value: bytes) -> None:
        place = headers[TOPIC], headers.get("partition", b""), headers.get("offset", b"")
        self.letters[place] = headers[REASON].decode()
        if headers[TOPIC].decode() == self._prefix + SUBMISSIONS.name:
            with contextlib.suppress(*UNREADABLE):
                self.dead_submissions.add(_named.decode(value).submission_id)
