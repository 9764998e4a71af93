"""How many alarms nurses get, and how often each rule is right by what staff said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.backtest.acknowledged import RIGHT, WRONG
from pipeline.outcomes.frames import CARE_EVENTS, NURSES, ZONE_CHANGES, taken
from pipeline.outcomes.intervals import poisson, share
from pipeline.outcomes.rates import PER, patient_days
from pipeline.outcomes.time_at_risk import grouped, keys
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope

CODES: Final = (*RIGHT, *WRONG)
_GOES_ON: Final = r"\b(?:red|yellow)_kept:"  # what pipeline.triage gives as a reason after a pause
_DAY_S: Final = 86_400


def alarms(zone_changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes that ask somebody to act: into red from anywhere, into yellow from anything but red.

    From red to yellow a patient gets better, and nobody is called. An episode that goes on after a pause is no news.
    Changes that were taken back are left out.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time`, `to_zone`, `zone_change_id`, `alert_reasons` (each rule and vital that raised it, as
        `rule:vital`, with a comma between).
    """
    known = taken(zone_changes, ZONE_CHANGES)
    red = known["to_zone"] == Zone.RED.value
    yellow = (known["to_zone"] == Zone.YELLOW.value) & (known["from_zone"] != Zone.RED.value)
    news = ~known["alert_reasons"].str.contains(_GOES_ON, regex=True, na=False)
    told = known[(known["retracted"] == 0) & (red | yellow) & news].sort_values(["time", "patient"], kind="stable")
    return told[["patient", "time", "to_zone", "zone_change_id", "alert_reasons"]].reset_index(drop=True)


def alarm_load(
    zone_changes: pd.DataFrame, scope: Scope, nurses: pd.DataFrame | None = None, *, by: Sequence[str] = ("period",)
) -> pd.DataFrame:
    """Return alarms per 1,000 patient-days, and per nurse and day where it is known how many nurses there are.

    The store says what was done and not by whom, so a nurse's load is that of the service shared among its nurses.

    Parameters
    ----------
    nurses
        `frames.NURSES`. Of use where `by` names nothing but `period` and `service`.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `alarms`, `red`, `patients` (who had one), `followed`, `days` (followed [d]), `per_1000`,
        `low`, `high` [per 1,000 patient-days; exact], `nurse_days` [d], `per_nurse_day`.

    Raises
    ------
    ValueError
        Nurses of a pathway, a municipality or a phase are asked for: they are told by service.
    """
    if nurses is not None and not set(by) <= {"period", "service"}:
        raise ValueError("nurses are told by service and time: ask by period, service or both")
    told = grouped(scope.placed(alarms(zone_changes)), by)
    sums = told.assign(red=told["to_zone"] == Zone.RED.value).groupby(keys(by))
    counts = sums.agg(alarms=("red", "size"), red=("red", "sum"), patients=("patient", "nunique")).reset_index()
    rows = patient_days(scope, by=by).merge(counts, on=keys(by), how="left")
    rows = rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in ("alarms", "red", "patients")})
    rows = rows.rename(columns={"days_followed": "days"})
    low, high = poisson(rows["alarms"], rows["days"])
    rows = rows.assign(per_1000=PER * rows["alarms"] / rows["days"], low=PER * low, high=PER * high)
    working = None if nurses is None else rows[keys(by)].merge(_nurse_days(nurses, scope, by), how="left")["nurse_days"]
    rows = rows.assign(nurse_days=np.nan if working is None else working.to_numpy(np.float64))
    rows["per_nurse_day"] = rows["alarms"] / rows["nurse_days"].where(rows["nurse_days"] > 0)
    figures = [
        "alarms",
        "red",
        "patients",
        "followed",
        "days",
        "per_1000",
        "low",
        "high",
        "nurse_days",
        "per_nurse_day",
    ]
    return rows[[*by, *figures]]


