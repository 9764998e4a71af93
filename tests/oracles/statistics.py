"""The statistics of the fold once more, slowly: whole histories, by numpy, pandas and scipy where they have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from schemas.assessments import BaselineStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.triage import Rules

NORMAL: Final = 1.4826


def daily(readings: Sequence[tuple[int, float]]) -> pd.Series[float]:
    """The median of each day's readings."""
    frame = pd.DataFrame(readings, columns=["day", "value"])
    return frame.groupby("day")["value"].median().sort_index()


def window(readings: Sequence[tuple[int, float]], day: int, rules: Rules) -> pd.Series[float]:
    """The daily values that a baseline of `day` rests on."""
    past = daily(readings)
    past = past[(past.index < day) & (past.index >= day - rules.window_days)]
    return past.tail(rules.window_values)


def baseline(
    readings: Sequence[tuple[int, float]], day: int, floor: float, rules: Rules
) -> tuple[float, float, int, BaselineStatus] | BaselineStatus:
    """Center, spread, days and status; the status alone where there is no baseline."""
    past = window(readings, day, rules)
    if len(past) < rules.learning_below:
        return BaselineStatus.LEARNING
    if day - past.index[-1] > rules.stale_after_days:
        return BaselineStatus.STALE
    long = len(past) >= rules.established_values and day - past.index[0] >= rules.established_span_days
    spread = max(NORMAL * float(stats.median_abs_deviation(past.to_numpy())), floor)
    status = BaselineStatus.ESTABLISHED if long else BaselineStatus.PROVISIONAL
    return float(np.median(past.to_numpy())), spread, len(past), status


def z_of(value: float, center: float, spread: float, days: int) -> float:
    """The exact normal z of the predictive Student t."""
    distance = (value - center) / (spread * np.sqrt(1 + 1 / days))
    return float(np.sign(distance) * stats.norm.isf(stats.t.sf(abs(distance), days - 1)))


def cusum(scores: Sequence[tuple[int, float]], rules: Rules) -> list[int]:
    """The side that passed its bound after each day's first score: 1, -1 or 0."""
    high = low = 0.0
    before: int | None = None
    passed = []
    for day, z in scores:
        if before == day:
            passed.append(0)
            continue
        if before is not None and day - before > rules.stale_after_days:
            high = low = 0.0
        before = day
        step = float(np.clip(z, -rules.cusum_clip, rules.cusum_clip))
        high, low = max(0.0, high + step - rules.cusum_slack), max(0.0, low - step - rules.cusum_slack)
        side = 1 if high > rules.cusum_bound else -1 if low > rules.cusum_bound else 0
        high, low = (0.0 if side == 1 else high), (0.0 if side == -1 else low)
        passed.append(side)
    return passed


def average(scores: Sequence[tuple[int, float]], rules: Rules) -> list[float]:
    """The time-decayed average after each day's first score, by pandas: each stretch without a stale gap of its own.

    The average starts at 0, a day's normal score, on the day before the first.
    """
    frame = pd.DataFrame(scores, columns=["day", "z"])
    first = frame.drop_duplicates("day").copy()
    first["stretch"] = (first["day"].diff() > rules.stale_after_days).cumsum()
    found: dict[int, float] = {}
    for _, part in first.groupby("stretch"):
        start = pd.DataFrame({"day": [part["day"].iloc[0] - 1], "z": [0.0]})
        whole = pd.concat([start, part[["day", "z"]]])
        clipped = whole["z"].clip(-rules.cusum_clip, rules.cusum_clip)
        times = pd.to_datetime(whole["day"], unit="D")
        levels = clipped.ewm(halflife=pd.Timedelta(days=rules.ewma_half_days), times=times, adjust=False).mean()
        found |= dict(zip(whole["day"].iloc[1:].tolist(), levels.iloc[1:].tolist(), strict=True))
    return [found[day] for day, _ in scores]


class Shift(NamedTuple):
    """A time-decayed average after an update."""

    level: float
    variance: float  # of the level in somebody unchanged
    bound: float  # how far from 0 the level may lie
    again: bool  # the day had a score before: nothing new
    anew: bool  # the day is the first after a stale gap, or of all

    def passed(self, was: int) -> tuple[int, int]:
        """The side that it newly lies on beyond its bound, and the side that is known from then on: 1, -1 or 0.

        `was` is the side that was known before. It is known until the level has come half-way back.
        """
        if self.again:
            return 0, was
        was = 0 if self.anew else was
        side, away = int(np.sign(self.level)), abs(self.level)
        if away > self.bound:
            return (0 if side == was else side), side
        return 0, (was if side == was and away > self.bound / 2 else 0)

    def sharp(self, by: float) -> bool:
        """Whether no change of the level by so much would change what has passed."""
        return all(abs(abs(self.level) - edge) > by for edge in (self.bound, self.bound / 2))


def shifts(scores: Sequence[tuple[int, float]], rules: Rules) -> list[Shift]:
    """The average after each score, each from the raw list of daily scores up to it.

    The level is a weighted sum of the scores since the newest stale gap: each has the share that the gap before it
    leaves it, of which each later gap keeps a part. So in somebody unchanged, whose scores have variance 1 and do not
    hang together, the variance of the level is the sum of the squared weights, and its bound so many of its roots.
    """
    found = []
    for count in range(1, len(scores) + 1):
        days = pd.DataFrame(scores[:count], columns=["day", "z"]).drop_duplicates("day")
        stale = np.flatnonzero(days["day"].diff().to_numpy() > rules.stale_after_days)
        stretch = days.iloc[stale[-1] if len(stale) else 0 :]
        gaps = stretch["day"].diff().fillna(1).to_numpy()
        since = stretch["day"].iloc[-1] - stretch["day"].to_numpy()
        weights = (1 - 0.5 ** (gaps / rules.ewma_half_days)) * 0.5 ** (since / rules.ewma_half_days)
        level = float(weights @ np.clip(stretch["z"].to_numpy(), -rules.cusum_clip, rules.cusum_clip))
        variance = float(weights @ weights)
        again = count > 1 and scores[count - 2][0] == scores[count - 1][0]
        found.append(Shift(level, variance, rules.ewma_bound * float(np.sqrt(variance)), again, len(stretch) == 1))
    return found


def change(recent: Sequence[tuple[int, float]], at_ms: int, value: float, hours: int) -> tuple[float, float]:
    """Rise and fall of `value` against a window of time before it."""
    past = pd.Series([value for _, value in recent], index=[at for at, _ in recent], dtype=float).sort_index()
    past = past[(past.index >= at_ms - hours * 3_600_000) & (past.index < at_ms)]
    if past.empty:
        return 0.0, 0.0
    return max(0.0, value - past.min()), max(0.0, past.max() - value)
