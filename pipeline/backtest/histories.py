"""Whole histories as arrays: every session of one or many patients, its readings, and what held for it.

A history is taken as it is known in the end: a correction has replaced what it corrects, a session that came late
stands where it belongs. That is what the fold comes to as well, but for what it refuses or has forgotten when something
arrives that bears on it. `gather` raises `OutOfScopeError` where that could be.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from pipeline.triage import quality, standing
from pipeline.triage.instants import local_day, to_ms
from pipeline.triage.state import NEVER, Body, Content, Session
from pipeline.triage.vitals import BY_CODE, DIASTOLIC, SYSTOLIC, VITALS, converted, factor
from schemas.submissions import Correction, CorrectionAction, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.triage import Rules
    from pipeline.triage.standing import Course, Standing
    from schemas.care import CareEvent
    from schemas.submissions import Answer, Reading

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

UNKNOWN: Final = -1  # a code that no vital has
_EMPTY: Final = Body((), ())
# What each takes in a state, at most; an answer without its text.
_MESSAGE_BYTES: Final = 64
_READING_BYTES: Final = 48
_ANSWER_BYTES: Final = 24
_HEAVY_DAYS: Final = 6  # what is forgotten last is older than this


class OutOfScopeError(ValueError):
    """The fold may come to something else on this history; it has to be asked itself."""


class Registered(NamedTuple):
    """One session as it is known in the end."""

    session: Session
    content: Content  # whether it was entered in error, and when it was last corrected; without readings
    readings: tuple[Reading, ...]
    answers: tuple[Answer, ...]
    received_ms: int


class Arrival(NamedTuple):
    """When a session or a care event reached us."""

    at_ms: int
    session: bytes  # id; empty: a care event
    from_ms: int  # of a care event, from when it bears on decisions


class History(NamedTuple):
    """One patient's whole history."""

    patient: str
    care: bytes
    course: Course
    registered: tuple[Registered, ...]  # in the order in which they are judged
    clock_ms: int  # time has come to here
    arrivals: tuple[Arrival, ...]  # of all but corrections, in the order given


class Sessions(NamedTuple):
    """A row a session, patient by patient, each patient's in the order in which they are judged."""

    patient: Ints  # place among the histories
    at_ms: Ints
    day: Ints  # patient-local
    judged: Bools  # neither entered in error nor at a time when nobody monitors
    standings: tuple[Standing, ...]
    registered: tuple[Registered, ...]


class Rows(NamedTuple):
    """A row a reading, in the order of its session and of the time at which it was taken."""

    session: Ints
    vital: Ints  # index; `UNKNOWN` for a code that no vital has
    value: Floats  # [the vital's unit]
    measured_ms: Ints
    valid: Bools  # by itself
    quarantined: Bools
    oxygen: Floats  # [L/min]; NaN where nobody said

    def where(self, wanted: Bools | Ints) -> Rows:
        """Only those that are wanted, in that order."""
        return Rows(
            session=self.session[wanted],
            vital=self.vital[wanted],
            value=self.value[wanted],
            measured_ms=self.measured_ms[wanted],
            valid=self.valid[wanted],
            quarantined=self.quarantined[wanted],
            oxygen=self.oxygen[wanted],
        )


def gather(messages: Iterable[Submission | Correction | CareEvent], rules: Rules) -> tuple[History, ...]:
    """The histories of all patients in `messages`, by name.

    Raises
    ------
    OutOfScopeError
        The fold would refuse something, or may have forgotten something before a message came that bears on it.
    """
    by_patient: dict[str, list[Any]] = {}
    for message in messages:
        by_patient.setdefault(message.patient, []).append(message)
    return tuple(_history(name, by_patient[name], rules) for name in sorted(by_patient))