def by_rule(
    zone_changes: pd.DataFrame, care_events: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Return each rule's alarms in the scope and how often it was right, by the reason codes of acknowledgements.

    An alarm counts for every rule that raised it. Right are `true` and `exacerbation`; wrong are `technique`, `device`,
    `already-known` and `other`; without one of these codes nothing is known. Of several acknowledgements of one alarm
    the last that says why holds. As `sonevakt evaluate alerts`, from the store.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `rule`, `alarms`, `patients`, `acknowledged`, `right`, `wrong`, `not_said`, a column for each
        code, `ppv`, `low`, `high` (right of right and wrong; 95 %, by score); the rule with most alarms first.
    """
    told = scope.placed(alarms(zone_changes))
    told = told[told["alert_reasons"].notna()]  # of an alarm that was stored by an earlier version no rule is known
    reasons = told.assign(rule=told["alert_reasons"].str.split(",")).explode("rule", ignore_index=True)
    reasons["rule"] = reasons["rule"].astype("str").str.split(":").str[0]
    reasons = reasons.drop_duplicates(["patient", "zone_change_id", "rule"])
    rows = _right(reasons, care_events, [*by, "rule"])
    return rows.sort_values([*by, "alarms", "rule"], ascending=[*(True for _ in by), False, True], ignore_index=True)


def by_zone(
    zone_changes: pd.DataFrame, care_events: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",)
) -> pd.DataFrame:
    """Return how often alarms of each zone were right: as `by_rule`, with `zone` for `rule`; an alarm counts once."""
    told = scope.placed(alarms(zone_changes)).rename(columns={"to_zone": "zone"})
    return _right(grouped(told, by), care_events, [*keys(by), "zone"]).drop(columns=[] if by else ["all"])


def _right(told: pd.DataFrame, care_events: pd.DataFrame, group: list[str]) -> pd.DataFrame:
    """How often alarms were right, by group."""
    both = told.merge(said_last(care_events), on=["patient", "zone_change_id"], how="left")
    marks = {code: (both["reason_code"] == code).astype("int64") for code in CODES}
    both = both.assign(**marks, acknowledged=both["reason_code"].notna().astype("int64"))
    sums = both.groupby(group).agg(
        alarms=("time", "size"),
        patients=("patient", "nunique"),
        acknowledged=("acknowledged", "sum"),
        **{code: (code, "sum") for code in CODES},
    )
    rows = sums.reset_index()
    right, wrong = rows[list(RIGHT)].sum(axis="columns"), rows[list(WRONG)].sum(axis="columns")
    ppv, low, high = share(right, right + wrong)
    rows = rows.assign(
        right=right, wrong=wrong, not_said=rows["acknowledged"] - right - wrong, ppv=ppv, low=low, high=high
    )
    counts = ["alarms", "patients", "acknowledged", "right", "wrong", "not_said"]
    return rows[[*group, *counts, *CODES, "ppv", "low", "high"]]


def said_last(care_events: pd.DataFrame) -> pd.DataFrame:
    """Return what was said of each zone change: `patient`, `zone_change_id`, `reason_code`; the last that says why."""
    known = taken(care_events, CARE_EVENTS)
    known = known[(known["kind"] == "acknowledged") & known["zone_change_id"].notna()]
    known = known.assign(says=known["reason_code"].isin(CODES))
    known = known.sort_values(["says", "recorded", "event_id"], kind="stable")
    told = known.drop_duplicates(["patient", "zone_change_id"], keep="last")
    return told[["patient", "zone_change_id", "reason_code"]].reset_index(drop=True)


def _nurse_days(nurses: pd.DataFrame, scope: Scope, by: Sequence[str]) -> pd.DataFrame:
    """How many days nurses worked, by what `by` names [d]."""
    known = taken(nurses, NURSES).merge(scope.periods, how="cross", suffixes=("", "_period"))
    start = known["start"].where(known["start"] >= known["start_period"], known["start_period"])
    stop = known["stop"].where(known["stop"] <= known["stop_period"], known["stop_period"])
    length = (stop - start).dt.total_seconds().clip(lower=0) / _DAY_S
    told = grouped(known.assign(nurse_days=known["nurses"] * length), by)
    return told.groupby(keys(by))["nurse_days"].sum().reset_index()
