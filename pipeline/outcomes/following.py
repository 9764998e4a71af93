"""Who was followed when, by which service, in which municipality, pathway and phase."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from pipeline.outcomes.frames import CARE_EVENTS, INSTANT, instant, looked_up, taken
from pipeline.triage import RULES
from pipeline.triage.phases import UNMONITORED, Place, begun, changed
from schemas.services import CANARY
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

TRAITS: Final = ("service", "municipality", "pathway", "phase")
_NANOSECONDS: Final = 1_000_000  # of a millisecond
_KINDS: Final = ("enrolled", "phase_changed", "transferred")
_COLUMNS: Final = ("patient", "start", "stop", *TRAITS)


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
    service: str | None = None
    municipality: str | None = None
    pathway: str | None = None

    @property
    def traits(self) -> tuple[str | None, ...] | None:
        """What a stretch of time is told by; None where nobody follows the patient."""
        if self.pathway is None or self.place.phase is None or self.place.phase in UNMONITORED:
            return None
        return self.service, self.municipality, self.pathway, self.place.phase.value


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
    known = known[known["kind"].isin(_KINDS) & (known["time"] < end)]
    known = known[~known["patient"].isin(set(known.loc[known["pathway"] == CANARY, "patient"]))]
    known = known.sort_values(["patient", "time", "recorded", "event_id"], kind="stable")
    known = known.assign(at_ms=known["time"].astype("int64"))
    events = zip(*(known[name].tolist() for name in _Event._fields), strict=True)
    end_ms = int(end.value) // _NANOSECONDS
    rows = [
        (patient, *stretch)
        for patient, own in groupby(starmap(_Event, events), key=attrgetter("patient"))
        for stretch in _stretches(own, end_ms)
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


def _stretches(events: Iterable[_Event], end_ms: int) -> Iterator[tuple[int | str | None, ...]]:
    """Stretches of one patient: from, to, and the traits, joined where a change changed none of them."""
    standing = _Standing()
    since_ms = 0
    for event in events:
        then = _after(standing, event)
        if then.traits != standing.traits:
            if standing.traits is not None and since_ms < event.at_ms:
                yield since_ms, event.at_ms, *standing.traits
            since_ms = event.at_ms
        standing = then
    if standing.traits is not None and since_ms < end_ms:
        yield since_ms, end_ms, *standing.traits


def _after(standing: _Standing, event: _Event) -> _Standing:
    """What holds after an event, as `pipeline.triage.standing` has it."""
    match event.kind:
        case "enrolled":
            place = begun(standing.place, Phase(event.phase), event.at_ms)
            return _Standing(place, event.service, event.municipality, event.pathway)
        case "transferred":
            return standing._replace(service=event.service)
        case _:
            return standing._replace(place=changed(standing.place, Phase(event.phase), event.at_ms, UTC, RULES))
