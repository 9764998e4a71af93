"""The engine's own cadence, lived forward: what it did not ask for was never sent, and nobody knows of it.

Each patient's recorded registrations are put to the fold in order. One made on a day on which the fold has nothing due
is left out, and what is due next hangs on those taken alone: on their zones, on how near a limit they came, and on a
normal learnt from them. A registration on the day of one taken is part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.backtest.days import PatientDay
from pipeline.triage import step
from pipeline.triage.instants import local_day, to_ms
from pipeline.triage.vitals import BY_CODE
from schemas.assessments import PatientStatus
from schemas.care import PlanSigned
from schemas.submissions import Correction, CorrectionAction, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime, tzinfo
    from uuid import UUID

    from pipeline.triage import Rules, State
    from schemas.care import Cadence, CareEvent
    from schemas.submissions import Reading


class _Followed:
    """One patient as far as the engine knows."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.due_at: datetime | None = None
        self.taken: set[UUID] = set()
        self.day: int | None = None  # of the newest registration taken

    def asked_on(self, day: int, zone: tzinfo) -> bool:
        """Whether a registration made on the patient-local `day` was asked for by then."""
        return day == self.day or (self.due_at is not None and local_day(to_ms(self.due_at), zone) <= day)

    def take(self, message: Submission | Correction | CareEvent, rules: Rules) -> None:
        """Let the fold know of a message."""
        self.state, outputs = step(self.state, message, rules)
        for output in outputs:
            if isinstance(output, PatientStatus):
                self.due_at = output.due_at


def thinned(  # noqa: PLR0913 - what is recorded, and what is asked of it
    messages: Iterable[Submission | Correction | CareEvent],
    plan: Cadence,
    rules: Rules,
    zone: tzinfo,
    *,
    days: AbstractSet[PatientDay],
    codes: AbstractSet[str] | None = None,
) -> frozenset[PatientDay]:
    """Those of `days` on which the engine has a registration made when every plan has the rhythm of `plan`.

    Parameters
    ----------
    messages
        The recording, in the order in which it reached us.
    zone
        The patients' time zone.
    days
        The patient-days on which something can be registered; what was sent on others is left out.
    codes
        The registrations hold these vitals alone, and no answers; None: all that was sent.
    """
    followed: dict[str, _Followed] = {}
    kept: set[PatientDay] = set()
    for message in messages:
        one = followed.setdefault(message.patient, _Followed())
        match message:
            case Submission():
                sent = _only(message, codes)
                made = (
                    set() if sent is None else {_day(sent.patient, reading, zone) for reading in sent.readings} & days
                )
                if sent is not None and made and one.asked_on(max(made).day, zone):
                    kept |= made
                    one.day = max(made).day
                    one.taken.add(sent.submission_id)
                    one.take(sent, rules)
            case Correction():
                if message.submission_id in one.taken:
                    one.take(_corrected(message, codes), rules)
            case PlanSigned():
                one.take(_under(message, plan), rules)
            case _:
                one.take(message, rules)
    return frozenset(kept)


def _day(patient: str, reading: Reading, zone: tzinfo) -> PatientDay:
    return PatientDay(patient, local_day(to_ms(reading.measured_at), zone))


def _only(sent: Submission, codes: AbstractSet[str] | None) -> Submission | None:
    """A submission with the readings that are asked about; None where it holds none of them."""
    if codes is None:
        return sent
    readings = _readings(sent, codes)
    return msgspec.structs.replace(sent, readings=readings, answers=()) if readings else None


def _corrected(correction: Correction, codes: AbstractSet[str] | None) -> Correction:
    """The same of a correction; what it takes away is entered in error."""
    if codes is None or correction.action is CorrectionAction.ENTERED_IN_ERROR:
        return correction
    readings = _readings(correction, codes)
    action = CorrectionAction.REPLACED if readings else CorrectionAction.ENTERED_IN_ERROR
    return msgspec.structs.replace(correction, action=action, readings=readings, answers=())


def _readings(message: Submission | Correction, codes: AbstractSet[str]) -> tuple[Reading, ...]:
    return tuple(
        reading
        for reading in message.readings
        if (vital := BY_CODE.get(reading.code)) is not None and vital.codes[0] in codes
    )


def _under(signed: PlanSigned, cadence: Cadence) -> PlanSigned:
    """The plan, with another rhythm."""
    return msgspec.structs.replace(signed, plan=msgspec.structs.replace(signed.plan, cadence=cadence))
