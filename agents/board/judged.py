"""A patient's newest registrations as they were judged, kept small: the charts and explanations of the last weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from dashboards.board.views import Dot
from pipeline.triage.vitals import VITALS
from schemas.assessments import Quality, Reason
from schemas.submissions import OnBehalf
from schemas.types import Zone

if TYPE_CHECKING:
    from schemas.assessments import Assessment

KEPT: Final = 60  # registrations of a patient, about half a KiB each
KEPT_DAYS: Final = 30  # of which the broker is asked [d]
_NAMES: Final = frozenset(vital.name for vital in VITALS)
_RANK: Final = {Zone.GREEN: 0, Zone.NOT_MONITORED: 0, Zone.NO_DATA: 1, Zone.YELLOW: 2, Zone.RED: 3}


class Measured(Struct, frozen=True, array_like=True, gc=False):
    """What is kept of a reading [the vital's unit]."""

    vital: str
    value: float
    unit: str
    at: datetime
    zone: Zone
    center: float | None = None
    spread: float | None = None
    judged: bool = True


class Judged(Struct, frozen=True, array_like=True):
    """What is kept of an assessment."""

    id: UUID
    revision: int
    at: datetime
    received_at: datetime
    zone: Zone
    reasons: tuple[Reason, ...]
    readings: tuple[Measured, ...]
    answers: tuple[tuple[str, str, int | bool | str], ...]  # questionnaire, question, answer
    plan_version: int | None
    on_behalf: OnBehalf | None
    entered_in_error: bool
    self_care: tuple[str, ...]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Judged).decode


def kept(assessment: Assessment) -> Judged:
    """Return what is kept of an assessment."""
    zones: dict[int, Zone] = {}
    for reason in assessment.reasons:
        for index in reason.readings:
            zones[index] = max(zones.get(index, Zone.GREEN), reason.zone, key=_RANK.__getitem__)
    return Judged(
        id=assessment.assessment_id,
        revision=assessment.revision,
        at=assessment.at,
        received_at=assessment.received_at,
        zone=assessment.zone,
        reasons=assessment.reasons,
        readings=tuple(
            Measured(
                vital=reading.vital or reading.code,
                value=reading.value,
                unit=reading.unit,
                at=reading.measured_at,
                zone=zones.get(index, Zone.GREEN),
                center=reading.deviation.center if reading.deviation else None,
                spread=reading.deviation.spread if reading.deviation else None,
                judged=reading.quality is not Quality.QUARANTINED,
            )
            for index, reading in enumerate(assessment.readings)
            if not reading.withdrawn
        ),
        answers=tuple((answer.questionnaire, answer.link_id, answer.value) for answer in assessment.answers),
        plan_version=assessment.plan_version,
        on_behalf=assessment.on_behalf,
        entered_in_error=assessment.entered_in_error,
        self_care=assessment.self_care,
    )


class Judgements:
    """One patient's, newest last; each as bytes until somebody looks."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[UUID, tuple[datetime, int, bytes]] = {}  # id -> its time, its revision, the rest

    def take(self, assessment: Assessment, now: datetime) -> bool:
        """Keep an assessment unless a newer revision of it is held; whether anything changed."""
        known = self._held.get(assessment.assessment_id)
        if known is not None and known[1] >= assessment.revision:
            return False
        if assessment.at < now - timedelta(days=KEPT_DAYS):
            return self._held.pop(assessment.assessment_id, None) is not None
        one = kept(assessment)
        self._held[one.id] = (one.at, one.revision, _encode(one))
        if len(self._held) > KEPT:
            del self._held[min(self._held, key=lambda id_: self._held[id_][0])]
        return True

    def newest(self, most: int | None = None) -> list[Judged]:
        """Return the newest, oldest of them first."""
        ordered = sorted(self._held.values())
        return [_decode(raw) for _, _, raw in (ordered if most is None else ordered[-most:])]

    def __len__(self) -> int:
        return len(self._held)


def dots(judged: list[Judged]) -> dict[str, tuple[str, list[Dot]]]:
    """Return each vital sign's unit and values, oldest first; what was entered in error is left out."""
    found: dict[str, tuple[str, list[Dot]]] = {}
    for one in judged:
        if one.entered_in_error:
            continue
        for reading in one.readings:
            if reading.vital not in _NAMES:  # of an unknown kind: nothing is known of its unit either
                continue
            dot = Dot(reading.at, reading.value, reading.zone, reading.center, reading.spread, reading.judged)
            found.setdefault(reading.vital, (reading.unit, []))[1].append(dot)
    for _, values in found.values():
        values.sort(key=lambda dot: dot.at)
    return found
