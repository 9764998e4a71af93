"""How long before an acute admission the patient had come into yellow or red: whether follow-up warns in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.frames import days, looked_up
from pipeline.outcomes.intervals import share
from pipeline.outcomes.rates import admissions
from pipeline.outcomes.time_at_risk import days_within, each
from pipeline.outcomes.zones import ALERTS, zone_stretches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.outcomes.time_at_risk import Scope

LOOK_BACK_DAYS: Final = 14  # a yellow or red longer ago is no warning of an admission: our choice [d]
_QUARTILES: Final = (25, 50, 75)  # [%]


def alert_stretches(zone_changes: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return when each patient was in yellow or red: `patient`, `start`, `stop`; what touches is joined."""
    told = zone_stretches(zone_changes, scope.until)
    return joined(told.loc[told["zone"].isin(ALERTS), ["patient", "start", "stop"]])


def lead_times(zone_changes: pd.DataFrame, scope: Scope, *, look_back_days: int = LOOK_BACK_DAYS) -> pd.DataFrame:
    """Return each acute admission in follow-up and when the warning of it began.

    The warning is the first time in yellow or red within `look_back_days` before the admission; one that had begun
    before that counts from there on.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time` (of the admission), traits, `period`, `lead_days` [d]; NaN: no warning.
    """
    told = scope.placed(admissions(scope, acute=True))
    alerts = alert_stretches(zone_changes, scope)
    opens = told["time"] - pd.Timedelta(days=look_back_days)
    asked = told.assign(opens=opens, row=np.arange(len(told)))
    pairs = asked[["patient", "time", "opens", "row"]].merge(alerts, on="patient")
    pairs = pairs[(pairs["start"] < pairs["time"]) & (pairs["stop"] > pairs["opens"])]
    began = pairs["start"].where(pairs["start"] >= pairs["opens"], pairs["opens"])
    lead = days(pairs["time"] - began).groupby(pairs["row"]).max()
    return told.assign(lead_days=looked_up(asked["row"], lead).astype("float64"))


def warned(
    zone_changes: pd.DataFrame,
    scope: Scope,
    *,
    by: Sequence[str] = (),
    look_back_days: int = LOOK_BACK_DAYS,
) -> pd.DataFrame:
    """Return how many acute admissions had a warning, how long before, and how many would have one by chance.

    `by_chance` is the share of all days at risk that come within `look_back_days` of a yellow or red: were admissions
    to fall on any of those days, as many would seem warned of. A share no higher than that is no warning.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `admissions`, `warned`, `share`, `low`, `high` (95 %, by score), `by_chance`,
        `lower_quartile`, `median`, `upper_quartile` (of the lead of those warned of [d]).
    """
    told = lead_times(zone_changes, scope, look_back_days=look_back_days)
    chance = {tuple(named.values()): value for named, value in _by_chance(zone_changes, scope, by, look_back_days)}
    rows = []
    for named, group in each(told, by):
        leads = group["lead_days"].dropna().to_numpy(np.float64)
        part, low, high = (float(one) for one in share(len(leads), len(group)))
        quartiles = np.percentile(leads, _QUARTILES) if len(leads) else np.full(3, np.nan)
        by_chance = chance.get(tuple(named.values()), np.nan)
        rows.append((*named.values(), len(group), len(leads), part, low, high, by_chance, *quartiles))
    columns = (
        "admissions",
        "warned",
        "share",
        "low",
        "high",
        "by_chance",
        "lower_quartile",
        "median",
        "upper_quartile",
    )
    return pd.DataFrame(rows, columns=[*by, *columns])


def joined(stretches: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches of each patient with those that touch or overlap made one: `patient`, `start`, `stop`."""
    known = stretches.sort_values(["patient", "start"], kind="stable")
    reach = known.groupby("patient")["stop"].cummax().groupby(known["patient"]).shift()
    new = reach.isna() | (known["start"] > reach)
    told = known.assign(number=new.cumsum()).groupby("number", sort=True)
    return told.agg(patient=("patient", "first"), start=("start", "min"), stop=("stop", "max")).reset_index(drop=True)


def _by_chance(
    zone_changes: pd.DataFrame, scope: Scope, by: Sequence[str], look_back_days: int
) -> Iterator[tuple[dict[str, str], float]]:
    alerts = alert_stretches(zone_changes, scope)
    after = joined(alerts.assign(stop=alerts["stop"] + pd.Timedelta(days=look_back_days)))
    near = days_within(after, scope.time) - _of_both(after, scope)
    for named, group in each(scope.time.assign(near=near), by):
        whole = float(group["days_at_risk"].sum())
        yield named, float(group["near"].sum()) / whole if whole else np.nan


def _of_both(after: pd.DataFrame, scope: Scope) -> pd.Series:
    """How much of each piece of follow-up lies in hospital and within `after` [d]."""
    pairs = scope.in_hospital.merge(after, on="patient", suffixes=("", "_after"))
    start = pairs["start"].where(pairs["start"] >= pairs["start_after"], pairs["start_after"])
    stop = pairs["stop"].where(pairs["stop"] <= pairs["stop_after"], pairs["stop_after"])
    both = pairs.assign(start=start, stop=stop)[["patient", "start", "stop"]]
    return days_within(both[both["start"] < both["stop"]], scope.time)
