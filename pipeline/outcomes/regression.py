"""Trends of a rate, and whether it changed at a given instant: log-linear regression of counts on time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import t  # type: ignore[import-untyped] # scipy ships no types
from statsmodels.genmod.families import Poisson  # type: ignore[import-untyped] # statsmodels ships no types
from statsmodels.genmod.generalized_linear_model import GLM  # type: ignore[import-untyped] # statsmodels ships no types

from pipeline.outcomes.frames import DAY, days, instant
from pipeline.outcomes.intervals import TAIL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

YEAR: Final = 365.25  # of the calendar [d]


def trend(series: pd.DataFrame, *, harmonics: int = 0) -> pd.DataFrame:
    """Return by how much the rate grows or falls from one year to the next, as a ratio: one row, `trend`.

    Poisson regression of the counts on time with the days as exposure; its dispersion is estimated and never taken as
    less than 1 (quasi-likelihood [1]), and the interval is by Student's t. Periods are taken as independent.

    Parameters
    ----------
    series
        `start`, `stop`, `events`, `days`, a row a period.
    harmonics
        Pairs of sine and cosine of the year that take out season [2]; 0: season is not taken out.

    Returns
    -------
    pandas.DataFrame
        `term`, `ratio`, `low`, `high` (95 %), `dispersion`. NaN where there are not more periods than terms, or no
        events.

    [1] McCullagh and Nelder, Generalized Linear Models, 1989, 9.2
    [2] Bhaskaran et al., Int. J. Epidemiol. 42 (4), 2013, doi:10.1093/ije/dyt092
    """
    return _fitted(series, {"trend": _years(series)}, harmonics)


def interrupted(series: pd.DataFrame, at: datetime, *, slope: bool = False, harmonics: int = 0) -> pd.DataFrame:
    """Return by how much the rate changed at `at`, beside the trend that it had anyway (segmented regression [1]).

    A period counts as after where it begins at `at` or later; one that `at` lies within is left out. What else changed
    then is in it too.

    Parameters
    ----------
    slope
        Whether the trend may change there as well.

    Returns
    -------
    pandas.DataFrame
        As `trend`: the terms `trend` (a year), `level` (rate after by rate before, at `at`), and with `slope`
        `trend_change` (a year). NaN also where no event lies on one of the sides.

    [1] Lopez Bernal et al., Int. J. Epidemiol. 46 (1), 2017, doi:10.1093/ije/dyw098
    """
    change = instant(at)
    known = series[(series["stop"] <= change) | (series["start"] >= change)]
    years = _years(known)
    after: Floats = np.asarray(known["start"] >= change, np.float64)
    terms: dict[str, Floats] = {"trend": years, "level": after}
    if slope:
        terms["trend_change"] = after * (years - (change - known["start"].min()) / DAY / YEAR)
    both = all(known.loc[after == side, "events"].sum() > 0 for side in (0.0, 1.0))
    return _fitted(known if both else known.iloc[:0], terms, harmonics)


def _years(series: pd.DataFrame) -> Floats:
    """The middle of each period since the first began [years]."""
    middle = series["start"] + (series["stop"] - series["start"]) / 2
    return (days(middle - series["start"].min()) / YEAR).to_numpy(np.float64)


def _fitted(series: pd.DataFrame, terms: Mapping[str, Floats], harmonics: int) -> pd.DataFrame:
    names = list(terms)
    freedom = len(series) - 1 - len(names) - 2 * harmonics
    if freedom < 1 or series["events"].sum() == 0:
        nothing = dict.fromkeys(("ratio", "low", "high", "dispersion"), np.nan)
        return pd.DataFrame({"term": names, **nothing})
    turn = 2 * np.pi * _of_year(series)
    season = [wave(turn * number) for number in range(1, harmonics + 1) for wave in (np.sin, np.cos)]
    design = np.column_stack([np.ones(len(series)), *terms.values(), *season])
    model = GLM(
        series["events"].to_numpy(np.float64),
        design,
        family=Poisson(),
        offset=np.log(series["days"].to_numpy(np.float64)),
    )
    found = model.fit()
    dispersion = max(1.0, float(found.pearson_chi2) / freedom)
    told = slice(1, 1 + len(names))
    estimate, spread = found.params[told], found.bse[told] * np.sqrt(dispersion)
    half = t.isf(TAIL, freedom) * spread
    return pd.DataFrame(
        {
            "term": names,
            "ratio": np.exp(estimate),
            "low": np.exp(estimate - half),
            "high": np.exp(estimate + half),
            "dispersion": dispersion,
        }
    )


def _of_year(series: pd.DataFrame) -> Floats:
    """Where in the year the middle of each period lies [years]."""
    middle = series["start"] + (series["stop"] - series["start"]) / 2
    found: Floats = middle.dt.day_of_year.to_numpy(np.float64) / YEAR
    return found
