"""Every signal of one session, each as a reason; the zone is the worst of them.

A reason in zone green raises nothing: it tells a nurse what was seen and was no ground for more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from pipeline.triage import slow
from pipeline.triage.baseline import NO_TRACK, Series, Track, shorten
from pipeline.triage.deviation import score
from pipeline.triage.limits import breach
from pipeline.triage.news2 import rule as news2_rule
from pipeline.triage.news2 import score as news2_score
from pipeline.triage.news2 import worst as news2_worst
from pipeline.triage.news2 import zone as news2_zone
from pipeline.triage.plans import meets
from pipeline.triage.recent import DIGITS, fall, keep, outside, rise, within
from pipeline.triage.state import NEVER
from pipeline.triage.vitals import ON_OXYGEN, SPO2, VITALS, WEIGHT, Side, of_series, series_of
from schemas.assessments import BaselineStatus, Deviation, Quality, Reason
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.triage.baseline import Baseline
    from pipeline.triage.plans import Bounds
    from pipeline.triage.quality import Verdict
    from pipeline.triage.rules import Rules
    from pipeline.triage.slow import Average, Cusum
    from pipeline.triage.standing import Standing
    from pipeline.triage.vitals import Vital
    from schemas.assessments import News2, QualityIssue

ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})
NEWS2_PARTS: Final = 7
DAY_H: Final = 24
CONFUSION: Final = "confused"  # the question, by yes and no, that tells of new confusion in NEWS2
_EVERYWHERE: Final = "session"  # the group of a reason that is about no vital
_SLOW: Final = {"slow": ("slow_fall", "slow_rise"), "shift": ("shift_low", "shift_high")}


class Parts(NamedTuple):
    """What came shortly before a session, and is part of the same registration."""

    vitals: frozenset[int] = frozenset()  # by index, of what is due
    questions: frozenset[str] = frozenset()  # of what is due
    judged: bool = False  # something of it could be judged
    measured: bool = False  # anything was measured, be it by a registration of its own


NOTHING_BESIDE: Final = Parts()


def nothing_beside() -> Parts:
    """What came before a session that stands alone."""
    return NOTHING_BESIDE


class Signals:
    """Gathers reasons over a session's readings and answers.

    Parameters
    ----------
    day
        The session's patient-local day.
    series
        What is known of each vital from before.
    awaited
        Whether a registration is due that day, or was before: then it must hold what the plan asks for.
    since_ms
        A reading of before then is judged, and is not what was due.
    beside
        What came shortly before, and is part of the same registration; asked only where something is missing.
    """

    def __init__(  # noqa: PLR0913 - what a session is judged by
        self,
        day: int,
        standing: Standing,
        series: Mapping[int, Series],
        rules: Rules,
        *,
        awaited: bool = True,
        since_ms: int = NEVER,
        beside: Callable[[], Parts] = nothing_beside,
    ) -> None:
        self.day = day
        self.awaited = awaited
        self.since_ms = since_ms
        self.beside = beside
        self.whole = True
        self.guarded = standing.guarded
        self.prescribed = standing.prescribed
        self.series = series
        self.rules = rules
        self.reasons: list[Reason] = []
        self.news2: News2 | None = None
        self.near = False
        self._baselines: dict[int, tuple[Baseline | None, BaselineStatus]] = {}
        # By series: score, place and value of the last that is believed.
        self._newest: dict[int, tuple[float | None, int, float]] = {}
        self._seen: dict[int, list[float]] = {}  # vital -> its values, in order
        self._confused: bool | None = None
        self._built: dict[int, tuple[Cusum, Average, int]] = {}  # vital -> sums, average, and the drift told of
        self._alerting: set[int] = set()
        self._groups: set[str] = set()  # of vitals, or of the session, that raised an alert
        self._deviating: dict[str, int] = {}  # group of vitals -> the reading
        self._far: dict[str, int] = {}  # the same of those far from normal and from every limit
        self._valid: list[tuple[int, float]] = []
        self._measured: dict[int, list[tuple[int, float]]] = {}  # vital -> (at [ms], value) where it is remembered
        self._heavier: Reason | None = None
        self._oxygen_l_min: float | None = None
        self._firsts: dict[int, Zone | None] = {}  # vital -> zone of its first reading's limit
        self._better: set[int] = set()  # vitals whose later reading was better than their first
        self._judged = False
        self._held: set[int] = set()  # vitals that count for what is due
        self._answered: set[str] = set()

    def take(
        self, place: int, verdict: Verdict, measured_ms: int, oxygen_l_min: float | None, *, confirmed: bool = False
    ) -> tuple[BaselineStatus | None, Deviation | None]:
        """Judge the reading at `place` of the session; `confirmed` where another one agrees with it."""
        vital, value, grade, issue = verdict
        if grade is Quality.QUARANTINED or vital is None:
            self._reason("quality", Zone.NO_DATA, vital, value, place, detail=issue)
            return None, None
        index = series_of(vital, oxygen_l_min)
        if grade is Quality.IMPLAUSIBLE:
            self._reason("quality", Zone.NO_DATA, vital, value, place, detail=issue)
        self._seen.setdefault(vital.index, []).append(value)
        if measured_ms >= self.since_ms:
            self._held.add(vital.index)
        if oxygen_l_min is not None:
            self._oxygen_l_min = max(oxygen_l_min, self._oxygen_l_min or 0.0)
        self._limits(vital, value, place)
        baseline, status = self._baseline(index)
        found = None if baseline is None else self._deviation(value, baseline)
        if grade is Quality.VALID:  # of an implausible one the limits hold, and it tells nothing of what is normal
            self._valid.append((index, value))
            self._newest[index] = (None if found is None else found.score, place, value)
        if found is not None and (grade is Quality.VALID or confirmed):
            self._deviate(vital, value, place, found, index)
        self._relative(vital, value, place, found)
        if self.prescribed.remembers(vital.index):
            self._changes(vital, value, place, measured_ms, baseline, index)
            if grade is Quality.VALID:
                self._measured.setdefault(index, []).append((measured_ms, value))
        return status, found

    def answer(self, questionnaire: str, question: str, value: float | bool | str) -> None:  # noqa: FBT001 - an answer by yes and no
        """Judge an answer by the plan's rules, which are about its own questionnaire alone."""
        if questionnaire != (self.prescribed.questionnaire or questionnaire):
            return
        if question == CONFUSION and isinstance(value, bool):
            self._confused = value
        rules = self.prescribed.answers.get(question, ())
        met = [(rule, meets(rule, value)) for rule in rules]
        if rules and all(found is None for _, found in met):
            self.reasons.append(Reason(rule="answer_not_judged", zone=Zone.NO_DATA, question=question))
            return
        if rules:
            self._answered.add(question)
        for rule, found in met:
            self._judged = True
            if found:
                self._groups.add(f"question {question}")
                self.reasons.append(Reason(rule="answer", zone=Zone(rule.zone), question=question))

    def close(self) -> tuple[Reason, ...]:
        """The session's reasons, those of the session as a whole among them; never none."""
        for index in self._newest:
            self._slow(index)
        together = tuple((self._far | self._deviating).values())
        near = tuple(self._deviating.values())
        if len(together) >= self.rules.second_signals:
            self.reasons.append(Reason(rule="deviations_together", zone=Zone.RED, readings=together))
        elif near and self._groups - set(self._deviating):
            self.reasons.append(Reason(rule="deviation_with_symptom", zone=Zone.RED, readings=near))
        self._partial_news2()
        if self._heavier is not None:
            second = bool(self._groups - {WEIGHT.group})
            zone = Zone.RED if second else Zone.YELLOW
            self.reasons.append(msgspec.structs.replace(self._heavier, zone=zone))
        self.reasons += [
            Reason(rule="remeasure", zone=Zone.GREEN, code=VITALS[index].codes[0]) for index in sorted(self._better)
        ]
        self._complete()
        if not any(reason.zone is not Zone.GREEN for reason in self.reasons):
            self.reasons.append(Reason(rule="within_limits", zone=Zone.GREEN))
        return tuple(self.reasons)

    def admitted(self) -> tuple[tuple[int, float], ...]:
        """What may enter the baselines: valid values of vitals that raised no alert."""
        return tuple((index, value) for index, value in self._valid if index % ON_OXYGEN not in self._alerting)

    def tracks(self) -> dict[int, Track]:
        """What is known of each vital in the session from now on, where that is more than nothing."""
        found = {}
        for index, (z, _, _) in self._newest.items():
            known = self.series.get(index)
            before = NO_TRACK if known is None else known.track
            track = self._tracked(before, index, z)
            if track != before:
                found[index] = track
        return found

    def _complete(self) -> None:
        """Say what is missing for the session to be good news."""
        prescribed = self.prescribed
        lacks = not (prescribed.due <= self._held and prescribed.answers_due <= self._answered)
        lacks = lacks or not self._judged or (prescribed.measures and not self._seen)
        beside = self.beside() if lacks else NOTHING_BESIDE
        if not (self._judged or beside.judged):
            self.reasons.append(Reason(rule="nothing_to_judge", zone=Zone.NO_DATA))
        elif prescribed.measures and not (self._seen or beside.measured):
            self.reasons.append(Reason(rule="nothing_measured", zone=Zone.NO_DATA))
        zone = Zone.NO_DATA if self.awaited else Zone.GREEN
        vitals = sorted(prescribed.due - self._held - beside.vitals)
        if vitals:
            names = ",".join(VITALS[index].name for index in vitals)
            self.reasons.append(Reason(rule="vitals_missing", zone=zone, detail=names))
        questions = sorted(prescribed.answers_due - self._answered - beside.questions)
        self.reasons += [Reason(rule="answer_missing", zone=zone, question=question) for question in questions]
        self.whole = not vitals and not questions

    # Signals of one reading.

    def _limits(self, vital: Vital, value: float, place: int) -> None:
        limits = self.prescribed.bounds.get(vital.index)
        if vital is SPO2 and value <= self.rules.oxygen_red and (limits is None or _innermost(limits)[0] is None):
            self._judged = True
            self._reason("oxygen_low", Zone.RED, vital, value, place, limit=self.rules.oxygen_red)
        if limits is None:
            return
        self._judged = True
        self.near = self.near or _near(vital, value, limits, self.rules.asking_floors)
        broken = breach(value, limits)
        zone = None if broken is None else broken.zone
        if vital.index not in self._firsts:
            self._firsts[vital.index] = zone
        elif self._firsts[vital.index] is Zone.RED and zone is not Zone.RED:
            self._better.add(vital.index)
        if broken is not None:
            self._reason(broken.rule, broken.zone, vital, value, place, limit=broken.limit)

    def _deviation(self, value: float, baseline: Baseline) -> Deviation:
        return Deviation(
            center=baseline.center,
            spread=baseline.spread,
            days=baseline.days,
            age_days=baseline.age_days,
            status=baseline.status,
            score=score(value, baseline),
        )

    def _deviate(self, vital: Vital, value: float, place: int, found: Deviation, index: int) -> None:
        z, rules = found.score, self.rules
        if vital.side is Side.LOW and z > 0:
            return
        if abs(z) >= rules.single_z:
            rule = "deviation"
        elif abs(z) >= rules.repeated_z and self._repeats(index, z):
            rule = "deviation_repeated"
        else:
            return
        if self._in_reach(vital, value, z):
            self._deviating.setdefault(vital.group, place)
            self._reason(rule, Zone.YELLOW, vital, value, place, deviation=found)
        else:
            if rule == "deviation":
                self._far.setdefault(vital.group, place)
            self._reason("deviation_noted", Zone.GREEN, vital, value, place, deviation=found)

    def _relative(self, vital: Vital, value: float, place: int, found: Deviation | None) -> None:
        away = self.prescribed.relative.get(vital.index)
        if found is None:
            return
        if away is not None:
            red_below, yellow_below, yellow_above, red_above = away
            center = found.center
            edges = (
                ("relative_low", Zone.RED, red_below, -1),
                ("relative_high", Zone.RED, red_above, 1),
                ("relative_low", Zone.YELLOW, yellow_below, -1),
                ("relative_high", Zone.YELLOW, yellow_above, 1),
            )
            for rule, zone, distance, side in edges:
                if distance is not None and round((value - center) * side, DIGITS) >= distance:
                    limit = center + side * distance
                    self._reason(rule, zone, vital, value, place, limit=limit, deviation=found)
                    break
        if vital is SPO2 and vital.index not in self.prescribed.bounds:
            self._judged = True
            fallen = round(found.center - value, DIGITS)
            red = fallen >= self.rules.oxygen_red_fall
            if red or fallen >= self.rules.oxygen_yellow_fall:
                zone = Zone.RED if red else Zone.YELLOW
                self._reason("oxygen_below_normal", zone, vital, value, place, deviation=found, change=-fallen)

    def _changes(  # noqa: PLR0913, PLR0917 - a reading, and what it is compared with
        self, vital: Vital, value: float, place: int, measured_ms: int, baseline: Baseline | None, index: int
    ) -> None:
        known = self.series.get(index)
        recent = () if known is None else known.track.recent
        before = tuple(sorted((*recent, *self._measured.get(index, ()))))
        for change in self.prescribed.changes.get(vital.index, ()):
            values = within(before, measured_ms, change.hours)
            up, down = rise(value, values), fall(value, values)
            edges = (
                ("rise", Zone.RED, change.red_rise, up),
                ("fall", Zone.RED, change.red_fall, -down),
                ("rise", Zone.YELLOW, change.yellow_rise, up),
                ("fall", Zone.YELLOW, change.yellow_fall, -down),
            )
            for rule, zone, limit, changed in edges:
                if limit is not None and abs(changed) >= limit:
                    self._reason(rule, zone, vital, value, place, limit=limit, change=changed, hours=change.hours)
                    break
        for target in self.prescribed.sustained.get(vital.index, ()):
            values = [earlier for earlier_ms, earlier in before if earlier_ms <= measured_ms]
            newest = [*values, value][-target.of :]
            count = outside(newest, target.low, target.high)
            self._judged = self._judged or len(newest) == target.of or count >= target.least
            if count >= target.least:
                self._reason("sustained", target.zone, vital, value, place, count=count, of=target.of)
        if self.prescribed.weight_change and vital is WEIGHT:
            self._judged = self._judged or bool(before)
            self._weight(value, place, measured_ms, before, baseline)

    def _weight(
        self,
        value: float,
        place: int,
        measured_ms: int,
        before: tuple[tuple[int, float], ...],
        baseline: Baseline | None,
    ) -> None:
        rules, slack = self.rules, self.rules.weight_slack_h
        days = rise(value, within(before, measured_ms, 3 * DAY_H + slack))
        day = rise(value, within(before, measured_ms, DAY_H + slack))
        week = rise(value, within(before, measured_ms, 7 * DAY_H + slack))
        month = within(before, measured_ms, 30 * DAY_H + slack)
        lost = fall(value, month)
        if days >= rules.weight_days_kg:
            self._heavier = self._made(
                "weight_rise_days", Zone.YELLOW, WEIGHT, value, place, change=days, hours=3 * DAY_H
            )
            self._alerted(WEIGHT)
        elif week >= rules.weight_days_kg:
            self._reason("weight_rise_week", Zone.YELLOW, WEIGHT, value, place, change=week, hours=7 * DAY_H)
        if day >= rules.weight_day_kg:
            self._reason("weight_rise_day", Zone.YELLOW, WEIGHT, value, place, change=day, hours=DAY_H)
        over = 0.0 if baseline is None else round(value - baseline.center, DIGITS)
        if baseline is not None and over >= rules.weight_over_normal_kg:
            self._reason(
                "weight_over_normal",
                Zone.YELLOW,
                WEIGHT,
                value,
                place,
                change=over,
                deviation=self._deviation(value, baseline),
            )
        if month and lost >= rules.weight_month_share * max(month):
            self._reason("weight_fall_month", Zone.YELLOW, WEIGHT, value, place, change=-lost, hours=30 * DAY_H)

    # Signals of the session as a whole.

    def _slow(self, index: int) -> None:
        vital = of_series(index)
        baseline, _ = self._baselines[index]
        z, place, value = self._newest[index]
        if self.guarded or baseline is None or z is None or baseline.status is not BaselineStatus.ESTABLISHED:
            return
        track = self.series[index].track  # what a baseline is of is known
        built = slow.cusum(track, z, self.day, self.rules)
        mean = slow.average(track, z, self.day, self.rules)
        moved = slow.drift(track, baseline, self.rules)
        away = value - baseline.center
        if built.passed:
            side, near = built.passed, self._is_done(vital, value, built.passed)
            built, tell = slow.settled(track, built, self.rules, near=near)
            if tell and not _is_better(vital, side):
                self._tell_slow("slow", vital, value, place, side, away, near=near)
        if mean.passed:
            side, near = mean.passed, self._is_done(vital, value, mean.passed)
            mean, tell = slow.settled_average(track, mean, near=near)
            if tell and not _is_better(vital, side):
                self._tell_slow("shift", vital, value, place, side, away, near=near)
        if moved.tell and not _is_better(vital, moved.tell):
            rule = "drift_high" if moved.tell > 0 else "drift_low"
            self._reason(rule, Zone.YELLOW, vital, value, place, change=moved.change)
        self._built[index] = built, mean, moved.drifted

    def _is_done(self, vital: Vital, value: float, side: int) -> bool:
        """Whether slow change to a side is done with once it is told: it raises an alert, or is for the better."""
        return _is_better(vital, side) or self._in_reach(vital, value, side)

    def _tell_slow(  # noqa: PLR0913, PLR0917 - a reason's parts
        self, kind: str, vital: Vital, value: float, place: int, side: int, change: float, *, near: bool
    ) -> None:
        rule = _SLOW[kind][side > 0]
        self._reason(rule, Zone.YELLOW if near else Zone.GREEN, vital, value, place, change=change)

    def _tracked(self, before: Track, index: int, z: float | None) -> Track:
        score_before, score_day, high, low = before.score, before.score_day, before.high, before.low
        drifted, first, recent = before.drifted, before.first, before.recent
        level, shifted, variance = before.level, before.shifted, before.variance
        built = self._built.get(index)
        if built is not None:
            (high, low, _), (level, _, shifted, variance), drifted = built
            baseline, _ = self._baselines[index]
            if first is None and baseline is not None:
                first = (shorten(baseline.center), shorten(round(baseline.spread, 3)))
        if z is not None or score_before is not None:
            score_before, score_day = z, self.day
        if self.prescribed.remembers(index % ON_OXYGEN):
            recent = keep(recent, self._measured.get(index, ()), self.rules)
        if self.guarded:  # nothing is learnt, but for what is joined by time
            return msgspec.structs.replace(before, recent=recent)
        return Track(score_before, score_day, high, low, drifted, first, recent, level, shifted, variance)

    def _partial_news2(self) -> None:
        scale = self.prescribed.news2
        if scale is None:
            return
        oxygen = self._oxygen_l_min
        values = {
            index: news2_worst(index, seen, oxygen_l_min=oxygen, scale=scale) for index, seen in self._seen.items()
        }
        consciousness = None if self._confused is None else "C" if self._confused else "A"
        self.news2 = news2_score(values, oxygen_l_min=oxygen, consciousness=consciousness, scale=scale)
        zone = news2_zone(self.news2)
        if zone is not None:
            self._groups.add(_EVERYWHERE)
            rule, total, known = news2_rule(self.news2), self.news2.total, self.news2.known
            self.reasons.append(Reason(rule=rule, zone=zone, value=float(total), count=known, of=NEWS2_PARTS))

    # What they rest on.

    def _in_reach(self, vital: Vital, value: float, side: float) -> bool:
        """Whether own normal alone may raise an alert: not where a doctor's limit on that side is still far off.

        A vital of which only a fall is bad (oxygen, spirometry) raises one at any distance.
        """
        limits = self.prescribed.bounds.get(vital.index)
        if limits is None or vital.side is Side.LOW:
            return True
        low, high = _innermost(limits)
        edge = high if side > 0 else low
        return edge is None or (edge - value) * (1 if side > 0 else -1) <= self.rules.near_floors * vital.floor

    def _repeats(self, index: int, z: float) -> bool:
        before = self.series[index].track
        return (
            before.score is not None
            and before.score * z > 0
            and abs(before.score) >= self.rules.repeated_z
            and self.day - before.score_day <= self.rules.in_a_row_days
        )

    def _baseline(self, index: int) -> tuple[Baseline | None, BaselineStatus]:
        found = self._baselines.get(index)
        if found is None:
            series = self.series.get(index)
            if series is None:
                found = None, BaselineStatus.LEARNING
            else:
                baseline = series.at(self.day, of_series(index).floor, self.rules)
                found = baseline, series.status(self.day, self.rules) if baseline is None else baseline.status
            self._baselines[index] = found
        return found

    def _alerted(self, vital: Vital) -> None:
        self._alerting.add(vital.index)
        self._groups.add(vital.group)

    def _reason(  # noqa: PLR0913 - a reason's parts
        self,
        rule: str,
        zone: Zone,
        vital: Vital | None,
        value: float,
        place: int,
        *,
        limit: float | None = None,
        deviation: Deviation | None = None,
        detail: QualityIssue | None = None,
        change: float | None = None,
        hours: int | None = None,
        count: int | None = None,
        of: int | None = None,
    ) -> None:
        if zone in ALERTS and vital is not None:
            self._alerted(vital)
        self.reasons.append(
            Reason(
                rule=rule,
                zone=zone,
                code=None if vital is None else vital.codes[0],
                value=value,
                unit=None if vital is None else vital.unit,
                limit=limit,
                deviation=deviation,
                readings=(place,),
                detail=detail,
                change=change,
                hours=hours,
                count=count,
                of=of,
            )
        )

    def _made(  # noqa: PLR0913 - a reason's parts
        self, rule: str, zone: Zone, vital: Vital, value: float, place: int, *, change: float, hours: int
    ) -> Reason:
        return Reason(
            rule=rule,
            zone=zone,
            code=vital.codes[0],
            value=value,
            unit=vital.unit,
            readings=(place,),
            change=change,
            hours=hours,
        )


def _is_better(vital: Vital, side: int) -> bool:
    """Whether a change to that side is for the better: of some vitals only a fall is bad."""
    return vital.side is Side.LOW and side > 0


def _innermost(limits: Bounds) -> tuple[float | None, float | None]:
    """The first limits that a value meets on its way out, low and high."""
    red_low, yellow_low, yellow_high, red_high = limits
    return (red_low if yellow_low is None else yellow_low, red_high if yellow_high is None else yellow_high)


def _near(vital: Vital, value: float, limits: Bounds, floors: float) -> bool:
    """Whether `value` lies within so many least spreads of a limit, or beyond it."""
    low, high = _innermost(limits)
    away = floors * vital.floor
    return (low is not None and value - low <= away) or (high is not None and high - value <= away)
