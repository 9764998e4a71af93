"""Who was followed when and by whom, as the care events tell it: what triage follows is followed here."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from agents.frames.catalogue import CARE_EVENTS
from agents.frames.typed import instants, typed
from pipeline.triage import RULES
from pipeline.triage.phases import Place, begun, changed
from schemas.services import CANARY
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agents.stores.port import TimeSeriesStore

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: Final = ("enrolled", "phase_changed", "transferred")
_NEEDED: Final = ("event_id", "recorded", "service", "municipality", "pathway", "phase")
_SAID: Final = ("kind", "service", "municipality", "pathway", "phase")
TRAITS: Final = ("phase", "service", "municipality", "pathway")


class _Event(NamedTuple):
    patient: str
    at_ms: int
    kind: str
    service: str
    municipality: str
    pathway: str
    phase: str


class _Standing(NamedTuple):
    """What holds from an instant on."""

    place: Place = Place()
    service: str = ""
    municipality: str = ""
    pathway: str = ""
    enrolment: int = 0

    @property
    def told(self) -> tuple[str, str, str, str, int] | None:
        """What a stretch of time is told by; None where the patient is in no service."""
        if not self.enrolment or self.place.phase in {None, Phase.ENDED}:
            return None
        phase = str(self.place.phase)
        return phase, self.service, self.municipality, self.pathway, self.enrolment


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
            (patient, *stretch)
            for patient, own in groupby(_events(events), key=attrgetter("patient"))
            for stretch in _stretches(own)
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
        for kind in _KINDS
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


def _events(events: pd.DataFrame) -> Iterator[_Event]:
    """Every event, by patient and in the order in which triage follows them."""
    told = events.assign(patient=events["patient"].astype("str"))
    told = told.sort_values(["patient", "time", "recorded", "event_id"], kind="stable")
    columns = [told[name].astype("int64" if name == "time" else "str").tolist() for name in ("patient", "time", *_SAID)]
    yield from map(_Event._make, zip(*columns, strict=True))


def _stretches(events: Iterable[_Event]) -> Iterator[tuple[object, ...]]:
    """One patient's stretches: from, to (None: goes on), and what they are told by."""
    standing, since_ms = _Standing(), 0
    for event in events:
        then = _after(standing, event)
        if then.told != standing.told:
            if standing.told is not None and since_ms < event.at_ms:
                yield since_ms, event.at_ms, *standing.told
            since_ms = event.at_ms
        standing = then
    if standing.told is not None:
        yield since_ms, None, *standing.told


def _after(standing: _Standing, event: _Event) -> _Standing:
    """What holds after an event, as `pipeline.triage.standing` has it."""
    match event.kind:
        case "enrolled":
            place = begun(standing.place, Phase(event.phase), event.at_ms)
            return _Standing(place, event.service, event.municipality, event.pathway, standing.enrolment + 1)
        case "transferred":
            return standing._replace(service=event.service)
        case _:
            return standing._replace(place=changed(standing.place, Phase(event.phase), event.at_ms, UTC, RULES))
