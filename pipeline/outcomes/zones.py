"""How long patients were in each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.outcomes.frames import DAY_MS, ZONE_CHANGES, instant, ms, taken
from pipeline.outcomes.time_at_risk import grouped, keys, ms_within
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from pipeline.outcomes.time_at_risk import Scope

ALERTS: Final = (Zone.YELLOW.value, Zone.RED.value)
_ORDER: Final = tuple(zone.value for zone in (Zone.GREEN, Zone.YELLOW, Zone.RED, Zone.NO_DATA, Zone.NOT_MONITORED))


def standing_changes(zone_changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes that stand, by patient and time: those taken back are left out.

    Where a patient changed more than once in a millisecond, only where the chain of those changes ends is kept.
    """
    known = taken(zone_changes, ZONE_CHANGES)
    known = known[known["retracted"] == 0].sort_values(["patient", "time", "zone_change_id"], kind="stable")
    told = known[["patient", "time", "from_zone"]].rename(columns={"from_zone": "to_zone"}).drop_duplicates()
    at_once = known.duplicated(["patient", "time"], keep=False)
    through = known.merge(told.assign(through=True), on=["patient", "time", "to_zone"], how="left")["through"].notna()
    return known[~(at_once & through.to_numpy())].drop_duplicates(["patient", "time"], keep="last", ignore_index=True)


def zone_stretches(zone_changes: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Return from when to when each patient was in which zone: `patient`, `start`, `stop`, `zone`, none overlapping."""
    end = instant(until)
    known = standing_changes(zone_changes)
    known = known[known["time"] < end]
    stop = known.groupby("patient")["time"].shift(-1).fillna(end)
    told = known.rename(columns={"time": "start", "to_zone": "zone"}).assign(stop=stop)
    return told[["patient", "start", "stop", "zone"]].reset_index(drop=True)


def time_in_zone(zone_changes: pd.DataFrame, scope: Scope, *, by: Sequence[str] = ("period",)) -> pd.DataFrame:
    """Return how many of the days followed patients were in each zone, and the share.

    A zone holds from its change to the next one that stands, at the time of the bedside and not at that of knowledge;
    before a patient's first change nobody's limits held: `not_monitored`. All five zones have a row.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `zone`, `days` [d], `share` (of the days followed), `patients` (who were in it).
    """
    stretches = zone_stretches(zone_changes, scope.until)
    pieces = scope.time[["patient", "start", "stop", *by]].copy()
    for zone in _ORDER[:-1]:
        pieces[zone] = ms_within(stretches[stretches["zone"] == zone], pieces)
    whole_ms = ms(pieces["stop"]) - ms(pieces["start"])
    pieces[_ORDER[-1]] = whole_ms - pieces[list(_ORDER[:-1])].sum(axis="columns")
    long = grouped(pieces, by).melt(
        id_vars=["patient", *keys(by)], value_vars=list(_ORDER), var_name="zone", value_name="ms"
    )
    long = long.assign(patient=long["patient"].where(long["ms"] > 0), days=long["ms"] / DAY_MS)
    told = long.groupby([*keys(by), "zone"], sort=True).agg(days=("days", "sum"), patients=("patient", "nunique"))
    told = told.reset_index()
    whole = told.groupby(keys(by))["days"].transform("sum")
    told = told.assign(share=told["days"] / whole, place=told["zone"].map(_ORDER.index))
    return told.sort_values([*keys(by), "place"], ignore_index=True)[[*by, "zone", "days", "share", "patients"]]
