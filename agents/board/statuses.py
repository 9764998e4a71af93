"""The read model behind the triage list: each patient's latest status, in memory, and whether it is up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from msgspec import structs

from dashboards.board.listing import overdue
from pipeline.triage.lost import LOST
from schemas.assessments import PatientStatus, Reason
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import DeadLetterReason
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from agents.metrics import Metrics

PROCESS: Final = "board"
_CODEC: Final = Codec[PatientStatus](PatientStatus)
_UNREADABLE: Final = Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="unreadable_messages")
_ALERTS: Final = (Zone.RED, Zone.YELLOW)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS: Final = 4_102_444_800_000  # the year 2100: a producer may write any time it likes [ms]
_log = structlog.get_logger()


class Statuses:
    """Takes what the topic says, and gives the rows of the list.

    A status with a lower revision than the one held is older, whenever it was written, and is dropped; but for one
    that says that the patient's state cannot be read, which stands beside what is held until a later one comes.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._rows: dict[bytes, PatientStatus] = {}
        self._unreadable: set[bytes] = set()

    def take(self, key: bytes | None, value: bytes | None, written_ms: int) -> None:
        """Take one message, written at `written_ms`; without a value the patient is taken off the list."""
        if key is None:
            self._count(DeadLetterReason.MISSING_PATIENT)
            return
        if value is None:
            self._rows.pop(key, None)
            self._unreadable.discard(key)
            return
        try:
            status = _CODEC.decode(value)
        except UnreadableError as error:
            self._refuse(key, written_ms, error.reason)
            return
        if status.patient.encode() != key:
            self._refuse(key, written_ms, DeadLetterReason.WRONG_KEY)
            return
        held = self._rows.get(key)
        if held is not None and LOST in status.reasons:
            self._rows[key] = _doubted(held, LOST)  # of what was known before, the core knows nothing any more
        elif held is None or status.revision >= held.revision:
            self._rows[key] = status
            self._unreadable.discard(key)

    def of(self, pseudonym: str) -> PatientStatus | None:
        """The latest status of one patient."""
        return self._rows.get(pseudonym.encode())

    @property
    def rows(self) -> tuple[PatientStatus, ...]:
        """The latest status of each patient."""
        return tuple(self._rows.values())

    @property
    def unreadable(self) -> int:
        """How many patients' latest status could not be read."""
        return len(self._unreadable)

    def count(self, now: datetime) -> None:
        """Show in the metrics how many patients are overdue at `now`; the ended are not counted."""
        followed = [row for row in self._rows.values() if row.phase is not Phase.ENDED]
        self._metrics.overdue_patients.set(sum(overdue(row, now) for row in followed))

    def _refuse(self, key: bytes, written_ms: int, reason: DeadLetterReason) -> None:
        """Show the patient as not monitored, but never below an alert that stands already."""
        self._unreadable.add(key)
        held = self._rows.get(key)
        if held is None:
            at = _EPOCH + timedelta(milliseconds=min(max(0, written_ms), _LATEST_MS))
            self._rows[key] = PatientStatus(
                patient=key.decode(errors="replace"),
                revision=1,
                zone=Zone.NOT_MONITORED,
                since_at=at,
                reasons=(_UNREADABLE,),
            )
        else:
            self._rows[key] = _doubted(held, _UNREADABLE)
        self._count(reason)

    def _count(self, reason: DeadLetterReason) -> None:
        # Only counted: the worker that wrote it is the one to answer for it, and the topic keeps the bytes.
        self._metrics.dead_letters.labels(PROCESS, reason.value).inc()
        _log.error("status_unreadable", process=PROCESS, reason=reason.value)


def _doubted(held: PatientStatus, reason: Reason) -> PatientStatus:
    """The patient's row, with a reason for which nobody can be sure of it; an alert goes on standing."""
    if reason in held.reasons:
        return held
    zone = held.zone if held.zone in _ALERTS else Zone.NOT_MONITORED
    return structs.replace(held, zone=zone, reasons=(*held.reasons, reason))
