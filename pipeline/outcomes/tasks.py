"""What staff have yet to do at the end of a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from pipeline.outcomes.adherence import GRACE
from pipeline.outcomes.following import TRAITS
from pipeline.outcomes.frames import STATUSES, taken
from pipeline.outcomes.time_at_risk import grouped, keys
from pipeline.triage import RULES
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

TASKS: Final = ("red_open", "yellow_open", "registration_overdue", "trial_over")


def open_tasks(
    waits: pd.DataFrame, statuses: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("service",)
) -> pd.DataFrame:
    """Return of how many patients something waited at the last instant that is known (`scope.until`).

    `red_open`, `yellow_open`: an alarm of `acknowledging.waits` that is open. `registration_overdue`: the newest status
    names a due instant that is past by more than the grace. `trial_over`: in start-up for longer than the trial lasts
    (`Rules.trial_most_days`), so staff are to decide what follows.

    Returns
    -------
    pandas.DataFrame
        `task`, what `by` names (traits), `patients` (of whom it waited), `followed` (patients then).
    """
    now = scope.followed[scope.followed["stop"] >= scope.until]
    waiting = waits[waits["open"] == 1]
    newest = taken(statuses, STATUSES).sort_values("time", kind="stable")
    newest = newest[newest["time"] < scope.until].drop_duplicates("patient", keep="last")
    overdue = newest.loc[newest["due"] + GRACE < scope.until, "patient"]
    began = _in_phase(scope)
    over = began[(scope.until - began["start"]) > pd.Timedelta(days=RULES.trial_most_days)]
    who = {
        "red_open": waiting.loc[waiting["zone"] == Zone.RED.value, "patient"],
        "yellow_open": waiting.loc[waiting["zone"] == Zone.YELLOW.value, "patient"],
        "registration_overdue": overdue,
        "trial_over": over["patient"],
    }
    told = grouped(now[["patient", *TRAITS]], by)
    rows = []
    for task in TASKS:
        marked = told.assign(waits=told["patient"].isin(set(who[task])).astype("int64"))
        sums = marked.groupby(keys(by), sort=True).agg(patients=("waits", "sum"), followed=("patient", "nunique"))
        rows.append(sums.reset_index().assign(task=task))
    return pd.concat(rows, ignore_index=True)[["task", *by, "patients", "followed"]]


def _in_phase(scope: Scope) -> pd.DataFrame:
    """Since when those who are in start-up at the end have been so: `patient`, `start`."""
    known = scope.followed
    last = known.groupby("patient")[["stop", "phase"]].shift()
    new = (last["stop"] != known["start"]) | (last["phase"] != known["phase"])
    spells = known.assign(spell=new.cumsum()).groupby("spell")
    told = spells.agg(
        patient=("patient", "first"), start=("start", "min"), stop=("stop", "max"), phase=("phase", "first")
    )
    return told[(told["stop"] >= scope.until) & (told["phase"] == Phase.START_UP.value)]
