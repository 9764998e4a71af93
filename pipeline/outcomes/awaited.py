"""Adherence day by day: on which days a registration was awaited, and whether it came.

`adherence.due` asks of each registration that was due what became of it; silence of a month is one of those. Here each
day counts on which somebody waited for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.adherence import first_from, midnight, registrations, stood
from pipeline.outcomes.frames import DAY, INSTANT, days
from pipeline.outcomes.intervals import share
from pipeline.outcomes.time_at_risk import grouped, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

_MILLISECOND: Final = pd.Timedelta(milliseconds=1)


def awaited_days(statuses: pd.DataFrame, assessments: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return every day of a patient in follow-up on which a registration was awaited.

    A due instant belongs to the day on which it lies. It was awaited on that day if it stood as the next due at any
    moment of it, and on each later day at whose beginning it still stood, unless a registration was made on its own
    day or later and before that one. So a weekly patient who is three days late was awaited on four days.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time` (the last instant of the day, by which it counts for who followed the patient then), traits,
        `period`, `due` (instants on the day), `done` (a registration was made that day), `late` (done, and nothing was
        due on the day itself).
    """
    asked = stood(statuses, scope)
    asked = asked[asked["due"] < scope.until].reset_index(drop=True)
    asked = asked.assign(own=midnight(asked["due"], scope.zone))
    made = registrations(assessments)
    found = first_from(made, asked.assign(opens=asked["own"]))
    last = found["ends"].where(found["made"].isna() | (found["ends"] <= found["made"]), found["made"])
    last = last.mask(last >= scope.until, scope.until - _MILLISECOND)
    own, begun, to = (_date(one, scope.zone) for one in (found["own"], found["begins"], last))
    first = own.where(begun <= own, begun + DAY)
    count = np.maximum(days(to - first).round().to_numpy(np.int64) + 1, 0)
    row = np.repeat(np.arange(len(found)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    day = first.iloc[row].reset_index(drop=True) + pd.to_timedelta(pd.Series(place, dtype="int64"), unit="D")
    rows = pd.DataFrame(
        {
            "patient": found["patient"].iloc[row].reset_index(drop=True),
            "day": day,
            "due": (day == own.iloc[row].reset_index(drop=True)).astype("int64"),
        }
    )
    told = rows.groupby(["patient", "day"], sort=True)["due"].sum().reset_index()
    there = made.assign(day=_date(made["time"], scope.zone))[["patient", "day"]].drop_duplicates().assign(done=1)
    told = told.merge(there, on=["patient", "day"], how="left")
    done = told["done"].fillna(0).astype("int64")
    ends = (told["day"] + DAY).dt.tz_localize(scope.zone).dt.tz_convert("UTC").astype(INSTANT)
    ends = ends.mask(ends > scope.until, scope.until) - _MILLISECOND
    late = ((done == 1) & (told["due"] == 0)).astype("int64")
    return scope.placed(told.assign(time=ends, done=done, late=late)[["patient", "time", "due", "done", "late"]])


def adherence_by_day(told: pd.DataFrame, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return on how many of the days of `awaited_days` the registration came.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `awaited` (patient-days), `done`, `late`, `share` (done of awaited), `low`, `high` (95 %, by
        score: days of one patient are alike, so it is too narrow), `patients`.
    """
    sums = grouped(told, by).groupby(keys(by), sort=True)
    found = sums.agg(
        awaited=("done", "size"), done=("done", "sum"), late=("late", "sum"), patients=("patient", "nunique")
    )
    found = found.reset_index()
    part, low, high = share(found["done"], found["awaited"])
    shown = [*by, "awaited", "done", "late", "share", "low", "high", "patients"]
    return found.assign(share=part, low=low, high=high)[shown]


def _date(instants: pd.Series, zone: str) -> pd.Series:
    """The date of each instant, as its midnight without a zone."""
    dates: pd.Series = instants.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return dates.astype("datetime64[ms]")
