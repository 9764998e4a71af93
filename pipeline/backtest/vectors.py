"""Every signal of whole histories at once: the zone of each session and its reasons, as the fold gives them.

What a signal says of a session may rest on the patient's own normal, and which values enter that rests on the zones of
the sessions before. So a guess of what enters is judged by, which gives zones; the fold's own walk over these tells
what enters; and so on until nothing changes. Whatever is decided on a session rests on earlier ones alone, so after n
rounds at least the first n sessions are as the fold has them: there is one end, and it is the fold's. A few rounds
reach it.

Limits, quality, baselines, scores, and what is joined by time are worked out here on arrays; slow change, NEWS2, the
answers' rules, episodes and whatever time decides by the very functions of `pipeline.triage`. Of a reason there is its
rule, its vital's code and its zone. Where the fold could come to something else, `histories.OutOfScopeError` is raised.
"""

from __future__ import annotations

from itertools import pairwise
from math import log1p
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from msgspec import structs

from pipeline.backtest.histories import gather, tabulate
from pipeline.backtest.joined import Asked, pasts, rounded
from pipeline.backtest.walks import Walk, judgements
from pipeline.triage import RULES, slow
from pipeline.triage.baseline import MAD_TO_SD, NO_TRACK, Baseline, Track, shorten
from pipeline.triage.news2 import rule as news2_rule
from pipeline.triage.news2 import score as news2_score
from pipeline.triage.news2 import worst as news2_worst
from pipeline.triage.news2 import zone as news2_zone
from pipeline.triage.plans import can_judge, meets
from pipeline.triage.quality import FALL_WITHIN_DAYS
from pipeline.triage.signals import CONFUSION, DAY_H
from pipeline.triage.state import NEVER
from pipeline.triage.vitals import SPO2, VITALS, WEIGHT, Side
from pipeline.triage.zones import BY_SEVERITY, SEVERITY
from schemas.assessments import BaselineStatus
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pipeline.backtest.histories import Bools, Floats, History, Ints
    from pipeline.backtest.joined import Past
    from pipeline.triage import Rules
    from pipeline.triage.plans import Bounds, Prescription
    from pipeline.triage.timeline import Change
    from schemas.care import CareEvent
    from schemas.submissions import Correction, Submission

_MANY: Final = len(VITALS)
_SPAN: Final = 1 << 23  # more days than a calendar has: series and day in one number
_GREEN, _NO_DATA, _YELLOW, _RED, _NOT_MONITORED = range(5)
_LOW_ONLY: Final = np.array([vital.side is Side.LOW for vital in VITALS])
_FLOOR: Final = np.array([vital.floor for vital in VITALS], np.float64)
_FALL, _STEP, _SHARE = (
    np.array([getattr(vital, name) for vital in VITALS], np.float64) for name in ("fall", "step", "share_of_best")
)
_GROUPS: Final = list({vital.group: None for vital in VITALS})
_GROUP_BIT: Final = np.array([1 << _GROUPS.index(vital.group) for vital in VITALS])
_SLOW: Final = (("slow_fall", "slow_rise"), ("shift_low", "shift_high"), ("drift_low", "drift_high"))
_NO_SIDES: Final = (0, 0, 0)
_EDGES: Final = ("red_low", "yellow_low", "yellow_high", "red_high")


class Told(NamedTuple):
    """A reason without its numbers."""

    rule: str
    code: str | None
    zone: Zone


class Outcome(NamedTuple):
    """What one session came to."""

    session: bytes  # id of the submission
    at_ms: int
    zone: Zone
    reasons: frozenset[Told]


class Followed(NamedTuple):
    """What one patient's history came to."""

    patient: str
    outcomes: tuple[Outcome, ...]  # in the order in which the sessions are judged
    changes: tuple[Change, ...]  # of zone; their reasons stand with the outcomes


class _Finding(NamedTuple):
    """Reasons of one rule in one zone: their sessions, and the vitals that they are about."""

    rule: str
    zone: int  # severity
    session: Ints
    vital: Ints | None


class _Joined(NamedTuple):
    """What is joined by time, by the rows that are valid."""

    valid: Bools
    findings: list[_Finding]
    heavier: Bools  # sessions with a weight that rose within days
    could: Bools  # sessions in which something could be judged


class _Missing(NamedTuple):
    """By session: what it lacks of what a registration that is due must hold, and whether anything was measured."""

    vitals: Bools
    questions: Bools
    measured: Bools
    judged: Bools  # something that came shortly before could be

    def same(self, other: _Missing) -> bool:
        """Whether the same is missing."""
        return all(np.array_equal(one, two) for one, two in zip(self, other, strict=True))


class _Normal(NamedTuple):
    """The baseline of each series' day; numbers where there is one, else NaN."""

    known: Bools
    established: Bools
    center: Floats
    spread: Floats
    days: Ints


class _Newest(NamedTuple):
    """Of each session and series: the last reading that is believed."""

    last: Ints  # its row; -1 where there is none
    passed_over: Bools  # nothing is learnt of slow change: there is none, or the days are guarded
    score: Floats
    low: Bools  # whether own normal may raise an alert to that side
    high: Bools


def run(
    messages: Iterable[Submission | Correction | CareEvent], rules: Rules = RULES, *, until_ms: int | None = None
) -> tuple[Followed, ...]:
    """Judge every patient's whole history, by name.

    Parameters
    ----------
    until_ms
        Time goes on to here, where that is later than the newest message.

    Raises
    ------
    histories.OutOfScopeError
        The fold would refuse something, or may have forgotten something before a message came that bears on it.
    """
    histories = gather(messages, rules)
    if until_ms is not None:
        histories = tuple(one._replace(clock_ms=max(one.clock_ms, until_ms)) for one in histories)
    return follow(histories, rules)


