"""A partition's messages of a period, gone through in order: each is accounted for or named.

Assessments are written in the order of the submissions that caused them, so they are first looked for from where the
last one was found on. What is not found so (written long after, or a repeat of something older) is set aside and looked
for in the dead letters, in all assessments since the first of them, and at last in the store.

Memory: at most twice `most` messages are held at once, with an assessment of each; logs are streamed.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from agents.reconciliation.account import Account, Ledger, Step
from agents.reconciliation.dead import letters
from agents.storing.care_points import of_care_event
from agents.storing.points import of_assessment
from agents.streaming.received import received_ms
from pipeline.triage.instants import from_ms
from schemas.codec import UNREADABLE, Codec, UnreadableError
from schemas.dead_letters import DeadLetterReason
from schemas.submissions import Correction
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.reconciliation.logs import Logs
    from agents.stores.port import Point, TimeSeriesStore
    from agents.streaming import Record
    from schemas.topics import Topic

MOST: Final = 5_000
ASIDE_MS: Final = 60_000  # a process's clock may be behind the broker's by this much, or its assessments count as late
SOON_MS: Final = 300_000  # how far past a submission its assessment is looked for at first
STORED_AT_ONCE: Final = 500  # assessments whose points are asked for together
LOOK_BACK: Final = timedelta(days=400)  # how old a session may be that is sent again: more than any history is kept
AHEAD: Final = timedelta(days=2)  # how far a session's own time may lie after its receipt
SENT_AGAIN_MS: Final = (
    7 * 86_400_000
)  # a correction that comes again after longer is named: no log says that it was seen
_CORRECTION: Final = b'"correction_id"'
_SUBMISSION: Final = Codec[Any](SUBMISSIONS.message)
_CARE: Final = Codec[Any](CARE.message)
_ASSESSMENT: Final = Codec[Any](ASSESSMENTS.message)


class _Named(msgspec.Struct):
    submission_id: UUID


_named: Final = msgspec.json.Decoder(_Named)


class Span(msgspec.Struct, frozen=True):
    """Which messages of a partition are asked about."""

    partition: int
    from_ms: int
    whole_log: bool  # whether the logs still reach back to what was asked
    submissions: tuple[int, int]  # offsets: the first, and the one after the last
    care: tuple[int, int]


class _Found(NamedTuple):
    offset: int
    at_ms: int
    raw: bytes


@dataclass(slots=True, kw_only=True)
class _Item:
    """A submission with its copies, or a correction."""

    id: UUID | None  # None: cannot be read
    patient: str
    offsets: list[int]
    times_ms: list[int]
    correction: UUID | None = None  # its own id
    found: _Found | None = None
    first_ms: int | None = None  # when the first that an assessment of the submission tells of was received
    other: _Found | None = None  # an assessment that something else caused

    def take(self, found: _Found, received: int | None) -> bool:
        """Whether this assessment is its own: caused by it, as far as the assessment says."""
        own = received is None or received in self.times_ms
        if own:
            self.found = found
        elif self.other is None:
            self.other = found
        return own


@dataclass(slots=True)
class _Chunk:
    """So many messages in a row."""

    submissions: dict[UUID, _Item] = field(default_factory=dict)
    corrections: dict[tuple[UUID, int], _Item] = field(default_factory=dict)
    records: int = 0
    last_ms: int = 0


async def span_of(logs: Logs, partition: int, from_ms: int, to_ms: int) -> Span:
    """The messages that the broker took from `from_ms` on and before `to_ms`, as far as the logs reach back."""
    reach_ms = from_ms
    for topic in (SUBMISSIONS, CARE, ASSESSMENTS):
        begin, end = await logs.bounds(topic, partition)
        if begin > 0:
            reach_ms = max(reach_ms, to_ms if begin == end else await _written_ms(logs, topic, partition, begin, to_ms))
    start_ms = min(reach_ms, to_ms)
    ranges = []
    for topic in (SUBMISSIONS, CARE):
        first = await logs.first_at(topic, partition, start_ms)
        ranges.append((first, await logs.first_at(topic, partition, to_ms)))
    return Span(partition, start_ms, start_ms == from_ms, ranges[0], ranges[1])


async def _written_ms(logs: Logs, topic: Topic, partition: int, offset: int, otherwise_ms: int) -> int:
    async with aclosing(logs.read(topic, partition, offset, offset + 1)) as records:
        async for record in records:
            return record.timestamp_ms
    return otherwise_ms


async def check(logs: Logs, store: TimeSeriesStore, span: Span, *, settled_ms: int, most: int = MOST) -> Account:
    """Go through `span`.

    Parameters
    ----------
    settled_ms
        An assessment written after this may still be on its way to the store [ms since 1970].
    most
        Messages gone through together; twice as many are held at most.

    Raises
    ------
    ReadError
        The store does not answer.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    return await _Check(logs, store, span, settled_ms, most).run()


