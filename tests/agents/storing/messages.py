"""Messages to store, each as small as it may be; `also` changes what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schemas.assessments import (
    Assessment,
    BaselineStatus,
    Deviation,
    JudgedReading,
    PatientStatus,
    Quality,
    Reason,
    ZoneChange,
)
from schemas.paging import Outcome, PageRequest, Priority, Receipt
from schemas.types import Zone

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
AT_MS = 1_772_352_000_000
ONE = UUID("00000000-0000-4000-8000-000000000001")
TWO = UUID("00000000-0000-4000-8000-000000000002")
DEVIATION = Deviation(center=70.0, spread=3.0, days=20, age_days=1, status=BaselineStatus.ESTABLISHED, score=2.5)


def reading(**also: Any) -> JudgedReading:  # noqa: ANN401 - any of its fields
    said: dict[str, Any] = {
        "code": "8867-4",
        "vital": "heart_rate",
        "value": 72.0,
        "unit": "/min",
        "measured_at": AT,
        "quality": Quality.VALID,
    }
    return JudgedReading(**said | also)


def assessment(*readings: JudgedReading, **also: Any) -> Assessment:  # noqa: ANN401 - as above
    said: dict[str, Any] = {
        "assessment_id": ONE,
        "submission_id": TWO,
        "patient": "p-1",
        "revision": 3,
        "at": AT,
        "received_at": AT,
        "zone": Zone.GREEN,
        "reasons": (),
        "readings": readings,
        "service": "centre-a",
        "plan_version": 2,
        "rules_version": "2026.1",
    }
    return Assessment(**said | also)


def reason(rule: str = "limit") -> Reason:
    return Reason(rule=rule, zone=Zone.RED)


def zone_change(**also: Any) -> ZoneChange:  # noqa: ANN401 - as above
    said: dict[str, Any] = {
        "zone_change_id": ONE,
        "patient": "p-1",
        "at": AT,
        "from_zone": Zone.GREEN,
        "to_zone": Zone.RED,
    }
    return ZoneChange(**said | also)


def status(**also: Any) -> PatientStatus:  # noqa: ANN401 - as above
    said: dict[str, Any] = {"patient": "p-1", "revision": 3, "zone": Zone.NO_DATA, "since_at": AT, "reasons": ()}
    return PatientStatus(**said | also)


def page(**also: Any) -> PageRequest:  # noqa: ANN401 - as above
    said: dict[str, Any] = {
        "page_id": ONE,
        "patient": "p-1",
        "service": "centre-a",
        "zone": Zone.RED,
        "priority": Priority.HIGH,
        "at": AT,
        "zone_change_id": TWO,
        "assessment_id": None,
        "ask": 1,
    }
    return PageRequest(**said | also)


def receipt(**also: Any) -> Receipt:  # noqa: ANN401 - as above
    said: dict[str, Any] = {
        "receipt_id": TWO,
        "page_id": ONE,
        "patient": "p-1",
        "ask": 1,
        "outcome": Outcome.DELIVERED,
        "at": AT,
        "attempts": 2,
    }
    return Receipt(**said | also)
