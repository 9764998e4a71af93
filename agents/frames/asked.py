"""What is asked of the store: a period, whose patients, and whether also what no longer stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from agents.frames.typed import typed
from agents.stores.port import NO_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from agents.frames.catalogue import Frame
    from agents.frames.people import People
    from agents.stores.port import TimeSeriesStore

WINDOW: Final = timedelta(days=28)  # read at once: so much and no more is in memory before it is typed


class Asked(NamedTuple):
    """One question.

    Attributes
    ----------
    start, stop
        The period holds `start` and not `stop`.
    services
        Rows of these alone; empty: of all, and of patients who never were in one.
    everything
        Also what was withdrawn, replaced, taken back or a test, and canaries.
    window
        How much time is read at once.
    """

    store: TimeSeriesStore
    people: People
    start: datetime
    stop: datetime
    services: frozenset[str] = frozenset()
    everything: bool = False
    window: timedelta = WINDOW

    def windows(self) -> Iterator[Asked]:
        """The same question for one part of the period after the other."""
        yield from self.between(self.start, self.stop)

    def between(self, start: datetime, stop: datetime) -> Iterator[Asked]:
        """The same question for parts of another period."""
        while start < stop:
            end = min(start + self.window, stop)
            yield self._replace(start=start, stop=end)
            start = end

    async def points(
        self, frame: Frame, *, tags: Mapping[str, str] = NO_TAGS, fields: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return the whole of this period: typed, with what is made of other points missing.

        Of the points with `tags`, and of `fields` where some are named, the others missing.
        """
        asked = fields or frame.fields
        rows = await self.store.scan(frame.measurement, start=self.start, stop=self.stop, tags=tags, fields=asked)
        return typed(rows, frame.columns)

    def theirs(self, rows: pd.DataFrame, at: str = "time", column: str | None = "service") -> pd.DataFrame:
        """Return the rows of the patients asked for, with the service that was responsible at `at` in `column`.

        A row from a time when nobody was responsible, as an admission before the enrolment or the last change of zone,
        is among those of the service that came to be or had been.
        """
        if not self.everything:
            rows = rows[~rows["patient"].isin(self.people.canaries)]
        services = self.people.services(rows["patient"], rows[at])
        if column is not None:
            rows = rows.assign(**{column: services["responsible"].astype("category")})
        return rows[services["belongs"].isin(self.services)] if self.services else rows
