"""A deterioration is found by a yellow or red within its time, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pipeline.cohort import Deterioration, Patient, by_chance, matched
from pipeline.cohort.groups import GROUPS
from schemas.assessments import ZoneChange
from schemas.types import Zone

ONSET = datetime(2026, 3, 1, 8, tzinfo=UTC)
PEAK = ONSET + timedelta(days=4)
ONE = Deterioration("sim-0001", "copd", "COPD exacerbation", ONSET, PEAK, slow=False, severity=1.0, vitals=("spo2",))


def change(
    days: float, zone: Zone = Zone.RED, *, patient: str = "sim-0001", number: int = 1, retracted: bool = False
) -> ZoneChange:
    return ZoneChange(
        zone_change_id=UUID(int=number),
        patient=patient,
        at=ONSET + timedelta(days=days),
        from_zone=Zone.GREEN,
        to_zone=zone,
        retracted=retracted,
    )


@pytest.mark.parametrize(
    ("days", "zone", "lead"),
    [
        (0, Zone.YELLOW, 4.0),
        (3, Zone.RED, 1.0),
        (4, Zone.RED, 0.0),
        (6, Zone.RED, -2.0),
        (-0.01, Zone.RED, None),
        (6.01, Zone.RED, None),
        (3, Zone.GREEN, None),
        (3, Zone.NO_DATA, None),
        (3, Zone.NOT_MONITORED, None),
    ],
)
def test_found_from_the_onset_to_two_days_after_the_worst(days: float, zone: Zone, lead: float | None) -> None:
    (result,) = matched([ONE], [change(days, zone)])
    assert (result.found, result.lead_days) == (lead is not None, lead)


def test_the_first_alert_counts() -> None:
    (result,) = matched([ONE], [change(3, number=1), change(1, number=2)])
    assert result.lead_days == 3.0


def test_another_patients_alert_finds_nothing() -> None:
    (result,) = matched([ONE], [change(3, patient="sim-0002")])
    assert not result.found


def test_what_was_retracted_finds_nothing() -> None:
    (result,) = matched([ONE], [change(3), change(3, retracted=True)])
    assert not result.found


def test_what_was_retracted_and_told_again_finds() -> None:
    (result,) = matched([ONE], [change(3), change(3, retracted=True), change(3)])
    assert result.found


def test_what_was_missed_is_told() -> None:
    (result,) = matched([ONE], [])
    assert (result.deterioration, result.found, result.lead_days) == (ONE, False, None)


def patient(number: int, *, worse: Deterioration | None = None, ends: float | None = None, group: int = 0) -> Patient:
    return Patient(
        name=f"sim-{number:04}",
        group=GROUPS[group],
        means=(),
        service="simulated-hospital",
        enrolled_at=ONSET - timedelta(days=20),
        ends_at=None if ends is None else ONSET + timedelta(days=ends),
        deterioration=worse,
    )


def test_what_is_found_by_chance_is_how_often_patients_who_are_well_alert_in_the_same_time() -> None:
    people = [patient(1, worse=ONE), patient(2), patient(3), patient(4), patient(5, ends=3), patient(6, group=1)]
    changes = [
        change(6, patient="sim-0002", number=2),
        change(-1, patient="sim-0003", number=3),
        change(2, Zone.GREEN, patient="sim-0004", number=4),
        change(2, patient="sim-0005", number=5),  # not followed all through it
        change(2, patient="sim-0006", number=6),  # of another pathway
        change(2, number=7),  # of the patient's own
    ]
    assert by_chance([ONE, ONE], people, changes) == pytest.approx(2 / 3)
    assert by_chance([ONE], people[:1], changes) == 0
