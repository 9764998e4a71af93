"""Slowly worse is still worse: what builds up over days and weeks without any one day being unusual."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pipeline.triage.baseline import Baseline, Track
    from pipeline.triage.rules import Rules

THOUSANDTHS: Final = 1000  # whole numbers take fewer bytes in a state
NOTED: Final = 2  # times the side: told of where it was no ground for an alert


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


def settled(track: Track, found: Cusum, rules: Rules, *, near: bool) -> tuple[Cusum, bool]:
    """The sums once their passing is dealt with, and whether that is to be told.

    `near` where it raises an alert. Else the sum stays just beyond its bound and raises one as soon as it may; until
    then it is told once.
    """
    if near:
        return found, True
    bound = round(THOUSANDTHS * rules.cusum_bound)
    if found.passed > 0:
        return found._replace(high=bound + 1), track.high <= bound
    return found._replace(low=bound + 1), track.low <= bound


class Average(NamedTuple):
    """The average of scores after a day, the side that it newly lies on beyond its bound, and what is known then."""

    level: int  # thousandths
    passed: int  # 1, -1, or 0: nothing new
    shifted: int  # 1 or -1: it raised an alert; twice that: it was told of
    variance: int  # of the level in somebody unchanged, thousandths


def average(track: Track, z: float, day: int, rules: Rules) -> Average:
    """The exponentially weighted average of `track` after a day's score `z`; what it holds fades with days.

    However seldom somebody measures, a score counts half after `ewma_half_days`. The bound is `ewma_bound` standard
    deviations that the average of just these scores, as far apart as they were, has in somebody unchanged [2]; its
    variance is carried along, for the gaps differ. It starts as that of the long run, so the bound is wide at first. A
    day counts once, a gap as long as stale starts anew, and a shift is told once until the average came back to half
    its bound.

    [2] Roberts, Technometrics 1 (3), 1959, doi:10.1080/00401706.1959.10489860
    """
    if track.score is not None and day == track.score_day:
        return Average(track.level, 0, track.shifted, track.variance)
    gap = day - track.score_day
    fresh = track.score is None or gap > rules.stale_after_days
    before, shifted, variance = (0, 0, 0) if fresh else (track.level, track.shifted, track.variance)
    kept = 0.5 ** ((1 if fresh else gap) / rules.ewma_half_days)
    clip = rules.cusum_clip
    level = round(kept * before + (1 - kept) * THOUSANDTHS * min(max(z, -clip), clip))
    if variance == 0 and not fresh:  # of a state that carried none: as if all gaps had been like this one
        variance = round(THOUSANDTHS * (1 - kept) / (1 + kept))
    variance = round(kept * kept * variance + (1 - kept) * (1 - kept) * THOUSANDTHS)
    bound = THOUSANDTHS * rules.ewma_bound * sqrt(variance / THOUSANDTHS)
    side = 1 if level > 0 else -1
    if abs(level) > bound + 1:  # a thousandth is lost by rounding
        return Average(level, side if side != shifted else 0, side, variance)
    return Average(level, 0, shifted if side * shifted > 0 and abs(level) > bound / 2 else 0, variance)


def settled_average(track: Track, found: Average, *, near: bool) -> tuple[Average, bool]:
    """As `settled`, of a shift."""
    noted = NOTED * found.passed
    return (found, True) if near else (found._replace(shifted=noted), track.shifted != noted)


class Drift(NamedTuple):
    """How far the baseline has moved from the first one, whether that is to be told, and what is known of it then."""

    change: float  # [the vital's unit]
    tell: int  # 1, -1, or 0: nothing new
    drifted: int  # so many times `drift_z` were told of, by side


def drift(track: Track, baseline: Baseline, rules: Rules) -> Drift:
    """Compare `baseline` with the first one that was established.

    A drift is told once until it came back, and again at each further `drift_z`: slowly worse is still worse.
    """
    if track.first is None:
        return Drift(0.0, 0, 0)
    center, spread = track.first
    change = baseline.center - center
    moved = change / spread
    if abs(moved) >= rules.drift_z:
        side = 1 if moved > 0 else -1
        known = max(0, side * track.drifted)
        steps = max(known, int(abs(moved) / rules.drift_z))
        return Drift(change, side if steps > known else 0, side * steps)
    return Drift(change, 0, 0 if abs(moved) < rules.drift_rearm_z else track.drifted)
