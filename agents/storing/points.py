"""What each message says, as points: pure, the same message always the same points.

A point's identity is measurement, tags and time, and the store merges its fields. So what may be corrected is a
field, and every field is written every time: an absent value has a word or number of its own (`NONE`, `NO_NUMBER`,
`scored` 0), for a field left out would let the value of an earlier revision stand.

Known limits, each because a store knows nothing but identity:

- two registrations of one patient in the same millisecond share their `assessment` point, and two readings of one
  vital sign by one device in the same millisecond, from different registrations, share theirs. Nearly always that
  is one measurement sent twice;
- a correction that moves a registration in time leaves its old points standing at the old time. They carry
  `submission_id` and `revision`: of several times with one `submission_id`, the highest `revision` holds.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from agents.stores.port import Point
from schemas.types import Zone

if TYPE_CHECKING:
    from schemas.assessments import Assessment, JudgedReading, PatientStatus, ZoneChange
    from schemas.paging import PageRequest, Receipt

NONE: Final = "none"  # a text that is not given: no device, no issue, no service
NO_NUMBER: Final = -1.0  # a number that is not given, where no true value is below 0
RANK: Final = {
    Zone.NOT_MONITORED: -1.0,
    Zone.GREEN: 0.0,
    Zone.NO_DATA: 1.0,
    Zone.YELLOW: 2.0,
    Zone.RED: 3.0,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def at_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970, rounded down [ms]."""
    return (instant - _EPOCH) // _MILLISECOND


def of_assessment(assessment: Assessment) -> list[Point]:
    """Return one `assessment` point and a `reading` point for each reading, the quarantined and withdrawn too."""
    return [*_readings(assessment), _assessment(assessment)]


def _assessment(assessment: Assessment) -> Point:
    fields: dict[str, float | str] = {
        "zone": assessment.zone.value,
        "zone_rank": RANK[assessment.zone],
        "reasons": float(len(assessment.reasons)),
        "first_rule": assessment.reasons[0].rule if assessment.reasons else NONE,
        "revision": float(assessment.revision),
        "plan_version": NO_NUMBER if assessment.plan_version is None else float(assessment.plan_version),
        "rules_version": assessment.rules_version,
        "submission_id": str(assessment.submission_id),
        "service": assessment.service or NONE,
        "entered_in_error": float(assessment.entered_in_error),
    }
    return Point("assessment", {"patient": assessment.patient}, fields, at_ms(assessment.at))


def _readings(assessment: Assessment) -> list[Point]:
    # Withdrawn ones first: a reading that was replaced at the same instant is overwritten by what replaced it. A
    # clock that tells seconds or minutes gives two attempts one time; the later attempt is told a millisecond later,
    # or it would overwrite the first.
    ordered = sorted(assessment.readings, key=lambda reading: (not reading.withdrawn, reading.attempt))
    before: Counter[tuple[object, ...]] = Counter()
    points = []
    for reading in ordered:
        identity = (reading.vital or reading.code, reading.device, at_ms(reading.measured_at), reading.withdrawn)
        points.append(_reading(assessment, reading, later_ms=before[identity]))
        before[identity] += 1
    return points


def _reading(assessment: Assessment, reading: JudgedReading, *, later_ms: int) -> Point:
    deviation = reading.deviation
    fields: dict[str, float | str] = {
        "value": reading.value,
        "unit": reading.unit,
        "quality": reading.quality.value,
        "issue": reading.issue.value if reading.issue else NONE,
        "sent_value": reading.value if reading.sent_value is None else reading.sent_value,
        "sent_unit": reading.unit if reading.sent_unit is None else reading.sent_unit,
        "attempt": float(reading.attempt),
        "entry_mode": reading.entry_mode.value,
        "oxygen_l_min": NO_NUMBER if reading.oxygen_l_min is None else reading.oxygen_l_min,  # 0 is room air
        "withdrawn": float(reading.withdrawn),
        "baseline_status": reading.baseline_status.value if reading.baseline_status else NONE,
        "scored": float(deviation is not None),  # 0: the next three say nothing
        "score": deviation.score if deviation else 0.0,
        "center": deviation.center if deviation else 0.0,
        "spread": deviation.spread if deviation else 0.0,
        "service": assessment.service or NONE,
        "submission_id": str(assessment.submission_id),
        "revision": float(assessment.revision),
    }
    tags = {
        "patient": assessment.patient,
        "vital": reading.vital or reading.code,
        "device": reading.device or NONE,
    }
    return Point("reading", tags, fields, at_ms(reading.measured_at) + later_ms)


def of_zone_change(change: ZoneChange) -> list[Point]:
    """Return the `zone_change` point. From and to are tags: they are what the change is, and are never corrected.

    A correction retracts one change and makes another at the same instant; were both one point, the retraction,
    coming last, would hide a red.
    """
    tags = {"patient": change.patient, "from_zone": change.from_zone.value, "to_zone": change.to_zone.value}
    fields: dict[str, float | str] = {
        "to_rank": RANK[change.to_zone],
        "retracted": float(change.retracted),
        "service": change.service or NONE,
        "zone_change_id": str(change.zone_change_id),
    }
    return [Point("zone_change", tags, fields, at_ms(change.at))]


def of_status(status: PatientStatus) -> list[Point]:
    """Return the `status` point: where the patient has stood since `since_at`."""
    fields: dict[str, float | str] = {
        "zone": status.zone.value,
        "zone_rank": RANK[status.zone],
        "phase": status.phase.value if status.phase else NONE,
        "pathway": status.pathway or NONE,
        "service": status.service or NONE,
        "municipality": status.municipality or NONE,
        "due": NO_NUMBER if status.due_at is None else float(at_ms(status.due_at)),  # [ms since 1970]
        "open_pages": float(status.open_pages),
        "revision": float(status.revision),
    }
    return [Point("status", {"patient": status.patient}, fields, at_ms(status.since_at))]


def of_page(page: PageRequest) -> list[Point]:
    """Return the `page` point, overwritten by each further ask. The zone is a tag, as in a zone change."""
    fields: dict[str, float | str] = {
        "ask": float(page.ask),
        "priority": page.priority.value,
        "service": page.service,
        "page_id": str(page.page_id),
    }
    return [Point("page", {"patient": page.patient, "zone": page.zone.value}, fields, at_ms(page.at))]


def of_receipt(receipt: Receipt) -> list[Point]:
    """Return the `page_receipt` point; `page_id` leads to its page, whose time a receipt does not know."""
    fields: dict[str, float | str] = {
        "page_id": str(receipt.page_id),
        "ask": float(receipt.ask),
        "outcome": receipt.outcome.value,
        "attempts": float(receipt.attempts),
        "reason": receipt.reason.value if receipt.reason else NONE,
    }
    return [Point("page_receipt", {"patient": receipt.patient}, fields, at_ms(receipt.at))]
