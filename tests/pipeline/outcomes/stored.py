"""Frames as a store gives them: simulated patients, folded, and what is stored of it as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from agents.storing.care_points import of_care_event
from agents.storing.points import of_assessment, of_page, of_receipt, of_status, of_zone_change
from pipeline.cohort import simulate
from pipeline.cohort.events import named
from pipeline.triage import step
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import CareEvent
from schemas.paging import Outcome, PageRequest, Receipt, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.stores.port import Point

START = datetime(2026, 1, 5, tzinfo=UTC)
TICKS = timedelta(hours=6)
_TOLD = {Assessment: of_assessment, ZoneChange: of_zone_change, PatientStatus: of_status, PageRequest: of_page}


def frames(points: Iterable[Point]) -> dict[str, pd.DataFrame]:
    """Points as frames by measurement; of two of one identity the later holds, as in a store."""
    held: dict[Any, Point] = {}
    for point in points:
        held[(point.measurement, tuple(sorted(point.tags.items())), point.at_ns)] = point
    rows: dict[str, list[dict[str, Any]]] = {}
    for point in held.values():
        time = pd.Timestamp(point.at_ms, unit="ms", tz="UTC")
        rows.setdefault(point.measurement, []).append({"time": time, **point.tags, **point.fields})
    return {name: pd.DataFrame(told).sort_values("time", ignore_index=True) for name, told in rows.items()}


@lru_cache(maxsize=1)
def cohort(patients: int = 16, days: int = 60, seed: int = 5) -> dict[str, pd.DataFrame]:
    """A simulated cohort's frames."""
    told = simulate(seed, START, days, patients)
    return frames(folded([(event.at, event.message) for event in told.events], days))


def folded(told: Iterable[tuple[datetime, Any]], days: int) -> list[Point]:
    """What is stored of messages, each with when it came, once the fold has seen those of each patient in order."""
    until = START + timedelta(days=days)
    ticks = [
        (START + TICKS * number, Tick(at=START + TICKS * number)) for number in range(int((until - START) / TICKS))
    ]
    by_patient: dict[str, list[tuple[datetime, Any]]] = {}
    for at, message in told:
        if at < until:
            by_patient.setdefault(message.patient, []).append((at, message))
    points: list[Point] = []
    for _, mine in sorted(by_patient.items()):
        state: Any = None
        for _, message in sorted([*mine, *ticks], key=lambda each: each[0]):
            if isinstance(message, Tick) and state is None:
                continue
            state, outputs = step(state, message)
            if isinstance(message, CareEvent):
                points += of_care_event(message)
            for output in outputs:
                told_as = _TOLD.get(type(output))
                if told_as is not None:
                    points += told_as(output)
                if isinstance(output, PageRequest):
                    points += of_receipt(_delivered(output))
    return points


def _delivered(page: PageRequest) -> Receipt:
    """What became of the page, without the fold's hearing of it, so that it goes on asking."""
    return Receipt(
        receipt_id=named(f"{page.page_id}-{page.ask}"),
        page_id=page.page_id,
        patient=page.patient,
        ask=page.ask,
        outcome=Outcome.DELIVERED,
        at=page.at,
        attempts=1,
    )
