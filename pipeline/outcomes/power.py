"""How sure a comparison of before and after can be of finding a difference, before anybody is enrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq  # type: ignore[import-untyped] # scipy ships no types
from scipy.stats import norm  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.intervals import TAIL
from pipeline.outcomes.own_control import YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED: Final = 0.8
YEARLY_RATES: Final = (0.5, 1.0, 1.5, 2.0)  # events per patient-year before enrolment
RATIOS: Final = (0.9, 0.8, 0.7, 0.6)
CLUSTERINGS: Final = (1.0, 1.5)
_LEAST, _MOST = 1e-6, 1 - 1e-6


class Design(NamedTuple):
    """A comparison of before and after.

    Attributes
    ----------
    yearly_rate
        Events per patient and 365 days before enrolment.
    before_days, after_days
        At risk on each side, on average over patients: deaths, ends and days in hospital come off [d].
    clustering
        How many times the variance is that of independent events: the mean of the squares of how many come together
        by the mean of how many do; 1 for events that come one by one.
    """

    patients: int
    yearly_rate: float
    before_days: float = YEAR
    after_days: float = YEAR
    clustering: float = 1.0


def power(design: Design, ratio: float) -> float:
    """Return the probability that the 95 % interval of `own_control.before_after` leaves out 1, were `ratio` true.

    The logarithm of the ratio is taken as normal, its variance as the sum of one by the events expected on each side
    [1], times the clustering.

    [1] Signorini, Biometrika 78 (2), 1991, doi:10.1093/biomet/78.2.446
    """
    before = design.patients * design.yearly_rate * design.before_days / YEAR
    after = design.patients * design.yearly_rate * ratio * design.after_days / YEAR
    distance = abs(np.log(ratio)) / np.sqrt(design.clustering * (1 / before + 1 / after))
    critical = norm.isf(TAIL)
    return float(norm.sf(critical - distance) + norm.cdf(-critical - distance))


def smallest_fall(design: Design, wanted: float = WANTED) -> float:
    """Return the rate ratio nearest to 1, below it, that is found with a probability of `wanted`; NaN where none is."""
    tried = np.geomspace(_LEAST, _MOST, 400)  # the power is not monotone: with next to nothing after, little is known
    enough = [float(ratio) for ratio in tried if power(design, float(ratio)) >= wanted]
    return float(brentq(lambda ratio: power(design, ratio) - wanted, enough[-1], _MOST)) if enough else float("nan")


def power_table(
    patients: int = 200,
    *,
    yearly_rates: Sequence[float] = YEARLY_RATES,
    ratios: Sequence[float] = RATIOS,
    clusterings: Sequence[float] = CLUSTERINGS,
) -> pd.DataFrame:
    """Return the power for each rate and ratio, a year before and a year after.

    Returns
    -------
    pandas.DataFrame
        `patients`, `clustering`, `yearly_rate`, a column `ratio_...` for each ratio with its power, `smallest_fall`
        (the ratio that is found with a probability of 80 %).
    """
    designs = [Design(patients, rate, clustering=clustering) for clustering in clusterings for rate in yearly_rates]
    rows = [
        {
            "patients": patients,
            "clustering": design.clustering,
            "yearly_rate": design.yearly_rate,
            **{f"ratio_{ratio:g}": power(design, ratio) for ratio in ratios},
            "smallest_fall": smallest_fall(design),
        }
        for design in designs
    ]
    return pd.DataFrame(rows)
