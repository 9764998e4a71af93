"""`step(state, event, rules, services) -> (state, outputs)`: the whole of triage, for one patient, without a clock.

The same events, in any order and repeated, end in the same state and in the same newest revision of every assessment,
as long as they lie within the history that a state keeps (`Rules.history_days`, `Rules.history_bytes`). Time-driven
decisions carry the instant at which they fell due, not that of the tick that noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from pipeline.triage import content as contents
from pipeline.triage import standing, told
from pipeline.triage.asked import reached
from pipeline.triage.content import Names
from pipeline.triage.instants import local_day, to_ms
from pipeline.triage.ladder import Escalation
from pipeline.triage.pages import Pages
from pipeline.triage.rosters import NO_SERVICES
from pipeline.triage.rules import RULES
from pipeline.triage.state import ID_BYTES, NEVER, STATE_VERSION, Content, Session, State
from pipeline.triage.timeline import Timeline, next_decision, size
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.dead_letters import DeadLetterReason
from schemas.paging import Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Correction, CorrectionAction, Submission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.triage.rules import Rules
    from schemas.care import CareEvent
    from schemas.services import Service


class Refused(Struct, frozen=True):
    """An event that the fold cannot take: it belongs to the dead letters."""

    reason: DeadLetterReason
    field: str | None = None


Output = Assessment | ZoneChange | PatientStatus | PageRequest | Refused

_encoder: Final = msgspec.msgpack.Encoder()
_corrections_decoder: Final = msgspec.msgpack.Decoder(tuple[Correction, ...])


def step(
    state: State | None,
    event: Submission | Correction | CareEvent | Tick | Receipt,
    rules: Rules = RULES,
    services: Mapping[str, Service] = NO_SERVICES,
) -> tuple[State | None, tuple[Output, ...]]:
    """Take one event into a patient's state.

    Parameters
    ----------
    state
        What is known of the patient; None before the first event.
    event
        A message of the patient's, or a tick. A repeated one changes nothing.
    services
        By name, whom an alert climbs to.

    Returns
    -------
    The next state (the very same object where nothing changed) and what follows, in order.
    """
    if isinstance(event, Tick):
        return (state, ()) if state is None else _passed(state, to_ms(event.at), rules, services)
    if isinstance(event, Receipt):
        return (state, ()) if state is None else _receipt(state, event, rules, services)
    known = state if state is not None else State(version=STATE_VERSION, patient=event.patient)
    if isinstance(event, Submission):
        found = _submitted(known, event, rules, services)
    elif isinstance(event, Correction):
        found = _corrected(known, event, rules, services)
    elif isinstance(event, standing.Kept):
        found = _cared(known, event, rules, services)
    else:
        return state, ()  # no decision rests on it yet; the storing agent keeps it
    return (state, found[1]) if found[0] is known else found


def unreadable(
    state: State, at: datetime, rules: Rules = RULES, services: Mapping[str, Service] = NO_SERVICES
) -> tuple[State, tuple[Output, ...]]:
    """A message of the patient's could not be read, at a time when many cannot: until the next that can, who knows.

    The patient shows as not monitored from `at` on, or from the newest thing that is known where that is later. One
    that is read again after a restart changes nothing, and so does one from before that instant.
    """
    if to_ms(at) <= state.unreadable_ms:
        return state, ()
    at_ms = max(to_ms(at), state.decided_ms + 1)
    state = msgspec.structs.replace(state, unreadable_ms=at_ms, clock_ms=max(state.clock_ms, at_ms))
    return _close(state, Timeline(state, rules), services, state.clock_ms, NEVER)


def wakes_at(state: State) -> int | None:
    """The next instant at which a tick changes something [ms since 1970]; None: not before another event."""
    instants = [
        next_decision(state, standing.course(state.care)),
        None if state.climb is None else state.climb.next_ms,
        *(page.again_ms for page in state.open_pages.values()),
    ]
    return min((instant for instant in instants if instant is not None), default=None)


# Events of the patient.


def _submitted(
    state: State, event: Submission, rules: Rules, services: Mapping[str, Service]
) -> tuple[State, tuple[Output, ...]]:
    session_id = event.submission_id.bytes
    if session_id in [session.id for session in state.sessions]:
        return state, ()
    timeline = Timeline(state, rules)
    received_ms = to_ms(event.received_at)
    sent = contents.body(event.readings, event.answers, received_ms, timeline.names)
    waiting = _waiting(state, session_id)
    content = Content(sent, on_behalf=event.on_behalf)
    for correction in waiting:
        content = _with_correction(content, correction, received_ms, timeline.names, rules)
    session = _session(session_id, received_ms, content, timeline, rules)
    if session.day < timeline.base.from_day or session.from_ms <= timeline.base.decided_ms:
        repeated = session_id[:ID_BYTES] in _parts(state.forgotten)
        return state, () if repeated else (Refused(DeadLetterReason.TOO_LATE),)
    if timeline.sessions_bytes + size(session) > rules.most_bytes or timeline.names.size() > rules.most_name_bytes:
        return state, (Refused(DeadLetterReason.HISTORY_FULL),)
    clock_ms = max(state.clock_ms, received_ms)
    if waiting:
        pending = {key: kept for key, kept in state.pending.items() if key != session_id}
        state = msgspec.structs.replace(state, pending=pending)
    newest_ms = max(timeline.decided_ms, timeline.sessions[-1].at_ms if timeline.sessions else NEVER)
    if session.at_ms > newest_ms and not waiting:
        timeline.append(session, content)
        return _close(state, timeline, services, clock_ms, session.at_ms)
    timeline.sessions.append(session)
    timeline.again({session_id: content})
    return _close(state, timeline, services, clock_ms, session.from_ms, whole=True)


def _corrected(
    state: State, event: Correction, rules: Rules, services: Mapping[str, Service]
) -> tuple[State, tuple[Output, ...]]:
    session_id = event.submission_id.bytes
    timeline = Timeline(state, rules)
    place = next((i for i, session in enumerate(timeline.sessions) if session.id == session_id), None)
    if place is None:
        return _wait(state, event, rules)
    before = contents.unpack(timeline.sessions[place].content)
    if event.correction_id.bytes in before.corrections:
        return state, ()
    if len(before.corrections) >= rules.corrections_of_one:
        return state, (Refused(DeadLetterReason.HISTORY_FULL, "correction_id"),)
    session = timeline.sessions[place]
    content = _with_correction(before, event, session.received_ms, timeline.names, rules)
    changed = _session(session_id, session.received_ms, content, timeline, rules)
    if changed.day < timeline.base.from_day or changed.at_ms <= timeline.base.decided_ms:
        return state, (Refused(DeadLetterReason.TOO_LATE, "readings"),)
    timeline.sessions[place] = changed
    timeline.again({session_id: content})
    clock_ms = max(state.clock_ms, to_ms(event.recorded_at))
    return _close(state, timeline, services, clock_ms, changed.from_ms, whole=True)


def _cared(
    state: State, event: standing.Kept, rules: Rules, services: Mapping[str, Service]
) -> tuple[State, tuple[Output, ...]]:
    care = standing.add(state.care, event)
    if care is None or standing.is_old(event, state.base.decided_ms):
        return state, ()
    if standing.count(care) > rules.care_events or len(care) > rules.care_bytes:
        return state, (Refused(DeadLetterReason.HISTORY_FULL, "event_id"),)
    state = msgspec.structs.replace(state, care=care, clock_ms=max(state.clock_ms, to_ms(event.recorded_at)))
    timeline = Timeline(state, rules)
    from_ms = standing.effective_ms(event)
    if from_ms > state.decided_ms:  # it bears on nothing that was decided yet
        return _close(state, timeline, services, state.clock_ms, from_ms)
    if from_ms == NEVER:
        zone = timeline.course.zone
        timeline.sessions = [
            msgspec.structs.replace(session, day=local_day(session.at_ms, zone)) for session in timeline.sessions
        ]
    timeline.again({})
    return _close(state, timeline, services, state.clock_ms, from_ms, whole=True)


# Time, and what became of pages.


def _passed(
    state: State, now_ms: int, rules: Rules, services: Mapping[str, Service]
) -> tuple[State, tuple[Output, ...]]:
    wakes_ms = wakes_at(state)
    if wakes_ms is None or wakes_ms > now_ms:
        return state, ()
    timeline = Timeline(state, rules)
    timeline.walk(now_ms)
    return _close(state, timeline, services, state.clock_ms, NEVER, tick_ms=now_ms)


def _receipt(
    state: State, event: Receipt, rules: Rules, services: Mapping[str, Service]
) -> tuple[State, tuple[Output, ...]]:
    pages, timeline = Pages(state), Timeline(state, rules)
    climb = state.climb
    if event.outcome is Outcome.DELIVERED:
        waited = pages.delivered(event.page_id.bytes)
        climb = None if climb is None else reached(climb, event)
        if not waited and climb is state.climb:
            return state, ()
    elif (request := pages.failed(event, rules)) is None:
        return state, ()
    elif climb is not None:
        now_ms = max(state.clock_ms, state.decided_ms)
        escalation = Escalation(climb, timeline, pages, services, clock_ms=state.clock_ms, now_ms=now_ms)
        escalation.failed(request, event)
        climb = escalation.climb
    state = msgspec.structs.replace(state, open_pages=pages.kept(rules.open_pages), climb=climb)
    return state, (*pages.asked, told.status(state, timeline, services))


# Sessions and their corrections.


def _parts(ids: bytes) -> set[bytes]:
    return {ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)}


def _session(session_id: bytes, received_ms: int, content: Content, timeline: Timeline, rules: Rules) -> Session:
    at_ms = first_ms = contents.measured_ms(contents.effective(content) or content.sent, received_ms, rules)
    if content.corrections:
        first_ms = min(first_ms, contents.measured_ms(content.sent, received_ms, rules))
        first_ms = first_ms if content.first_ms is None else min(first_ms, content.first_ms)
    return Session(
        id=session_id,
        at_ms=at_ms,
        after_ms=received_ms - at_ms,
        day=local_day(at_ms, timeline.course.zone),
        corrected=len(content.corrections),
        moved_ms=at_ms - first_ms,
        content=contents.pack(content),
    )


def _with_correction(before: Content, event: Correction, received_ms: int, names: Names, rules: Rules) -> Content:
    """`before` with one more correction; the one recorded last holds."""
    recorded = (to_ms(event.recorded_at), event.correction_id.bytes)
    corrections = tuple(sorted((*before.corrections, recorded[1])))
    latest = not before.corrections or recorded > (before.corrected_ms, before.corrected_by)
    if event.action is CorrectionAction.ENTERED_IN_ERROR:
        replacement, first_ms = None, before.first_ms
    else:
        replacement = contents.body(event.readings, event.answers, received_ms, names if latest else Names())
        at_ms = contents.measured_ms(replacement, received_ms, rules)
        first_ms = at_ms if before.first_ms is None else min(before.first_ms, at_ms)
    if not latest:
        return msgspec.structs.replace(before, corrections=corrections, first_ms=first_ms)
    return Content(before.sent, corrections, *recorded, replacement, first_ms, before.on_behalf)


def _wait(state: State, event: Correction, rules: Rules) -> tuple[State, tuple[Output, ...]]:
    """Keep a correction until its submission comes, if that is not forgotten already."""
    session_id = event.submission_id.bytes
    forgotten = _parts(state.forgotten)
    if event.correction_id.bytes[:ID_BYTES] in forgotten:
        return state, ()
    if session_id[:ID_BYTES] in forgotten:
        return state, (Refused(DeadLetterReason.TOO_LATE, "submission_id"),)
    known = _waiting(state, session_id)
    if any(earlier.correction_id == event.correction_id for earlier in known):
        return state, ()
    held = sorted((*known, event), key=lambda correction: correction.correction_id.bytes)
    pending = dict(sorted({**state.pending, session_id: msgspec.Raw(_encoder.encode(held))}.items()))
    if len(held) > rules.corrections_of_one:
        return state, (Refused(DeadLetterReason.HISTORY_FULL, "correction_id"),)
    if len(pending) > rules.pending_corrections or sum(map(_bytes, pending.values())) > rules.pending_bytes:
        return state, (Refused(DeadLetterReason.HISTORY_FULL, "submission_id"),)
    clock_ms = max(state.clock_ms, to_ms(event.recorded_at))
    return msgspec.structs.replace(state, pending=pending, clock_ms=clock_ms), ()


def _bytes(packed: msgspec.Raw) -> int:
    return len(bytes(packed))


def _waiting(state: State, session_id: bytes) -> tuple[Correction, ...]:
    """The corrections that came before their submission."""
    packed = state.pending.get(session_id)
    return () if packed is None else _corrections_decoder.decode(packed)


# What a walk came to.


def _close(  # noqa: PLR0913 - what an event leads to
    state: State,
    timeline: Timeline,
    services: Mapping[str, Service],
    clock_ms: int,
    from_ms: int,
    *,
    whole: bool = False,
    tick_ms: int | None = None,
) -> tuple[State, tuple[Output, ...]]:
    """The next state and what is told of it: assessments from `from_ms` on, and what changed among the marks."""
    timeline.walk(max(clock_ms, state.decided_ms))
    changes = told.ZoneChanges(state, timeline, whole=whole)
    pages, climb = Pages(state), state.climb
    if climb is not None or changes.new or changes.known or changes.unasked:
        now_ms = max(clock_ms, timeline.decided_ms) if tick_ms is None else tick_ms
        escalation = Escalation(climb, timeline, pages, services, clock_ms=clock_ms, now_ms=now_ms)
        escalation.walked(changes)
        escalation.passed(ticks=tick_ms is not None)
        climb = escalation.climb
    if tick_ms is not None:
        pages.ask_again(tick_ms)
    # Before anything is forgotten: what is judged names its questions by the places that they have until then.
    assessments = [told.assessment(timeline, found) for found in timeline.judged if found.session.at_ms >= from_ms]
    if timeline.sessions:
        timeline.forget(timeline.sessions[-1].day)
    care = state.care
    if timeline.base is not state.base:
        care = standing.without_old(care, timeline.base.decided_ms)
        timeline.course = standing.course(care)
    after = State(
        version=STATE_VERSION,
        patient=state.patient,
        care=care,
        clock_ms=clock_ms,
        decided_ms=timeline.decided_ms,
        last_ms=timeline.last_ms,
        due_ms=timeline.due_ms,
        overdue_ms=timeline.overdue_ms,
        unreadable_ms=state.unreadable_ms,
        base=timeline.base,
        next_base=timeline.next_base,
        names=tuple(timeline.names.names),
        series=timeline.series,
        marks=tuple(timeline.marks),
        sessions=tuple(timeline.sessions),
        sessions_bytes=timeline.sessions_bytes,
        sessions_weight=timeline.sessions_weight,
        forgotten=timeline.forgotten,
        open_pages=pages.kept(timeline.rules.open_pages),
        pending=state.pending,
        reasons=timeline.packed_reasons(),
        alert_ms=timeline.alert_ms,
        near_ms=timeline.near_ms,
        episode=timeline.episode,
        climb=climb,
        taken_back=pages.taken_back,
    )
    outputs: list[Output] = [*assessments, *changes.messages]
    outputs += pages.asked
    outputs.append(told.status(after, timeline, services))
    return after, tuple(outputs)
