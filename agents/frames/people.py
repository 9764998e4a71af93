"""Who was followed when and by whom, as the care events tell it: what triage follows is followed here."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.frames.catalogue import CARE_EVENTS
from agents.frames.typed import instants, typed
from pipeline.outcomes.courses import KINDS, Event, Standing, stretches
from schemas.services import CANARY
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.stores.port import TimeSeriesStore

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEEDED: Final = ("event_id", "recorded", "service", "municipality", "pathway", "phase")
_SAID: Final = ("kind", "service", "municipality", "pathway", "phase")
TRAITS: Final = ("phase", "service", "municipality", "pathway")


class People:
    """Everybody who was ever enrolled.

    Attributes
    ----------
    canaries
        Patients who are nobody: they try the alarm path.
    stretches
        `patient`, `start`, `stop` (missing: goes on), `phase`, `service`, `municipality`, `pathway`, `enrolment` (its
        number among the patient's); by patient and time. None is empty, and none overlaps another of the patient.
    """

    def __init__(self, events: pd.DataFrame) -> None:
        canaries = events.loc[events["pathway"] == CANARY, "patient"].astype("str")
        self.canaries: frozenset[str] = frozenset(canaries)
        rows = [
            (patient, since_ms, to_ms, *told)
            for patient, own in groupby(_events(events), key=attrgetter("patient"))
            for since_ms, to_ms, told in stretches(own, _told)
        ]
        found = pd.DataFrame(rows, columns=["patient", "start", "stop", *TRAITS, "enrolment"])
        texts = {name: found[name].astype("str") for name in ("patient", *TRAITS)}
        self.stretches = found.assign(**texts, start=instants(found["start"]), stop=instants(found["stop"]))
        self._by_time = self.stretches.sort_values("start", kind="stable")

    def services(self, patients: pd.Series, times: pd.Series) -> pd.DataFrame:
        """Return whose a patient was at a time, row by row.

        Returns
        -------
        pandas.DataFrame
            `responsible`: the service that was so at that time, missing where none was. `belongs`: the same, and where
            none was the last one that had been, else the first that came to be; missing for who was never enrolled.
        """
        asked = pd.DataFrame({"patient": patients.astype("str"), "time": times}).reset_index(drop=True)
        asked = asked.assign(row=asked.index).sort_values("time", kind="stable")
        spans = self._by_time[["patient", "start", "stop", "service"]]
        found = pd.merge_asof(asked, spans, left_on="time", right_on="start", by="patient").sort_values("row")
        found = found.reset_index(drop=True)
        within = found["stop"].isna() | (found["time"] < found["stop"])
        first = self.stretches.drop_duplicates("patient").set_index("patient")["service"]
        before = found["patient"].map(first).astype("str")
        told = {"responsible": found["service"].where(within), "belongs": found["service"].fillna(before)}
        return pd.DataFrame(told).set_index(patients.index)


async def everybody(store: TimeSeriesStore) -> People:
    """Read who was followed from the beginning on; raises ReadError where the store does not answer."""
    parts = [
        await store.scan("care_event", start=BEGINNING, stop=_END, tags={"kind": kind}, fields=_NEEDED)
        for kind in KINDS
    ]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    columns = [column for column in CARE_EVENTS.columns if column.name in {"time", "patient", "kind", *_NEEDED}]
    return People(once(typed(rows, columns)))


def once(events: pd.DataFrame) -> pd.DataFrame:
    """Return `events` without those that were written down again: of one id the first that was holds, as in triage."""
    ordered = events.sort_values(["recorded", "time"], kind="stable")
    kept = ordered.drop_duplicates("event_id")
    return kept.sort_values(["time", "recorded", "event_id"], kind="stable", ignore_index=True)


def stretches_of(people: People, names: Sequence[str]) -> pd.DataFrame:
    """Return the stretches joined where nothing of `names` changed: the first of each, with the last's `stop`."""
    told = people.stretches
    before = told.groupby("patient")["stop"].shift()
    new = before.isna() | (before != told["start"])
    for name in names:
        new |= told[name] != told[name].shift()
    number = new.cumsum()
    joined = told[new].set_index(number[new])
    return joined.assign(stop=told.groupby(number)["stop"].last(skipna=False)).reset_index(drop=True)


_END: Final = datetime(2262, 1, 1, tzinfo=UTC)


def _events(events: pd.DataFrame) -> Iterator[Event]:
    """Every event, by patient and in the order in which triage follows them."""
    told = events.assign(patient=events["patient"].astype("str"))
    told = told.sort_values(["patient", "time", "recorded", "event_id"], kind="stable")
    columns = [told[name].astype("int64" if name == "time" else "str").tolist() for name in ("patient", "time", *_SAID)]
    yield from map(Event._make, zip(*columns, strict=True))


def _told(standing: Standing) -> tuple[str, str, str, str, int] | None:
    """What a stretch of time is told by; None where the patient is in no service."""
    phase = standing.place.phase
    if not standing.enrolment or phase is None or phase is Phase.ENDED:
        return None
    return str(phase), standing.service, standing.municipality, standing.pathway, standing.enrolment
