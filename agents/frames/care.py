"""Care events, and what follows from them over time: enrolments, responsibilities, phases and the limits of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.frames.catalogue import CARE_EVENTS, ENROLMENTS, PHASES, PLAN_LIMITS, RESPONSIBILITIES, SAID
from agents.frames.people import BEGINNING, TRAITS, once, stretches_of
from agents.frames.typed import INSTANT, typed, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.frames.asked import Asked
    from agents.frames.catalogue import Frame

_LIMITS: Final = tuple(column.name for column in PLAN_LIMITS.columns if column.known_from == 0)


async def care_events(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.CARE_EVENTS`, at once: what was written down twice may stand far apart."""
    parts = [
        await part.points(CARE_EVENTS, tags={"kind": kind}, fields=said)
        for part in asked.windows()
        for kind, said in SAID.items()
    ]
    events = whole(parts, CARE_EVENTS.columns)
    yield asked.theirs(events if asked.everything else once(events), column="responsible")


async def enrolments(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.ENROLMENTS`, at once: of a service, every enrolment in which it was ever responsible."""
    told = stretches_of(asked.people, ("enrolment",))
    if asked.services:
        served = asked.people.stretches.loc[asked.people.stretches["service"].isin(asked.services)]
        of = pd.MultiIndex.from_frame(served[["patient", "enrolment"]])
        told = told[pd.MultiIndex.from_frame(told[["patient", "enrolment"]]).isin(of)]
    yield _overlapping(told, asked, ENROLMENTS)


async def responsibilities(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.RESPONSIBILITIES`, at once."""
    told = stretches_of(asked.people, ("service", "enrolment"))
    handed = (told["patient"] == told["patient"].shift()) & (told["stop"].shift() == told["start"])
    handed &= told["enrolment"] == told["enrolment"].shift()
    told = told.assign(before=told["service"].shift().where(handed))
    told = told[told["service"].isin(asked.services)] if asked.services else told
    yield _overlapping(told, asked, RESPONSIBILITIES)


async def phases(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.PHASES`, at once."""
    told = stretches_of(asked.people, TRAITS)
    told = told[told["service"].isin(asked.services)] if asked.services else told
    yield _overlapping(told, asked, PHASES)


async def plan_limits(asked: Asked) -> AsyncIterator[pd.DataFrame]:
    """Yield `catalogue.PLAN_LIMITS`, at once.

    In force is, of the plans that are valid by then, the one of the highest version; one that is valid later and has a
    lower version never is. A plan that limits nothing ends the one before it.
    """
    rows = await asked.store.scan(PLAN_LIMITS.measurement, start=BEGINNING, stop=asked.stop, fields=PLAN_LIMITS.fields)
    told = typed(rows.rename(columns={"time": "start"}), PLAN_LIMITS.columns)
    told = told.sort_values(["patient", "vital", "start", "plan_version", "recorded"], kind="stable")
    by = [told["patient"].astype("str"), told["vital"].astype("str")]
    told = told[told["plan_version"] >= told.groupby(by)["plan_version"].cummax()]
    told = told[~told.duplicated(["patient", "vital", "start"], keep="last")]
    following = told.groupby([told["patient"].astype("str"), told["vital"].astype("str")])["start"].shift(-1)
    told = told.assign(stop=following.astype(INSTANT))[told[list(_LIMITS)].notna().any(axis="columns")]
    yield _overlapping(_while_served(told, asked) if asked.services else told, asked, PLAN_LIMITS)


def _while_served(told: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Those of which any part lies in the time of a service that was asked for."""
    known = asked.people.stretches
    spans = known.loc[known["service"].isin(asked.services), ["patient", "start", "stop"]]
    own = told[["start", "stop"]].assign(patient=told["patient"].astype("str"), row=told.index)
    both = own.merge(spans, on="patient", suffixes=("", "_served"))
    begins = both["stop"].isna() | (both["start_served"] < both["stop"])
    meets = begins & (both["stop_served"].isna() | (both["start"] < both["stop_served"]))
    return told[told.index.isin(both.loc[meets, "row"])]


def _overlapping(told: pd.DataFrame, asked: Asked, frame: Frame) -> pd.DataFrame:
    rows = told[(told["start"] < asked.stop) & (told["stop"].isna() | (told["stop"] > asked.start))]
    if not asked.everything:
        rows = rows[~rows["patient"].isin(asked.people.canaries)]
    return typed(rows, frame.columns)