def follow(histories: Sequence[History], rules: Rules, walk_of: type[Walk] = Walk) -> tuple[Followed, ...]:
    """Judge whole histories, each walked as `walk_of` walks."""
    signals = _Signals(histories, rules)
    awaited = np.ones(len(signals.sessions.day), bool)
    counted_ms = np.full(len(signals.sessions.day), NEVER)
    ends = np.cumsum([0, *(len(history.registered) for history in histories)]).tolist()
    walks: list[Walk | None] = [None] * len(histories)
    learns = signals.guess()
    before: tuple[Ints, Bools, Bools] | None = None
    reds_before: list[set[Told]] = []
    while True:
        missing = signals.missing(learns, counted_ms)
        whole = ~(missing.vitals | missing.questions)
        severities, findings = signals.judge(learns, awaited, missing)
        now = severities, signals.near, whole
        reds = _reasons((one for one in findings if one.zone == _RED), len(severities))
        after, expected, known_ms = learns.copy(), awaited.copy(), counted_ms.copy()
        for place, (start, end) in enumerate(pairwise(ends)):
            own = slice(start, end)
            walk = walks[place]
            if (
                walk is None
                or before is None
                or not all(np.array_equal(one[own], two[own]) for one, two in zip(now, before, strict=True))
                or reds[own] != reds_before[own]
            ):
                given = judgements(severities[own].tolist(), signals.near[own].tolist(), whole[own].tolist(), reds[own])
                walk = walks[place] = walk_of(histories[place], given, rules)
            after[own] = walk.learns
            expected[own] = walk.awaited
            known_ms[own] = walk.counted_ms
        before, reds_before = now, reds
        same = signals.same(learns, after) and signals.missing(after, known_ms).same(missing)
        if same and not ((awaited != expected) & ~whole).any():
            break
        learns, awaited, counted_ms = after, expected, known_ms
    reasons = _reasons(findings, len(severities))
    sessions = signals.sessions
    outcomes = [
        Outcome(one.session.id, one.session.at_ms, BY_SEVERITY[severity], frozenset(told))
        for one, severity, told in zip(sessions.registered, severities.tolist(), reasons, strict=True)
    ]
    return tuple(
        Followed(history.patient, tuple(outcomes[start:end]), () if walk is None else walk.zone_changes())
        for history, walk, (start, end) in zip(histories, walks, pairwise(ends), strict=True)
    )


def _reasons(findings: Iterable[_Finding], many: int) -> list[set[Told]]:
    """The reasons of each of so many sessions."""
    told: list[set[Told]] = [set() for _ in range(many)]
    for rule, severity, session, vital in findings:
        zone = BY_SEVERITY[severity]
        if vital is None:
            reason = Told(rule, None, zone)
            for place in session.tolist():
                told[place].add(reason)
        else:
            by_vital = [Told(rule, one.codes[0], zone) for one in VITALS]
            by_vital.append(Told(rule, None, zone))  # of a code that no vital has
            for place, index in zip(session.tolist(), vital.tolist(), strict=True):
                told[place].add(by_vital[index])
    return told


