"""Who was followed when, by which service, in which municipality, pathway and phase."""

from __future__ import annotations

from itertools import groupby, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import pandas as pd

from pipeline.outcomes.courses import KINDS, Event, Standing, stretches
from pipeline.outcomes.frames import CARE_EVENTS, INSTANT, instant, looked_up, taken
from pipeline.triage.phases import UNMONITORED
from schemas.services import CANARY

if TYPE_CHECKING:
    from datetime import datetime

TRAITS: Final = ("service", "municipality", "pathway", "phase")
_NANOSECONDS: Final = 1_000_000  # of a millisecond
_COLUMNS: Final = ("patient", "start", "stop", *TRAITS)


def followed(care_events: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Return every stretch of time in which a patient was followed and nothing of who followed them changed.

    A patient is followed from the first instant of a monitored phase (start-up, follow-up, evaluation) to the end of
    the last; referral is not follow-up. Which changes of phase are followed, `pipeline/triage/phases.py` says. A death
    reaches the service as the phase `ended`, as any other end does. Canaries are nobody.

    Parameters
    ----------
    care_events
        `frames.CARE_EVENTS`, from the beginning.
    until
        What is known reaches to here.

    Returns
    -------
    pandas.DataFrame
        `patient`, `start`, `stop`, `service`, `municipality`, `pathway`, `phase`; by patient and time, none empty.
    """
    end = instant(until)
    known = taken(care_events, CARE_EVENTS)
    known = known[known["kind"].isin(KINDS) & (known["time"] < end)]
    known = known[~known["patient"].isin(set(known.loc[known["pathway"] == CANARY, "patient"]))]
    known = known.sort_values(["patient", "time", "recorded", "event_id"], kind="stable")
    known = known.assign(at_ms=known["time"].astype("int64"))
    events = zip(*(known[name].tolist() for name in Event._fields), strict=True)
    end_ms = int(end.value) // _NANOSECONDS
    rows = [
        (patient, since_ms, end_ms if to_ms is None else to_ms, *told)
        for patient, own in groupby(starmap(Event, events), key=attrgetter("patient"))
        for since_ms, to_ms, told in stretches(own, _traits)
    ]
    found = pd.DataFrame(rows, columns=list(_COLUMNS))
    instants = {name: pd.to_datetime(found[name], unit="ms", utc=True).astype(INSTANT) for name in ("start", "stop")}
    texts = {name: found[name].astype("str") for name in ("patient", *TRAITS)}
    return found.assign(**instants, **texts)


def enrolments(followed: pd.DataFrame) -> pd.DataFrame:
    """Return each patient's first follow-up without a break: `patient`, `enrolled`, `left`, and the traits at first.

    A later enrolment of the same patient is no first one, and its time is not this one's.
    """
    first = followed.drop_duplicates("patient")
    before = followed.groupby("patient")["stop"].shift()
    breaks = (before.notna() & (before != followed["start"])).groupby(followed["patient"]).cumsum()
    left = followed[breaks == 0].groupby("patient")["stop"].max()
    told = first.rename(columns={"start": "enrolled"}).assign(left=looked_up(first["patient"], left))
    return told[["patient", "enrolled", "left", *TRAITS]].reset_index(drop=True)


def _traits(standing: Standing) -> tuple[str, ...] | None:
    """What a stretch of time is told by; None where nobody follows the patient."""
    phase = standing.place.phase
    if not standing.enrolment or phase is None or phase in UNMONITORED:
        return None
    return standing.service, standing.municipality, standing.pathway, phase.value
