"""Whether patients register when a registration is due, and whether they take part at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.frames import ASSESSMENTS, INSTANT, STATUSES, taken
from pipeline.outcomes.intervals import share
from pipeline.outcomes.time_at_risk import grouped, keys
from schemas.care import Cadence
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

GRACE: Final = pd.Timedelta(minutes=Cadence().grace_minutes)  # after it a registration that is due is late
LEAST_DAYS: Final = 14  # followed in a period, to be asked whether somebody took part in it: our choice [d]
OUTCOMES: Final = ("done", "late", "missed")


def registrations(assessments: pd.DataFrame) -> pd.DataFrame:
    """Return when each registration that could be judged was made: `patient`, `time`, in order of time.

    One that was entered in error, or that held nothing to judge, is none: what was due stays due.
    """
    known = taken(assessments, ASSESSMENTS)
    told = known[(known["entered_in_error"] == 0) & (known["zone"] != Zone.NO_DATA.value)]
    at = told["at"].fillna(told["time"])
    return told.assign(time=at)[["patient", "time"]].sort_values("time", kind="stable", ignore_index=True)


def stood(statuses: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return from when to when each instant stood as the next due: `patient`, `due`, `begins`, `ends`.

    From the first status that names it to the next that names another or none; just after `until` where none did.
    """
    known = taken(statuses, STATUSES).sort_values(["patient", "time"], kind="stable")
    known = known[known["time"] < scope.until]
    told = known["due"].fillna(_NEVER)
    changes = (told != told.groupby(known["patient"]).shift()) | (known["patient"] != known["patient"].shift())
    asked = known[changes]
    ends = asked.groupby("patient")["time"].shift(-1).fillna(scope.until + _A_MILLISECOND)
    asked = asked.assign(ends=ends.astype(INSTANT)).rename(columns={"time": "begins"})
    return asked[asked["due"].notna()][["patient", "due", "begins", "ends"]].reset_index(drop=True)


def first_from(made: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Return `asked`, in order, with `made`: the patient's first registration from the instant `opens` on."""
    told = asked.assign(opens=asked["opens"].astype(INSTANT), row=np.arange(len(asked)))
    found = pd.merge_asof(
        told.sort_values("opens", kind="stable"),
        made.rename(columns={"time": "made"}),
        left_on="opens",
        right_on="made",
        by="patient",
        direction="forward",
    )
    return found.sort_values("row", ignore_index=True).drop(columns="row")


def midnight(instants: pd.Series, zone: str) -> pd.Series:
    """The beginning of the day on which each instant lies."""
    begun: pd.Series = instants.dt.tz_convert(zone).dt.normalize().dt.tz_convert("UTC").astype(INSTANT)
    return begun


def due(
    statuses: pd.DataFrame, assessments: pd.DataFrame, scope: Scope, *, grace: pd.Timedelta = GRACE
) -> pd.DataFrame:
    """Return every registration that was due in follow-up, and what became of it.

    A due instant stands from the status that first names it to the next that names another. It is answered by the
    first registration in that time on its own day or later: `done` where that comes before due time and grace are
    over, `late` where after. It is `missed` where the time it stood for went past due and grace without one: the plan
    changed, a pause or the end came, or nobody has registered by `until`. Otherwise it is not counted: a registration
    that nobody had asked for yet put it off, or it was withdrawn. Silence for a long time is one missed registration,
    as nothing further becomes due before the patient registers; `time_in_zone` tells how long it lasted.

    Parameters
    ----------
    statuses, assessments
        `frames.STATUSES`, `frames.ASSESSMENTS`.
    grace
        That of the plan; a plan's own is not in the store.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time` (due), traits, `period`, `outcome`, `late_days` (from due to done [d]; below 0: before).
    """
    asked = stood(statuses, scope)
    day, opens = midnight(asked["due"], scope.zone), asked["begins"] + _A_MILLISECOND
    found = first_from(registrations(assessments), asked.assign(opens=opens.where(opens >= day, day)))
    found["made"] = found["made"].where(found["made"] <= found["ends"])
    over = found["due"] + grace
    outcome = np.select(
        [found["made"] <= over, found["made"].notna(), over < found["ends"]], OUTCOMES, default=_NOT_COUNTED
    )
    late = (found["made"] - found["due"]).dt.total_seconds() / _DAY_S
    counted = found.assign(outcome=outcome, late_days=late, time=found["due"])
    counted = counted[counted["outcome"] != _NOT_COUNTED]
    return scope.placed(counted[["patient", "time", "outcome", "late_days"]])


def adherence(told: pd.DataFrame, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return how many of the registrations that `due` gives were made, and made in time.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `due`, `done`, `late`, `missed`, `share` (done in time, of those due), `low`, `high` (95 %, by
        score: registrations of one patient are alike, so it is too narrow), `patients`.
    """
    marks = told.assign(**{name: (told["outcome"] == name).astype("int64") for name in OUTCOMES})
    sums = grouped(marks, by).groupby(keys(by), sort=True)
    found = sums.agg(
        due=("outcome", "size"),
        done=("done", "sum"),
        late=("late", "sum"),
        missed=("missed", "sum"),
        patients=("patient", "nunique"),
    ).reset_index()
    part, low, high = share(found["done"], found["due"])
    told = found.assign(share=part, low=low, high=high)
    return told[[*by, "due", "done", "late", "missed", "share", "low", "high", "patients"]]


def participation(
    assessments: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",), least_days: float = LEAST_DAYS
) -> pd.DataFrame:
    """Return the share of patients who registered at least once, of those followed for `least_days` or more.

    With `period` among `by`: in each period. Someone who changed service within it counts for each, by the days there.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `patients`, `took_part`, `share`, `low`, `high` (95 %, by score), `registrations`,
        `per_patient_week`.
    """
    group = [*keys(by), "patient"]
    time = grouped(scope.time, by).groupby(group, sort=True)["days_followed"].sum().reset_index()
    made = grouped(scope.placed(registrations(assessments)), by).groupby(group).size().rename("made").reset_index()
    both = time[time["days_followed"] >= least_days].merge(made, on=group, how="left").fillna({"made": 0})
    both = both.assign(took_part=(both["made"] > 0).astype("int64"))
    found = both.groupby(keys(by), sort=True).agg(
        patients=("patient", "nunique"),
        took_part=("took_part", "sum"),
        registrations=("made", "sum"),
        days=("days_followed", "sum"),
    )
    found = found.reset_index()
    part, low, high = share(found["took_part"], found["patients"])
    told = found.assign(
        share=part,
        low=low,
        high=high,
        registrations=found["registrations"].astype("int64"),
        per_patient_week=_WEEK * found["registrations"] / found["days"],
    )
    return told[[*by, "patients", "took_part", "share", "low", "high", "registrations", "per_patient_week"]]


_NEVER: Final = pd.Timestamp(0, tz="UTC")  # no due instant
_A_MILLISECOND: Final = pd.Timedelta(milliseconds=1)
_NOT_COUNTED: Final = "not counted"
_DAY_S: Final = 86_400
_WEEK: Final = 7  # [d]
