"""Page requests of the fold, what became of them, and the passing of time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.types import FIRST_VERSION, UUID, Count, CountFromOne, Instant, Loinc, Pseudonym, Slug, StaffRef, Zone


class Tick(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Time has come to `at`. The clock writes one to every partition."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    at: Instant


class Priority(StrEnum):
    """Alarm priority (IEC 60601-1-8, 6.1.2)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class PageCause(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which rule, on which vital sign, asks for the page. No value leaves the system in a page."""

    rule: str
    code: Loinc | None = None


class PageAction(StrEnum):
    """What is told of an episode."""

    TRIGGER = "trigger"  # somebody must look now
    ACKNOWLEDGE = "acknowledge"  # somebody does: nobody else needs to
    RESOLVE = "resolve"  # it is over


class PageRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody must be told. Asked again with the same `page_id` until a receipt says delivered.

    `page_id` is the idempotency key: a receiver that has seen it has nothing more to do. Each step of the ladder is a
    page of its own; `episode_id` is the same for all that is told of one episode. `incident_id` is the same until the
    episode is asked about from the first step anew, as for a worsening: a receiver that keeps something open for it
    opens another then, and closes the earlier ones.
    """

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    page_id: UUID
    patient: Pseudonym
    service: Slug
    zone: Zone
    priority: Priority
    at: Instant  # when the patient came into the zone
    zone_change_id: UUID
    assessment_id: UUID | None
    ask: CountFromOne  # 1: first asked; each failed receipt asks once more
    causes: tuple[PageCause, ...] = ()
    action: PageAction = PageAction.TRIGGER
    episode_id: UUID | None = None
    step: Count = 0  # of the service's ladder; past its last step that one is asked again
    to: Slug = "nurse"  # whose duty it is; who that is stands on the roster
    by: Slug | None = None  # one of that person's ways; None: the usual one
    test: bool = False  # nobody is ill: the way is tried
    contact: StaffRef | None = None  # who was told that it began, where that is known: of its end they are told
    incident_id: UUID | None = None  # None: the episode has only one
    earlier_incident_ids: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()  # whose place that one takes


def incident_of(page: PageRequest) -> UUID:
    """Return what a receiver that keeps something open knows it by."""
    return page.incident_id or page.episode_id or page.page_id


class Outcome(StrEnum):
    """What became of one ask."""

    DELIVERED = "delivered"
    FAILED = "failed"


class FailureReason(StrEnum):
    """Why a page was not delivered."""

    NO_RECEIVER = "no_receiver"  # nobody of the service can be reached
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    REFUSED = "refused"  # 4xx: the receiver will not have it
    SERVER_ERROR = "server_error"  # 5xx or 429
    BUSY = "busy"  # too many pages to this receiver under way


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ask of a page was delivered, or failed after its bounded attempts."""

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    receipt_id: UUID
    page_id: UUID
    patient: Pseudonym
    ask: CountFromOne
    outcome: Outcome
    at: Instant
    attempts: Count
    reason: FailureReason | None = None
    told: StaffRef | None = None  # whom the roster named
    by: Slug | None = None  # the way that was gone
    group: UUID | None = None  # of the one notice in which the page was told together with others

    def __post_init__(self) -> None:
        """Raise ValueError where a failure gives no reason, or a delivery gives one."""
        if (self.outcome is Outcome.FAILED) != (self.reason is not None):
            raise ValueError("a receipt gives a reason exactly where its outcome is failed")