def tabulate(histories: Sequence[History], rules: Rules) -> tuple[Sessions, Rows]:
    """The histories as arrays, with the quality that each reading has by itself."""
    registered = tuple(one for history in histories for one in history.registered)
    standings = tuple(history.course.at(one.session.at_ms) for history in histories for one in history.registered)
    sessions = Sessions(
        patient=np.repeat(np.arange(len(histories)), [len(history.registered) for history in histories]),
        at_ms=_ints(one.session.at_ms for one in registered),
        day=_ints(one.session.day for one in registered),
        judged=np.array(
            [
                held.why_not is None and (not one.content.corrections or one.content.replacement is not None)
                for one, held in zip(registered, standings, strict=True)
            ],
            bool,
        ),
        standings=standings,
        registered=registered,
    )
    return sessions, _rows(registered, rules)


def _history(patient: str, messages: Sequence[Any], rules: Rules) -> History:
    care: dict[Any, standing.Kept] = {}
    sent: dict[Any, Submission] = {}
    corrections: dict[Any, dict[Any, Correction]] = {}
    early = 0  # bytes of corrections that came before what they correct
    awaited = set()
    clock_ms = NEVER
    arrivals = []
    for message in messages:
        if isinstance(message, Submission):
            clock_ms = max(clock_ms, to_ms(message.received_at))
            arrivals.append(Arrival(to_ms(message.received_at), message.submission_id.bytes, NEVER))
            sent.setdefault(message.submission_id, message)
        elif isinstance(message, Correction):
            clock_ms = max(clock_ms, to_ms(message.recorded_at))
            corrections.setdefault(message.submission_id, {}).setdefault(message.correction_id, message)
            if message.submission_id not in sent:
                awaited.add(message.submission_id)
                early += len(msgspec.msgpack.encode(message))
        elif isinstance(message, standing.Kept):
            clock_ms = max(clock_ms, to_ms(message.recorded_at))
            arrivals.append(Arrival(to_ms(message.recorded_at), b"", standing.effective_ms(message)))
            care.setdefault(message.event_id, message)
    packed = standing.pack(care.values())
    if len(care) > rules.care_events or len(packed) > rules.care_bytes:
        raise OutOfScopeError("more care events than are kept")
    if any(len(found) > rules.corrections_of_one for found in corrections.values()):
        raise OutOfScopeError("more corrections of one session than are kept")
    if len(awaited) > rules.pending_corrections or early * 2 > rules.pending_bytes:
        raise OutOfScopeError("more corrections came before their session than are kept")
    course = standing.course(packed)
    found = sorted(
        (_registered(one, list(corrections.get(key, {}).values()), course, rules) for key, one in sent.items()),
        key=lambda one: (one.session.at_ms, one.session.id),
    )
    if any(one.session.day > two.session.day for one, two in pairwise(found)):
        raise OutOfScopeError("a clock that was put back over midnight")
    _check_size(found, messages, rules, in_turn=_in_turn(messages, rules))
    return History(patient, packed, course, tuple(found), clock_ms, tuple(arrivals))


def _registered(sent: Submission, corrections: Sequence[Correction], course: Course, rules: Rules) -> Registered:
    """A session as its latest correction leaves it."""
    received_ms = to_ms(sent.received_at)
    readings, answers = sent.readings, sent.answers
    content = Content(_EMPTY)
    if corrections:
        latest = max(corrections, key=lambda one: (to_ms(one.recorded_at), one.correction_id.bytes))
        replaced = latest.action is CorrectionAction.REPLACED
        content = Content(
            sent=_EMPTY,
            corrections=(latest.correction_id.bytes,),
            corrected_ms=to_ms(latest.recorded_at),
            replacement=_EMPTY if replaced else None,
        )
        if replaced:
            readings, answers = latest.readings, latest.answers
    at_ms = _measured_ms(readings, received_ms, rules)
    session = Session(
        id=sent.submission_id.bytes,
        at_ms=at_ms,
        after_ms=received_ms - at_ms,
        day=local_day(at_ms, course.zone),
        corrected=0,
        moved_ms=0,
        content=msgspec.Raw(b""),
    )
    void = bool(content.corrections) and content.replacement is None
    return Registered(session, content, () if void else readings, () if void else answers, received_ms)


