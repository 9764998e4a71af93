"""Who was responsible for whom: patients and days that each service held, and hand-overs between services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.outcomes.time_at_risk import grouped, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope


def held(scope: Scope, *, by: Sequence[str] = ("service", "period")) -> pd.DataFrame:
    """Return whom each service was responsible for: what `by` names, `patients`, `days` (followed [d])."""
    sums = grouped(scope.time, by).groupby(keys(by), sort=True)
    told = sums.agg(patients=("patient", "nunique"), days=("days_followed", "sum")).reset_index()
    return told[[*by, "patients", "days"]]


def handovers(scope: Scope) -> pd.DataFrame:
    """Return every hand-over in the scope: `patient`, `time`, `before` (who had the patient), traits, `period`.

    A patient is handed over where another service is responsible from the very instant on at which the last one ceased
    to be. An enrolment anew after an end is none.
    """
    known = scope.followed
    last = known.groupby("patient")[["stop", "service"]].shift()
    handed = (last["stop"] == known["start"]) & (last["service"] != known["service"])
    told = known.loc[handed, ["patient", "start"]].rename(columns={"start": "time"})
    return scope.placed(told.assign(before=last.loc[handed, "service"]))


def handed_over(scope: Scope, *, by: Sequence[str] = ("before", "service")) -> pd.DataFrame:
    """Return how many hand-overs there were: what `by` names, `handovers`, `patients`.

    Parameters
    ----------
    by
        Any of `before` (who handed over), `service` (who took over), the other traits and `period`.
    """
    sums = grouped(handovers(scope), by).groupby(keys(by), sort=True)
    told = sums.agg(handovers=("time", "size"), patients=("patient", "nunique")).reset_index()
    return told[[*by, "handovers", "patients"]]