class _Signals:
    """The signals of some histories.

    `rows` are the readings that are judged. A series is one patient's one vital, on oxygen and without apart; what is
    held by series stands by series and time, a place a session.
    """

    def __init__(self, histories: Sequence[History], rules: Rules) -> None:
        self.rules = rules
        self.sessions, every = tabulate(histories, rules)
        sessions = self.sessions
        self._plans: list[Prescription] = []
        places: dict[int, int] = {}
        for held in sessions.standings:
            if id(held.prescribed) not in places:
                places[id(held.prescribed)] = len(self._plans)
                self._plans.append(held.prescribed)
        self._plan = np.array([places[id(held.prescribed)] for held in sessions.standings], np.int64)
        judged = sessions.judged[every.session]
        self._quarantined = every.where(judged & every.quarantined)
        self.rows = every.where(judged & ~every.quarantined)
        rows = self.rows
        self._side_low = _LOW_ONLY[rows.vital]
        on_oxygen = (rows.vital == SPO2.index) & (rows.oxygen > 0)
        series = (sessions.patient[rows.session] * 2 + on_oxygen) * _MANY + rows.vital
        first_day = int(sessions.day.min(initial=0)) - rules.window_days - 1
        day = sessions.day[rows.session] - first_day
        self._key = series * _SPAN + day
        _, first, of = np.unique(
            series * (len(sessions.day) + 1) + rows.session, return_index=True, return_inverse=True
        )
        self._of = of.ravel()
        _, self._first, of_vital = np.unique(rows.session * _MANY + rows.vital, return_index=True, return_inverse=True)
        self._of_vital = of_vital.ravel()
        self._guarded = np.array([held.guarded for held in sessions.standings], bool)[rows.session[first]]
        self._series = series[first]
        self._day = day[first]
        self._before = np.append(True, self._series[1:] != self._series[:-1])[: len(first)]  # a series starts here
        self._agreed = self._confirmed()
        self._limits, self._limited = self._tables("bounds")
        self._away, _ = self._tables("relative")
        self._scanned: tuple[_Normal, _Newest] | None = None
        self._tracks: list[Track] = [NO_TRACK] * len(first)
        self._slowly: dict[
            tuple[Track, int, float, float, float, bool, bool], tuple[Track, tuple[int, int, int]]
        ] = {}  # what was worked out once: plans that are compared have most of it in common
        self._sides = np.zeros((len(_SLOW), len(first)), np.int64)  # that are newly told of
        self._joined: _Joined | None = None
        self.near = np.zeros(len(sessions.day), bool)
        self._asked = np.zeros(len(sessions.day), bool)  # something could be judged
        self._groups = np.zeros(len(sessions.day), bool)  # a signal that is none of weight's
        self._fixed = [*self._own_limits(), *self._answers()]
        self._due = np.array([sum(1 << index for index in plan.due) for plan in self._plans], np.int64)[self._plan]
        self._seen = np.zeros(len(sessions.day), np.int64)
        np.bitwise_or.at(self._seen, rows.session, 1 << rows.vital)
        self._measures = np.array([plan.measures for plan in self._plans], bool)[self._plan]
        self._asks = np.array([bool(plan.due or plan.answers_due) for plan in self._plans], bool)
        self._bounded = [sum(1 << index for index in plan.bounds) for plan in self._plans]
        self._beside = self._parts()
        self._news2 = self._partial_news2()

    def guess(self) -> Bools:
        """Sessions that may be learnt from, as far as can be seen before anything is learnt."""
        alerted = np.zeros(len(self.sessions.day), bool)
        for finding in (*self._fixed, *self._news2):
            if finding.zone >= _YELLOW:
                alerted[finding.session] = True
        guarded = np.array([held.guarded for held in self.sessions.standings], bool)
        learns: Bools = self.sessions.judged & ~alerted & ~guarded
        return learns

    def same(self, one: Bools, other: Bools) -> bool:
        """Whether the same values are learnt, of readings that are valid."""
        return bool((one == other)[self.rows.session].all())

    def judge(self, learns: Bools, awaited: Bools, missing: _Missing) -> tuple[Ints, list[_Finding]]:
        """Severity of each session's zone, and all reasons.

        If those values are learnt, those sessions awaited, and that is missing.
        """
        rows, judged = self.rows, self.sessions.judged
        valid, (keys, values) = self._believed(learns)
        normal = self._normal(keys, values)
        of = self._of
        z = self._scores(normal)
        newest = self._newest_of(z, valid)
        findings = [*self._fixed]
        findings.append(_Finding("quality", _NO_DATA, rows.session[~valid], rows.vital[~valid]))
        findings.append(_Finding("quality", _NO_DATA, self._quarantined.session, self._quarantined.vital))
        deviating, found = self._deviations(z, valid, newest)
        findings += found
        findings += self._relative(normal.center[of])
        joined = self._changes(valid)
        findings += joined.findings
        over = rows.value - normal.center[of]
        weighed = np.flatnonzero(np.isfinite(over) & (rows.vital == WEIGHT.index) & self._weighs())
        weighed = weighed[rounded(over[weighed]) >= self.rules.weight_over_normal_kg]
        findings.append(self._of_rows("weight_over_normal", _YELLOW, weighed))
        findings += self._slow(normal, newest)
        findings += self._close(findings, deviating, np.flatnonzero(joined.heavier))
        severities = np.where(judged, _GREEN, _NO_DATA)
        for finding in findings:
            severities[finding.session] = np.maximum(severities[finding.session], finding.zone)
        could = self._asked | joined.could
        could[rows.session[(rows.vital == SPO2.index) & ~self._limited[self._at()] & normal.known[of]]] = True
        for finding in self._incomplete(could, awaited, missing):
            severities[finding.session] = np.maximum(severities[finding.session], finding.zone)
            findings.append(finding)
        within = np.flatnonzero(judged & (severities == _GREEN))
        findings.append(_Finding("within_limits", _GREEN, within, None))
        findings += self._unjudged(severities)
        return severities, findings

    # What rests on a session alone.

    def _confirmed(self) -> Bools:
        """Rows that another of the same session and series agrees with."""
        order = np.lexsort((self.rows.value, self._of))
        together = self._of[order][1:] == self._of[order][:-1]
        apart = np.diff(self.rows.value[order])
        close = together & (apart <= self.rules.confirmed_floors * _FLOOR[self.rows.vital[order][1:]])
        agreed = np.zeros(len(order), bool)
        agreed[order[1:][close]] = True
        agreed[order[:-1][close]] = True
        return agreed

    def _tables(self, which: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Limits by plan, vital and edge, NaN where there is none; and which vitals have any."""
        table = np.full((len(self._plans), _MANY, len(_EDGES)), np.nan)
        limited = np.zeros((len(self._plans), _MANY), bool)
        for place, plan in enumerate(self._plans):
            found: dict[int, Bounds] = dict(getattr(plan, which))
            for index, bounds in found.items():
                table[place, index] = [np.nan if edge is None else edge for edge in bounds]
                limited[place, index] = True
        return table, limited

    def _of_rows(self, rule: str, severity: int, rows: Ints) -> _Finding:
        return _Finding(rule, severity, self.rows.session[rows], self.rows.vital[rows])

    def _at(self, rows: Ints | slice = slice(None)) -> tuple[Ints, Ints]:
        """Plan and vital of rows."""
        return self._plan[self.rows.session[rows]], self.rows.vital[rows]

    def _own_limits(self) -> list[_Finding]:
        rows, rules = self.rows, self.rules
        at = self._at()
        red_low, yellow_low, yellow_high, red_high = self._limits[at].T
        value, limited = rows.value, self._limited[at]
        low, high = _innermost(self._limits[at].T)
        away = rules.asking_floors * _FLOOR[rows.vital]
        self.near[rows.session[(value - low <= away) | (high - value <= away)]] = True
        oxygen = (rows.vital == SPO2.index) & np.isnan(low) & (value <= rules.oxygen_red)
        self._asked[rows.session[limited | oxygen]] = True
        reds = (value <= red_low), (value >= red_high)
        red = reds[0] | reds[1]
        yellows = (value <= yellow_low) & ~red, (value >= yellow_high) & ~red
        first_red = red[self._first[self._of_vital]] & limited
        better = np.unique(self._of_vital[first_red & ~red])
        return [
            self._of_rows("limit_low", _RED, np.flatnonzero(reds[0])),
            self._of_rows("limit_high", _RED, np.flatnonzero(reds[1] & ~reds[0])),
            self._of_rows("limit_low", _YELLOW, np.flatnonzero(yellows[0])),
            self._of_rows("limit_high", _YELLOW, np.flatnonzero(yellows[1] & ~yellows[0])),
            self._of_rows("remeasure", _GREEN, self._first[better]),
            self._of_rows("oxygen_low", _RED, np.flatnonzero(oxygen)),
        ]

    def _answers(self) -> list[_Finding]:
        found: dict[int, list[int]] = {}
        unfit: list[int] = []
        for place, (one, held) in enumerate(zip(self.sessions.registered, self.sessions.standings, strict=True)):
            rules = held.prescribed.answers
            if not rules or not self.sessions.judged[place]:
                continue
            about = held.prescribed.questionnaire
            for answer in one.answers:
                if answer.questionnaire != (about or answer.questionnaire):
                    continue
                met = [(rule, meets(rule, answer.value)) for rule in rules.get(answer.link_id, ())]
                if met and all(one is None for _, one in met):
                    unfit.append(place)
                    continue
                for rule, reached in met:
                    self._asked[place] = True
                    if reached:
                        found.setdefault(SEVERITY[Zone(rule.zone)], []).append(place)
                        self._groups[place] = True
        told = [_Finding("answer", severity, np.array(places), None) for severity, places in found.items()]
        return [*told, _Finding("answer_not_judged", _NO_DATA, np.array(unfit, int), None)]

    def _partial_news2(self) -> list[_Finding]:
        scores = np.array([plan.news2 is not None for plan in self._plans], bool)
        wanted = np.flatnonzero(scores[self._plan] & self.sessions.judged)
        if len(wanted) == 0:
            return []
        seen: dict[int, dict[int, list[float]]] = {}
        oxygen: dict[int, float] = {}
        columns = (self.rows.session, self.rows.vital, self.rows.value, self.rows.oxygen)
        for place, index, value, told in zip(*(column.tolist() for column in columns), strict=True):
            seen.setdefault(place, {}).setdefault(index, []).append(value)
            if told == told:  # noqa: PLR0124 - no NaN
                oxygen[place] = max(told, oxygen.get(place, 0.0))
        found: dict[tuple[str, int], list[int]] = {}
        for place in wanted.tolist():
            scale = self.sessions.standings[place].prescribed.news2
            assert scale is not None  # noqa: S101 - the plans with one were asked for
            flow = oxygen.get(place)
            values = {
                index: news2_worst(index, every, oxygen_l_min=flow, scale=scale)
                for index, every in seen.get(place, {}).items()
            }
            scored = news2_score(values, oxygen_l_min=flow, consciousness=self._consciousness(place), scale=scale)
            zone = news2_zone(scored)
            if zone is not None:
                found.setdefault((news2_rule(scored), SEVERITY[zone]), []).append(place)
        return [_Finding(rule, severity, np.array(places), None) for (rule, severity), places in found.items()]

    def _consciousness(self, place: int) -> str | None:
        """As NEWS2 takes it, by the answer to the question about confusion."""
        about = self.sessions.standings[place].prescribed.questionnaire
        told = [
            answer.value
            for answer in self.sessions.registered[place].answers
            if answer.link_id == CONFUSION
            and isinstance(answer.value, bool)
            and answer.questionnaire == (about or answer.questionnaire)
        ]
        return None if not told else "C" if told[-1] else "A"

    def _incomplete(self, could: Bools, awaited: Bools, missing: _Missing) -> list[_Finding]:
        """What is missing for sessions to be good news."""
        judged = self.sessions.judged
        return [
            _Finding("nothing_to_judge", _NO_DATA, np.flatnonzero(judged & ~could & ~missing.judged), None),
            _Finding(
                "nothing_measured",
                _NO_DATA,
                np.flatnonzero(judged & (could | missing.judged) & self._measures & ~missing.measured),
                None,
            ),
            _Finding("vitals_missing", _NO_DATA, np.flatnonzero(missing.vitals & awaited), None),
            _Finding("vitals_missing", _GREEN, np.flatnonzero(missing.vitals & ~awaited), None),
            _Finding("answer_missing", _NO_DATA, np.flatnonzero(missing.questions & awaited), None),
            _Finding("answer_missing", _GREEN, np.flatnonzero(missing.questions & ~awaited), None),
        ]

    def _parts(self) -> dict[int, list[int]]:
        """What came shortly before each session on its day, the nearest first, where that bears on what is missing."""
        sessions, rules = self.sessions, self.rules
        asks = self._asks[self._plan] | (self._seen == 0)
        beside = {}
        for place in np.flatnonzero(asks & sessions.judged).tolist():
            first = place
            while (
                first
                and sessions.patient[first - 1] == sessions.patient[place]
                and sessions.day[first - 1] == sessions.day[place]
                and sessions.at_ms[place] - sessions.at_ms[first - 1] <= rules.joined_ms
            ):
                first -= 1
            beside[place] = list(range(place - 1, first - 1, -1))
        return beside

    def missing(self, learns: Bools, counted_ms: Ints) -> _Missing:
        """What each session lacks, with what came shortly before it and after the newest registration that counted."""
        sessions, seen = self.sessions, self._seen != 0
        found = _Missing(np.zeros_like(seen), np.zeros_like(seen), seen.copy(), np.zeros_like(seen))
        valid = self._believed(learns)[0] if any(self._beside.values()) else self.rows.valid
        every = np.ones(len(valid), bool)
        for place, beside in self._beside.items():
            plan = self._plans[self._plan[place]]
            held, answered = self._held(place, place, every), self._answered(place, plan)
            for earlier in beside:
                if not sessions.judged[earlier]:
                    continue
                bits = self._held(earlier, place, valid)
                found.measured[place] |= bits != 0
                if self._asks[self._plan[place]] and sessions.at_ms[earlier] > counted_ms[place]:
                    told = self._answered(earlier, plan)
                    found.judged[place] |= bool(told) or bits & self._bounded[self._plan[place]] != 0
                    held, answered = held | bits, answered | told
            found.vitals[place] = self._due[place] & ~held != 0
            found.questions[place] = not plan.answers_due <= answered
        return found

    def _held(self, place: int, by: int, wanted: Bools) -> int:
        """The wanted vitals of a session, as bits, that are young enough to be what another one of its day lacks."""
        rows, since_ms = self.rows, self.sessions.at_ms[by] - self.rules.due_within_ms
        first, end = np.searchsorted(rows.session, [place, place + 1])
        young = wanted[first:end] & (rows.measured_ms[first:end] >= since_ms)
        return int(np.bitwise_or.reduce(1 << rows.vital[first:end][young])) if young.any() else 0

    def _answered(self, place: int, plan: Prescription) -> set[str]:
        """The questions that a session answers so that the plan's rules can judge it."""
        return {
            answer.link_id
            for answer in self.sessions.registered[place].answers
            if can_judge(plan, answer.questionnaire, answer.link_id, answer.value)
        }

    def _unjudged(self, severities: Ints) -> list[_Finding]:
        found: dict[str, list[int]] = {}
        for place in np.flatnonzero(~self.sessions.judged).tolist():
            one = self.sessions.registered[place]
            void = bool(one.content.corrections) and one.content.replacement is None
            found.setdefault("entered_in_error" if void else "not_monitored", []).append(place)
            severities[place] = _NO_DATA if void else _NOT_MONITORED
        return [
            _Finding(rule, _NO_DATA if rule == "entered_in_error" else _NOT_MONITORED, np.array(places), None)
            for rule, places in found.items()
        ]

    # The patient's own normal.

    def _believed(self, learns: Bools) -> tuple[Bools, tuple[Ints, Floats]]:
        """Rows that are valid beside the days before, and the daily values that these make of them.

        What is not believed is not learnt, which bears on later days alone; so this ends too.
        """
        valid = self.rows.valid
        while True:
            daily = self._daily(learns, valid)
            believed = self.rows.valid & ~self._against_history(*daily)
            if np.array_equal(valid, believed):
                return valid, daily
            valid = believed

    def _daily(self, learns: Bools, valid: Bools) -> tuple[Ints, Floats]:
        """Series and day in one number, in order, and the median of the values that were learnt that day."""
        rows = self.rows
        learnt = np.flatnonzero(valid & learns[rows.session])
        learnt = learnt[np.lexsort((rows.value[learnt], self._key[learnt]))]
        values = rows.value[learnt]
        keys, starts, counts = np.unique(self._key[learnt], return_index=True, return_counts=True)
        return keys, (values[starts + (counts - 1) // 2] + values[starts + counts // 2]) / 2

    def _against_history(self, keys: Ints, values: Floats) -> Bools:
        """As `pipeline.triage.quality.against_history`, of all rows."""
        doubted = np.zeros(len(self._key), bool)
        vital = self.rows.vital
        own = np.flatnonzero(~(np.isnan(_FALL) & np.isnan(_STEP) & np.isnan(_SHARE))[vital])
        end = np.searchsorted(keys, self._key[own])
        known = end > np.searchsorted(keys, self._key[own] // _SPAN * _SPAN)
        own, end = own[known], end[known]
        if len(own) == 0:
            return doubted
        value, newest, age = self.rows.value[own], values[end - 1], self._key[own] - keys[end - 1]
        best = _best(keys // _SPAN, values)[end - 1]
        index = vital[own]
        doubted[own] = (
            ((age <= FALL_WITHIN_DAYS) & (newest - value > _FALL[index]))
            | ((age <= 1) & (np.abs(newest - value) > _STEP[index]))
            | (value < _SHARE[index] * best)
        )
        return doubted

    def _normal(self, keys: Ints, values: Floats) -> _Normal:
        """As `pipeline.triage.baseline.Series.at`, of all series' days."""
        rules = self.rules
        base = self._series * _SPAN
        key = base + self._day
        end = np.searchsorted(keys, key)
        first = np.searchsorted(keys, np.maximum(key - rules.window_days, base))
        start = np.maximum(first, end - rules.window_values)
        days = end - start
        enough = days >= max(rules.learning_below, 1)
        newest = np.where(enough, keys[end - 1] if len(keys) else 0, 0)
        oldest = np.where(enough, keys[np.minimum(start, len(keys) - 1)] if len(keys) else 0, 0)
        known = enough & (key - newest <= rules.stale_after_days)
        long = (days >= rules.established_values) & (key - oldest >= rules.established_span_days)
        center, spread = np.full(len(key), np.nan), np.full(len(key), np.nan)
        rows = np.flatnonzero(known)
        if len(rows):
            many = days[rows]
            place = start[rows, None] + np.arange(rules.window_values)
            inside = place < end[rows, None]
            window = np.where(inside, values[np.minimum(place, len(values) - 1)], np.inf)
            center[rows] = _middle(window, many)
            apart = np.where(inside, np.abs(window - center[rows, None]), np.inf)
            floor = _FLOOR[self._series[rows] % _MANY]
            spread[rows] = np.maximum(MAD_TO_SD * _middle(apart, many), floor)
        return _Normal(known, known & long, center, spread, days)

    def _scores(self, normal: _Normal) -> Floats:
        """As `pipeline.triage.deviation.score`, of all rows; NaN where there is no baseline."""
        scores = np.full(len(self._of), np.nan)
        rows = np.flatnonzero(normal.known[self._of])
        of = self._of[rows]
        days = normal.days[of].astype(np.float64)
        freedom = days - 1
        distance = (self.rows.value[rows] - normal.center[of]) / (normal.spread[of] * np.sqrt(1 + 1 / days))
        # numpy's own logarithm may differ from the fold's in the last digit
        tail = np.array([log1p(one) for one in (distance * distance / freedom).tolist()], np.float64)
        z = np.sqrt(freedom * tail) * (8 * freedom + 1) / (8 * freedom + 3)
        scores[rows] = np.copysign(z, distance)
        return scores

    def _newest_of(self, z: Floats, valid: Bools) -> _Newest:
        """What each session's last believed reading of each series is like."""
        last = np.full(len(self._series), -1)
        rows = np.flatnonzero(valid)
        np.maximum.at(last, self._of[rows], rows)
        passed_over = (last < 0) | self._guarded
        if not len(z):
            return _Newest(last, passed_over, np.array([]), passed_over, passed_over)
        reached = [self._in_reach(last, np.full(len(last), side)) for side in (-1, 1)]
        return _Newest(last, passed_over, np.where(last < 0, np.nan, z[last]), *reached)

    def _deviations(self, z: Floats, valid: Bools, newest: _Newest) -> tuple[tuple[Ints, Ints], list[_Finding]]:
        """The rows that deviate near a limit, those that do so far from one, and the reasons that it makes."""
        rules, of = self.rules, self._of
        places = np.arange(len(self._series))
        earlier = np.maximum.accumulate(np.append(-1, np.where(newest.passed_over, -1, places)))[:-1]
        known = earlier >= np.maximum.accumulate(np.where(self._before, places, 0))
        before = np.where(known, newest.score[earlier], np.nan)[of] if len(places) else z
        age = np.where(known, self._day - self._day[earlier], 0)[of] if len(places) else z
        size = np.abs(z)
        bad = (valid | self._agreed) & ~(self._side_low & (z > 0))
        single = bad & (size >= rules.single_z)
        again = (before * z > 0) & (np.abs(before) >= rules.repeated_z) & (age <= rules.in_a_row_days)
        repeated = bad & ~single & (size >= rules.repeated_z) & again
        either = np.flatnonzero(single | repeated)
        reached = np.zeros(len(z), bool)
        reached[either] = self._in_reach(either, z[either])
        return (np.flatnonzero((single | repeated) & reached), np.flatnonzero(single & ~reached)), [
            self._of_rows("deviation", _YELLOW, np.flatnonzero(single & reached)),
            self._of_rows("deviation_repeated", _YELLOW, np.flatnonzero(repeated & reached)),
            self._of_rows("deviation_noted", _GREEN, np.flatnonzero((single | repeated) & ~reached)),
        ]

    def _in_reach(self, rows: Ints, side: Floats | Ints) -> Bools:
        at = self._at(rows)
        low, high = _innermost(self._limits[at].T)
        edge = np.where(side > 0, high, low)
        away = (edge - self.rows.value[rows]) * np.where(side > 0, 1, -1)
        free: Bools = ~self._limited[at] | _LOW_ONLY[at[1]] | np.isnan(edge)
        return free | (away <= self.rules.near_floors * _FLOOR[at[1]])

    def _relative(self, center: Floats) -> list[_Finding]:
        rows, rules = self.rows, self.rules
        at = self._at()
        known = ~np.isnan(center)
        found = []
        away = self._away[at]
        asked = np.flatnonzero(known & ~np.isnan(away).all(axis=1))
        if len(asked):
            red_low, yellow_low, yellow_high, red_high = away[asked].T
            up = rounded(rows.value[asked] - center[asked])
            edges = (
                ("relative_low", _RED, -up >= red_low),
                ("relative_high", _RED, up >= red_high),
                ("relative_low", _YELLOW, -up >= yellow_low),
                ("relative_high", _YELLOW, up >= yellow_high),
            )
            found += [self._of_rows(rule, zone, asked[hit]) for rule, zone, hit in _first_of(edges)]
        asked = np.flatnonzero(known & (rows.vital == SPO2.index) & ~self._limited[at])
        if len(asked):
            fallen = rounded(center[asked] - rows.value[asked])
            red = fallen >= rules.oxygen_red_fall
            yellow = ~red & (fallen >= rules.oxygen_yellow_fall)
            found.append(self._of_rows("oxygen_below_normal", _RED, asked[red]))
            found.append(self._of_rows("oxygen_below_normal", _YELLOW, asked[yellow]))
        return found

    # What is joined by time.

    def _weighs(self) -> Bools:
        asked = np.array([plan.weight_change for plan in self._plans], bool)
        weighs: Bools = asked[self._plan[self.rows.session]]
        return weighs

    def _changes(self, valid: Bools) -> _Joined:
        """What a reading's own past says of it; kept for the next round, as it hardly ever changes."""
        if self._joined is not None and np.array_equal(valid, self._joined.valid):
            return self._joined
        joined = _Joined(valid, [], np.zeros(len(self.sessions.day), bool), np.zeros(len(self.sessions.day), bool))
        remembers = np.array([[plan.remembers(index) for index in range(_MANY)] for plan in self._plans], bool).reshape(
            -1, _MANY
        )[self._at()]
        asked = np.flatnonzero(remembers)
        series = self._series[self._of[asked]]
        for one in np.unique(series).tolist():
            rows = asked[series == one]
            index = one % _MANY
            table = Asked(self.rows.session[rows], self.rows.measured_ms[rows], self.rows.value[rows], valid[rows])
            start = 0
            for past in pasts(table, self.rules):
                these = rows[start : start + len(past.asked.session)]
                start += len(these)
                plans = self._plan[past.asked.session]
                for place in np.unique(plans).tolist():
                    own = np.flatnonzero(plans == place)
                    self._changed(self._plans[place], index, these[own], past.of(own), joined)
        self._joined = joined
        return joined

    def _changed(
        self,
        plan: Prescription,
        index: int,
        rows: Ints,
        past: Past,
        joined: _Joined,
    ) -> None:
        session = self.rows.session[rows]
        found = joined.findings
        for change in plan.changes.get(index, ()):
            up, down = _moved(past, change.hours)
            edges = (
                ("rise", _RED, up >= _limit(change.red_rise)),
                ("fall", _RED, down >= _limit(change.red_fall)),
                ("rise", _YELLOW, up >= _limit(change.yellow_rise)),
                ("fall", _YELLOW, down >= _limit(change.yellow_fall)),
            )
            found += [self._of_rows(rule, zone, rows[hit]) for rule, zone, hit in _first_of(edges)]
        for target in plan.sustained.get(index, ()):
            count = past.outside(target.low, target.high, target.of)
            joined.could[session[past.full(target.of) | (count >= target.least)]] = True
            found.append(self._of_rows("sustained", SEVERITY[target.zone], rows[count >= target.least]))
        if plan.weight_change and index == WEIGHT.index:
            joined.could[session[past.known.any(axis=1)]] = True
            rules, slack = self.rules, self.rules.weight_slack_h
            days, day, week = (_moved(past, count * DAY_H + slack)[0] for count in (3, 1, 7))
            _, most = past.extremes(30 * DAY_H + slack)
            _, lost = _moved(past, 30 * DAY_H + slack)
            heavier = days >= rules.weight_days_kg
            joined.heavier[session[heavier]] = True
            weekly = ~heavier & (week >= rules.weight_days_kg)
            lighter = np.isfinite(most) & (lost >= rules.weight_month_share * np.where(np.isfinite(most), most, 0))
            found.append(self._of_rows("weight_rise_week", _YELLOW, rows[weekly]))
            found.append(self._of_rows("weight_rise_day", _YELLOW, rows[day >= rules.weight_day_kg]))
            found.append(self._of_rows("weight_fall_month", _YELLOW, rows[lighter]))

    # Slow change, and the session as a whole.

    def _slow(self, normal: _Normal, newest: _Newest) -> list[_Finding]:
        self._scan(normal, newest)
        found = []
        for rules, sides in zip(_SLOW, self._sides, strict=True):
            for rule, side, near in zip(rules, (-1, 1), (newest.low, newest.high), strict=True):
                places = np.flatnonzero(sides == side)
                if side > 0:
                    places = places[~_LOW_ONLY[self._series[places] % _MANY]]
                reached = near[places] | rule.startswith("drift")  # which is told at any distance
                found.append(self._of_rows(rule, _YELLOW, newest.last[places[reached]]))
                found.append(self._of_rows(rule, _GREEN, newest.last[places[~reached]]))
        return found

    def _scan(self, normal: _Normal, newest: _Newest) -> None:
        """Follow each series' slow change from where something is new to its end."""
        z = newest.score
        if self._scanned is None:
            changed = np.ones(len(z), bool)
        else:
            known, was = self._scanned
            changed = ~_equal(was.score, z) | (known.established != normal.established) | (known.days != normal.days)
            changed |= ~_equal(known.center, normal.center) | ~_equal(known.spread, normal.spread)
            changed |= (was.passed_over != newest.passed_over) | (was.low != newest.low) | (was.high != newest.high)
        self._scanned = normal, newest
        starts = np.flatnonzero(self._before)
        new = np.flatnonzero(changed)
        at = np.searchsorted(new, starts)
        ends = np.append(starts[1:], len(z))[: len(starts)]
        for begin, first, end in zip(starts.tolist(), at.tolist(), ends.tolist(), strict=True):
            if first < len(new) and new[first] < end:
                self._follow(begin, int(new[first]), end, normal, newest)

    def _follow(self, begin: int, first: int, end: int, normal: _Normal, newest: _Newest) -> None:
        """Follow one series' rows from `first` to `end`; it begins at `begin`."""
        track = NO_TRACK if first == begin else self._tracks[first - 1]
        own = slice(first, end)
        self._sides[:, own] = 0
        low_only = bool(_LOW_ONLY[self._series[begin] % _MANY])
        columns = (
            self._day,
            newest.score,
            normal.established & ~newest.passed_over,
            normal.center,
            normal.spread,
            newest.low,
            newest.high | low_only,
            newest.passed_over,
        )
        rows = zip(*(column[own].tolist() for column in columns), strict=True)
        for place, (day, score, established, center, spread, low, high, passed_over) in enumerate(rows, first):
            if passed_over:
                pass  # nothing is learnt
            elif established:
                asked = (track, day, score, center, spread, low, high)
                found = self._slowly.get(asked)
                if found is None:
                    found = self._slowly[asked] = self._next(*asked)
                track, sides = found
                if sides != _NO_SIDES:
                    self._sides[:, place] = sides
            elif score == score:  # noqa: PLR0124 - no NaN
                track = structs.replace(track, score=score, score_day=day)
            elif track.score is not None:
                track = structs.replace(track, score=None, score_day=day)
            self._tracks[place] = track

    def _next(  # noqa: PLR0913, PLR0917 - what it hangs on
        self,
        track: Track,
        day: int,
        score: float,
        center: float,
        spread: float,
        low_told: bool,  # noqa: FBT001 - see above
        high_told: bool,  # noqa: FBT001
    ) -> tuple[Track, tuple[int, int, int]]:
        """One vital's track after a day's score, and the sides that are newly told of, as in `_SLOW`.

        `low_told` and `high_told` where a slow change to that side is done with once it is told.
        """
        built = slow.cusum(track, score, day, self.rules)
        mean = slow.average(track, score, day, self.rules)
        rose = passed = 0
        if built.passed:
            built, tell = slow.settled(track, built, self.rules, near=high_told if built.passed > 0 else low_told)
            rose = built.passed if tell else 0
        if mean.passed:
            mean, tell = slow.settled_average(track, mean, near=high_told if mean.passed > 0 else low_told)
            passed = mean.passed if tell else 0
        baseline = Baseline(center, spread, 0, 0, BaselineStatus.ESTABLISHED)  # slow change asks for no more of it
        moved = slow.drift(track, baseline, self.rules)
        first = (shorten(center), shorten(round(spread, 3))) if track.first is None else track.first
        after = Track(
            score,
            day,
            built.high,
            built.low,
            moved.drifted,
            first,
            (),
            mean.level,
            mean.shifted,
            mean.variance,
        )
        return after, (rose, passed, moved.tell)

    def _close(self, findings: Iterable[_Finding], deviating: tuple[Ints, Ints], heavy: Ints) -> list[_Finding]:
        """What several signals of a session make together."""
        near, far = deviating
        bits = np.zeros(len(self.sessions.day), np.int64)
        np.bitwise_or.at(bits, self.rows.session[near], _GROUP_BIT[self.rows.vital[near]])
        every = bits.copy()
        np.bitwise_or.at(every, self.rows.session[far], _GROUP_BIT[self.rows.vital[far]])
        together = np.bitwise_count(every) >= self.rules.second_signals
        alerting = np.zeros(len(self.sessions.day), np.int64)
        alerting[heavy] |= _GROUP_BIT[WEIGHT.index]
        for finding in findings:
            if finding.zone >= _YELLOW and finding.vital is not None:
                np.bitwise_or.at(alerting, finding.session, _GROUP_BIT[finding.vital])
        also = (bits != 0) & ~together & ((alerting & ~bits != 0) | self._groups)
        found = [
            _Finding("deviations_together", _RED, np.flatnonzero(together), None),
            _Finding("deviation_with_symptom", _RED, np.flatnonzero(also), None),
            *self._news2,
        ]
        if len(heavy):
            second = self._groups.copy()
            for finding in self._news2:
                second[finding.session] = True
            for finding in findings:
                if finding.zone >= _YELLOW and finding.vital is not None:
                    second[finding.session[finding.vital != WEIGHT.index]] = True
            for severity, wanted in ((_RED, second[heavy]), (_YELLOW, ~second[heavy])):
                where = heavy[wanted]
                found.append(_Finding("weight_rise_days", severity, where, np.full(len(where), WEIGHT.index)))
        return found


def _innermost(limits: Floats) -> tuple[Floats, Floats]:
    """The first limits that a value meets on its way out, low and high; NaN where there is none."""
    red_low, yellow_low, yellow_high, red_high = limits
    return np.where(np.isnan(yellow_low), red_low, yellow_low), np.where(np.isnan(yellow_high), red_high, yellow_high)


def _first_of(edges: Iterable[tuple[str, int, Bools]]) -> list[tuple[str, int, Bools]]:
    """The edges, each broken only where none before it is."""
    found = []
    broken: Bools | None = None
    for rule, zone, hit in edges:
        found.append((rule, zone, hit if broken is None else hit & ~broken))
        broken = hit if broken is None else broken | hit
    return found


def _limit(edge: float | None) -> float:
    return np.inf if edge is None else edge


def _moved(past: Past, hours: int) -> tuple[Floats, Floats]:
    """How far each reading lies above the lowest, and below the highest, of the hours before; 0 where it does not."""
    least, most = past.extremes(hours)
    return (
        np.maximum(0.0, rounded(past.asked.value - least)),
        np.maximum(0.0, rounded(most - past.asked.value)),
    )


def _middle(values: Floats, many: Ints) -> Floats:
    """Median of the first `many` of each row, the others being infinite."""
    ordered = np.sort(values, axis=1)
    row = np.arange(len(many))
    return (ordered[row, (many - 1) // 2] + ordered[row, many // 2]) / 2


def _best(series: Ints, values: Floats) -> Floats:
    """The highest value of a series so far."""
    best = np.empty(len(values))
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1])[: len(series)])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(series)], strict=True):
        best[start:end] = np.maximum.accumulate(values[start:end])
    return best


def _equal(one: Floats, other: Floats) -> Bools:
    same: Bools = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
