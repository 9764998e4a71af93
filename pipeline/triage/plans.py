"""A patient's plan, made ready to be judged by; and what is wrong with one that contradicts itself."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage.vitals import BY_CODE, factor

if TYPE_CHECKING:
    from schemas.care import Limit, Plan


class Bounds(NamedTuple):
    """One vital's limits in its own unit; a value at a limit or beyond it breaks it."""

    red_low: float | None
    yellow_low: float | None
    yellow_high: float | None
    red_high: float | None


def bounds(plan: Plan) -> dict[int, Bounds]:
    """The plan's limits by vital index, in the vitals' own units; the plan must be without faults."""
    found = {}
    for limit in plan.limits:
        vital = BY_CODE[limit.code]
        scale = factor(vital, limit.unit) or 1.0
        found[vital.index] = Bounds(*(None if edge is None else edge * scale for edge in _edges(limit)))
    return found


def faults(plan: Plan) -> list[str]:
    """What contradicts itself or cannot be followed in `plan`, as paths of fields; empty for a sound plan."""
    wrong = []
    seen = set()
    for number, limit in enumerate(plan.limits):
        path = f"limits[{number}]"
        vital = BY_CODE.get(limit.code)
        if vital is None:
            wrong.append(f"{path}.code")
        elif factor(vital, limit.unit) is None:
            wrong.append(f"{path}.unit")
        elif vital.index in seen:
            wrong.append(f"{path}.code")
        else:
            seen.add(vital.index)
        edges = [edge for edge in _edges(limit) if edge is not None]
        if not edges or not all(map(isfinite, edges)) or _in_wrong_order(limit) or _out_of_reach(limit, edges):
            wrong.append(path)
    times = plan.cadence.times
    if list(times) != sorted(set(times)):
        wrong.append("cadence.times")
    return wrong


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
