"""Logs and a store made up for checks: one installation in which everything went well, until something is taken out."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pandas as pd

from agents.reconciliation.checking import check, span_of
from agents.storing.care_points import of_care_event
from agents.storing.points import of_assessment
from agents.streaming import Record
from schemas.assessments import Quality
from schemas.care import Discharged
from schemas.codec import encode
from schemas.dead_letters import OFFSET, PARTITION, REASON, TOPIC
from schemas.submissions import Correction, CorrectionAction, Reading, Submission
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, SUBMISSIONS
from tests.agents.storing.messages import assessment, reading

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agents.reconciliation.account import Account
    from agents.stores.port import Point
    from schemas.topics import Topic

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
AT_MS = 1_772_352_000_000
NOW_MS = AT_MS + 86_400_000
SETTLED_MS = NOW_MS - 300_000
PATIENT = "p-1"


class MadeUpLogs:
    """One partition, 0; `begin` holds the first offset that is kept of a topic."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.begin: dict[str, int] = defaultdict(int)

    def name(self, topic: Topic) -> str:
        return f"test-{topic.name}"

    async def bounds(self, topic: Topic, partition: int) -> tuple[int, int]:  # noqa: ARG002 - there is one
        return self.begin[topic.name], len(self.records[topic.name])

    async def first_at(self, topic: Topic, partition: int, at_ms: int) -> int:  # noqa: ARG002 - the same
        found = bisect_left(self.records[topic.name], at_ms, key=lambda record: record.timestamp_ms)
        return max(found, self.begin[topic.name])

    async def read(self, topic: Topic, partition: int, start: int, stop: int) -> AsyncGenerator[Record, None]:  # noqa: ARG002 - the same
        for record in self.records[topic.name][max(start, self.begin[topic.name]) : stop]:
            yield record

    def write(
        self,
        topic: Topic,
        value: bytes,
        at_ms: int,
        headers: tuple[tuple[str, bytes], ...] = (),
        *,
        key: bytes = PATIENT.encode(),
    ) -> Record:
        log = self.records[topic.name]
        record = Record(topic.name, 0, len(log), key, value, at_ms, headers)
        log.append(record)
        return record

    def withhold(self, topic: Topic, offset: int) -> None:
        """As if it had never been written: an unreadable message stands in its place."""
        log = self.records[topic.name]
        log[offset] = log[offset]._replace(value=b"", headers=())


class MadeUpStore:
    """Fields by identity."""

    def __init__(self) -> None:
        self.held: dict[tuple[Any, ...], dict[str, float | str]] = {}
        self.reachable = True

    def put(self, points: Sequence[Point]) -> None:
        for point in points:
            self.held.setdefault(identity(point), {}).update(point.fields)

    async def look_up(self, points: Sequence[Point], field: str) -> list[float | str | None]:
        return [self.held.get(identity(point), {}).get(field) for point in points]

    async def read(self, measurement: str, *, tags: dict[str, str], **_: object) -> pd.DataFrame:
        rows = [
            fields["submission_id"]
            for (name, of, _), fields in self.held.items()
            if name == measurement and dict(of).items() >= tags.items()
        ]
        return pd.DataFrame({"submission_id": rows})


def identity(point: Point) -> tuple[Any, ...]:
    return point.measurement, tuple(sorted(point.tags.items())), point.at_ns


def uuid(number: int) -> UUID:
    """An id of its own for each number."""
    return UUID(int=number << 64 | 0x4000 << 64 | 0x8000_0000_0000_0000 | number)


class Installation:
    """Logs and store, and what triage and storing would have written."""

    def __init__(self) -> None:
        self.logs = MadeUpLogs()
        self.store = MadeUpStore()

    def submit(self, number: int, at_ms: int, *, raw: bytes | None = None, key: bytes = PATIENT.encode()) -> Record:
        """Only received."""
        at = AT + timedelta(milliseconds=at_ms - AT_MS)
        sent = Submission(
            submission_id=uuid(number),
            patient=PATIENT,
            received_at=at,
            readings=(Reading(code="8867-4", value=72.0, unit="/min", measured_at=at),),
        )
        return self.logs.write(SUBMISSIONS, encode(sent) if raw is None else raw, at_ms, key=key)

    def correct(self, number: int, at_ms: int) -> Record:
        """Only received."""
        at = AT + timedelta(milliseconds=at_ms - AT_MS)
        sent = Correction(
            correction_id=uuid(number + 1_000_000),
            submission_id=uuid(number),
            patient=PATIENT,
            recorded_at=at,
            action=CorrectionAction.ENTERED_IN_ERROR,
        )
        return self.logs.write(SUBMISSIONS, encode(sent), at_ms)

    def assess(self, number: int, cause: Record, at_ms: int, *, revision: int = 1, stored: bool = True) -> Record:
        """Triage's answer to `cause`, and with `stored` the store's."""
        at = AT + timedelta(seconds=number)
        judged = assessment(
            reading(measured_at=at, quality=Quality.VALID),
            assessment_id=uuid(number + 2_000_000),
            submission_id=uuid(number),
            patient=PATIENT,
            at=at,
            revision=revision,
        )
        if stored:
            self.store.put(of_assessment(judged))
        headers = (("received_ms", b"%d" % cause.timestamp_ms),)
        return self.logs.write(ASSESSMENTS, encode(judged), at_ms, headers)

    def care(self, number: int, at_ms: int, *, stored: bool = True) -> Record:
        at = AT + timedelta(milliseconds=at_ms - AT_MS)
        event = Discharged(event_id=uuid(number), patient=PATIENT, at=at, recorded_at=at)
        if stored:
            self.store.put(of_care_event(event))
        return self.logs.write(CARE, encode(event), at_ms)

    def bury(self, record: Record, at_ms: int, reason: str = "invalid") -> Record:
        """A dead letter about `record`."""
        headers = (
            (REASON, reason.encode()),
            (TOPIC, f"test-{record.topic}".encode()),
            (PARTITION, b"0"),
            (OFFSET, str(record.offset).encode()),
        )
        return self.logs.write(DEAD_LETTERS, record.value or b"", at_ms, headers)

    async def account(self, from_ms: int = AT_MS, to_ms: int = SETTLED_MS, most: int = 4) -> Account:
        """What a check says of it."""
        span = await span_of(self.logs, 0, from_ms, to_ms)
        store: Any = self.store
        return await check(self.logs, store, span, settled_ms=SETTLED_MS, most=most)
