"""How far what is known can be trusted: what is missing, late, or cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from pipeline.outcomes.frames import ASSESSMENTS, CARE_EVENTS, MEASURED, taken
from pipeline.outcomes.intervals import share
from pipeline.outcomes.time_at_risk import grouped, keys
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.outcomes.time_at_risk import Scope

OPEN_DAYS: Final = 30  # in hospital for longer than this without a discharge: likely it was not told, our choice [d]
LATE_DAYS: Final = 7  # written down so long after it happened: figures of before have changed since, our choice [d]
CHECKS: Final = ("no_data", "withdrawn", "stay_open", "told_late", "no_reason")
_NOT_SAID: Final = "not-said"


def checks(
    care_events: pd.DataFrame, assessments: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("service",)
) -> pd.DataFrame:
    """Return what of the scope is amiss, by check.

    `no_data`: registrations that held nothing to judge. `withdrawn`: registrations entered in error. `stay_open`:
    admissions without a discharge for more than `OPEN_DAYS`. `told_late`: care events that were written down more than
    `LATE_DAYS` after they happened. `no_reason`: acknowledgements that say nothing of why.

    Returns
    -------
    pandas.DataFrame
        `check`, what `by` names, `found`, `patients` (of those found), `of` (all that were looked at), `share`.
    """
    made = taken(assessments, ASSESSMENTS)
    made = made.assign(time=made["at"].fillna(made["time"])).drop_duplicates("submission_id", keep="last")
    care = taken(care_events, CARE_EVENTS)
    said = care[care["kind"] == "acknowledged"]
    stays = scope.stays.rename(columns={"admitted": "time"})
    long = scope.until - stays["time"] > pd.Timedelta(days=OPEN_DAYS)
    looked = {
        "no_data": made.assign(found=made["zone"] == Zone.NO_DATA.value),
        "withdrawn": made.assign(found=made["entered_in_error"] > 0),
        "stay_open": stays.assign(found=stays["open"] & long),
        "told_late": care.assign(found=care["recorded"] - care["time"] > pd.Timedelta(days=LATE_DAYS)),
        "no_reason": said.assign(found=said["reason_code"].isna() | (said["reason_code"] == _NOT_SAID)),
    }
    rows = []
    for check in CHECKS:
        one = looked[check][["patient", "time", "found"]]
        here = scope.placed(one.assign(found=one["found"].astype("int64")))
        here = grouped(here.assign(whose=here["patient"].where(here["found"] == 1)), by)
        sums = here.groupby(keys(by), sort=True).agg(
            found=("found", "sum"), patients=("whose", "nunique"), of=("found", "size")
        )
        rows.append(sums.reset_index().assign(check=check))
    told = pd.concat(rows, ignore_index=True)
    part, _, _ = share(told["found"], told["of"])
    return told.assign(share=part)[["check", *by, "found", "patients", "of", "share"]]


def measured(readings: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return of what quality the readings in the scope are, by `frames.MEASURED`: `quality`, `readings`, `patients`."""
    known = taken(readings, MEASURED)
    here = scope.placed(known.loc[known["withdrawn"] == 0, ["patient", "time", "quality"]])
    sums = grouped(here, by).groupby([*keys(by), "quality"], sort=True)
    told = sums.agg(readings=("time", "size"), patients=("patient", "nunique")).reset_index()
    return told[[*by, "quality", "readings", "patients"]]