def _measured_ms(readings: Iterable[Reading], received_ms: int, rules: Rules) -> int:
    """As `pipeline.triage.content.measured_ms`, of readings as they were sent."""
    instants = [to_ms(reading.measured_at) for reading in readings]
    told = [at_ms for at_ms in instants if quality.measured_when(at_ms, received_ms, rules) is None]
    return max(told, default=received_ms)


def _in_turn(messages: Sequence[Any], rules: Rules) -> bool:
    """Whether nothing bears on what the fold may have forgotten when it comes.

    No session that came before lies later than a session, and what is as new as a page may be is never forgotten.
    """
    newest_ms = NEVER
    for message in messages:
        if isinstance(message, Correction):
            return False
        if isinstance(message, Submission):
            at_ms = _measured_ms(message.readings, to_ms(message.received_at), rules)
            if at_ms <= newest_ms:
                return False
            newest_ms = at_ms
        elif isinstance(message, standing.Kept) and newest_ms != NEVER and _is_old(message, newest_ms, rules):
            return False
    return True


def _is_old(event: standing.Kept, newest_ms: int, rules: Rules) -> bool:
    return standing.effective_ms(event) <= newest_ms - rules.page_within_ms


def _check_size(found: Sequence[Registered], messages: Sequence[Any], rules: Rules, *, in_turn: bool) -> None:
    """Raise where the fold may refuse a session as too much, or may have forgotten what something later bears on."""
    names = {
        name
        for message in messages
        if isinstance(message, Submission | Correction)
        for reading in message.readings
        for name in (reading.code, reading.unit, reading.device or "")
    } | {
        name
        for message in messages
        if isinstance(message, Submission | Correction)
        for answer in message.answers
        for name in (answer.questionnaire, answer.link_id)
    }
    if sum(map(len, names)) > rules.most_name_bytes:
        raise OutOfScopeError("more names than are kept")
    if not found:
        return
    weights = {message.submission_id.bytes: 0 for message in messages if isinstance(message, Submission)}
    for message in messages:
        if isinstance(message, Submission | Correction) and message.submission_id.bytes in weights:
            weights[message.submission_id.bytes] += _bytes(message)
    sums = np.cumsum([0, *(weights[one.session.id] for one in found)])
    days = _ints(one.session.day for one in found)
    if in_turn and not any(_has_best(one) for one in found):
        heaviest = int((sums[np.searchsorted(days, days + _HEAVY_DAYS, "right")] - sums[:-1]).max())
        if heaviest + 2 * rules.history_bytes > rules.most_bytes:
            raise OutOfScopeError("more sessions than are kept")
    elif days[-1] - days[0] > rules.history_days or sums[-1] > rules.history_bytes:
        raise OutOfScopeError("something bears on what may be forgotten by then")


def _bytes(message: Submission | Correction) -> int:
    """No less than what a message takes in a state."""
    text = sum(len(answer.value.encode()) for answer in message.answers if isinstance(answer.value, str))
    return _MESSAGE_BYTES + _READING_BYTES * len(message.readings) + _ANSWER_BYTES * len(message.answers) + text


def _has_best(registered: Registered) -> bool:
    """Whether a vital was measured that is judged by its own best, of which the fold knows only what it kept."""
    vitals = (BY_CODE.get(reading.code) for reading in registered.readings)
    return any(vital is not None and vital.share_of_best is not None for vital in vitals)


# Readings.


