"""Dead letters: the original bytes as they came, with headers that say why and where from."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

REASON: Final = "reason"
FIELD: Final = "field"  # path of the offending field, where one is known
TOPIC: Final = "topic"
PARTITION: Final = "partition"
OFFSET: Final = "offset"


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
