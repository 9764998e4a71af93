"""Slowly worse is still worse: what builds up over days and weeks without any one day being unusual."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pipeline.triage.baseline import Baseline, Track
    from pipeline.triage.rules import Rules

THOUSANDTHS: Final = 1000  # whole numbers take fewer bytes in a state


class Cusum(NamedTuple):
    """Both one-sided sums after a day, and the side that passed its bound and starts anew: 1, -1 or 0.

    [1] Page, Biometrika 41 (1-2), 1954, doi:10.1093/biomet/41.1-2.100
    """

    high: int  # thousandths
    low: int
    passed: int


def cusum(track: Track, z: float, day: int, rules: Rules) -> Cusum:
    """The sums of `track` after a day's score `z`; a day counts once, and a gap as long as stale starts anew."""
    high, low = track.high, track.low
    if track.score is not None and day == track.score_day:
        return Cusum(high, low, 0)
    if day - track.score_day > rules.stale_after_days:
        high = low = 0
    clip, slack = rules.cusum_clip, rules.cusum_slack
    held = min(max(z, -clip), clip)
    high += round(THOUSANDTHS * (held - slack))
    low -= round(THOUSANDTHS * (held + slack))
    high = max(high, 0)
    low = max(low, 0)
    bound = THOUSANDTHS * rules.cusum_bound
    if high > bound:
        return Cusum(0, low, 1)
    if low > bound:
        return Cusum(high, 0, -1)
    return Cusum(high, low, 0)


class Average(NamedTuple):
    """The average of scores after a day, the side that it newly lies on beyond its bound, and what is known then."""

    level: int  # thousandths
    passed: int  # 1, -1, or 0: nothing new
    shifted: int


def average(track: Track, z: float, day: int, rules: Rules) -> Average:
    """The exponentially weighted average of `track` after a day's score `z`; what it holds fades with days.

    However seldom somebody measures, a score counts half after `ewma_half_days`. The bound is `ewma_bound` standard
    deviations of the average that scores so far apart would have in somebody unchanged [2], which no one clipped score
    passes by itself. A day counts once, a gap as long as stale starts anew, and a shift is told once until the average
    has come back to half its bound.

    [2] Roberts, Technometrics 1 (3), 1959, doi:10.1080/00401706.1959.10489860
    """
    if track.score is not None and day == track.score_day:
        return Average(track.level, 0, track.shifted)
    gap = day - track.score_day
    fresh = track.score is None or gap > rules.stale_after_days
    before, shifted = (0, 0) if fresh else (track.level, track.shifted)
    kept = 0.5 ** ((1 if fresh else gap) / rules.ewma_half_days)
    clip = rules.cusum_clip
    level = round(kept * before + (1 - kept) * THOUSANDTHS * min(max(z, -clip), clip))
    bound = THOUSANDTHS * rules.ewma_bound * sqrt((1 - kept) / (1 + kept))
    side = 1 if level > 0 else -1
    if abs(level) > bound:
        return Average(level, side if side != shifted else 0, side)
    return Average(level, 0, shifted if side == shifted and abs(level) > bound / 2 else 0)


class Drift(NamedTuple):
    """How far the baseline has moved from the first one, whether that is to be told, and what is known of it then."""

    change: float  # [the vital's unit]
    tell: int  # 1, -1, or 0: nothing new
    drifted: int


def drift(track: Track, baseline: Baseline, rules: Rules) -> Drift:
    """Compare `baseline` with the first one that was established; a drift is told once until it came back."""
    if track.first is None:
        return Drift(0.0, 0, 0)
    center, spread = track.first
    change = baseline.center - center
    moved = change / spread
    if abs(moved) >= rules.drift_z:
        side = 1 if moved > 0 else -1
        return Drift(change, side if track.drifted != side else 0, side)
    return Drift(change, 0, 0 if abs(moved) < rules.drift_rearm_z else track.drifted)
