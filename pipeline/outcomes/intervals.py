"""Intervals (95 %) of counts per time, of shares, and of means of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import beta, chi2, t  # type: ignore[import-untyped] # scipy ships no types

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEVEL: Final = 0.95
TAIL: Final = (1 - LEVEL) / 2
Z: Final = 1.959963984540054  # the normal deviate that leaves `TAIL` above it


def poisson(events: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats]:
    """Return the exact interval of a rate: of `events` that are Poisson, in so much `exposure`.

    Central: each side is missed in at most 2.5 %, so that together 95 % or more are covered [1].

    [1] Garwood, Biometrika 28 (3/4), 1936, doi:10.1093/biomet/28.3-4.437
    """
    told = np.asarray(events, np.float64)
    return weighted_poisson(told, told, np.ones_like(told), exposure)


def weighted_poisson(
    total: ArrayLike, squares: ArrayLike, largest: ArrayLike, exposure: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the interval of a rate whose events weigh differently, as stays with their nights, by gamma [1].

    It is that of `poisson` where every weight is 1, and at least as wide as it should be where not.

    Parameters
    ----------
    total, squares
        The sum of the weights of what happened, and of their squares.
    largest
        The largest weight that something can have.
    exposure
        What the total is told per.

    [1] Fay and Feuer, Stat. Med. 16 (7), 1997, doi:10.1002/(SICI)1097-0258(19970415)16:7<791::AID-SIM500>3.0.CO;2-#
    """
    y, v, w, over = (np.asarray(part, np.float64) for part in (total, squares, largest, exposure))
    some = y > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(some, v / (2 * y) * chi2.ppf(TAIL, 2 * y**2 / np.where(some, v, 1)), 0.0)
        up_y, up_v = y + w, v + w**2
        high = up_v / (2 * up_y) * chi2.isf(TAIL, 2 * up_y**2 / up_v)
        return low / over, high / over


def share(part: ArrayLike, whole: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return a share and its interval by score; NaN where there is nothing to divide by [1].

    [1] Wilson, J. Am. Stat. Assoc. 22 (158), 1927, doi:10.1080/01621459.1927.10502953
    """
    x, n = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        center = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return p, np.where(x == 0, 0.0, center - half) + 0 * p, np.where(x == n, 1.0, center + half) + 0 * p


def clopper_pearson(part: int, whole: int) -> tuple[float, float]:
    """Return the exact interval of a share [1].

    [1] Clopper and Pearson, Biometrika 26 (4), 1934, doi:10.1093/biomet/26.4.404
    """
    low = float(beta.ppf(TAIL, part, whole - part + 1)) if part else 0.0
    high = float(beta.isf(TAIL, part + 1, whole - part)) if part < whole else 1.0
    return low, high


def mean(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean and its interval by Student's t; NaN for what fewer than two values do not tell [1].

    [1] Student, Biometrika 6 (1), 1908, doi:10.1093/biomet/6.1.1
    """
    known = np.asarray(values, np.float64)
    if len(known) == 0:
        return np.nan, np.nan, np.nan
    center = float(known.mean())
    if len(known) == 1:
        return center, np.nan, np.nan
    half = float(t.isf(TAIL, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return center, center - half, center + half
