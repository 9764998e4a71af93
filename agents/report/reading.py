"""What a report asks of the store, and no more: few fields, each measurement once, no canary.

A year of everybody is many times what the council's tables rest on, so nothing is read that no table asks for: of
readings the last 30 days, of answers the questionnaires that the council follows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.frames import catalogue
from agents.frames.people import BEGINNING, once
from agents.frames.registrations import MOVED
from pipeline.outcomes import frames
from pipeline.outcomes.council.tables import Held
from pipeline.outcomes.equipment import QUIET_DAYS
from schemas.services import CANARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from agents.stores.port import TimeSeriesStore
    from pipeline.outcomes.frames import Shape

ANSWERED_BEFORE: Final = timedelta(days=120)  # a change of score begins so long before the later one
CANARIES: Final = {"patient": f"{CANARY}-"}  # how their pseudonyms begin
SAID: Final = {  # by each kind of care event, of what the tables take
    kind: tuple(name for name in said if name in frames.CARE_EVENTS.columns) for kind, said in catalogue.SAID.items()
}
_WINDOW: Final = timedelta(days=28)
_TAGS: Final = {
    "care_event": ("patient", "kind", "device"),
    "zone_change": ("patient", "from_zone", "to_zone"),
    "reading": ("patient", "vital", "device"),
    "answer": ("patient", "questionnaire", "question"),
}
_NOTHING: Final[Mapping[str, str]] = {}


async def held(store: TimeSeriesStore, start: datetime, stop: datetime, questionnaires: Iterable[str]) -> Held:
    """Read what the tables of `start` to `stop` rest on; raises ReadError where the store does not answer."""
    care = [await _all(store, frames.CARE_EVENTS, BEGINNING, stop, {"kind": kind}, said) for kind, said in SAID.items()]
    zones = await _all(store, frames.ZONE_CHANGES, BEGINNING, stop)
    return Held(
        care_events=once(_joined(care)),
        zone_changes=zones,
        assessments=await _windows(store, frames.ASSESSMENTS, start - MOVED, stop + MOVED),
        statuses=await _windows(store, frames.STATUSES, start, stop),
        pages=await _windows(store, frames.PAGES, start, stop),
        receipts=await _windows(store, frames.RECEIPTS, start, stop + _WINDOW),
        readings=await _windows(store, _READINGS, stop - timedelta(days=QUIET_DAYS), stop),
        answers={
            name: await _windows(store, frames.ANSWERS, start - ANSWERED_BEFORE, stop, tags={"questionnaire": name})
            for name in questionnaires
        },
    )


_READINGS: Final = frames.READINGS._replace(texts=(*frames.READINGS.texts, "quality"))


async def _windows(
    store: TimeSeriesStore, shape: Shape, start: datetime, stop: datetime, tags: Mapping[str, str] = _NOTHING
) -> pd.DataFrame:
    """The rows of a period, four weeks at a time, so that no answer of the store is long."""
    parts = []
    while start < stop:
        end = min(start + _WINDOW, stop)
        parts.append(await _all(store, shape, start, end, tags))
        start = end
    return _joined(parts)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The parts below one another; names of a tag are categories in each, and texts in the whole."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


async def _all(  # noqa: PLR0913, PLR0917 - which rows, and what of them
    store: TimeSeriesStore,
    shape: Shape,
    start: datetime,
    stop: datetime,
    tags: Mapping[str, str] = _NOTHING,
    fields: tuple[str, ...] = (),
) -> pd.DataFrame:
    known = _TAGS.get(shape.name, ("patient",))
    asked = fields or tuple(name for name in shape.columns if name not in ("time", *known))
    rows = await store.scan(shape.name, start=start, stop=stop, tags=tags, fields=asked, apart=CANARIES)
    return rows.assign(**{name: rows[name].astype("category") for name in known if name in rows})
