"""What each message says, as points: pure, the same message always the same points.

A point's identity is measurement, tags and time, and the store merges its fields. So what may be corrected is a
field, and every field is written every time: an absent value has a word or number of its own (`NONE`, `NO_NUMBER`,
`scored` 0), for a field left out would let the value of an earlier revision stand.

Clocks that tell seconds or minutes make two registrations at one instant ordinary. Their points are told apart below
the millisecond, by the id of what is told: the same message gives the same nanosecond, and two that share patient,
tags and millisecond fall on the same one by a chance of one in a million.

An assessment stands where its registration was first said to be, for ever, so a correction that moves it in time
overwrites it; `at` says when it was. What a correction leaves behind is a reading's time: a reading that was moved is
withdrawn at its old time and told at its new one. An answer that a correction left out stands; it carries
`submission_id` and `revision`, of which the highest holds.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from agents.stores.checks import NANOSECONDS
from agents.stores.port import Point
from pipeline.triage.vitals import BY_CODE
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from schemas.assessments import Assessment, JudgedReading, PatientStatus, Reason, ZoneChange
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
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def at_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970, rounded down [ms]."""
    return (instant - _EPOCH) // _MILLISECOND


def apart_ns(told: UUID, further: int = 0) -> int:
    """Where within a millisecond the points of a message stand, by its id and their place in it [ns]."""
    return (told.int + further) % NANOSECONDS


def of_assessment(assessment: Assessment) -> list[Point]:
    """Return one `assessment` point, and one for each `reading`, quarantined and withdrawn too, and each `answer`."""
    return [*_readings(assessment), *_answers(assessment), _assessment(assessment)]


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
        "on_behalf": assessment.on_behalf.value if assessment.on_behalf else NONE,
        "at": float(at_ms(assessment.at)),  # [ms since 1970]
    }
    first_ms = at_ms(assessment.first_at or assessment.at)
    return Point("assessment", {"patient": assessment.patient}, fields, first_ms, apart_ns(assessment.submission_id))


def _answers(assessment: Assessment) -> list[Point]:
    """What was answered as a number or as yes or no; of free text, which may name anybody, only that it was given."""
    first_ms = at_ms(assessment.first_at or assessment.at)
    points = []
    for place, answer in enumerate(assessment.answers):
        text = isinstance(answer.value, str)
        fields: dict[str, float | str] = {
            "value": 0.0 if isinstance(answer.value, str) else float(answer.value),
            "kind": "text" if text else "yes_no" if isinstance(answer.value, bool) else "number",
            "questionnaire_version": float(answer.questionnaire_version),
            "service": assessment.service or NONE,
            "submission_id": str(assessment.submission_id),
            "revision": float(assessment.revision),
        }
        tags = {"patient": assessment.patient, "questionnaire": answer.questionnaire, "question": answer.link_id}
        points.append(Point("answer", tags, fields, first_ms, apart_ns(assessment.submission_id, place)))
    return points


def _readings(assessment: Assessment) -> list[Point]:
    # Withdrawn ones first: a reading that was replaced at the same instant is overwritten by what replaced it. A
    # clock that tells seconds or minutes gives two attempts one time; the later attempt is told a nanosecond later,
    # or it would overwrite the first.
    ordered = sorted(assessment.readings, key=lambda reading: (not reading.withdrawn, reading.attempt))
    before: Counter[tuple[object, ...]] = Counter()
    points = []
    for reading in ordered:
        identity = (reading.vital or reading.code, reading.device, at_ms(reading.measured_at), reading.withdrawn)
        points.append(_reading(assessment, reading, further=before[identity]))
        before[identity] += 1
    return points


def _reading(assessment: Assessment, reading: JudgedReading, *, further: int) -> Point:
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
    return Point("reading", tags, fields, at_ms(reading.measured_at), apart_ns(assessment.submission_id, further))


def of_zone_change(change: ZoneChange) -> list[Point]:
    """Return the `zone_change` point, and for an alert one `alert_reason` for each rule and vital that raised it.

    From and to are tags: they are what the change is, and are never corrected. A correction retracts one change and
    makes another at the same instant; were both one point, the retraction, coming last, would hide a red. A change
    that is told again, or retracted, may have other reasons: of its `alert_reason` points those count that its own
    `alert_reasons` names.
    """
    tags = {"patient": change.patient, "from_zone": change.from_zone.value, "to_zone": change.to_zone.value}
    leading, raised = _leading(change.reasons, change.to_zone), _raised(change)
    fields: dict[str, float | str] = {
        "to_rank": RANK[change.to_zone],
        "retracted": float(change.retracted),
        "service": change.service or NONE,
        "zone_change_id": str(change.zone_change_id),
        "rule": leading.rule if leading else NONE,
        "vital": _vital(leading),
        "alert_reasons": ",".join(f"{rule}:{vital}" for rule, vital in raised) or NONE,
    }
    at, apart = at_ms(change.at), apart_ns(change.zone_change_id)
    named: dict[str, float | str] = {"zone_change_id": str(change.zone_change_id)}
    reasons = [
        Point("alert_reason", {"patient": change.patient, "rule": rule, "vital": vital}, named, at, apart)
        for rule, vital in raised
    ]
    return [Point("zone_change", tags, fields, at, apart), *reasons]


