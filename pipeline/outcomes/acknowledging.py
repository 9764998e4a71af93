"""How long alarms stood before somebody took them over."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.alarms import alarms
from pipeline.outcomes.frames import CARE_EVENTS, INSTANT, taken
from pipeline.outcomes.intervals import share
from pipeline.outcomes.time_at_risk import grouped, keys
from pipeline.outcomes.warning import alert_stretches
from schemas.services import Ladder
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.outcomes.time_at_risk import Scope

_USUAL: Final = Ladder()
WITHIN: Final[Mapping[str, int]] = MappingProxyType(
    {Zone.RED.value: _USUAL.red[-1].after_minutes, Zone.YELLOW.value: _USUAL.yellow_minutes}
)  # in which an alarm of a zone is to be taken over where its service says nothing else [min]
_MARKS: Final = ("acknowledged", "in_time", "passed", "open")
_MINUTE_S: Final = 60
_LONGEST: Final = 0.9  # nine of ten were taken over sooner


def waits(
    zone_changes: pd.DataFrame,
    care_events: pd.DataFrame,
    scope: Scope,
    within: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return every alarm in the scope and how it was taken over.

    Whoever takes a patient over takes over all that is open, so the patient's first acknowledgement at or after an
    alarm answers it, if it comes before the patient has left yellow and red: an alarm that is over before is `passed`,
    one that is neither is `open`. Time counts from when it was so at the bedside: what was sent late has waited longer
    here than staff knew of it.

    Parameters
    ----------
    within
        Minutes by service and zone; others have `WITHIN`.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time`, traits, `period`, `zone`, `minutes` (until it was taken over [min]; NaN: it was not), and
        0 or 1 as `acknowledged`, `in_time`, `passed`, `open`.
    """
    told = scope.placed(alarms(zone_changes)[["patient", "time", "to_zone"]]).rename(columns={"to_zone": "zone"})
    care = taken(care_events, CARE_EVENTS)
    said = care.loc[care["kind"] == "acknowledged", ["patient", "time"]].rename(columns={"time": "said"})
    said = said[said["said"] < scope.until].sort_values("said", kind="stable")
    told = told.assign(row=np.arange(len(told)), time=told["time"].astype(INSTANT)).sort_values("time", kind="stable")
    found = pd.merge_asof(told, said, left_on="time", right_on="said", by="patient", direction="forward")
    spans = alert_stretches(zone_changes, scope).sort_values("start", kind="stable")[["patient", "start", "stop"]]
    found = pd.merge_asof(found, spans, left_on="time", right_on="start", by="patient").sort_values("row")
    over = found["stop"].where(found["stop"] < scope.until)
    found["said"] = found["said"].mask(found["said"] > over)
    minutes = (found["said"] - found["time"]).dt.total_seconds() / _MINUTE_S
    most = [
        within.get((service, zone), WITHIN[zone]) for service, zone in zip(found["service"], found["zone"], strict=True)
    ]
    marks = {
        "acknowledged": found["said"].notna(),
        "in_time": minutes <= pd.Series(most, index=found.index, dtype="float64"),
        "passed": found["said"].isna() & over.notna(),
        "open": found["said"].isna() & over.isna(),
    }
    shown = found.drop(columns=["row", "said", "start", "stop"]).assign(minutes=minutes)
    return shown.assign(**{name: mark.astype("int64") for name, mark in marks.items()}).reset_index(drop=True)


def taken_over(told: pd.DataFrame, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return how many of the alarms of `waits` were taken over, in time, and after how long, by zone.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `zone`, `alarms`, `patients`, `acknowledged`, `in_time`, `passed`, `open`, `share` (in time, of
        all), `low`, `high` (95 %, by score), `median`, `longest` (nine of ten of those taken over, sooner) [min].
    """
    sums = grouped(told, by).groupby([*keys(by), "zone"], sort=True)
    rows = sums.agg(
        alarms=("time", "size"),
        patients=("patient", "nunique"),
        **{name: (name, "sum") for name in _MARKS},
        median=("minutes", "median"),
        longest=("minutes", lambda waited: waited.quantile(_LONGEST)),
    ).reset_index()
    part, low, high = share(rows["in_time"], rows["alarms"])
    columns = [*by, "zone", "alarms", "patients", *_MARKS, "share", "low", "high", "median", "longest"]
    return rows.assign(share=part, low=low, high=high)[columns]
