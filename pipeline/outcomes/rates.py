"""How often patients were admitted, readmitted and in emergency care, and how many nights they lay in hospital."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.frames import CARE_EVENTS, taken
from pipeline.outcomes.intervals import share, weighted_poisson
from pipeline.outcomes.stays import nights, readmitted
from pipeline.outcomes.time_at_risk import days_within, grouped, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

PER: Final = 1000  # rates are told per so many patient-days [d]
READMITTED_DAYS: Final = 30
_A_MILLISECOND: Final = 1 / 86_400_000  # [d]
MEASURES: Final = ("admissions", "acute_admissions", "readmissions", "emergency_contacts", "bed_days")


def emergency_contacts(care_events: pd.DataFrame) -> pd.DataFrame:
    """Return when patients were seen by an emergency room or out-of-hours service: `patient`, `time`."""
    known = taken(care_events, CARE_EVENTS)
    return known.loc[known["kind"] == "emergency_contact", ["patient", "time"]].reset_index(drop=True)


def admissions(scope: Scope, *, acute: bool = False) -> pd.DataFrame:
    """Return when patients were admitted, `acute` ones alone if so asked, before enrolment too: `patient`, `time`."""
    told = scope.stays[scope.stays["acute"]] if acute else scope.stays
    return told[["patient", "admitted"]].rename(columns={"admitted": "time"}).reset_index(drop=True)


def happened(care_events: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return everything that `MEASURES` count, a row each: `measure`, `patient`, `time`, `cluster`, traits, period.

    Only what happened in follow-up counts. `cluster` tells what belongs together: the nights of one stay.
    """
    admitted = scope.stays.rename(columns={"admitted": "time"})
    told = {
        "admissions": admitted,
        "acute_admissions": admitted[admitted["acute"]],
        "readmissions": admitted[readmitted(scope.stays, READMITTED_DAYS)],
        "emergency_contacts": emergency_contacts(care_events),
        "bed_days": nights(scope.stays, scope.zone).rename(columns={"stay": "cluster"}),
    }
    found = []
    for measure in MEASURES:
        events = told[measure].reset_index(drop=True)
        cluster = events["cluster"] if "cluster" in events else pd.Series(np.arange(len(events)))
        one = events[["patient", "time"]].assign(measure=measure, cluster=cluster.astype("int64"))
        found.append(scope.placed(one))
    return pd.concat(found, ignore_index=True)


def rates(care_events: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return each of `MEASURES` per 1,000 patient-days, for every combination of what `by` names that was followed.

    Admissions, acute ones, readmissions (acute, within 30 days of a discharge) and emergency contacts are told per day
    at risk: followed and not in hospital. Bed days are told per day followed, as whoever lies in hospital is at risk
    of a night there. Intervals are exact for events that are Poisson; those of bed days take the nights of a stay
    together, as they do not come one by one (`intervals`). Where some patients are admitted much more often than
    others, events come in clusters and the intervals are too narrow.

    Parameters
    ----------
    by
        Any of `period`, `service`, `municipality`, `pathway`, `phase`; none: one figure for all.

    Returns
    -------
    pandas.DataFrame
        `measure`, what `by` names, `events`, `patients` (to whom they happened), `followed` (patients), `days` [d],
        `per_1000`, `low`, `high` [per 1,000 patient-days].
    """
    group = keys(by)
    clusters = _clusters(grouped(happened(care_events, scope), by), group)
    sums = clusters.groupby(["measure", *group]).agg(
        events=("weight", "sum"), squares=("square", "sum"), patients=("patient", "nunique")
    )
    rows = patient_days(scope, by=by).merge(pd.DataFrame({"measure": MEASURES}), how="cross")
    rows = rows.merge(sums.reset_index(), on=["measure", *group], how="left")
    rows = rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in ("events", "squares", "patients")})
    rows["days"] = rows["days_at_risk"].where(rows["measure"] != "bed_days", rows["days_followed"])
    largest = rows["measure"].map(clusters.groupby("measure")["weight"].max()).fillna(1)
    low, high = weighted_poisson(rows["events"], rows["squares"], largest, rows["days"])
    rows = rows.assign(per_1000=PER * rows["events"] / rows["days"], low=PER * low, high=PER * high)
    told = rows.sort_values(["measure", *group], ignore_index=True)
    return told[["measure", *by, "events", "patients", "followed", "days", "per_1000", "low", "high"]]


def patient_days(scope: Scope, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return what `by` names (`all` where nothing), `followed` (patients), `days_at_risk`, `days_followed` [d]."""
    sums = (
        grouped(scope.time, by)
        .groupby(keys(by), sort=True)
        .agg(
            followed=("patient", "nunique"),
            days_at_risk=("days_at_risk", "sum"),
            days_followed=("days_followed", "sum"),
        )
    )
    return sums.reset_index()


def readmissions(scope: Scope, *, by: Sequence[str] = ("period",), days: int = READMITTED_DAYS) -> pd.DataFrame:
    """Return the share of discharges that an acute admission followed within `days`, whatever its cause.

    Every discharge in follow-up counts, those of readmissions too, of which it is known: `days` have passed since, and
    the patient was followed through them. It stands in the period of the discharge.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `discharges`, `patients` (discharged), `readmitted`, `share`, `low`, `high` (95 %, by score).
    """
    stays = scope.stays
    over = stays["discharged"] + pd.Timedelta(days=days)
    after = readmitted(stays, days).groupby(stays["patient"]).shift(-1, fill_value=False)
    asked = pd.DataFrame({"patient": stays["patient"], "start": stays["discharged"], "stop": over})
    known = ~stays["open"] & (days_within(scope.followed, asked) > days - _A_MILLISECOND)
    told = stays.assign(readmitted=after.astype("int64"))[known].rename(columns={"discharged": "time"})
    found = grouped(scope.placed(told[["patient", "time", "readmitted"]]), by).groupby(keys(by), sort=True)
    sums = found.agg(
        discharges=("readmitted", "size"), patients=("patient", "nunique"), readmitted=("readmitted", "sum")
    )
    sums = sums.reset_index()
    part, low, high = share(sums["readmitted"], sums["discharges"])
    shown = [*by, "discharges", "patients", "readmitted", "share", "low", "high"]
    return sums.assign(share=part, low=low, high=high)[shown]


def series(told: pd.DataFrame, scope: Scope, measure: str) -> pd.DataFrame:
    """Return one measure that `rates` told by period alone: `period`, `start`, `stop`, `events`, `days`."""
    one = told.loc[told["measure"] == measure, ["period", "events", "days"]]
    whole = scope.periods[["period", "start", "stop"]].merge(one, on="period", how="left")
    return whole.assign(events=whole["events"].fillna(0).astype("int64"), days=whole["days"].fillna(0.0))


def _clusters(told: pd.DataFrame, group: list[str]) -> pd.DataFrame:
    """What belongs together, with its weight and the square of it."""
    sizes = told.groupby(["measure", *group, "patient", "cluster"]).size().rename("weight").reset_index()
    return sizes.assign(square=sizes["weight"] ** 2)
