"""The storing agent's work on one batch: messages in, confirmed points and dead letters out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import structlog

from agents import wallclock
from agents.storing.care_points import of_care_event
from agents.storing.points import at_ms, of_assessment, of_page, of_receipt, of_status, of_zone_change
from agents.streaming import dead_letter
from agents.streaming.received import received_ms
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import DeadLetterReason
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, PAGES, PATIENT_STATUS, RECEIPTS, ZONE_CHANGES, Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.metrics import Metrics
    from agents.stores.port import Point, Refused, TimeSeriesStore
    from agents.streaming import Output, Record

PROCESS: Final = "storing"
Told = Callable[[Any], list["Point"]]

# What is stored, and how each message is told as points.
STORED: Final[tuple[tuple[Topic, Told], ...]] = (
    (ASSESSMENTS, of_assessment),
    (ZONE_CHANGES, of_zone_change),
    (PATIENT_STATUS, of_status),
    (PAGES, of_page),
    (RECEIPTS, of_receipt),
    (CARE, of_care_event),
)
_log = structlog.get_logger(__name__)


class StoringSink:
    """Writes a batch's points, and returns its dead letters: a Sink of agents/streaming.

    Returns only when the store has confirmed every point that it did not refuse, so the batch may be acknowledged
    then. Of a message whose points are refused in part the others are stored, and it becomes a dead letter.

    Parameters
    ----------
    prefix
        What stands before every topic's name.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        *,
        metrics: Metrics,
        prefix: str = "",
        now: wallclock.Clock = wallclock.now,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._letters = prefix + DEAD_LETTERS.name
        self._latency_of = prefix + ASSESSMENTS.name
        self._compacted = frozenset(prefix + topic.name for topic, _ in STORED if topic.compacted)
        self._read: dict[str, tuple[Codec[Any], Told]] = {
            prefix + topic.name: (Codec(topic.message), told) for topic, told in STORED
        }

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that it reads."""
        return tuple(self._read)

    async def write(self, records: Sequence[Record]) -> list[tuple[int, Output]]:
        """Store `records`, in order; return a dead letter, in its record's partition, for each that could not be."""
        letters: dict[int, tuple[int, Output]] = {}
        points: list[Point] = []
        places: dict[int, int] = {}  # of a point's id, the place of its record in the batch
        for place, record in enumerate(records):
            try:
                told = self._points(record)
            except UnreadableError as error:
                letters[place] = self._letter(record, error.reason, error.field)
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours go on and this one is named
                _log.error("telling_failed", error=type(error).__name__, topic=record.topic, offset=record.offset)
                letters[place] = self._letter(record, DeadLetterReason.INTERNAL_ERROR, None)
                continue
            points += told
            places.update((id(point), place) for point in told)
        refused = await self._store.write(points)
        if len(points) > len(refused):
            self._metrics.last_store_write.set(self._now().timestamp())
        for place in sorted({places[id(refusal.point)] for refusal in refused}):
            letters[place] = self._letter(records[place], DeadLetterReason.REFUSED_BY_STORE, None)
        self._count(points, refused)
        self._time([record for place, record in enumerate(records) if place not in letters])
        return [letters[place] for place in sorted(letters)]

    def _points(self, record: Record) -> list[Point]:
        codec, told = self._read[record.topic]
        if record.value is None and record.topic in self._compacted:
            return []  # a tombstone: the patient's status is no longer kept there, and says nothing new
        message = codec.decode(record.value)
        if not record.key:
            raise UnreadableError(DeadLetterReason.MISSING_PATIENT, None, "no key")
        if record.key != message.patient.encode():
            raise UnreadableError(DeadLetterReason.WRONG_KEY, "patient", "not the record's key")
        return told(message)

    def _letter(self, record: Record, reason: DeadLetterReason, field: str | None) -> tuple[int, Output]:
        self._metrics.dead_letters.labels(PROCESS, reason.value).inc()
        return dead_letter(self._letters, record, reason, field, process=PROCESS)

    def _count(self, points: Sequence[Point], refused: Sequence[Refused]) -> None:
        lost = Counter((refusal.point.measurement, refusal.problem) for refusal in refused)
        written = Counter(point.measurement for point in points)
        for (measurement, problem), times in lost.items():
            written[measurement] -= times
            _log.warning("points_refused", measurement=measurement, problem=problem.value, points=times)
        for measurement, times in written.items():
            self._metrics.points_written.labels(measurement).inc(times)

    def _time(self, stored: Sequence[Record]) -> None:
        now_ms = at_ms(self._now())
        for record in stored:
            received = received_ms(record.headers) if record.topic == self._latency_of else None
            if received is not None:
                self._metrics.received_to_stored.observe(max(now_ms - received, 0) / 1000)
