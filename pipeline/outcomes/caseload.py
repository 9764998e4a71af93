"""How many patients are followed, against the target of the service, and how many came and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipeline.outcomes.frames import TARGETS, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope


def caseload(scope: Scope, targets: pd.DataFrame | None = None, *, by: Sequence[str] = ("service",)) -> pd.DataFrame:
    """Return how many patients were followed at the end of each period, against the target then in force.

    Who moves from one service to another left the one and came to the other. The last instant of a period counts, so
    whoever left at its very end was still followed.

    Parameters
    ----------
    targets
        `frames.TARGETS`: of use where `by` is `service`.
    by
        Traits; none: all together.

    Returns
    -------
    pandas.DataFrame
        `period`, what `by` names, `users` (at its end), `came`, `left` (in it; users then are users before and came
        less left), `target`, `share` (of the target; NaN where there is none).
    """
    traits = list(by)
    stretches = _unbroken(scope.followed, traits)
    whole = stretches[[*traits]].drop_duplicates() if traits else pd.DataFrame({"all": ["all"]})
    rows = scope.periods[["period", "start", "stop"]].merge(whole, how="cross")
    found = rows.merge(stretches.rename(columns={"start": "from", "stop": "to"}), on=traits or ["all"], how="left")
    here = pd.DataFrame(
        {
            "users": (found["from"] < found["stop"]) & (found["to"] >= found["stop"]),
            "came": (found["from"] >= found["start"]) & (found["from"] < found["stop"]),
            "left": (found["to"] >= found["start"]) & (found["to"] < found["stop"]),
        }
    ).astype("int64")
    told = pd.concat([found, here], axis="columns")
    group = ["period", "stop", *(traits or ["all"])]
    sums = told.groupby(group, sort=True)[["users", "came", "left"]].sum().reset_index()
    sums = _with_target(sums, targets) if targets is not None else sums.assign(target=float("nan"))
    sums = sums.assign(share=sums["users"] / sums["target"]).sort_values(["stop", *traits], ignore_index=True)
    return sums[["period", *traits, "users", "came", "left", "target", "share"]]


def _unbroken(followed: pd.DataFrame, traits: list[str]) -> pd.DataFrame:
    """Stretches in which a patient was followed under the same `traits`, without a break."""
    known = followed if traits else followed.assign(all="all")
    held = traits or ["all"]
    before = known.groupby("patient")[["stop", *held]].shift()
    same = (known["start"] == before["stop"]) & (known[held] == before[held]).all(axis="columns")
    told = known.assign(number=(~same).cumsum()).groupby("number", sort=True)
    return told.agg(
        **{name: (name, "first") for name in ("patient", "start", *held)}, stop=("stop", "last")
    ).reset_index(drop=True)


def _with_target(sums: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    known = taken(targets, TARGETS).sort_values("time", kind="stable").rename(columns={"users": "target"})
    left = sums.sort_values("stop", kind="stable")
    return pd.merge_asof(left, known, left_on="stop", right_on="time", by="service", allow_exact_matches=False).drop(
        columns="time"
    )
