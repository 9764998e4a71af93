"""A patient's history, walked in the order in which things happened, whatever the order in which they came.

A `Timeline` is the fold's working form of a State. A registration that comes in its turn is put at its end. For
anything that bears on the past (sent late, corrected, signed afterwards) the walk starts again from the base, by the
same steps; so what comes out is a function of the history alone.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.triage import cadence, episodes
from pipeline.triage.baseline import NO_TRACK, Series
from pipeline.triage.content import Names, effective, is_void, pack, unpack
from pipeline.triage.episodes import GREEN, NOT_MONITORED, RED, YELLOW, Next
from pipeline.triage.judge import Judgement, judge, not_monitored, parts
from pipeline.triage.phases import UNMONITORED
from pipeline.triage.signals import ALERTS, NOTHING_BESIDE, Parts
from pipeline.triage.standing import course
from pipeline.triage.state import ID_BYTES, Base, Mark
from pipeline.triage.zones import SEVERITY
from schemas.assessments import Reason
from schemas.types import Zone

if TYPE_CHECKING:
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Course, Standing
    from pipeline.triage.state import Body, Content, Session, State

CORRECTION_WEIGHT = 2  # outweighs the session that a correction may move away from before an assessment
OWN_WEIGHT = 1_000_000  # outweighs all that a correction of an assessment's own session may move it to before
SESSION_BYTES = 46  # what a session takes beside its content, with the mark that it may leave
_OVERDUE = Reason(rule="overdue", zone=Zone.NO_DATA)
AWAITED = "awaiting_registration"  # the rule of who has nothing to send yet
_AWAITED = Reason(rule=AWAITED, zone=Zone.NO_DATA)
_LEAVING = Reason(rule="leaving_red", zone=Zone.YELLOW)
_TAKEN_OVER = Reason(rule="acknowledged", zone=Zone.GREEN)
_KEPT = {
    YELLOW: Reason(rule="yellow_kept", zone=Zone.YELLOW),
    RED: Reason(rule="red_kept", zone=Zone.RED),
}
_OVER = frozenset({"not_enrolled", *UNMONITORED})
_UNREADABLE = Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail="unreadable_messages")
_IN_ERROR = Judgement(Zone.NO_DATA, (Reason(rule="entered_in_error", zone=Zone.NO_DATA),), ())
_reasons_decoder = msgspec.msgpack.Decoder(tuple[Reason, ...])
_reasons_encoder = msgspec.msgpack.Encoder()


def weight(session: Session) -> int:
    """How many events a session stands for in a revision."""
    return 1 + CORRECTION_WEIGHT * session.corrected


def _order(session: Session) -> tuple[int, bytes]:
    """The order in which sessions are walked."""
    return session.at_ms, session.id


def size(session: Session) -> int:
    """About how many bytes a session takes in a state."""
    return len(bytes(session.content)) + SESSION_BYTES


class Judged(NamedTuple):
    """A session as the walk found it."""

    session: Session
    content: Content
    judgement: Judgement
    standing: Standing
    revision: int


class Change(NamedTuple):
    """A mark that the walk made, and what it is told by."""

    mark: Mark
    left: int  # severity of the zone before
    reasons: tuple[Reason, ...]
    service: str | None
    opened_ms: int  # of the episode that it is of


def next_decision(known: State | Timeline, course: Course) -> int | None:
    """The next instant at which time alone decides something [ms]."""
    at_ms = course.next_change(known.decided_ms)
    if known.overdue_ms is not None and (at_ms is None or known.overdue_ms < at_ms):
        at_ms = known.overdue_ms
    if known.unreadable_ms > known.decided_ms and (at_ms is None or known.unreadable_ms < at_ms):
        at_ms = known.unreadable_ms
    return at_ms


class Timeline:
    """The working form of one patient's state."""

    def __init__(self, state: State, rules: Rules) -> None:
        self.rules = rules
        self.patient = state.patient
        self.course = course(state.care)
        self.names = Names(state.names)
        self.series = dict(state.series)
        self.sessions = list(state.sessions)
        self.sessions_bytes = state.sessions_bytes
        self.sessions_weight = state.sessions_weight
        self.forgotten = state.forgotten
        self.marks = list(state.marks)
        self.decided_ms = state.decided_ms
        self.last_ms = state.last_ms
        self.alert_ms = state.alert_ms
        self.near_ms = state.near_ms
        self.episode = state.episode
        self.due_ms = state.due_ms
        self.overdue_ms = state.overdue_ms
        self.unreadable_ms = state.unreadable_ms
        self.base = state.base
        self.next_base = state.next_base
        self.judged: list[Judged] = []
        self.changes: list[Change] = []
        self._told = state.reasons
        self._reasons: tuple[Reason, ...] | None = None

    @property
    def zone(self) -> int:
        """Severity of the zone that the patient is in."""
        return self.marks[-1].zone if self.marks else self.base.zone

    @property
    def since_ms(self) -> int:
        """Since when the patient is in that zone."""
        first = (*self.course.from_ms[:1], *(session.at_ms for session in self.sessions[:1]))
        since_ms, zone = self.base.since_ms or min(first, default=0), self.base.zone
        for mark in self.marks:
            if mark.zone != zone:
                since_ms, zone = mark.at_ms, mark.zone
        return since_ms

    @property
    def paged(self) -> bool:
        """Whether a page was asked for since the patient is in that zone."""
        paged, zone = self.base.paged, self.base.zone
        for mark in self.marks:
            paged = mark.paged or (paged and mark.zone == zone)
            zone = mark.zone
        return paged

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the patient is in the newest zone."""
        return _reasons_decoder.decode(self._told) if self._reasons is None else self._reasons

    def packed_reasons(self) -> msgspec.Raw:
        """The reasons as they stand in a state."""
        return self._told if self._reasons is None else msgspec.Raw(_reasons_encoder.encode(self._reasons))

    def append(self, session: Session, content: Content) -> None:
        """Walk to a session that is later than all before it, and judge it."""
        self.walk(session.at_ms)
        seen = self.sessions_weight + weight(session) + self.care_seen(session.at_ms)
        self._take(session, content, self.base.events + seen)

    def again(self, changed: dict[bytes, Content]) -> None:
        """Walk anew from the base over all sessions; `changed` holds the content of new and changed ones, by id."""
        sessions = sorted(self.sessions, key=_order)
        places, self.names = self.names.names, Names()
        self._rewind()
        corrected = [session for session in sessions if session.corrected]
        revision = self.base.events
        for session in sessions:
            content = self.names.moved(places, changed.get(session.id) or unpack(session.content))
            self.walk(session.at_ms)
            revision += weight(session)
            moved = sum(s.corrected for s in corrected if s.from_ms <= session.at_ms and _order(s) > _order(session))
            seen = revision + CORRECTION_WEIGHT * moved + self.care_seen(session.at_ms)
            self._take(msgspec.structs.replace(session, content=pack(content)), content, seen)

    def walk(self, until_ms: int) -> None:
        """Decide what time alone decides, each thing at its own instant."""
        while (at_ms := self.wakes_at()) is not None and at_ms <= until_ms:
            unreadable = self.unreadable_ms == at_ms > self.decided_ms
            if self.course.next_change(self.decided_ms) == at_ms:
                self._stand(at_ms)
            if self.overdue_ms == at_ms:
                self._overdue(at_ms)
            if unreadable:
                self.decided_ms = at_ms
                self._mark(Mark(at_ms, NOT_MONITORED), (_UNREADABLE,), self.course.at(at_ms))

    def wakes_at(self) -> int | None:
        """The next instant at which time alone decides something [ms]."""
        return next_decision(self, self.course)

    def care_seen(self, until_ms: int) -> int:
        """How many care events bear on what happened at an instant."""
        return bisect_right(self.course.weights_ms, until_ms)

    def forget(self, day: int) -> None:
        """Forget sessions before the base to be, once there are too many bytes or days of them."""
        rules = self.rules
        base = self.next_base
        if base is None:
            return
        too_long = day - self.sessions[0].day > rules.history_days
        if not too_long and self.sessions_bytes <= rules.history_bytes:
            return
        if self.sessions[-1].at_ms - base.decided_ms <= rules.page_within_ms:
            return  # whatever may still be paged can still be judged
        self.base, self.next_base = base, None
        forgotten = [session for session in self.sessions if session.day < base.from_day]
        ids = [session.id for session in forgotten]
        ids += [one for session in forgotten if session.corrected for one in unpack(session.content).corrections]
        gone = b"".join(one[:ID_BYTES] for one in ids)
        self.forgotten = (self.forgotten + gone)[-ID_BYTES * rules.forgotten_ids :]
        places, self.names = self.names.names, Names()
        self.sessions = [
            msgspec.structs.replace(session, content=pack(self.names.moved(places, unpack(session.content))))
            for session in self.sessions
            if session.day >= base.from_day
        ]
        self._count()
        kept = {session.id for session in self.sessions}  # the first may lie at the very instant of the base
        self.marks = [mark for mark in self.marks if mark.at_ms > base.decided_ms or mark.session in kept]
        trimmed = {i: s.trimmed(base.from_day, rules) for i, s in self.series.items()}
        self.series = {i: s for i, s in trimmed.items() if s.days or s.track != NO_TRACK}

    def judge(self, session: Session, body: Body, standing: Standing, *, awaited: bool) -> Judgement:
        """Judge what a session holds; `awaited` where a registration is due that day, or was before."""
        return judge(
            body,
            self.names.names,
            received_ms=session.received_ms,
            at_ms=session.at_ms,
            beside=lambda: self._beside(session, standing),
            day=session.day,
            standing=standing,
            series=self.series,
            rules=self.rules,
            awaited=awaited,
        )

    def learn(self, day: int, judgement: Judgement, *, frozen: bool) -> None:
        """Remember what a session tells of the patient's normal; `frozen` where that is nothing."""
        series = self.series
        for index, value in () if frozen or judgement.zone in ALERTS else judgement.admitted:
            series[index] = (series.get(index) or Series()).push(day, value)
        for index, track in judgement.tracks.items():
            series[index] = (series.get(index) or Series()).tracked(track)

    def _beside(self, session: Session, standing: Standing) -> Parts:
        """What came shortly before a session on its day.

        Whoever sends readings and answers, or each reading, as messages of their own has sent one registration. What
        was a registration of its own tells no more than that something was measured.
        """
        asks = bool(standing.prescribed.due or standing.prescribed.answers_due)
        beside = NOTHING_BESIDE
        for earlier in reversed(self.sessions):
            if earlier.day != session.day or session.at_ms - earlier.at_ms > self.rules.joined_ms:
                break
            sent = effective(unpack(earlier.content))
            if earlier is session or sent is None or self.course.at(earlier.at_ms).why_not is not None:
                continue
            found = parts(
                sent,
                self.names.names,
                received_ms=earlier.received_ms,
                at_ms=session.at_ms,
                day=earlier.day,
                standing=standing,
                series=self.series,
                rules=self.rules,
            )
            measured = beside.measured or found.measured
            if asks and earlier.at_ms > self.last_ms:
                vitals, questions = beside.vitals | found.vitals, beside.questions | found.questions
                beside = Parts(vitals, questions, beside.judged or found.judged, measured)
            else:
                beside = beside._replace(measured=measured)
        return beside

    # The steps of the walk.

    def _take(self, session: Session, content: Content, revision: int) -> None:
        self._check_base(session)
        self.sessions.append(session)
        self.sessions_bytes += size(session)
        self.sessions_weight += weight(session)
        standing = self.course.at(session.at_ms)
        body = effective(content)
        awaited = self._awaits(session.at_ms, standing)
        judgement = _IN_ERROR if body is None else self.judge(session, body, standing, awaited=awaited)
        frozen = self.episode is not None or standing.guarded
        revision += OWN_WEIGHT * session.corrected
        self.judged.append(Judged(session, content, judgement, standing, revision))
        self.decided_ms = session.at_ms
        if is_void(content):
            return
        alert_ms = self.alert_ms
        self.learn(session.day, judgement, frozen=frozen)
        self._came(session.at_ms, judgement, standing, awaited=awaited)
        if self.episode is not None and self.zone == NOT_MONITORED and standing.why_not is None:
            self._resume(session.at_ms, standing)  # what could not be read before it has ended no alert
        severity = SEVERITY[judgement.zone]
        if judgement.zone is Zone.GREEN and not judgement.whole and self.zone != GREEN:
            return  # a part ends nothing
        if judgement.zone is Zone.NO_DATA and self.zone > severity:
            self._keep(*(reason for reason in judgement.reasons if reason.zone is Zone.NO_DATA))
            return  # what cannot be judged takes no alert away
        if self.episode is not None and severity < self.zone <= RED:
            self._calm(session, judgement, standing, session.at_ms - alert_ms)
            return
        learnt_ms = max(session.received_ms, content.corrected_ms, standing.known_ms)
        paged = judgement.zone is Zone.RED and learnt_ms - session.at_ms <= self.rules.page_within_ms
        self._mark(Mark(session.at_ms, severity, session.id, paged), judgement.reasons, standing)
        if self.episode is not None:
            own = tuple(reason for reason in judgement.reasons if reason.zone in ALERTS)
            packed = msgspec.Raw(_reasons_encoder.encode(own))
            self.episode = msgspec.structs.replace(self.episode, greens=0, reasons=packed)

    def _awaits(self, at_ms: int, standing: Standing) -> bool:
        """Whether a registration made at an instant is one that is due, or may be made for it already."""
        if self.due_ms is None or standing.plan is None:
            return True
        return at_ms >= cadence.opens_ms(standing.plan.cadence, self.course.zone, self.due_ms)

    def _came(self, at_ms: int, judgement: Judgement, standing: Standing, *, awaited: bool) -> None:
        """Work out what is due after a registration.

        What cannot be judged is not what was due, and nor is a part of it that nobody waits for yet.
        """
        alert = judgement.zone in ALERTS
        counts = judgement.zone is not Zone.NO_DATA and (judgement.whole or awaited)
        if counts:
            self.last_ms = at_ms
        if counts and judgement.near:
            self.near_ms = at_ms
        if alert:
            self.alert_ms = at_ms
        if counts or alert or self.due_ms is None:
            self._await(standing)

    def _calm(self, session: Session, judgement: Judgement, standing: Standing, since_alert_ms: int) -> None:
        """Take a registration that is less than the zone of the open episode."""
        if self.episode is None:
            return
        green = judgement.zone is Zone.GREEN
        self.episode, led = episodes.calmer(self.episode, green=green, since_alert_ms=since_alert_ms, rules=self.rules)
        if led is Next.CLOSES:
            self._mark(Mark(session.at_ms, GREEN, session.id), judgement.reasons, standing)
        elif led is Next.LEAVES_RED:
            self._leave_red(Mark(session.at_ms, YELLOW, session.id), standing)
        else:
            self._keep(_KEPT[self.zone])

    def _keep(self, *more: Reason) -> None:
        """Say why the zone of the open episode still holds."""
        if self.episode is not None:
            self._reasons = (*_reasons_decoder.decode(self.episode.reasons), *more)

    def _acknowledge(self, at_ms: int, standing: Standing) -> None:
        if self.episode is None or not standing.acknowledged:
            return
        self.episode, led = episodes.acknowledged(self.episode, standing.acknowledged, self.rules)
        if self.zone != RED or led is Next.STAYS:
            return
        missing = tuple(reason for reason in self.reasons if reason.zone is Zone.NO_DATA)
        if led is not Next.CLOSES:
            self._leave_red(Mark(at_ms, YELLOW), standing, *missing)
        elif missing:  # silence, or what cannot be judged, has come since
            self._mark(Mark(at_ms, SEVERITY[Zone.NO_DATA]), missing, standing)
        else:
            self._mark(Mark(at_ms, GREEN), (_TAKEN_OVER,), standing)

    def _leave_red(self, mark: Mark, standing: Standing, *missing: Reason) -> None:
        self._mark(mark, (_LEAVING, *missing), standing)
        if self.episode is not None:  # what made it red is no reason for yellow
            packed = msgspec.Raw(_reasons_encoder.encode((_LEAVING,)))
            self.episode = msgspec.structs.replace(self.episode, reasons=packed)

    def _overdue(self, at_ms: int) -> None:
        self.decided_ms = max(self.decided_ms, at_ms)
        self.overdue_ms = None
        if self.zone > SEVERITY[Zone.NO_DATA]:
            self._keep(_OVERDUE)
            return  # silence after an alert is not its end
        self._mark(Mark(at_ms, SEVERITY[Zone.NO_DATA]), (_OVERDUE,), self.course.at(at_ms))

    def _stand(self, at_ms: int) -> None:
        before, standing = self.course.at(at_ms - 1), self.course.at(at_ms)
        self.decided_ms = at_ms
        self._acknowledge(at_ms, standing)
        if standing.why_not is not None:
            self.due_ms = self.overdue_ms = None
            self._mark(Mark(at_ms, NOT_MONITORED), (not_monitored(standing),), standing)
        elif before.why_not is not None:
            self._await(standing)
            if self.episode is None:
                self._mark(Mark(at_ms, SEVERITY[Zone.NO_DATA]), (_AWAITED,), standing)
            else:  # what was red before a pause is red after it
                self._resume(at_ms, standing, _AWAITED)
        elif before.plan != standing.plan and self.due_ms is not None and self.due_ms > at_ms:
            self._await(standing)  # what is due already stays due

    def _resume(self, at_ms: int, standing: Standing, *missing: Reason) -> None:
        """Go back into the zone of the open episode, after a time in which nobody could tell."""
        if self.episode is not None:
            own = _reasons_decoder.decode(self.episode.reasons)
            self._mark(Mark(at_ms, self.episode.zone), (*own, _KEPT[self.episode.zone], *missing), standing)

    def _await(self, standing: Standing) -> None:
        """Work out what is due next."""
        if standing.why_not is not None or standing.plan is None:
            self.due_ms = self.overdue_ms = None
            return
        self.due_ms, self.overdue_ms = cadence.next_due(
            standing.plan.cadence,
            self.course.zone,
            started_ms=standing.started_ms,
            started_day=standing.started_day,
            awaited_ms=standing.awaited_ms,
            last_ms=self.last_ms,
            alert_ms=self.alert_ms,
            near_ms=self.near_ms,
            rules=self.rules,
        )

    def _mark(self, mark: Mark, reasons: tuple[Reason, ...], standing: Standing) -> None:
        self._reasons = reasons
        left = self.zone
        if mark.zone != left or (mark.paged and (not self.paged or self._unseen(reasons))):
            over = standing.why_not in _OVER
            self.episode = episodes.marked(self.episode, self.patient, left, mark, over=over)
            if self.episode is not None and self.course.taken_ms.get(self.episode.change, mark.at_ms + 1) <= mark.at_ms:
                # Whoever names it has seen it: the patient's clock is ahead of theirs.
                self.episode = msgspec.structs.replace(self.episode, acknowledged=True)
            self.marks.append(mark)
            opened_ms = mark.at_ms if self.episode is None else self.episode.opened_ms
            self.changes.append(Change(mark, left, reasons, standing.service, opened_ms))

    def _unseen(self, reasons: tuple[Reason, ...]) -> bool:
        """Whether a red has a cause that the acknowledged red before it had not: nobody has taken that over."""
        if self.zone != RED or self.episode is None or not self.episode.acknowledged:
            return False
        return not _reds(reasons) <= _reds(_reasons_decoder.decode(self.episode.reasons))

    # Where a walk starts.

    def _rewind(self) -> None:
        """Go back to the base."""
        base = self.base
        series = {}
        for index, known in self.series.items():
            earlier = known.before(base.from_day) if base.from_day else Series()
            earlier = earlier.tracked(base.tracks.get(index, NO_TRACK))
            if earlier.days or index in base.tracks:
                series[index] = earlier
        self.series, self.sessions, self.marks = series, [], []
        self._count()
        self.decided_ms, self.last_ms = base.decided_ms, base.last_ms
        self.alert_ms, self.near_ms, self.episode = base.alert_ms, base.near_ms, base.episode
        self.due_ms, self.overdue_ms = base.due_ms, base.overdue_ms
        self.next_base, self._reasons = None, ()
        self.judged, self.changes = [], []

    def _count(self) -> None:
        self.sessions_bytes = sum(map(size, self.sessions))
        self.sessions_weight = sum(map(weight, self.sessions))

    def _check_base(self, session: Session) -> None:
        """Before the first session half-way through the history's days: remember it as the base to be."""
        if self.next_base is not None or not self.sessions:
            return
        first, newest = self.sessions[0].day, self.sessions[-1].day
        heavy = self.sessions_bytes * 2 > self.rules.history_bytes
        if session.day == newest or (session.day - first <= self.rules.history_days // 2 and not heavy):
            return
        self.next_base = Base(
            from_day=session.day,
            events=self.base.events + self.sessions_weight,
            zone=self.zone,
            since_ms=self.since_ms,
            decided_ms=self.decided_ms,
            last_ms=self.last_ms,
            due_ms=self.due_ms,
            overdue_ms=self.overdue_ms,
            tracks={i: s.track for i, s in self.series.items() if s.track != NO_TRACK},
            alert_ms=self.alert_ms,
            near_ms=self.near_ms,
            episode=self.episode,
            paged=self.paged,
        )


def _reds(reasons: tuple[Reason, ...]) -> set[tuple[str, str | None]]:
    """The causes of a red, by rule and vital sign."""
    return {(reason.rule, reason.code) for reason in reasons if reason.zone is Zone.RED}
