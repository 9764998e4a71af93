"""One encounter of a patient as a file tells it, and why it is not taken."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class Kind(StrEnum):
    """What an encounter was."""

    ADMISSION = "admission"
    EMERGENCY = "emergency"


class Encounter(NamedTuple):
    """One encounter that took place, or that a file says was entered in error.

    Attributes
    ----------
    row
        Where it stands: the line of a CSV file, the entry of a bundle; the first is 1.
    id
        By which its source knows it for ever.
    end
        None: the patient is still there. Of an admission alone.
    acute
        Of an admission alone.
    contact
        Of an emergency alone: where.
    stands
        False: what an earlier file said of it was an error, or it was called off.
    """

    row: int
    id: str
    patient: str
    kind: Kind
    start: datetime
    end: datetime | None = None
    acute: bool = False
    contact: str = ""
    stands: bool = True

    @property
    def content(self) -> Encounter:
        """All but where it stands."""
        return self._replace(row=0)


class Reason(StrEnum):
    """Why a row is refused: somebody must look at it."""

    NATIONAL_NUMBER = "national_number"
    MISSING = "missing"
    INVALID = "invalid"
    NO_OFFSET = "no_offset"
    ENDS_BEFORE_IT_STARTS = "ends_before_it_starts"
    FUTURE = "future"
    TOO_LONG_AGO = "too_long_ago"
    ACUTE_NOT_SAID = "acute_not_said"
    UNKNOWN_PATIENT = "unknown_patient"
    CONTRADICTED = "contradicted"
    CHANGED = "changed"
    CANNOT_BE_TAKEN_BACK = "cannot_be_taken_back"
    TOO_MANY_STAYS = "too_many_stays"


class Aside(StrEnum):
    """Why a row is passed over: it is well, and says nothing that is counted."""

    NOT_COUNTED = "not_counted"  # a visit, a home visit, a call
    PART_OF_ANOTHER = "part_of_another"  # a ward's share of a stay that stands for itself
    NOT_TAKEN_PLACE = "not_taken_place"  # planned, called off, or entered in error and never taken
    NO_ENCOUNTER = "no_encounter"  # another resource of a bundle


class Refused(NamedTuple):
    """A row that is not taken. It names a field, and holds nothing of what stands in it."""

    row: int
    reason: Reason
    field: str | None = None


class Passed(NamedTuple):
    """A row that says nothing that is counted."""

    row: int
    why: Aside


Row = Encounter | Refused | Passed


class RefusedRowError(ValueError):
    """What a reader raises of a row."""

    def __init__(self, reason: Reason, field: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.field = field


class PassedRowError(ValueError):
    """What a reader raises of a row that says nothing that is counted."""

    def __init__(self, why: Aside) -> None:
        super().__init__(why.value)
        self.why = why
