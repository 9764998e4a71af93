"""Older measurements, out of the store, beside what the broker still has; a store that is down takes nothing away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from agents.board.judged import KEPT_DAYS, dots
from agents.stores.port import ReadError
from dashboards.board.views import Dot, Series
from pipeline.triage.vitals import VITALS
from schemas.assessments import Quality
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from agents.board.judged import Judged
    from agents.stores.port import TimeSeriesStore

ANSWER_S: Final = 5.0  # a page waits no longer for the store [s]
_FIELDS: Final = ("value", "unit", "quality", "withdrawn", "scored", "center", "spread", "submission_id")
_log = structlog.get_logger()


class History(NamedTuple):
    """A patient's values over a period.

    Attributes
    ----------
    missing
        Why older ones are not there: "store_down" or "no_store"; empty: they are.
    """

    series: list[Series]
    missing: str = ""


async def history(
    store: TimeSeriesStore | None, patient: str, judged: Sequence[Judged], begins: datetime, ends: datetime
) -> History:
    """Return a patient's values from `begins` on; what the broker gave stands in any case."""
    recent = dots([one for one in judged if one.at >= begins])
    oldest = ends - timedelta(days=KEPT_DAYS)
    if begins >= oldest:
        return History(_series(recent))
    if store is None:
        return History(_series(recent), "no_store")
    try:
        async with asyncio.timeout(ANSWER_S):
            readings = await store.read("reading", start=begins, stop=ends, tags={"patient": patient}, fields=_FIELDS)
            zones = await store.read(
                "assessment", start=begins, stop=ends, tags={"patient": patient}, fields=("zone", "submission_id")
            )
    except (ReadError, TimeoutError) as error:
        _log.warning("history_not_read", error=type(error).__name__)
        return History(_series(recent), "store_down")
    older = _stored(readings, zones)
    for vital, (unit, values) in older.items():
        known = recent.setdefault(vital, (unit, []))[1]
        first = min((dot.at for dot in known), default=ends + timedelta(days=1))
        known[:0] = [dot for dot in values if dot.at < first]
    return History(_series(recent))


def _stored(readings: pd.DataFrame, zones: pd.DataFrame) -> dict[str, tuple[str, list[Dot]]]:
    """What the store has, without what was withdrawn."""
    zone_of = {} if zones.empty else dict(zip(zones["submission_id"], zones["zone"], strict=True))
    units = {vital.name: vital.unit for vital in VITALS}
    found: dict[str, tuple[str, list[Dot]]] = {}
    for row in () if readings.empty else readings.to_dict("records"):
        if row["vital"] not in units or row["withdrawn"]:
            continue
        scored = bool(row["scored"])
        dot = Dot(
            row["time"].to_pydatetime(),
            float(row["value"]),
            Zone(zone_of.get(row["submission_id"], Zone.GREEN)),
            float(row["center"]) if scored else None,
            float(row["spread"]) if scored else None,
            row["quality"] != Quality.QUARANTINED.value,
        )
        found.setdefault(row["vital"], (units[row["vital"]], []))[1].append(dot)
    return found


def _series(found: dict[str, tuple[str, list[Dot]]]) -> list[Series]:
    order = {vital.name: place for place, vital in enumerate(VITALS)}
    return [
        Series(vital=vital, unit=unit, dots=tuple(values))
        for vital, (unit, values) in sorted(found.items(), key=lambda one: order[one[0]])
    ]
