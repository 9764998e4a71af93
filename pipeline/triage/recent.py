"""What changed, joined by time: a reading against the patient's own of the last hours and days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.triage.rules import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.triage.rules import Rules

DIGITS: Final = 6  # of a difference: 81.36 - 80 is 1.36, though not in binary
Recent = tuple[tuple[int, float], ...]  # (measured at [ms], value), oldest first


def within(recent: Recent, at_ms: int, hours: int) -> list[float]:
    """The values measured in the `hours` before an instant, that itself not among them."""
    from_ms = at_ms - hours * HOUR_MS
    return [value for measured_ms, value in recent if from_ms <= measured_ms < at_ms]


def rise(value: float, before: Iterable[float]) -> float:
    """How far `value` lies above the lowest of `before`; 0 where it does not."""
    return max(0.0, round(value - min(before, default=value), DIGITS))


def fall(value: float, before: Iterable[float]) -> float:
    """How far `value` lies below the highest of `before`; 0 where it does not."""
    return max(0.0, round(max(before, default=value) - value, DIGITS))


def outside(values: Sequence[float], low: float | None, high: float | None) -> int:
    """How many of `values` lie outside a target range; a value at its edge is outside."""
    return sum((low is not None and value <= low) or (high is not None and value >= high) for value in values)


def keep(recent: Recent, added: Iterable[tuple[int, float]], rules: Rules) -> Recent:
    """`recent` with what was `added`, in the order of time, as far back and as many as the rules keep."""
    every = sorted((*recent, *added))
    least, most = len(every) - rules.recent_least, len(every) - rules.recent_values
    return tuple(
        found
        for place, found in enumerate(every)
        if place >= least or (place >= most and found[0] >= every[-1][0] - rules.recent_ms)
    )
