"""The plan's absolute limits: a value at a limit or beyond it breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.types import Zone

if TYPE_CHECKING:
    from pipeline.triage.plans import Bounds


class Breach(NamedTuple):
    """A broken limit [the vital's unit]."""

    rule: str
    zone: Zone
    limit: float


def breach(value: float, bounds: Bounds) -> Breach | None:
    """The worst limit that `value` breaks [both in the vital's unit], if any."""
    red_low, yellow_low, yellow_high, red_high = bounds
    if red_low is not None and value <= red_low:
        return Breach("limit_low", Zone.RED, red_low)
    if red_high is not None and value >= red_high:
        return Breach("limit_high", Zone.RED, red_high)
    if yellow_low is not None and value <= yellow_low:
        return Breach("limit_low", Zone.YELLOW, yellow_low)
    if yellow_high is not None and value >= yellow_high:
        return Breach("limit_high", Zone.YELLOW, yellow_high)
    return None
