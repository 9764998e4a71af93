"""Which equipment is with patients, and whether it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from pipeline.outcomes.frames import CARE_EVENTS, INSTANT, READINGS, days, instant, looked_up, taken
from pipeline.outcomes.intervals import share

if TYPE_CHECKING:
    from datetime import datetime

QUIET_DAYS: Final = 30  # out for so long and without a reading since: not used, our choice [d]


def loans(care_events: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Return who had which device from when to when.

    A device is out from when it was handed out to when it came back, or was handed out to somebody else.

    Returns
    -------
    pandas.DataFrame
        `device`, `equipment` (its kind), `patient`, `start`, `stop` (at most `until`), `out` (still so then).
    """
    end = instant(until)
    known = taken(care_events, CARE_EVENTS)
    known = known[known["kind"].isin(("equipment_handed_out", "equipment_returned")) & (known["time"] < end)]
    known = known.sort_values(["device", "time", "recorded", "event_id"], kind="stable")
    then = known.groupby("device")["time"].shift(-1)
    told = known.assign(stop=then.fillna(end).astype(INSTANT), out=then.isna()).rename(columns={"time": "start"})
    told = told[told["kind"] == "equipment_handed_out"]
    return told[["device", "equipment", "patient", "start", "stop", "out"]].reset_index(drop=True)


def equipment_use(  # noqa: PLR0913 - what is known, of which period, and of whom
    care_events: pd.DataFrame,
    readings: pd.DataFrame,
    start: datetime,
    stop: datetime,
    *,
    quiet_days: int = QUIET_DAYS,
    services: pd.Series | None = None,
) -> pd.DataFrame:
    """Return of each kind of equipment how many devices were handed out and came back, and how many are used.

    In use is what is out at `stop` and has told a reading of its patient in the `quiet_days` before it. What is out
    for a shorter time is not asked. Readings without a device count for none.

    Parameters
    ----------
    services
        The service of each patient, by pseudonym: devices are told by service too, those of others not. None: of all.

    Returns
    -------
    pandas.DataFrame
        `service` where `services` are given, `equipment`, `handed_out`, `returned` (from `start` to `stop`), `out` (at
        `stop`), `device_days` (out, from `start` to `stop` [d]), `asked`, `used`, `share`, `low`, `high` (used of
        asked; 95 %, by score).
    """
    first, last = instant(start), instant(stop)
    known = loans(care_events, stop)
    told = taken(readings, READINGS)
    told = told[(told["withdrawn"] == 0) & (told["time"] < last) & told["device"].notna()]
    newest = told.groupby(["patient", "device"])["time"].max().rename("newest").reset_index()
    known = known.merge(newest, on=["patient", "device"], how="left")
    quiet = last - pd.Timedelta(days=quiet_days)
    asked = known["out"] & (known["start"] <= quiet)
    begun = known["start"].where(known["start"] >= first, first)
    rows = known.assign(
        handed_out=known["start"] >= first,
        returned=~known["out"] & (known["stop"] >= first),
        device_days=days(known["stop"] - begun).clip(lower=0.0),
        asked=asked,
        used=asked & (known["newest"] >= quiet),
    )
    figures = ["handed_out", "returned", "out", "device_days", "asked", "used"]
    group = ["equipment"]
    if services is not None:
        group = ["service", "equipment"]
        rows = rows.assign(service=looked_up(rows["patient"], services))
    sums = rows.groupby(group, sort=True)[figures].sum().reset_index()
    part, low, high = share(sums["used"], sums["asked"])
    return sums.assign(share=part, low=low, high=high)[[*group, *figures, "share", "low", "high"]]
