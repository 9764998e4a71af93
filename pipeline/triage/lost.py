"""A patient whose state cannot be read: damaged, or written by a newer version.

Nobody watches such a patient, so that is what is told. The state is not thrown away for it: it is kept as it is behind
a byte with which no MessagePack begins, until a version that can read it takes the byte off again. Whatever comes of
the patient meanwhile goes to the dead letters, from which it can be sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.triage import standing, told
from pipeline.triage.content import unpack
from pipeline.triage.rosters import NO_SERVICES
from pipeline.triage.rules import RULES
from pipeline.triage.state import UnreadableStateError, decode
from pipeline.triage.timeline import Timeline
from schemas.assessments import PatientStatus, Reason
from schemas.codec import UNREADABLE
from schemas.paging import PageRequest
from schemas.submissions import Correction
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.triage.rules import Rules
    from pipeline.triage.state import State
    from schemas.services import Service

ASIDE: Final = b"\xc1"  # the one byte that MessagePack never uses
LOST: Final = Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="unreadable_state")
_reasons: Final = msgspec.msgpack.Decoder(tuple[Reason, ...])
_request: Final = msgspec.msgpack.Decoder(PageRequest)
_corrections: Final = msgspec.msgpack.Decoder(tuple[Correction, ...])


def is_aside(raw: bytes | None) -> bool:
    """Whether a stored state was set aside: that it cannot be read has been told."""
    return raw is not None and raw.startswith(ASIDE)


def put_aside(raw: bytes) -> bytes:
    """The stored state as it is set aside; nothing of it is lost."""
    return raw if is_aside(raw) else ASIDE + raw


def read(raw: bytes) -> State:
    """The state in stored bytes; one that was set aside is believed only where every part of it can be read.

    Raises
    ------
    UnreadableStateError
        It cannot be read.
    """
    state = decode(raw.removeprefix(ASIDE))
    try:
        standing.course(state.care)
        if is_aside(raw):
            _read_all(state)
    except UNREADABLE:
        raise UnreadableStateError("a part of the state is not of this version") from None
    return state


def lost(patient: str, at: datetime) -> PatientStatus:
    """Where a patient stands whose state cannot be read: with nobody. Its revision is below all that were told."""
    return PatientStatus(patient=patient, revision=1, at=at, zone=LOST.zone, since_at=at, reasons=(LOST,))


def found(
    state: State, at: datetime, rules: Rules = RULES, services: Mapping[str, Service] = NO_SERVICES
) -> PatientStatus:
    """Where a patient stands whose state can be read again, as told at `at`."""
    status = told.status(state, Timeline(state, rules), services)
    return msgspec.structs.replace(status, at=at if status.at is None else max(at, status.at))


def _read_all(state: State) -> None:
    """Read what is packed in the state and otherwise read only when it is asked for."""
    for session in state.sessions:
        unpack(session.content)
    for page in state.open_pages.values():
        _request.decode(page.request)
    for corrections in state.pending.values():
        _corrections.decode(corrections)
    episodes = (state.episode, state.base.episode, state.next_base.episode if state.next_base else None)
    for reasons in (state.reasons, *(episode.reasons for episode in episodes if episode)):
        _reasons.decode(reasons)