def _raised(change: ZoneChange) -> list[tuple[str, str]]:
    """Each rule and vital that raised an alert, once."""
    if change.to_zone not in _ALERTS:
        return []
    return sorted({(reason.rule, _vital(reason)) for reason in change.reasons if reason.zone in _ALERTS})


def _leading(reasons: Sequence[Reason], zone: Zone) -> Reason | None:
    """The first of the reasons that gave the zone."""
    return next((reason for reason in reasons if reason.zone is zone), reasons[0] if reasons else None)


def _vital(reason: Reason | None) -> str:
    """The vital that a reason is about, as a reading's tag names it."""
    if reason is None or reason.code is None:
        return NONE
    vital = BY_CODE.get(reason.code)
    return reason.code if vital is None else vital.name


def of_status(status: PatientStatus) -> list[Point]:
    """Return the `status` point: where the patient stood when it was told, since when and why, and who has it.

    Later knowledge stands later, so the newest point is what is known now, also where the past was corrected.
    `standing` is the whole row once more as one JSON text: one field of a thousand patients is read far faster than
    twenty. Whoever adds to it names it anew, for Flux cannot ask a text whether it has a key.
    """
    episode, leading = status.episode, _leading(status.reasons, status.zone)
    fields: dict[str, float | str] = {
        "zone": status.zone.value,
        "zone_rank": RANK[status.zone],
        "rule": leading.rule if leading else NONE,
        "detail": leading.detail or NONE if leading else NONE,  # why nobody is monitored, out of a closed set
        "vital": _vital(leading),
        "phase": status.phase.value if status.phase else NONE,
        "pathway": status.pathway or NONE,
        "service": status.service or NONE,
        "municipality": status.municipality or NONE,
        "plan_version": NO_NUMBER if status.plan_version is None else float(status.plan_version),
        "due": _instant(status.due_at),
        "last_submission": _instant(status.last_submission_at),
        "respond_by": _instant(status.respond_by_at),
        "trial_ends": _instant(status.trial_ends_at),
        "open_pages": float(status.open_pages),
        "episode": episode.state.value if episode else NONE,
        "acknowledged": float(episode is not None and episode.acknowledged),
        "opened": _instant(episode.opened_at if episode else None),
        "worsened": _instant(episode.worsened_at if episode else None),
        "since": float(at_ms(status.since_at)),  # [ms since 1970]
        "revision": float(status.revision),
    }
    fields["standing"] = msgspec.json.encode(fields).decode()
    return [Point("status", {"patient": status.patient}, fields, at_ms(status.at or status.since_at))]


def _instant(at: datetime | None) -> float:
    """An instant as a field [ms since 1970]."""
    return NO_NUMBER if at is None else float(at_ms(at))


def of_page(page: PageRequest) -> list[Point]:
    """Return the `page` point, overwritten by each further ask. The zone is a tag, as in a zone change.

    Each step of the ladder, and each word that somebody has it or that it is over, is a page with an id of its own, and
    so a point of its own beside the first.
    """
    fields: dict[str, float | str] = {
        "ask": float(page.ask),
        "priority": page.priority.value,
        "service": page.service,
        "page_id": str(page.page_id),
        "zone_change_id": str(page.zone_change_id),  # where that is retracted, the page was asked for in error
        "action": page.action.value,
        "episode_id": str(page.episode_id) if page.episode_id else NONE,
        "step": float(page.step),
        "to": page.to,
        "by": page.by or NONE,
        "test": float(page.test),  # 1: nobody is ill
    }
    tags = {"patient": page.patient, "zone": page.zone.value}
    return [Point("page", tags, fields, at_ms(page.at), apart_ns(page.page_id))]


def of_receipt(receipt: Receipt) -> list[Point]:
    """Return the `page_receipt` point; `page_id` leads to its page, whose time a receipt does not know."""
    fields: dict[str, float | str] = {
        "page_id": str(receipt.page_id),
        "ask": float(receipt.ask),
        "outcome": receipt.outcome.value,
        "attempts": float(receipt.attempts),
        "reason": receipt.reason.value if receipt.reason else NONE,
    }
    tags = {"patient": receipt.patient}
    return [Point("page_receipt", tags, fields, at_ms(receipt.at), apart_ns(receipt.receipt_id))]
