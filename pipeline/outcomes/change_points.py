"""When a rate changed: the split that a series of counts speaks for most, and whether chance alone makes such ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS: Final = 1999
SEED: Final = 1
ALPHA: Final = 0.05
_EQUAL: Final = 1e-9  # of two sums of logarithms


def change_points(series: pd.DataFrame, *, alpha: float = ALPHA, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """Return the steps of a rate, earliest first; none where the series is as even as chance leaves it.

    A step lies where the likelihood of two Poisson rates is largest against that of one [1]. Its p is how often the
    largest of a series with one rate is as large, over `draws` series in which as many events fall on periods by their
    days; the same seed gives the same. Each part on either side of a step is looked through again [2]. Where events
    come in clusters there are too many steps.

    Parameters
    ----------
    series
        `period`, `events`, `days`, a row a period, in order.

    Returns
    -------
    pandas.DataFrame
        `period` (the first with the new rate), `ratio` (of the rate from it to that before, up to the steps beside
        it), `p`.

    [1] Worsley, Biometrika 73 (1), 1986, doi:10.1093/biomet/73.1.91
    [2] Scott and Knott, Biometrics 30 (3), 1974, doi:10.2307/2529204
    """
    known = series[series["days"] > 0]
    events, days = known["events"].to_numpy(np.int64), known["days"].to_numpy(np.float64)
    search = _Search(alpha, draws, np.random.default_rng(seed))
    found = sorted(search.steps(events, days))
    edges = [0, *(place for place, _ in found), len(events)]
    rows = []
    for number, (place, p) in enumerate(found):
        before, after = slice(edges[number], place), slice(place, edges[number + 2])
        with np.errstate(divide="ignore"):
            ratio = (events[after].sum() / days[after].sum()) / (events[before].sum() / days[before].sum())
        rows.append((known["period"].iloc[place], float(ratio), p))
    return pd.DataFrame(rows, columns=["period", "ratio", "p"])


def evidence(events: NDArray[np.int64], days: Floats) -> Floats:
    """Return twice the logarithm of the likelihood ratio for a step before each period but the first.

    `events` is one series or a series a row; the last axis goes over periods.
    """
    counts, time = np.cumsum(events, axis=-1)[..., :-1], np.cumsum(days)[:-1]
    total, whole = events.sum(axis=-1, keepdims=True), days.sum()
    twice: Floats = 2 * (_part(counts, time) + _part(total - counts, whole - time) - _part(total, whole))
    return twice


def _part(events: NDArray[np.int64], days: Floats | float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        told: Floats = np.where(events > 0, events * np.log(events / days), 0.0)
    return told


class _Search(NamedTuple):
    alpha: float
    draws: int
    random: np.random.Generator

    def steps(self, events: NDArray[np.int64], days: Floats, first: int = 0) -> Iterator[tuple[int, float]]:
        """The steps within a part of a series that begins at `first`, with their p."""
        if len(events) < 2 or events.sum() == 0:  # noqa: PLR2004 - a step lies between two
            return
        told = evidence(events, days)
        place = int(np.argmax(told)) + 1
        even = self.random.multinomial(int(events.sum()), days / days.sum(), size=self.draws)
        largest = evidence(even, days).max(axis=-1)
        p = float((1 + (largest >= told[place - 1] - _EQUAL).sum()) / (1 + self.draws))
        if p > self.alpha:
            return
        yield first + place, p
        yield from self.steps(events[:place], days[:place], first)
        yield from self.steps(events[place:], days[place:], first + place)
