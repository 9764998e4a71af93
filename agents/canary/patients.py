"""The patients who are nobody: their pseudonyms, their plan, and what they send.

A red every few minutes for ever is more than one patient's history is made for: a state keeps whatever may still be
paged, which is 72 hours, and 200 care events. So a service has many canaries that take turns, and each rests for hours.
They lie on the partitions in turn, so that every worker of triage is proved and not just the one that has the canary.
"""

from __future__ import annotations

import hashlib
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from agents.partitioner import partition_for
from schemas.care import Acknowledged, Cadence, Enrolled, Limit, Plan, PlanSigned
from schemas.types import Phase

if TYPE_CHECKING:
    from datetime import datetime

PATHWAY: Final = "canary"  # reserved: its pages go to the duty `canary` alone
STAFF: Final = "canary"
PREFIX: Final = "canary-"
REST_S: Final = 4 * 3600.0  # our choice: a state stays under 16 KiB, see tests/agents/canary/test_patients.py [s]
RED_PULSE: Final = 150.0  # [/min]
GREEN_PULSE: Final = 70.0
_PULSE: Final = "8867-4"
_LIMIT: Final = Limit(code=_PULSE, unit="/min", red_high=120)
# Due once in 92 days and a week, so that a canary is never overdue while there is one, nor for long after.
_CADENCE: Final = Cadence(daily_days=0, every_days=92, grace_minutes=10_080, alert_days=0)
_LONGEST_SERVICE: Final = 40  # what is left of a pseudonym's 64 signs for a service's name
_DIGITS: Final = 10  # more in a row could be a national identity number
_IDS: Final = UUID("0b0a8f7e-6f0d-5b51-8f0e-4a4e7a1f6c3d")  # namespace of the canaries' own ids


def how_many(every_s: float) -> int:
    """How many canaries a service has, one of them at work each `every_s` seconds."""
    return ceil(REST_S / every_s)


def whose_turn(now: datetime, every_s: float) -> int:
    """The number of the canary whose turn it is, the same after a restart."""
    return int(now.timestamp() // every_s) % how_many(every_s)


def pseudonym(service: str, number: int, partitions: int) -> str:
    """The pseudonym of a service's canary; its messages lie on the partition `number` modulo `partitions`."""
    begin = f"{PREFIX}{_short(service)}-{number}"
    tried = 0
    while True:
        found = begin + _letters(tried)
        if partition_for(found.encode(), partitions) == number % partitions:
            return found
        tried += 1


def enrolment(patient: str, service: str, now: datetime) -> tuple[Enrolled, PlanSigned]:
    """What makes a canary a patient. The ids are derived, so that a repeat changes nothing."""
    return (
        Enrolled(
            event_id=uuid5(_IDS, f"{patient}/enrolled"),
            patient=patient,
            at=now,
            recorded_at=now,
            recorded_by=STAFF,
            pathway=PATHWAY,
            service=service,
            municipality=PATHWAY,
            phase=Phase.FOLLOW_UP,
            time_zone="UTC",
        ),
        PlanSigned(
            event_id=uuid5(_IDS, f"{patient}/plan"),
            patient=patient,
            at=now,
            recorded_at=now,
            recorded_by=STAFF,
            signed_by=STAFF,
            plan=Plan(version=1, valid_from_at=now, limits=(_LIMIT,), cadence=_CADENCE),
        ),
    )


def session(patient: str, pulse: float, now: datetime) -> dict[str, Any]:
    """What a canary's app posts to the gateway."""
    return {
        "submission_id": str(uuid5(_IDS, f"{patient}/session/{now.isoformat()}")),
        "patient": patient,
        "readings": [{"code": _PULSE, "value": pulse, "unit": "/min", "measured_at": now.isoformat()}],
    }


def acknowledgement(patient: str, zone_change_id: UUID, now: datetime) -> Acknowledged:
    """The canary's own nurse takes the zone change over; again changes nothing."""
    return Acknowledged(
        event_id=uuid5(_IDS, f"{patient}/acknowledged/{zone_change_id}"),
        patient=patient,
        at=now,
        recorded_at=now,
        recorded_by=STAFF,
        zone_change_id=zone_change_id,
        by=STAFF,
        reason_code=PATHWAY,
    )


def _short(service: str) -> str:
    run = longest = 0
    for sign in service:
        run = run + 1 if sign.isdigit() else 0
        longest = max(longest, run)
    if len(service) <= _LONGEST_SERVICE and longest <= _DIGITS:
        return service
    digest = hashlib.sha256(service.encode()).hexdigest()[:32]
    return "".join(chr(ord("a") + int(sign, 16)) for sign in digest)  # letters alone: never eleven digits


def _letters(number: int) -> str:
    """Nothing, a, b, ..., z, aa, ab and so on."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters
