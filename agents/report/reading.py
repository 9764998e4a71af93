"""What a report asks of the store, and no more: few fields, each measurement once, no canary.

A year of everybody is many times what the council's tables rest on, so nothing is read that no table asks for: of
readings the last 30 days, of answers the questionnaires that the council follows.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from agents.frames import catalogue
from agents.frames.people import BEGINNING, once
from agents.frames.registrations import MOVED
from agents.stores.port import NO_TAGS
from pipeline.outcomes import frames
from pipeline.outcomes.council.tables import Held
from pipeline.outcomes.equipment import QUIET_DAYS
from schemas.services import CANARY

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from datetime import datetime

    from agents.stores.port import TimeSeriesStore
    from pipeline.outcomes.frames import Shape

ANSWERED_BEFORE: Final = timedelta(days=120)  # a change of score begins so long before the later one
CANARIES: Final = {"patient": f"{CANARY}-"}  # how their pseudonyms begin
SAID: Final = {  # by each kind of care event, of what the tables take
    kind: tuple(name for name in said if name in frames.CARE_EVENTS.columns) for kind, said in catalogue.SAID.items()
}
AT_ONCE: Final = 2  # questions to the store
_WINDOW: Final = timedelta(days=28)
_TAGS: Final = {
    "care_event": ("patient", "kind", "device"),
    "zone_change": ("patient", "from_zone", "to_zone"),
    "reading": ("patient", "vital", "device"),
    "answer": ("patient", "questionnaire", "question"),
}


async def held(store: TimeSeriesStore, start: datetime, stop: datetime, questionnaires: Iterable[str]) -> Held:
    """Read what the tables of `start` to `stop` rest on; raises ReadError where the store does not answer.

    Two questions are asked at a time, so that the store works on one while the answer to the other is read.
    """
    names, rows = tuple(questionnaires), _Rows(store)
    reads = (
        rows.care_events(stop),
        rows.all(frames.ZONE_CHANGES, BEGINNING, stop),
        rows.windows(frames.ASSESSMENTS, start - MOVED, stop + MOVED),
        rows.windows(frames.STATUSES, start, stop),
        rows.windows(frames.PAGES, start, stop),
        rows.windows(frames.RECEIPTS, start, stop + _WINDOW),
        rows.windows(_READINGS, stop - timedelta(days=QUIET_DAYS), stop),
        *(rows.windows(frames.ANSWERS, start - ANSWERED_BEFORE, stop, {"questionnaire": name}) for name in names),
    )
    care, zones, assessments, statuses, pages, receipts, readings, *answers = await _each(reads)
    return Held(
        care_events=once(care),
        zone_changes=zones,
        assessments=assessments,
        statuses=statuses,
        pages=pages,
        receipts=receipts,
        readings=readings,
        answers=dict(zip(names, answers, strict=True)),
    )


_READINGS: Final = frames.READINGS._replace(texts=(*frames.READINGS.texts, "quality"))


class _Rows:
    """The store's rows without canaries, asked for at most `AT_ONCE` times at once."""

    def __init__(self, store: TimeSeriesStore) -> None:
        self._store = store
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def care_events(self, stop: datetime) -> pd.DataFrame:
        """Every care event from before `stop`, kind by kind."""
        return _joined(
            [await self.all(frames.CARE_EVENTS, BEGINNING, stop, {"kind": kind}, said) for kind, said in SAID.items()]
        )

    async def windows(
        self, shape: Shape, start: datetime, stop: datetime, tags: Mapping[str, str] = NO_TAGS
    ) -> pd.DataFrame:
        """The rows of a period, four weeks at a time, so that no answer of the store is long."""
        parts = []
        while start < stop:
            end = min(start + _WINDOW, stop)
            parts.append(await self.all(shape, start, end, tags))
            start = end
        return _joined(parts)

    async def all(
        self,
        shape: Shape,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] = NO_TAGS,
        fields: tuple[str, ...] = (),
    ) -> pd.DataFrame:
        """All rows of a period at once."""
        known = _TAGS.get(shape.name, ("patient",))
        asked = fields or tuple(name for name in shape.columns if name not in ("time", *known))
        async with self._gate:
            rows = await self._store.scan(shape.name, start=start, stop=stop, tags=tags, fields=asked, apart=CANARIES)
        return rows.assign(**{name: rows[name].astype("category") for name in known if name in rows})


async def _each(reads: Iterable[Coroutine[Any, Any, pd.DataFrame]]) -> list[pd.DataFrame]:
    """What each of them reads, in their order; where one fails none goes on, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read) for read in reads]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The parts below one another; names of a tag are categories in each, and texts in the whole."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
