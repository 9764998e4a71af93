"""How often nurses contact patients and services meet over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from pipeline.outcomes.frames import CARE_EVENTS, taken
from pipeline.outcomes.intervals import poisson, share
from pipeline.outcomes.rates import PER, patient_days
from pipeline.outcomes.time_at_risk import keys
from schemas.care import ContactKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

CONSULTATION: Final = "joint_consultation"
KINDS: Final = (*(kind.value for kind in ContactKind), CONSULTATION)


def contacts(care_events: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return contacts of each kind, and consultations of several services, per 1,000 days followed.

    A contact that reached nobody was made too; of consultations it is not asked whether they reached anybody.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `kind` (`call`, `message`, `video`, `visit`, `joint_consultation`), `made`, `patients`,
        `followed` (patients), `days` [d], `per_1000`, `low`, `high` [per 1,000 days followed; exact], `reached`,
        `reached_share`, `reached_low`, `reached_high` (95 %, by score).
    """
    known = taken(care_events, CARE_EVENTS)
    known = known[known["kind"].isin(("contact_made", CONSULTATION))]
    named = known.assign(kind=known["contact"].where(known["kind"] == "contact_made", CONSULTATION))
    told = scope.placed(named[["patient", "time", "kind", "reached"]])
    told = told if by else told.assign(all="all")
    sums = told.groupby([*keys(by), "kind"]).agg(
        made=("patient", "size"), reached=("reached", "sum"), patients=("patient", "nunique")
    )
    rows = patient_days(scope, by=by).merge(pd.DataFrame({"kind": KINDS}), how="cross")
    rows = rows.merge(sums.reset_index(), on=[*keys(by), "kind"], how="left")
    rows = rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in ("made", "reached", "patients")})
    low, high = poisson(rows["made"], rows["days_followed"])
    asked = rows["made"].where(rows["kind"] != CONSULTATION)
    part, part_low, part_high = share(rows["reached"], asked)
    rows = rows.assign(
        days=rows["days_followed"],
        per_1000=PER * rows["made"] / rows["days_followed"],
        low=PER * low,
        high=PER * high,
        reached=rows["reached"].where(rows["kind"] != CONSULTATION),
        reached_share=part,
        reached_low=part_low,
        reached_high=part_high,
    )
    figures = ["made", "patients", "followed", "days", "per_1000", "low", "high"]
    return rows[[*by, "kind", *figures, "reached", "reached_share", "reached_low", "reached_high"]]
