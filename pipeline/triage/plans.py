"""A patient's plan, made ready to be judged by; and what is wrong with one that contradicts itself."""

from __future__ import annotations

from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.triage.rules import HOUR_MS, RULES
from pipeline.triage.vitals import BY_CODE, WEIGHT, converted, factor
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.care import AnswerRule, ChangeLimit, Limit, News2Scale, Plan, RelativeLimit, SustainedLimit

    AnyLimit = Limit | RelativeLimit | ChangeLimit | SustainedLimit


class Bounds(NamedTuple):
    """One vital's limits in its own unit; a value at a limit or beyond it breaks it."""

    red_low: float | None
    yellow_low: float | None
    yellow_high: float | None
    red_high: float | None


class Change(NamedTuple):
    """Limits of change within so many hours [the vital's unit]."""

    hours: int
    red_fall: float | None
    yellow_fall: float | None
    yellow_rise: float | None
    red_rise: float | None


class Sustained(NamedTuple):
    """A target range [the vital's unit], and how many of how many readings outside it break it."""

    low: float | None
    high: float | None
    least: int  # so many outside
    of: int
    zone: Zone


class Prescription(NamedTuple):
    """A plan ready to be judged by; limits by vital index, in the vitals' own units."""

    bounds: Mapping[int, Bounds] = MappingProxyType({})
    relative: Mapping[int, Bounds] = MappingProxyType({})  # distances from the baseline's center
    changes: Mapping[int, tuple[Change, ...]] = MappingProxyType({})
    sustained: Mapping[int, tuple[Sustained, ...]] = MappingProxyType({})
    answers: Mapping[str, tuple[AnswerRule, ...]] = MappingProxyType({})  # by question
    weight_change: bool = False
    news2: News2Scale | None = None
    due: frozenset[int] = frozenset()  # vitals that each registration that is due must hold, by index
    answers_due: frozenset[str] = frozenset()  # questions that it must answer
    measures: bool = False  # whether it has rules on any vital at all
    questionnaire: str | None = None  # whose answers the rules are about; None: any

    def remembers(self, index: int) -> bool:
        """Whether recent readings of a vital are asked for."""
        return index in self.changes or index in self.sustained or (self.weight_change and index == WEIGHT.index)


NOTHING: Final = Prescription()


def prescription(plan: Plan) -> Prescription:
    """What `plan` prescribes; it must be without faults."""
    relative: dict[int, Bounds] = {}
    changes: dict[int, tuple[Change, ...]] = {}
    sustained: dict[int, tuple[Sustained, ...]] = {}
    answers: dict[str, tuple[AnswerRule, ...]] = {}
    for away in plan.relative_limits:
        index, scale = _place(away)
        edges = (away.red_below, away.yellow_below, away.yellow_above, away.red_above)
        relative[index] = Bounds(*_scaled(edges, scale))
    for change in plan.change_limits:
        index, scale = _place(change)
        edges = (change.red_fall, change.yellow_fall, change.yellow_rise, change.red_rise)
        changes[index] = (*changes.get(index, ()), Change(change.hours, *_scaled(edges, scale)))
    for target in plan.sustained_limits:
        index, scale = _place(target)
        low, high = _scaled((target.low, target.high), scale)
        found = Sustained(low, high, target.count, target.of, Zone(target.zone))
        sustained[index] = (*sustained.get(index, ()), found)
    for rule in plan.answer_rules:
        answers[rule.link_id] = (*answers.get(rule.link_id, ()), rule)
    absolute = bounds(plan)
    return Prescription(
        bounds=absolute,
        relative=relative,
        changes=changes,
        sustained=sustained,
        answers=answers,
        weight_change=plan.weight_change,
        news2=plan.news2,
        due=frozenset(BY_CODE[code].index for code in plan.vitals),
        answers_due=frozenset(answers) if plan.answers_due else frozenset(),
        measures=bool(absolute or relative or changes or sustained or plan.weight_change or plan.news2),
        questionnaire=plan.questionnaire,
    )


def meets(rule: AnswerRule, value: float | bool | str) -> bool | None:  # noqa: FBT001 - an answer by yes and no
    """Whether an answer is one that a rule is about; None: it is of another kind, and the rule cannot judge it."""
    wanted = int if rule.at_least is not None else type(rule.is_answer)
    if type(value) is not wanted:
        return None
    return value == rule.is_answer if rule.at_least is None else float(value) >= rule.at_least


def can_judge(prescribed: Prescription, questionnaire: str, question: str, value: float | bool | str) -> bool:  # noqa: FBT001 - an answer by yes and no
    """Whether an answer is one that the plan's rules can judge."""
    about = prescribed.questionnaire in {None, questionnaire}
    return about and any(meets(rule, value) is not None for rule in prescribed.answers.get(question, ()))


def bounds(plan: Plan) -> dict[int, Bounds]:
    """The plan's absolute limits by vital index, in the vitals' own units; the plan must be without faults."""
    found = {}
    for limit in plan.limits:
        index, scale = _place(limit)
        found[index] = Bounds(*_scaled(_edges(limit), scale))
    return found


