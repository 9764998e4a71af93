"""Stays in hospital: admissions and discharges joined, transfers not counted twice, and their nights."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from pipeline.outcomes.frames import CARE_EVENTS, DAY, INSTANT, instant, taken
from pipeline.outcomes.periods import ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

APART: Final = pd.Timedelta(hours=8)  # from a discharge to an admission that is a new one, no transfer [1]
_Event = tuple[int, str, float]  # when [ms since 1970], admitted or discharged, acute
_MILLISECOND: Final = pd.Timedelta(milliseconds=1)


def stays(care_events: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Return every stay in hospital, by patient and time; no two of a patient overlap.

    An admission opens a stay and the next discharge ends it; a second admission before that is a transfer. So is an
    admission within 8 hours of a discharge [1]: both are one stay, acute if its first admission was. A discharge
    without an admission is left out. Who was not discharged by `until` is still in hospital.

    Returns
    -------
    pandas.DataFrame
        `patient`, `admitted`, `discharged` (at most `until`), `acute`, `open` (not discharged by `until`).

    [1] Readmission in the Norwegian national quality indicator: an acute admission for any cause from 8 hours to 30
    days after discharge. Kristoffersen et al., Folkehelseinstituttet, 30 dagers reinnleggelse etter sykehusopphold.
    """
    end = instant(until)
    known = taken(care_events, CARE_EVENTS)
    known = known[known["kind"].isin(("admitted", "discharged")) & (known["time"] < end)]
    known = known.sort_values(["patient", "time", "recorded", "event_id"], kind="stable")
    columns = (known["patient"], known["time"].astype("int64"), known["kind"], known["acute"])
    told = zip(*(column.tolist() for column in columns), strict=True)
    rows = [
        (patient, *stay)
        for patient, own in groupby(told, key=itemgetter(0))
        for stay in _stays(event[1:] for event in own)
    ]
    found = pd.DataFrame(rows, columns=["patient", "admitted", "discharged", "acute"])
    found = found.assign(
        patient=found["patient"].astype("str"),
        open=found["discharged"].isna(),
        admitted=pd.to_datetime(found["admitted"], unit="ms", utc=True).astype(INSTANT),
        discharged=pd.to_datetime(found["discharged"], unit="ms", utc=True).fillna(end).astype(INSTANT),
        acute=found["acute"].astype("float64") > 0,
    )
    return _joined(found)


def _stays(events: Iterable[_Event]) -> Iterator[tuple[int, int | None, float]]:
    """One patient's stays: from, to (None: still there), acute.

    At one instant whoever is in hospital leaves before entering again, and anybody else enters before leaving.
    """
    entered: tuple[int, float] | None = None
    for at, group in groupby(events, key=itemgetter(0)):
        told = list(group)
        leaves = sum(kind == "discharged" for _, kind, _ in told)
        if entered is not None and leaves:
            yield entered[0], at, entered[1]
            entered, leaves = None, leaves - 1
        acute = [value for _, kind, value in told if kind == "admitted"]
        if acute and entered is None:
            entered = at, acute[0]
            if leaves:
                yield at, at, acute[0]
                entered = None
    if entered is not None:
        yield entered[0], None, entered[1]


def _joined(found: pd.DataFrame) -> pd.DataFrame:
    """Stays between which less than `APART` lies are one."""
    before = found.groupby("patient")["discharged"].shift()
    new = before.isna() | (found["admitted"] - before >= APART)
    grouped = found.assign(stay=new.cumsum()).groupby("stay", sort=True)
    whole = grouped.agg(
        patient=("patient", "first"),
        admitted=("admitted", "first"),
        discharged=("discharged", "last"),
        acute=("acute", "first"),
        open=("open", "last"),
    )
    return whole.reset_index(drop=True)


def nights(stays: pd.DataFrame, zone: str = ZONE) -> pd.DataFrame:
    """Return every night spent in hospital, a row each; a stay has as many as its last date is after its first [1].

    Who is admitted and discharged on one date has none. A night belongs to the date on which it begins.

    Returns
    -------
    pandas.DataFrame
        `patient`, `time` (the last instant of the date on which the night begins), `stay` (row of `stays`).

    [1] Statistics Norway, "Liggedager": date of discharge less date of admission, none on the same day.
    https://www.ssb.no/a/metadata/conceptvariable/vardok/2561/nb
    """
    first = stays["admitted"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    last = stays["discharged"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    count = ((last - first) / DAY).astype("int64").to_numpy()
    stay = np.repeat(np.arange(len(stays)), count)
    place = np.arange(len(stay)) - np.repeat(np.cumsum(count) - count, count)
    midnights = first.iloc[stay].reset_index(drop=True) + pd.to_timedelta(pd.Series(place + 1), unit="D")
    at = midnights.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    return pd.DataFrame(
        {
            "patient": stays["patient"].iloc[stay].reset_index(drop=True),
            "time": (at - _MILLISECOND).astype(INSTANT),
            "stay": stay,
        }
    )


def readmitted(stays: pd.DataFrame, days: int = 30) -> pd.Series:
    """Whether each stay began acutely and within `days` of the discharge before it, whatever the cause [1 of stays]."""
    before = stays.groupby("patient")["discharged"].shift()
    return stays["acute"] & (stays["admitted"] - before <= pd.Timedelta(days=days))
