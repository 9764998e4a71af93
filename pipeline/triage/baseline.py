"""A patient's own normal: rolling median and MAD of one vital sign's daily values."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from schemas.assessments import BaselineStatus

if TYPE_CHECKING:
    from pipeline.triage.rules import Rules

MAD_TO_SD: Final = 1.4826  # MAD of a normal sample -> its standard deviation [1]

LONGEST_WHOLE: Final = 2**31


def median(ordered: list[float]) -> float:
    """Middle of values that are already in order; the mean of the two middle ones where their number is even."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def shorten(value: float) -> float | int:
    """A whole number as such: it is stored in a byte or two where a float takes nine."""
    whole = int(value) if abs(value) < LONGEST_WHOLE else value
    return whole if whole == value else value


class Baseline(NamedTuple):
    """Center and spread [unit of the vital], and what stands behind them."""

    center: float
    spread: float
    days: int
    age_days: int
    status: BaselineStatus


class Track(Struct, frozen=True, array_like=True, gc=False):
    """What one vital's readings leave behind besides the baseline, whether they were admitted to it or not."""

    score: float | None = None  # deviation score of the newest judged reading
    score_day: int = 0
    high: int = 0  # CUSUM of scores above normal, in thousandths: see slow
    low: int = 0  # the same below
    drifted: int = 0  # steps of the drift from the first baseline that were told of, by side
    first: tuple[float | int, float | int] | None = None  # center and spread when the baseline was first established
    recent: tuple[tuple[int, float], ...] = ()  # (measured at [ms], value), where the plan asks what changed
    level: int = 0  # exponentially weighted average of scores, in thousandths: see slow
    shifted: int = 0  # 1 or -1: that it lies beyond its bound raised an alert; 2 or -2: that was told of
    variance: int = 0  # of that average in somebody unchanged, in thousandths: see slow


NO_TRACK: Final = Track()


class Series(Struct, frozen=True, array_like=True, gc=False):
    """One vital's daily values, oldest first: the median of a day's admitted readings [unit of the vital].

    >>> from pipeline.triage.rules import RULES
    >>> resting = Series()
    >>> for day, bpm in enumerate([58.0, 60.0, 59.0, 61.0, 90.0]):
    ...     resting = resting.push(day, bpm)
    >>> resting.at(5, floor=1, rules=RULES)
    Baseline(center=60.0, spread=1.4826, days=5, age_days=1, status=<BaselineStatus.PROVISIONAL: 'provisional'>)

    [1] Rousseeuw and Croux, J. Am. Stat. Assoc. 88 (424), 1993, doi:10.1080/01621459.1993.10476408
    """

    days: tuple[int, ...] = ()  # patient-local days, as proleptic ordinals less `state.DAY_ZERO`
    values: tuple[float | int, ...] = ()
    newest: tuple[float | int, ...] = ()  # the readings behind the last daily value
    track: Track = NO_TRACK

    def push(self, day: int, value: float) -> Series:
        """Admit a reading of `day`, which may not lie before the newest day."""
        value = shorten(value)
        if self.days and day == self.days[-1]:
            newest = (*self.newest, value)
            values = (*self.values[:-1], shorten(median(sorted(newest))))
            return Series(self.days, values, newest, self.track)
        return Series((*self.days, day), (*self.values, value), (value,), self.track)

    def tracked(self, track: Track) -> Series:
        """Remember `track`."""
        return Series(self.days, self.values, self.newest, track)

    def before(self, day: int) -> Series:
        """What was known when `day` began."""
        cut = bisect_left(self.days, day)
        if cut == len(self.days):
            return self
        # The newest readings are asked for only while their day goes on, and that day is over.
        return Series(self.days[:cut], self.values[:cut])

    def trimmed(self, day: int, rules: Rules) -> Series:
        """Only what a baseline of `day` or later can still ask for."""
        before = bisect_left(self.days, day)
        cut = max(bisect_left(self.days, day - rules.window_days), before - rules.window_values)
        return Series(self.days[cut:], self.values[cut:], self.newest, self.track)

    def status(self, day: int, rules: Rules) -> BaselineStatus:
        """How well the days before `day` tell what is normal."""
        return self._status(*self._window(day, rules), day, rules)

    def at(self, day: int, floor: float, rules: Rules) -> Baseline | None:
        """Baseline of the days before `day`; None while learning, and where the newest value is stale."""
        start, end = self._window(day, rules)
        status = self._status(start, end, day, rules)
        if status is BaselineStatus.LEARNING or status is BaselineStatus.STALE:
            return None
        past = sorted(self.values[start:end])
        center = float(median(past))
        mad = median(sorted([abs(value - center) for value in past]))
        return Baseline(center, max(MAD_TO_SD * mad, floor), end - start, day - self.days[end - 1], status)

    def _window(self, day: int, rules: Rules) -> tuple[int, int]:
        end = bisect_left(self.days, day)
        return max(bisect_left(self.days, day - rules.window_days), end - rules.window_values), end

    def _status(self, start: int, end: int, day: int, rules: Rules) -> BaselineStatus:
        values = end - start
        if values < rules.learning_below:
            return BaselineStatus.LEARNING
        if day - self.days[end - 1] > rules.stale_after_days:
            return BaselineStatus.STALE
        if values >= rules.established_values and day - self.days[start] >= rules.established_span_days:
            return BaselineStatus.ESTABLISHED
        return BaselineStatus.PROVISIONAL
