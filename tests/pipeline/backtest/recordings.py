"""Small recordings, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from pipeline.backtest.days import PatientDay
from pipeline.triage.instants import DAY_ZERO
from schemas.submissions import Reading, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = UUID("6f0f2a0c-2f0c-4a55-9d0b-58a1f1f9f6d1")
UNITS = {"8480-6": "mm[Hg]", "8462-4": "mm[Hg]", "8867-4": "/min"}
SYSTOLIC, DIASTOLIC, PULSE = UNITS
FIRST = START.toordinal() - DAY_ZERO


def at(day: int, hour: float = 8) -> datetime:
    """So long after the start."""
    return START + timedelta(days=day, hours=hour)


def days(*numbers: int, patient: str = "sim-0001") -> frozenset[PatientDay]:
    """Patient-days, counted from the start."""
    return frozenset(PatientDay(patient, FIRST + number) for number in numbers)


def session(day: int, values: Iterable[tuple[str, float]], *, hour: float = 8, patient: str = "sim-0001") -> Submission:
    """One registration of values, each with its code."""
    readings = tuple(
        Reading(code=code, value=value, unit=UNITS[code], measured_at=at(day, hour)) for code, value in values
    )
    return Submission(
        submission_id=uuid5(NAMES, f"{patient} {day} {hour}"),
        patient=patient,
        received_at=at(day, hour),
        readings=readings,
    )
