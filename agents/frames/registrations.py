"""Assessments, readings and answers: what patients sent, without what a correction took away.

A point stands where its registration was first said to be, and every revision writes anew what it holds. So a row
stands where it is not marked as withdrawn and carries the latest revision of its registration: what an earlier one held
and the latest does not is left in the store with the earlier number.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.frames.catalogue import ANSWERS, ASSESSMENTS, READINGS
from agents.frames.typed import instants
from pipeline.triage import RULES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.frames.asked import Asked

# A correction moves a registration within the history that triage keeps; past it, it is a dead letter (`too_late`).
MOVED: Final = timedelta(days=RULES.history_days + 2)


async def assessments(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.ASSESSMENTS`, part by part."""
    async for part in _windows(asked):
        rows = await part.points(ASSESSMENTS)
        rows = asked.theirs(_between(rows, asked), at="at")
        yield rows if asked.everything else rows[~rows["entered_in_error"]]


async def answers(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.ANSWERS`, part by part."""
    async for part in _windows(asked):
        rows = await part.points(ANSWERS)
        latest = (await _latest(part)).reindex(rows["submission_id"]).set_index(rows.index)
        stands = (latest["entered_in_error"] == 0) & (latest["revision"] == rows["revision"].astype("float64"))
        rows = rows.assign(
            at=instants(latest["at"]).fillna(rows["time"]),
            superseded=(~stands).astype("boolean"),
            value=rows["value"].where(rows["kind"] != "text"),  # of a text only that it was given is stored
        )
        rows = asked.theirs(_between(rows, asked), at="at")
        yield rows if asked.everything else rows[~rows["superseded"]]


async def readings(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.READINGS`, part by part."""
    revisions = await _revisions(asked)
    for part in asked.windows():
        rows = await part.points(READINGS)
        latest = rows["submission_id"].map(revisions).fillna(rows.groupby("submission_id")["revision"].transform("max"))
        withdrawn = rows["withdrawn"] | (rows["revision"] < latest)
        scored = rows["score"].where(rows["spread"] > 0)
        rows = rows.assign(
            withdrawn=withdrawn.astype("boolean"),
            score=scored,
            center=rows["center"].where(scored.notna()),
            spread=rows["spread"].where(scored.notna()),
        )
        rows = asked.theirs(rows)
        yield rows if asked.everything else rows[~rows["withdrawn"]]


async def _windows(asked: Asked) -> AsyncIterator[Asked]:
    """Yield the parts of the period, and of the time about it those into which a correction moved a registration."""
    for part in asked.between(asked.start - MOVED, asked.start):
        if await _moved_in(part, asked):
            yield part
    for part in asked.windows():
        yield part
    for part in asked.between(asked.stop, asked.stop + MOVED):
        if await _moved_in(part, asked):
            yield part


async def _moved_in(part: Asked, asked: Asked) -> bool:
    rows = await part.store.scan(ASSESSMENTS.measurement, start=part.start, stop=part.stop, fields=("at",))
    return len(_between(rows.assign(at=instants(rows["at"])), asked)) > 0


async def _revisions(asked: Asked) -> pd.Series:
    """The latest revision of each registration that may have readings in the period."""
    parts = [(await _latest(part))["revision"] for part in asked.between(asked.start - MOVED, asked.stop + MOVED)]
    latest: pd.Series = pd.concat(parts).groupby(level=0).max()
    return latest


async def _latest(part: Asked) -> pd.DataFrame:
    """By the id of each registration of the period: its latest revision, when it was, whether it was withdrawn."""
    rows = await part.store.scan(ASSESSMENTS.measurement, start=part.start, stop=part.stop, fields=_LATEST)
    told = rows.astype({"submission_id": "str", **dict.fromkeys(_NUMBERS, "float64")})
    told = told.sort_values("revision", kind="stable").drop_duplicates("submission_id", keep="last")
    return told.set_index("submission_id")[list(_NUMBERS)]


def _between(rows: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    return rows[(rows["at"] >= asked.start) & (rows["at"] < asked.stop)]


_NUMBERS: Final = ("revision", "at", "entered_in_error")
_LATEST: Final = ("submission_id", *_NUMBERS)
