"""Field types that several messages share, each with the bounds that hold on the wire.

Units stand in field names or, for measured values, in a UCUM `unit` field beside the value. Instants are
RFC 3339 with an offset, their names end in `_at`; a time without an offset is refused.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

SCHEMA_VERSION = 1  # written; every earlier one is read
FIRST_VERSION = 1  # of a message that names none, for ever

# Eleven digits in a row is how a Norwegian national identity number looks, so no pseudonym may look so.
Pseudonym = Annotated[
    str,
    Meta(
        pattern=r"^(?!.*[0-9]{11})[A-Za-z0-9][A-Za-z0-9_-]{0,63}$(?!\n)",
        description="A patient's pseudonym: letters, digits, - and _, at most 64, never 11 digits in a row.",
    ),
]
StaffRef = Annotated[
    str,
    Meta(
        pattern=r"^(?!.*[0-9]{11})[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$(?!\n)",
        description="A pseudonymous reference to a member of staff or their role.",
    ),
]
Slug = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)", description="A configured name: service, municipality, pathway."),
]
DeviceRef = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$(?!\n)", description="A device's own reference, no person's.")
]
Loinc = Annotated[
    str, Meta(pattern=r"^[0-9]{1,7}-[0-9]$(?!\n)", description="A LOINC code, as in FHIR Observation.code.")
]
Ucum = Annotated[str, Meta(min_length=1, max_length=32, description="A UCUM unit, as in FHIR Quantity.code.")]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
MOST: int = 2**53 - 1  # the largest integer that every reader of JSON holds exactly (RFC 7493, 2.2)
Count = Annotated[int, Meta(ge=0, le=MOST)]
CountFromOne = Annotated[int, Meta(ge=1, le=MOST)]
ShortText = Annotated[str, Meta(max_length=500)]
LinkId = Annotated[str, Meta(min_length=1, max_length=64, description="A question, as in FHIR Questionnaire.item.")]
LocalTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="Wall clock, HH:MM.")]
TimeZone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$(?!\n)", description="An IANA time zone name.")]

__all__ = [
    "FIRST_VERSION",
    "MOST",
    "SCHEMA_VERSION",
    "UUID",
    "Count",
    "CountFromOne",
    "DeviceRef",
    "Instant",
    "LinkId",
    "LocalTime",
    "Loinc",
    "Phase",
    "Pseudonym",
    "ShortText",
    "Slug",
    "StaffRef",
    "TimeZone",
    "Ucum",
    "Version",
    "Weekday",
    "Zone",
]


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Zone(StrEnum):
    """Where a registration, and so a patient, stands. Only `GREEN` says that all is as it should be."""

    GREEN = "green"
    NO_DATA = "no_data"  # shown blue: something was due, or was sent, and there is nothing to judge
    YELLOW = "yellow"
    RED = "red"
    NOT_MONITORED = "not_monitored"  # nobody's limits hold for this patient now: no plan, paused, ended


class Phase(StrEnum):
    """Where in the service a patient is (national pathway for digital home follow-up)."""

    REFERRAL = "referral"
    START_UP = "start_up"
    FOLLOW_UP = "follow_up"
    EVALUATION = "evaluation"
    ENDED = "ended"