class _Check:
    """One partition under way."""

    def __init__(self, logs: Logs, store: TimeSeriesStore, span: Span, settled_ms: int, most: int) -> None:
        self._logs = logs
        self._store = store
        self._span = span
        self._settled_ms = settled_ms
        self._most = most
        self._ledger = Ledger(span.partition)
        self._count = self._ledger.count
        self._begin = 0  # the first assessment that any of them can have
        self._cursor = 0  # after the assessment that was found last
        self._end = 0
        self._aside: list[_Item] = []
        self._unanswered: list[_Item] = []  # corrections

    async def run(self) -> Account:
        """Go through all of it."""
        partition = self._span.partition
        _, self._end = await self._logs.bounds(ASSESSMENTS, partition)
        chunk = _Chunk()
        async with aclosing(self._logs.read(SUBMISSIONS, partition, *self._span.submissions)) as records:
            async for record in records:
                if record.offset == self._span.submissions[0]:
                    since_ms = record.timestamp_ms - ASIDE_MS
                    self._begin = self._cursor = await self._logs.first_at(ASSESSMENTS, partition, since_ms)
                self._take(chunk, record)
                if chunk.records == self._most:
                    await self._settle(chunk)
                    chunk = _Chunk()
        await self._settle(chunk)
        await self._search()
        await self._check_corrections()
        await self._check_care()
        return self._ledger.close(self._span.from_ms, whole_log=self._span.whole_log)

    # Submissions.

    def _take(self, chunk: _Chunk, record: Record) -> None:
        chunk.records += 1
        chunk.last_ms = max(chunk.last_ms, record.timestamp_ms)
        message = _readable(_SUBMISSION, record)
        if message is None:
            self._count["received"] += 1
            self._aside.append(_Item(id=None, patient="", offsets=[record.offset], times_ms=[record.timestamp_ms]))
            return
        item = _Item(
            id=message.submission_id,
            patient=message.patient,
            offsets=[record.offset],
            times_ms=[record.timestamp_ms],
            correction=message.correction_id if isinstance(message, Correction) else None,
        )
        if item.correction is not None:
            self._count["corrections"] += 1
            chunk.corrections[message.submission_id, record.timestamp_ms] = item
        elif known := chunk.submissions.get(message.submission_id):
            self._count["repeated"] += 1
            known.offsets.append(record.offset)
            known.times_ms.append(record.timestamp_ms)
        else:
            self._count["received"] += 1
            chunk.submissions[message.submission_id] = item

    async def _settle(self, chunk: _Chunk) -> None:
        """Account for what is found where it is expected; the rest is set aside."""
        await self._find(chunk)
        items = [*chunk.submissions.values(), *chunk.corrections.values()]
        await self._check_stored([item for item in items if item.found])
        self._aside += [item for item in chunk.submissions.values() if not item.found]
        self._unanswered += [item for item in chunk.corrections.values() if not item.found]
        if len(self._aside) >= self._most:
            await self._search()
        if len(self._unanswered) >= self._most:
            await self._check_corrections()

    async def _find(self, chunk: _Chunk) -> None:
        left = len(chunk.submissions) + len(chunk.corrections)
        if not left:
            return
        records = self._logs.read(ASSESSMENTS, self._span.partition, self._cursor, self._end)
        async with aclosing(records):
            async for record in records:
                if record.timestamp_ms > chunk.last_ms + SOON_MS:
                    break
                named, received, found = _of(record)
                if named is None:
                    continue
                correction = chunk.corrections.get((named, received)) if received else None
                item = correction or chunk.submissions.get(named)
                if item and not item.found and item.take(found, received):
                    self._cursor = record.offset + 1
                    left -= 1
                    if not left:
                        break

    async def _search(self) -> None:
        """Account for what was set aside, or name it."""
        items, self._aside = self._aside, []
        left: dict[UUID, list[_Item]] = {}
        for item in await self._without_letter(items):
            if item.id is None:
                self._miss(item)
            else:
                left.setdefault(item.id, []).append(item)
        await self._find_anywhere(left)
        found = []
        for item in (item for same in left.values() for item in same):
            if item.found is None and item.other and item.other.at_ms >= item.times_ms[0]:
                item.found = item.other
            if item.found is not None:
                found.append(item)
            elif item.other or str(item.id) in await self._stored_of(item):
                self._count["received"] -= 1
                self._count["repeated"] += 1
            else:
                self._miss(item)
        await self._check_stored(found)

    async def _without_letter(self, items: list[_Item]) -> list[_Item]:
        since_ms = min((item.times_ms[0] for item in items), default=0) - ASIDE_MS
        offsets = {offset for item in items for offset in item.offsets}
        dead = await letters(self._logs, SUBMISSIONS, self._span.partition, offsets, since_ms=since_ms)
        left = [item for item in items if item.id not in dead.too_large and not dead.offsets.issuperset(item.offsets)]
        self._count["dead_lettered"] += len(items) - len(left)
        return left

    def _miss(self, item: _Item) -> None:
        self._ledger.miss(Step.ASSESSED, SUBMISSIONS, item.offsets[0], item.times_ms[0], item.id)

    async def _find_anywhere(self, left: dict[UUID, list[_Item]]) -> None:
        waiting = sum(map(len, left.values()))
        if not waiting:
            return
        for item in (item for same in left.values() for item in same):
            item.other = None  # the first of all says whether it is a repeat
        records = self._logs.read(ASSESSMENTS, self._span.partition, self._begin, self._end)
        async with aclosing(records):
            async for record in records:
                named, received, found = _of(record)
                for item in left.get(named, ()) if named else ():
                    if not item.found and item.take(found, received):
                        waiting -= 1
                if not waiting:
                    break

    async def _stored_of(self, item: _Item) -> set[str]:
        """The submissions of the patient that the store knows: what comes again may be older than the period."""
        received = from_ms(item.times_ms[0])
        frame = await self._store.read(
            "assessment",
            start=received - LOOK_BACK,
            stop=received + AHEAD,
            tags={"patient": item.patient},
            fields=["submission_id"],
        )
        return set(frame["submission_id"])

    # Corrections.

    async def _check_corrections(self) -> None:
        """Account for corrections of which no assessment was found where it is expected, or name them."""
        items, self._unanswered = self._unanswered, []
        left = await self._without_refusal(items)
        again = await self._sent_before(left)
        await self._first_told(left)
        found = [item for item in left if item.found]
        for item in left:
            if item.found:
                continue
            if item.correction in again and again[item.correction] < item.offsets[0]:
                self._count["corrections_repeated"] += 1
            elif await self._came_later(item):
                self._count["corrections_waiting"] += 1
            else:
                self._ledger.miss(Step.CORRECTED, SUBMISSIONS, item.offsets[0], item.times_ms[0], item.id)
        await self._check_stored(found)

    async def _without_refusal(self, items: list[_Item]) -> list[_Item]:
        since_ms = min((item.times_ms[0] for item in items), default=0) - ASIDE_MS
        offsets = {item.offsets[0] for item in items}
        dead = await letters(self._logs, SUBMISSIONS, self._span.partition, offsets, since_ms=since_ms)
        left = [item for item in items if item.offsets[0] not in dead.offsets and item.id not in dead.too_large]
        self._count["corrections_refused"] += len(items) - len(left)
        return left

    async def _sent_before(self, items: list[_Item]) -> dict[UUID, int]:
        """Correction -> the offset at which it first came, as far back as a week."""
        wanted = {item.correction for item in items}
        first: dict[UUID, int] = {}
        if not wanted:
            return first
        start = await self._logs.first_at(
            SUBMISSIONS, self._span.partition, min(item.times_ms[0] for item in items) - SENT_AGAIN_MS
        )
        stop = max(item.offsets[0] for item in items)
        async with aclosing(self._logs.read(SUBMISSIONS, self._span.partition, start, stop)) as records:
            async for record in records:
                if _CORRECTION not in (record.value or b""):
                    continue
                message = _readable(_SUBMISSION, record)
                if isinstance(message, Correction) and message.correction_id in wanted:
                    first.setdefault(message.correction_id, record.offset)
        return first

    async def _first_told(self, items: list[_Item]) -> None:
        """Of each correction its own assessment, and since when its submission is known."""
        of: dict[UUID | None, list[_Item]] = {}
        for item in items:
            of.setdefault(item.id, []).append(item)
        if not of:
            return
        async with aclosing(self._logs.read(ASSESSMENTS, self._span.partition, self._begin, self._end)) as records:
            async for record in records:
                named, received, found = _of(record)
                for item in of.get(named, ()) if named else ():
                    if item.found is None:
                        item.take(found, received)
                    told_ms = found.at_ms if received is None else received
                    item.first_ms = told_ms if item.first_ms is None else min(item.first_ms, told_ms)

    async def _came_later(self, item: _Item) -> bool:
        """Whether the submission of a correction came after it, or has not come."""
        if item.first_ms is not None:
            return item.first_ms > item.times_ms[0]
        return str(item.id) not in await self._stored_of(item)

    # The store.

    async def _check_stored(self, items: list[_Item]) -> None:
        """Whether the points of each item's assessment are in the store, of this revision or of a later one."""
        lacking: dict[int, list[_Item]] = {}
        for first in range(0, len(items), STORED_AT_ONCE):
            some = items[first : first + STORED_AT_ONCE]
            for item, held in zip(some, await self._held(some), strict=True):
                self._count["corrected" if item.correction else "assessed"] += 1
                if held:
                    self._count["stored"] += 1
                elif item.found:
                    lacking.setdefault(item.found.offset, []).append(item)
        since_ms = min((item.found.at_ms for same in lacking.values() for item in same if item.found), default=0)
        dead = await letters(
            self._logs, ASSESSMENTS, self._span.partition, lacking.keys(), since_ms=since_ms - ASIDE_MS
        )
        for offset, same in lacking.items():
            for item in same:
                if offset in dead.offsets:
                    self._count["refused"] += 1
                elif item.found and item.found.at_ms > self._settled_ms:
                    self._count["underway"] += 1
                    self._ledger.wait(SUBMISSIONS, item.offsets[0], item.times_ms[0])
                else:
                    self._ledger.miss(Step.STORED, SUBMISSIONS, item.offsets[0], item.times_ms[0], item.id)

    async def _held(self, items: Iterable[_Item]) -> list[bool]:
        points: list[Point] = []
        wanted: list[tuple[int, float]] = []  # so many points, and the revision they have at least; none: unreadable
        for item in items:
            try:
                assessment = _ASSESSMENT.decode(item.found.raw if item.found else b"")
            except UnreadableError:
                wanted.append((0, 0.0))
                continue
            told = of_assessment(assessment)
            points += told
            wanted.append((len(told), float(assessment.revision)))
        revisions = iter(await self._store.look_up(points, "revision"))
        found = [([next(revisions) for _ in range(count)], revision) for count, revision in wanted]
        return [bool(of) and all(isinstance(one, float) and one >= least for one in of) for of, least in found]

    # Care events.

    async def _check_care(self) -> None:
        records: list[Record] = []
        async with aclosing(self._logs.read(CARE, self._span.partition, *self._span.care)) as care:
            async for record in care:
                records.append(record)
                if len(records) == self._most:
                    await self._settle_care(records)
                    records = []
        await self._settle_care(records)

    async def _settle_care(self, records: list[Record]) -> None:
        events = [_readable(_CARE, record) for record in records]
        self._count["care_received"] += len(records)
        points = [of_care_event(event)[0] for event in events if event is not None]
        ids = iter(await self._store.look_up(points, "event_id"))
        lacking: dict[int, tuple[Record, UUID]] = {}
        unreadable: dict[int, Record] = {}
        for record, event in zip(records, events, strict=True):
            if event is None:
                unreadable[record.offset] = record
            elif next(ids) == str(event.event_id):
                self._count["care_stored"] += 1
            else:
                lacking[record.offset] = (record, event.event_id)
        since_ms = min((record.timestamp_ms for record in records), default=0) - ASIDE_MS
        partition = self._span.partition
        # Triage, too, makes dead letters of care events: of one that can be read, the store's refusal alone counts.
        refused = DeadLetterReason.REFUSED_BY_STORE
        dead = await letters(self._logs, CARE, partition, lacking.keys(), since_ms=since_ms, only=refused)
        for offset, (record, event_id) in lacking.items():
            if offset in dead.offsets:
                self._count["care_refused"] += 1
            else:
                self._ledger.miss(Step.CARE_STORED, CARE, offset, record.timestamp_ms, event_id)
        dead = await letters(self._logs, CARE, partition, unreadable.keys(), since_ms=since_ms)
        for offset, record in unreadable.items():
            if offset in dead.offsets:
                self._count["care_refused"] += 1
            else:
                self._ledger.miss(Step.CARE_STORED, CARE, offset, record.timestamp_ms, None)


def _readable(codec: Codec[Any], record: Record) -> Any | None:  # noqa: ANN401 - what the codec reads
    """The message; None where no process could read it, or it lies under another patient's key."""
    try:
        message = codec.decode(record.value)
    except UnreadableError:
        return None
    return message if record.key == message.patient.encode() else None


def _of(record: Record) -> tuple[UUID | None, int | None, _Found]:
    """Whose assessment it is, when what caused it was received, and the assessment."""
    found = _Found(record.offset, record.timestamp_ms, record.value or b"")
    try:
        named = _named.decode(found.raw).submission_id
    except UNREADABLE:
        return None, None, found
    return named, received_ms(record.headers), found
