"""The u-chart: whether a rate over time varies more than chance does, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.stats import binom  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.rates import PER

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SIGMAS: Final = 3.0
_CROSSINGS: Final = 0.05  # probability of fewer crossings than the least, if only chance is at work


class Runs(NamedTuple):
    """Runs of a series about its center; points on the center count for neither side.

    Attributes
    ----------
    longest, longest_by_chance
        Points of the longest run on one side, and how long one may be.
    crossings, crossings_by_chance
        How often the center is crossed, and how often it is at the least.
    """

    longest: int
    longest_by_chance: int
    crossings: int
    crossings_by_chance: int

    @property
    def shifted(self) -> bool:
        """Whether the series has a shift: a run too long, or crossings too few."""
        return self.longest > self.longest_by_chance or self.crossings < self.crossings_by_chance


def u_chart(series: pd.DataFrame, *, baseline: int | None = None) -> pd.DataFrame:
    """Return a series of counts with the center and the limits of a u-chart, and what signals.

    The center is all events by all days; a period's limits lie three standard deviations of a Poisson rate in as many
    days from it, never below 0 [1]. A point beyond its limits is a signal by itself. A shift of the whole series is one
    by the rules on runs, which tell smaller and lasting shifts, and whose bounds grow with the number of points [2].
    Where events come in clusters the limits are too narrow.

    Parameters
    ----------
    series
        `events`, `days`, a row a period, in order.
    baseline
        The center is that of so many first periods; None: of all.

    Returns
    -------
    pandas.DataFrame
        `series` with `per_1000`, `center`, `low`, `high` [per 1,000 days], `beyond` (of this point), `shifted` (of the
        series).

    [1] Montgomery, Introduction to Statistical Quality Control, "Control charts for nonconformities": variable sample
        size; Mohammed et al., Qual. Saf. Health Care 17 (2), 2008, doi:10.1136/qshc.2004.012047
    [2] Anhoej and Olesen, PLoS ONE 9 (11), 2014, doi:10.1371/journal.pone.0113825
    """
    first = series.iloc[:baseline]
    days = series["days"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = PER * first["events"].sum() / np.float64(first["days"].sum())
        rate = PER * series["events"].to_numpy(np.float64) / days
        half = SIGMAS * np.sqrt(PER * center / days)
    low, high = np.maximum(center - half, 0.0), center + half
    return series.assign(
        per_1000=rate,
        center=center,
        low=low,
        high=high,
        beyond=(rate < low) | (rate > high),
        shifted=runs(rate - center).shifted,
    )


def runs(distances: NDArray[np.float64]) -> Runs:
    """Return the runs of a series by its distances from the center, with their bounds [Anhoej and Olesen, above]."""
    sides = np.sign(distances[np.isfinite(distances) & (distances != 0)])
    if len(sides) == 0:
        return Runs(0, 0, 0, 0)
    crossed = np.flatnonzero(np.diff(sides))
    lengths = np.diff(np.concatenate(([-1], crossed, [len(sides) - 1])))
    longest_by_chance = round(float(np.log2(len(sides))) + 3)
    crossings_by_chance = int(binom.ppf(_CROSSINGS, len(sides) - 1, 0.5)) if len(sides) > 1 else 0
    return Runs(int(lengths.max()), longest_by_chance, len(crossed), crossings_by_chance)
