"""The fold's own walk over zones that are known beforehand: episodes, silence, pauses and pages, and what is learnt."""

from __future__ import annotations

from bisect import bisect_right
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from pipeline.backtest.histories import OutOfScopeError
from pipeline.triage.episodes import RED, YELLOW, change_id
from pipeline.triage.judge import Judgement
from pipeline.triage.rules import MINUTE_MS
from pipeline.triage.signals import ALERTS
from pipeline.triage.state import NEVER, STATE_VERSION, State
from pipeline.triage.timeline import Timeline
from pipeline.triage.zones import BY_SEVERITY
from schemas.assessments import Reason
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pipeline.backtest.histories import History
    from pipeline.backtest.vectors import Told
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Standing
    from pipeline.triage.state import Body, Session
    from pipeline.triage.timeline import Change

TAKEN_OVER_MS: Final = 30 * MINUTE_MS
_TAKEN_BYTES: Final = 64  # what is kept of an acknowledgement takes no more
_UNKNOWN: Final = {Zone.NO_DATA: (Reason(rule="nothing_to_judge", zone=Zone.NO_DATA),)}
_JUDGEMENTS: Final = {
    (severity, near, whole): Judgement(zone, _UNKNOWN.get(zone, ()), (), near=near, whole=whole)
    for severity, zone in enumerate(BY_SEVERITY)
    for near in (False, True)
    for whole in (False, True)
}


def judgements(
    severities: Iterable[int], near: Iterable[bool], whole: Iterable[bool], reds: Iterable[Collection[Told]]
) -> list[Judgement]:
    """What each session of a walk is judged as.

    Parameters
    ----------
    severities, near, whole
        The severity of its zone, whether a value of it was near a limit, and whether nothing is missing that a
        registration that is due must hold.
    reds
        What makes it red; the fold pages anew where that is something else than what was acknowledged.
    """
    return [_given(*one) for one in zip(severities, near, whole, reds, strict=True)]


def _given(severity: int, near: bool, whole: bool, causes: Collection[Told]) -> Judgement:  # noqa: FBT001 - as they stand together
    given = _JUDGEMENTS[severity, near, whole]
    if not causes:
        return given
    told = sorted(causes, key=lambda one: (one.rule, one.code or ""))
    return given._replace(reasons=tuple(Reason(rule=one.rule, code=one.code, zone=one.zone) for one in told))


class Walk(Timeline):
    """One patient's history walked once, each session in a zone that is given.

    Parameters
    ----------
    judgements
        Of each session, in the order in which they are judged; see `judgements`.
    """

    def __init__(self, history: History, judgements: Sequence[Judgement], rules: Rules) -> None:
        super().__init__(State(version=STATE_VERSION, patient=history.patient, care=history.care), rules)
        self.learns = [False] * len(history.registered)  # whether a session's values enter the patient's normal
        self.awaited = [True] * len(history.registered)  # whether something was due when it came
        self.counted_ms = [NEVER] * len(history.registered)  # the newest registration that counted until then
        self._registered = history.registered
        self._given = judgements
        self._place = 0
        self.go(history)

    def go(self, history: History) -> None:
        """Walk from the beginning to the end."""
        for _ in history.registered:
            self.next()
        self.walk(history.clock_ms)

    def next(self) -> None:
        """Walk to the next session."""
        one = self._registered[self._place]
        self.append(one.session, one.content)
        self._place += 1

    def judge(self, session: Session, body: Body, standing: Standing, *, awaited: bool) -> Judgement:  # noqa: ARG002 - it is known
        """What was given."""
        self.awaited[self._place] = awaited
        self.counted_ms[self._place] = self.last_ms
        return self._given[self._place]

    def learn(self, day: int, judgement: Judgement, *, frozen: bool) -> None:  # noqa: ARG002 - see Timeline
        """Note whether the session is learnt from."""
        self.learns[self._place] = not frozen and judgement.zone not in ALERTS

    def zone_changes(self) -> tuple[Change, ...]:
        """The zone changes, in order."""
        return tuple(self.changes)


class Attended(Walk):
    """The same where staff take over every yellow and red, half an hour after it reached us.

    Everything must have come in its turn; `OutOfScopeError` is raised where something did not.
    """

    def go(self, history: History) -> None:
        """Walk from arrival to arrival, and to what staff do between them."""
        self._clock_ms = NEVER
        self._heard = 0
        self._waiting: list[tuple[int, int, bytes]] = []
        self._taken = 0
        begun = False
        for arrival in sorted(history.arrivals, key=lambda one: one.at_ms):
            self._until(arrival.at_ms)
            if arrival.session:
                session = self._registered[min(self._place, len(self._registered) - 1)].session
                before_ms = self.sessions[-1].at_ms if self.sessions else NEVER
                if session.id != arrival.session or session.at_ms < self.decided_ms or session.at_ms == before_ms:
                    raise OutOfScopeError("a session that did not come in its turn")
                self.next()
                begun = True
            elif begun and arrival.from_ms <= max(self.decided_ms, self._clock_ms):
                raise OutOfScopeError("a care event that bears on the past")
            self._come(arrival.at_ms)
        while self._waiting:
            self._until(self._waiting[0][0])
        kept = self.rules.care_events, self.rules.care_bytes
        if self._taken + len(history.arrivals) > kept[0] + len(self._registered):
            raise OutOfScopeError("more is taken over than is kept")
        if self._taken * _TAKEN_BYTES + len(history.care) > kept[1]:
            raise OutOfScopeError("more is taken over than is kept")
        self.walk(history.clock_ms)

    def _until(self, at_ms: int) -> None:
        """Take over what is taken over up to an instant."""
        while self._waiting and self._waiting[0][0] <= at_ms:
            taken_ms, _, change = heappop(self._waiting)
            if taken_ms <= self.decided_ms:
                raise OutOfScopeError("taken over before a decision")
            self._taken += 1
            course = self.course
            place = bisect_right(course.from_ms, taken_ms)
            before = course.standings[place]
            held = before._replace(acknowledged=frozenset({change}))
            if place and course.from_ms[place - 1] == taken_ms:
                raise OutOfScopeError("two things at one instant")
            self.course = course._replace(
                from_ms=(*course.from_ms[:place], taken_ms, *course.from_ms[place:]),
                standings=(
                    *course.standings[: place + 1],
                    held,
                    *course.standings[place + 1 :],
                ),
            )
            self._come(taken_ms)

    def _come(self, at_ms: int) -> None:
        """Let time come to an instant; what was decided since is told then."""
        self._clock_ms = max(self._clock_ms, at_ms)
        self.walk(max(self._clock_ms, self.decided_ms))
        for change in self.changes[self._heard :]:
            if change.mark.zone in {YELLOW, RED}:
                taken = change_id(self.patient, change.left, change.mark).bytes
                heappush(self._waiting, (at_ms + TAKEN_OVER_MS, len(self.changes), taken))
        self._heard = len(self.changes)
