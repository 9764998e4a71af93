"""Zone changes, statuses, pages and receipts: what was decided and told, without what was taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agents.frames.catalogue import PAGES, RECEIPTS, STATUSES, ZONE_CHANGES
from pipeline.triage import RULES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pandas as pd

    from agents.frames.asked import Asked

# A page is asked for at the time of its change of zone, or as long after it as the ladder may climb.
_CLIMBS: Final = timedelta(days=RULES.history_days)


async def zone_changes(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.ZONE_CHANGES`, part by part."""
    for part in asked.windows():
        rows = asked.theirs(await part.points(ZONE_CHANGES))
        yield rows if asked.everything else rows[~rows["retracted"]]


async def statuses(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.STATUSES`, part by part. A correction is told as a later row, so none is left out."""
    for part in asked.windows():
        yield asked.theirs(await part.points(STATUSES), column=None)


async def pages(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.PAGES`, part by part."""
    retracted = await _retracted(asked)
    for part in asked.windows():
        rows = asked.theirs(await part.points(PAGES))
        rows = rows.assign(retracted=rows["zone_change_id"].isin(retracted).astype("boolean"))
        yield rows if asked.everything else rows[~rows["retracted"] & ~rows["test"]]


async def receipts(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.RECEIPTS`, part by part."""
    for part in asked.windows():
        yield asked.theirs(await part.points(RECEIPTS))


async def _retracted(asked: Asked) -> set[str]:
    """The changes of zone that were taken back, of all that a page of the period may be about."""
    found: set[str] = set()
    for part in asked.between(asked.start - _CLIMBS, asked.stop):
        rows = await part.store.scan(
            ZONE_CHANGES.measurement, start=part.start, stop=part.stop, fields=("zone_change_id", "retracted")
        )
        found.update(rows.loc[rows["retracted"].astype("float64") > 0, "zone_change_id"])
    return found
