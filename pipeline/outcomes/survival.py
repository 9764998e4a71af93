"""How long until the first admission, and how long patients stay, of patients of whom many are still followed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import CensoredData, ecdf  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.following import enrolments
from pipeline.outcomes.frames import days, looked_up
from pipeline.outcomes.rates import admissions
from pipeline.outcomes.time_at_risk import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

AT_DAYS: Final = (30, 90, 180, 365)
_TOLD: Final = ("share", "low", "high")
_COLUMNS: Final = ("day", "at_risk", "events", *_TOLD)


def time_to_first_admission(scope: Scope, *, by: Sequence[str] = (), acute: bool = False) -> pd.DataFrame:
    """Return the share of patients not yet admitted, by days since enrolment (Kaplan and Meier).

    A patient counts from the first enrolment until the first admission, the end of that follow-up, or `until`. Death
    reaches us as an end: where many die, the share admitted by a day is less than what 1 minus this says.

    Parameters
    ----------
    by
        Traits at enrolment.

    Returns
    -------
    pandas.DataFrame
        What `by` names and the columns of `kaplan_meier`.
    """
    known = enrolments(scope.followed)
    told = admissions(scope, acute=acute).merge(known[["patient", "enrolled", "left"]], on="patient")
    told = told[(told["time"] >= told["enrolled"]) & (told["time"] < told["left"])]
    first = looked_up(known["patient"], told.groupby("patient")["time"].min())
    ends = first.fillna(known["left"])
    return _curves(known.assign(days=days(ends - known["enrolled"]), happened=first.notna()), by)


def time_to_end(scope: Scope, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return the share of patients still followed, by days since enrolment; as `time_to_first_admission`."""
    known = enrolments(scope.followed)
    ended = known["left"] < scope.until
    return _curves(known.assign(days=days(known["left"] - known["enrolled"]), happened=ended), by)


def kaplan_meier(durations: pd.Series, happened: pd.Series) -> pd.DataFrame:
    """Return the product-limit estimate [1], with intervals by the logarithm of the cumulative hazard [2].

    Parameters
    ----------
    durations
        From the beginning to what happened, or to when it was last known that it had not [d].
    happened
        Whether it did; at one instant it happens before anybody is lost.

    Returns
    -------
    pandas.DataFrame
        A row for each duration that there is: `day` [d], `at_risk` (before it), `events`, `share` (to whom it has not
        happened by then), `low`, `high` (95 %; NaN where nothing happened yet, and where it happened to all).

    [1] Kaplan and Meier, J. Am. Stat. Assoc. 53 (282), 1958, doi:10.1080/01621459.1958.10501452
    [2] Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002, 1.4
    """
    known, observed = durations.to_numpy(np.float64), happened.to_numpy(np.bool_)
    if len(known) == 0:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in _COLUMNS})
    found = ecdf(CensoredData(uncensored=known[observed], right=known[~observed])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it warns of the ends, where there is no interval
        interval = found.confidence_interval(method="log-log")
    at = found.quantiles
    ordered = np.sort(known)
    return pd.DataFrame(
        {
            "day": at,
            "at_risk": len(known) - np.searchsorted(ordered, at, side="left"),
            "events": [int((known[observed] == one).sum()) for one in at],
            "share": found.probabilities,
            "low": interval.low.probabilities,
            "high": interval.high.probabilities,
        }
    )


def at_days(curves: pd.DataFrame, *, by: Sequence[str] = (), asked: Sequence[float] = AT_DAYS) -> pd.DataFrame:
    """Return the curves at given days; one that nobody was followed to is left out.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `day`, `at_risk` (just before it), `events` (up to it), `share`, `low`, `high`.
    """
    rows = []
    for named, curve in each(curves, by):
        for day in asked:
            later, earlier = curve[curve["day"] >= day], curve[curve["day"] <= day]
            if len(later) == 0:
                continue
            share, low, high = (earlier[name].iloc[-1] for name in _TOLD) if len(earlier) else (1.0, np.nan, np.nan)
            rows.append((*named.values(), day, later["at_risk"].iloc[0], earlier["events"].sum(), share, low, high))
    return pd.DataFrame(rows, columns=[*by, "day", "at_risk", "events", *_TOLD])


def _curves(known: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    found = [kaplan_meier(group["days"], group["happened"]).assign(**named) for named, group in each(known, by)] or [
        kaplan_meier(known["days"], known["happened"])
    ]
    return pd.concat(found, ignore_index=True).reindex(columns=[*by, *_COLUMNS])
