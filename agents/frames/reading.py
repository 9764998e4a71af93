"""Frames out of a store, one for each kind: what an analyst calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.frames import alerts, care, registrations
from agents.frames.asked import WINDOW, Asked
from agents.frames.catalogue import FRAMES
from agents.frames.people import everybody
from agents.frames.typed import ordered, typed, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping
    from datetime import datetime, timedelta

    import pandas as pd

    from agents.stores.port import TimeSeriesStore

_TOLD: Final[Mapping[str, Callable[[Asked], AsyncIterator[pd.DataFrame]]]] = {
    "enrolments": care.enrolments,
    "responsibilities": care.responsibilities,
    "phases": care.phases,
    "care_events": care.care_events,
    "assessments": registrations.assessments,
    "readings": registrations.readings,
    "answers": registrations.answers,
    "zone_changes": alerts.zone_changes,
    "statuses": alerts.statuses,
    "pages": alerts.pages,
    "receipts": alerts.receipts,
    "plan_limits": care.plan_limits,
}


class Frames:
    """What a store holds of a period, as typed frames: the same from every store.

    Every method takes `start` and `stop` (the period holds the first and not the second), `services` (rows of these
    alone; none named: of all) and `everything` (also what was withdrawn, replaced, taken back or a test, and canaries:
    the columns say which). Columns, kinds and units are in `agents/frames/catalogue.py`. Raises ReadError where the
    store does not answer, and ValueError for a period that is none.

    Parameters
    ----------
    window
        How much time is read at once: rows of so long stand in memory before they are typed.
    """

    def __init__(self, store: TimeSeriesStore, *, window: timedelta = WINDOW) -> None:
        self._store = store
        self._window = window

    async def services(self) -> frozenset[str]:
        """Return every service that ever was responsible for anybody."""
        return frozenset((await everybody(self._store)).stretches["service"])

    async def parts(
        self,
        name: str,
        start: datetime,
        stop: datetime,
        *,
        services: Collection[str] = (),
        everything: bool = False,
    ) -> AsyncIterator[pd.DataFrame]:
        """Yield the frame called `name` in parts, none empty and each in order: for what is too long to hold."""
        if start.tzinfo is None or stop.tzinfo is None:
            raise ValueError("start and stop need a time zone")
        if start >= stop:
            raise ValueError("start must lie before stop")
        people = await everybody(self._store)
        frame = FRAMES[name]
        asked = Asked(self._store, people, start, stop, frozenset(services), everything, self._window)
        async for part in _TOLD[name](asked):
            if len(part):
                yield ordered(typed(part, frame.columns), frame.order)

    async def whole(
        self,
        name: str,
        start: datetime,
        stop: datetime,
        *,
        services: Collection[str] = (),
        everything: bool = False,
    ) -> pd.DataFrame:
        """Return the frame called `name`, in order."""
        frame = FRAMES[name]
        parts = self.parts(name, start, stop, services=services, everything=everything)
        found = whole([part async for part in parts], frame.columns)
        return found if found[frame.order[0]].is_monotonic_increasing else ordered(found, frame.order)

    async def enrolments(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.ENROLMENTS`."""
        return await self.whole("enrolments", start, stop, services=services, everything=everything)

    async def responsibilities(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.RESPONSIBILITIES`."""
        return await self.whole("responsibilities", start, stop, services=services, everything=everything)

    async def phases(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.PHASES`."""
        return await self.whole("phases", start, stop, services=services, everything=everything)

    async def care_events(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.CARE_EVENTS`."""
        return await self.whole("care_events", start, stop, services=services, everything=everything)

    async def assessments(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.ASSESSMENTS`."""
        return await self.whole("assessments", start, stop, services=services, everything=everything)

    async def readings(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.READINGS`."""
        return await self.whole("readings", start, stop, services=services, everything=everything)

    async def answers(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.ANSWERS`."""
        return await self.whole("answers", start, stop, services=services, everything=everything)

    async def zone_changes(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.ZONE_CHANGES`."""
        return await self.whole("zone_changes", start, stop, services=services, everything=everything)

    async def statuses(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.STATUSES`."""
        return await self.whole("statuses", start, stop, services=services, everything=everything)

    async def pages(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.PAGES`."""
        return await self.whole("pages", start, stop, services=services, everything=everything)

    async def receipts(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.RECEIPTS`."""
        return await self.whole("receipts", start, stop, services=services, everything=everything)

    async def plan_limits(
        self, start: datetime, stop: datetime, *, services: Collection[str] = (), everything: bool = False
    ) -> pd.DataFrame:
        """Return `catalogue.PLAN_LIMITS`."""
        return await self.whole("plan_limits", start, stop, services=services, everything=everything)
