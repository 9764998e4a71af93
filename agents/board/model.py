"""The read model behind the board: all that its pages show of every patient, in memory, out of the broker's topics.

Bounded: a patient has one status, at most `judged.KEPT` registrations of the last 30 days, `alarms.KEPT` zone changes
and pages, `courses.KEPT` care events and `courses.PLANS_KEPT` plans; about 50 KiB, so 1,000 patients take about 50 MiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from agents import wallclock
from agents.board.alarms import Alarms
from agents.board.courses import Course
from agents.board.judged import Judgements
from agents.board.reading import Reading, Source
from agents.board.statuses import PROCESS, Statuses
from pipeline.triage.instants import from_ms
from schemas import topics
from schemas.assessments import Assessment, ZoneChange
from schemas.care import CareEvent
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import DeadLetterReason
from schemas.paging import PageRequest, Receipt
from schemas.services import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Any

    from agents.metrics import Metrics
    from schemas.assessments import PatientStatus

HISTORY_DAYS: Final = 30  # of what is read by time [d]
_log = structlog.get_logger()


class Patient:
    """All that is known of one."""

    __slots__ = ("alarms", "course", "judgements", "pseudonym", "seq", "services")

    def __init__(self, pseudonym: str) -> None:
        self.pseudonym = pseudonym
        self.seq = 0  # of the newest change
        self.services: set[str | None] = set()  # every one that the patient was of, as far as is known here
        self.course = Course()
        self.judgements = Judgements()
        self.alarms = Alarms()


class Model:
    """Takes what the topics say, numbers every change, and tells whoever listens.

    Attributes
    ----------
    seq
        The number of the newest change.
    """

    def __init__(self, metrics: Metrics, now: wallclock.Clock = wallclock.now) -> None:
        self.statuses = Statuses(metrics)
        self.seq = 0
        self._metrics = metrics
        self._now = now
        self._patients: dict[str, Patient] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._hearers: list[Callable[[object, datetime], None]] = []

    def sources(self) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
        """Return what the list rests on, and what the charts and histories do: they are read apart, the list first."""
        return (
            (
                Source(topics.PATIENT_STATUS.name, self._status),
                Source(topics.CARE.name, self._reader(CareEvent, lambda one, event: one.course.take(event))),
            ),
            (
                Source(
                    topics.ASSESSMENTS.name,
                    self._reader(Assessment, lambda one, found: one.judgements.take(found, self._now())),
                    HISTORY_DAYS,
                ),
                Source(
                    topics.ZONE_CHANGES.name,
                    self._reader(ZoneChange, lambda one, change: one.alarms.change(change)),
                    HISTORY_DAYS,
                ),
                Source(
                    topics.PAGES.name, self._reader(PageRequest, lambda one, page: one.alarms.asked(page)), HISTORY_DAYS
                ),
                Source(
                    topics.RECEIPTS.name,
                    self._reader(Receipt, lambda one, receipt: one.alarms.delivered(receipt)),
                    HISTORY_DAYS,
                ),
            ),
        )

    def listen(self, told: Callable[[str], None]) -> None:
        """Have `told` hear of each patient of whom something changed."""
        self._listeners.append(told)

    def hear(self, told: Callable[[object, datetime], None]) -> None:
        """Have `told` hear of every message that could be read, and when the broker took it."""
        self._hearers.append(told)

    def status(self, pseudonym: str) -> PatientStatus | None:
        """Return where a patient stands; None: nobody by that name, or the alarm path's own test."""
        found = self.statuses.of(pseudonym)
        return None if found is None or found.pathway == CANARY else found

    def all_statuses(self) -> Iterable[PatientStatus]:
        """Return where everybody stands."""
        return (one for one in self.statuses.rows if one.pathway != CANARY)

    def patient(self, pseudonym: str) -> Patient:
        """Return what is known of one; of an unknown one that is nothing, and it is not remembered."""
        return self._patients.get(pseudonym) or Patient(pseudonym)

    def changed_since(self, seq: int) -> list[str]:
        """Return everybody of whom something changed after a number."""
        return [one.pseudonym for one in self._patients.values() if one.seq > seq]

    def heard(self, event: CareEvent) -> None:
        """Take a care event that this board itself wrote, once the broker has it; read again it changes nothing."""
        one = self._of(event.patient)
        if one.course.take(event):
            self._changed(one)

    def _of(self, pseudonym: str) -> Patient:
        return self._patients.setdefault(pseudonym, Patient(pseudonym))

    def _status(self, key: bytes | None, value: bytes | None, written_ms: int) -> None:
        self.statuses.take(key, value, written_ms)
        if key is not None:
            pseudonym = key.decode(errors="replace")
            status = self.statuses.of(pseudonym)
            one = self._of(pseudonym)
            if status is not None:
                if status.pathway != CANARY:
                    one.services.add(status.service)
                self._tell(status, written_ms)
            self._changed(one)

    def _tell(self, message: object, written_ms: int) -> None:
        for told in self._hearers:
            told(message, from_ms(written_ms))

    def _reader(
        self,
        message: Any,  # noqa: ANN401 - a Struct type or a union of them, which no type names
        keep: Callable[[Patient, Any], bool],
    ) -> Callable[[bytes | None, bytes | None, int], None]:
        codec: Codec[Any] = Codec(message)

        def take(key: bytes | None, value: bytes | None, written_ms: int) -> None:
            try:
                decoded = codec.decode(value)
            except UnreadableError as error:
                self._refuse(error.reason)
                return
            if key is None or decoded.patient.encode() != key:
                self._refuse(DeadLetterReason.WRONG_KEY)
                return
            self._tell(decoded, written_ms)
            one = self._of(decoded.patient)
            if keep(one, decoded):
                self._changed(one)

        return take

    def _refuse(self, reason: DeadLetterReason) -> None:
        # Only counted: who wrote it answers for it, the topic keeps the bytes, and the status is apart from it.
        self._metrics.dead_letters.labels(PROCESS, reason.value).inc()
        _log.error("history_unreadable", process=PROCESS, reason=reason.value)

    def _changed(self, one: Patient) -> None:
        self.seq += 1
        one.seq = self.seq
        for told in self._listeners:
            told(one.pseudonym)


def readings(model: Model, bootstrap: str, prefix: str, fetch_wait_ms: int | None = None) -> tuple[Reading, Reading]:
    """Return the readers of the list and of the histories."""
    listing, history = (
        Reading(bootstrap=bootstrap, prefix=prefix, sources=sources, fetch_wait_ms=fetch_wait_ms)
        for sources in model.sources()
    )
    return listing, history