def faults(plan: Plan) -> list[str]:
    """What contradicts itself or cannot be followed in `plan`, as paths of fields; empty for a sound plan."""
    wrong = _absolute_faults(plan)
    twice = [limit.code for limit in plan.relative_limits]
    wrong += [f"relative_limits[{place}].code" for place, code in enumerate(twice) if code in twice[:place]]
    for number, away in enumerate(plan.relative_limits):
        path = f"relative_limits[{number}]"
        pairs = ((away.yellow_below, away.red_below), (away.yellow_above, away.red_above))
        wrong += [*_unknown(away, path), *_distances(pairs, path)]
    for number, change in enumerate(plan.change_limits):
        path = f"change_limits[{number}]"
        pairs = ((change.yellow_fall, change.red_fall), (change.yellow_rise, change.red_rise))
        wrong += [*_unknown(change, path), *_distances(pairs, path)]
        if change.hours * HOUR_MS > RULES.recent_ms:
            wrong.append(f"{path}.hours")
    for number, target in enumerate(plan.sustained_limits):
        path = f"sustained_limits[{number}]"
        ends = [end for end in (target.low, target.high) if end is not None]
        wrong += _unknown(target, path)
        if not ends or not all(map(isfinite, ends)) or ends != sorted(set(ends)):
            wrong.append(path)
        if target.count > target.of:
            wrong.append(f"{path}.count")
    wrong += [
        f"answer_rules[{number}]"
        for number, rule in enumerate(plan.answer_rules)
        if (rule.at_least is None) == (rule.is_answer is None)
    ]
    wrong += [
        f"vitals[{number}]"
        for number, code in enumerate(plan.vitals)
        if code not in BY_CODE or BY_CODE[code] in [BY_CODE.get(earlier) for earlier in plan.vitals[:number]]
    ]
    if len(set(plan.cadence.weekdays)) != len(plan.cadence.weekdays):
        wrong.append("cadence.weekdays")
    times = plan.cadence.times
    if list(times) != sorted(set(times)):
        wrong.append("cadence.times")
    return wrong


def _absolute_faults(plan: Plan) -> list[str]:
    wrong = []
    seen: set[int] = set()
    for number, limit in enumerate(plan.limits):
        path = f"limits[{number}]"
        unknown = _unknown(limit, path)
        wrong += unknown
        if not unknown:
            index = BY_CODE[limit.code].index
            if index in seen:
                wrong.append(f"{path}.code")
            seen.add(index)
        edges = [edge for edge in _edges(limit) if edge is not None]
        if not edges or not all(map(isfinite, edges)) or _in_wrong_order(limit) or _out_of_reach(limit, edges):
            wrong.append(path)
    return wrong


def _place(limit: AnyLimit) -> tuple[int, float]:
    vital = BY_CODE[limit.code]
    return vital.index, factor(vital, limit.unit) or 1.0


def _scaled(edges: tuple[float | None, ...], scale: float) -> list[float | None]:
    return [None if edge is None else converted(edge, scale) for edge in edges]


def _unknown(limit: AnyLimit, path: str) -> list[str]:
    vital = BY_CODE.get(limit.code)
    if vital is None:
        return [f"{path}.code"]
    return [f"{path}.unit"] if factor(vital, limit.unit) is None else []


def _distances(pairs: tuple[tuple[float | None, float | None], ...], path: str) -> list[str]:
    """A fault where there is no distance at all, or a yellow one that lies beyond the red."""
    known = [distance for pair in pairs for distance in pair if distance is not None]
    wrong_order = any(yellow is not None and red is not None and yellow > red for yellow, red in pairs)
    return [path] if not known or not all(map(isfinite, known)) or wrong_order else []


def _out_of_reach(limit: Limit, edges: list[float]) -> bool:
    """Whether an edge lies where values are quarantined, so that nothing could ever break it: a unit mixed up."""
    vital = BY_CODE.get(limit.code)
    scale = None if vital is None else factor(vital, limit.unit)
    if vital is None or scale is None:
        return False
    below, above = vital.impossible
    return any(
        (below is not None and edge * scale < below) or (above is not None and edge * scale > above) for edge in edges
    )


def _edges(limit: Limit) -> tuple[float | None, float | None, float | None, float | None]:
    return limit.red_low, limit.yellow_low, limit.yellow_high, limit.red_high


def _in_wrong_order(limit: Limit) -> bool:
    """Whether the limits leave no green between low and high, or put a yellow limit beyond the red one."""
    lows = [edge for edge in (limit.red_low, limit.yellow_low) if edge is not None]
    highs = [edge for edge in (limit.yellow_high, limit.red_high) if edge is not None]
    beyond = lows != sorted(lows) or highs != sorted(highs)
    return beyond or bool(lows and highs and lows[-1] >= highs[0])