def _rows(registered: Sequence[Registered], rules: Rules) -> Rows:
    readings = [reading for one in registered for reading in one.readings]
    counts = [len(one.readings) for one in registered]
    received = np.repeat(_ints(one.received_ms for one in registered), counts)
    measured = _ints(to_ms(reading.measured_at) for reading in readings)
    session = np.repeat(np.arange(len(registered)), counts)
    kinds: dict[tuple[str, str], int] = {}
    kind = _ints(kinds.setdefault((reading.code, reading.unit), len(kinds)) for reading in readings)
    vitals, scales = _scales(kinds)
    vital, scale = vitals[kind], scales[kind]
    sent = np.array([reading.value for reading in readings], np.float64)
    value = sent.copy()
    for row in np.flatnonzero(~np.isnan(scale) & (scale != 1.0)).tolist():
        value[row] = converted(readings[row].value, scale[row])
    told = (measured <= received + rules.future_tolerance_ms) & (measured >= received - rules.oldest_reading_ms)
    known = ~np.isnan(scale) & told & np.isfinite(value)
    quarantined = ~known | ~_inside("impossible", vital, value)
    cuffs: dict[tuple[str | None, int], int] = {}
    cuff = _ints(cuffs.setdefault((reading.device, reading.attempt), len(cuffs)) for reading in readings)
    quarantined |= _contradicting(np.stack([session, measured, cuff]), vital, value, quarantined)
    rows = Rows(
        session=session,
        vital=vital,
        value=value,
        measured_ms=measured,
        valid=~quarantined & _inside("implausible", vital, value),
        quarantined=quarantined,
        oxygen=np.array([_oxygen(reading) for reading in readings], np.float64),
    )
    return rows.where(np.lexsort((_ints(reading.attempt for reading in readings), measured, session)))


def _scales(kinds: Iterable[tuple[str, str]]) -> tuple[Ints, Floats]:
    """Vital and factor of each code and unit; NaN where there is none."""
    vitals = [BY_CODE.get(code) for code, _ in kinds]
    scales = [None if vital is None else factor(vital, unit) for vital, (_, unit) in zip(vitals, kinds, strict=True)]
    return (
        _ints(UNKNOWN if vital is None else vital.index for vital in vitals),
        np.array([np.nan if scale is None else scale for scale in scales], np.float64),
    )


def _inside(bounds: str, vital: Ints, value: Floats) -> Bools:
    """Whether values lie within a pair of their vitals' bounds, the bounds themselves among them."""
    pairs = np.array([getattr(one, bounds) for one in VITALS], np.float64)  # None becomes NaN, which nothing breaks
    below, above = pairs[vital].T
    inside: Bools = ~((value < below) | (value > above))
    return inside


def _contradicting(cuff: Ints, vital: Ints, value: Floats, quarantined: Bools) -> Bools:
    """Readings whose cuff told two pressures that cannot both be true; the first of each belong together."""
    wrong = np.zeros(len(vital), bool)
    pressures = np.flatnonzero((vital == SYSTOLIC.index) | (vital == DIASTOLIC.index))
    if len(pressures) == 0:
        return wrong
    _, group = np.unique(cuff[:, pressures], axis=1, return_inverse=True)
    upper, lower = (
        _numbered(group.ravel(), pressures, vital[pressures] == one.index, len(vital)) for one in (SYSTOLIC, DIASTOLIC)
    )
    _, ups, downs = np.intersect1d(upper[0], lower[0], assume_unique=True, return_indices=True)
    up, down = upper[1][ups], lower[1][downs]
    against = (value[up] <= value[down] + quality.LEAST_PULSE_PRESSURE) & ~quarantined[up] & ~quarantined[down]
    wrong[up[against]] = True
    wrong[down[against]] = True
    return wrong


def _numbered(group: Ints, rows: Ints, wanted: Bools, many: int) -> tuple[Ints, Ints]:
    """Group and number within it, less than `many`, as one number, and the row, of the rows that are wanted."""
    group, rows = group[wanted], rows[wanted]
    order = np.argsort(group, kind="stable")
    group, rows = group[order], rows[order]
    first = np.searchsorted(group, group)
    return group * many + np.arange(len(group)) - first, rows


def _oxygen(reading: Reading) -> float:
    context = reading.context
    return np.nan if context is None or context.oxygen_l_min is None else context.oxygen_l_min


def _ints(found: Iterator[int] | Iterable[int]) -> Ints:
    return np.fromiter(found, np.int64)
