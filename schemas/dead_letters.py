"""Dead letters: the original bytes as they came, with headers that say why and where from; and what was done about it.

A dead letter is known by where its message came from, so the same one written twice is one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.types import FIRST_VERSION, Count, Instant, Slug, StaffRef

REASON: Final = "reason"
FIELD: Final = "field"  # path of the offending field, where one is known
TOPIC: Final = "topic"
PARTITION: Final = "partition"
OFFSET: Final = "offset"
PROCESS: Final = "process"  # which of the readers of the topic it was; letters of before it was said have none
CUT: Final = "cut"  # only the beginning of the message is here: its broker took no more


class DeadLetterReason(StrEnum):
    """Why a message could not be worked with."""

    NOT_JSON = "not_json"
    INVALID = "invalid"  # wrong or missing field
    UNSUPPORTED_VERSION = "unsupported_version"
    MISSING_PATIENT = "missing_patient"  # no key to file it under
    WRONG_KEY = "wrong_key"  # the record's key is not the message's patient
    FUTURE = "future"  # says that it was received or recorded after it was written
    TOO_LATE = "too_late"  # older than the history that is kept, so it cannot be judged again
    HISTORY_FULL = "history_full"  # more of its kind than a patient's state may hold
    UNREADABLE_STATE = "unreadable_state"  # the patient's own state cannot be read
    OVERSIZE_OUTPUT = "oversize_output"
    OVERSIZE_STATE = "oversize_state"
    REFUSED_BY_STORE = "refused_by_store"
    INTERNAL_ERROR = "internal_error"


class DeadLetterAction(StrEnum):
    """What an operator did about a dead letter."""

    RETRIED = "retried"  # its bytes were sent again to where they came from
    DISCARDED = "discarded"  # it was left as it is, with a reason


class DeadLetterAct(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operator dealt with the dead letter of the message at `topic`, `partition`, `offset`.

    A dead letter that does not tell where its message came from is known by where it lies on `dead-letters` itself.
    """

    schema_version: Annotated[int, Meta(ge=1)] = FIRST_VERSION
    at: Instant
    topic: Slug  # as the vocabulary names it, without an installation's prefix
    partition: Count
    offset: Count
    action: DeadLetterAction
    by: StaffRef
    why: Annotated[str, Meta(min_length=1, max_length=500, description="In words; no patient's name.")] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where something is discarded without a word why."""
        if self.action is DeadLetterAction.DISCARDED and not (self.why or "").strip():
            raise ValueError("what is discarded has a reason in words")
