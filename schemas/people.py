"""Members of staff: what their roles let them do, and for which services."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.types import Slug, StaffRef


class Role(StrEnum):
    """What somebody does in a service."""

    NURSE = "nurse"
    DOCTOR = "doctor"
    COORDINATOR = "coordinator"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    """One thing that somebody may do."""

    SEE_LIST = "see_list"  # the triage list, by pseudonyms
    SEE_PATIENT = "see_patient"  # a patient's measurements and decisions
    SEE_IDENTITY = "see_identity"  # name, telephone, relatives
    EDIT_IDENTITY = "edit_identity"
    ACKNOWLEDGE = "acknowledge"
    RECORD = "record"  # contacts, consultations, admissions, pauses, equipment
    REGISTER = "register"  # measurements on behalf of a patient
    MANAGE_COURSE = "manage_course"  # enrolment, phases, hand-over to another service
    TRY_PLAN = "try_plan"  # what-if
    SIGN_PLAN = "sign_plan"
    SEE_STATISTICS = "see_statistics"
    SEE_ACCESS_LOG = "see_access_log"
    ERASE = "erase"
    MANAGE_USERS = "manage_users"


_BEDSIDE: Final = frozenset(
    {
        Right.SEE_LIST,
        Right.SEE_PATIENT,
        Right.SEE_IDENTITY,
        Right.ACKNOWLEDGE,
        Right.RECORD,
        Right.REGISTER,
        Right.TRY_PLAN,
    }
)
RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.NURSE: _BEDSIDE | {Right.EDIT_IDENTITY, Right.MANAGE_COURSE},
    Role.DOCTOR: _BEDSIDE | {Right.MANAGE_COURSE, Right.SIGN_PLAN},
    Role.COORDINATOR: frozenset(
        {
            Right.SEE_LIST,
            Right.SEE_PATIENT,
            Right.SEE_IDENTITY,
            Right.EDIT_IDENTITY,
            Right.RECORD,
            Right.MANAGE_COURSE,
            Right.SEE_STATISTICS,
        }
    ),
    Role.ANALYST: frozenset({Right.SEE_STATISTICS}),
    Role.ADMINISTRATOR: frozenset({Right.MANAGE_USERS, Right.SEE_ACCESS_LOG, Right.ERASE}),
}


class Person(Struct, frozen=True, kw_only=True):
    """Who is signed in. `ref` is all that leaves the board; the name is shown on it."""

    ref: StaffRef
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    roles: frozenset[Role]
    services: frozenset[Slug]  # no other service's patients are shown

    def may(self, right: Right, service: str | None) -> bool:
        """Whether a role of theirs has `right`, and `service` is theirs; None: of no service, as users are."""
        has = any(right in RIGHTS[role] for role in self.roles)
        return has and (service is None or service in self.services)
