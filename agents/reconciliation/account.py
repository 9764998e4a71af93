"""What came of a partition's messages: how many reached each step, and by name those that did not."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct

from pipeline.triage.instants import from_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.topics import Topic

MOST_NAMED: Final = 1_000  # of one partition; what is missing beyond is counted alone


class Step(StrEnum):
    """What did not happen to a message. The values are those of a metric's label."""

    ASSESSED = "assessed"  # no assessment of a submission, and no dead letter
    CORRECTED = "corrected"  # a correction of a known submission that no assessment came of, and no dead letter
    STORED = "stored"  # an assessment whose points the store does not hold, and no dead letter
    CARE_STORED = "care_stored"  # a care event whose point the store does not hold, and no dead letter


class Missing(Struct, frozen=True, kw_only=True):
    """One message that is unaccounted for, by where it lies in the log."""

    step: Step
    topic: str  # of the vocabulary, without a prefix
    partition: int
    offset: int
    received_at: datetime  # when the broker took it
    id: UUID | None  # of the submission or care event; None: the message cannot be read


class Counts(Struct, frozen=True, kw_only=True):
    """How many messages of a partition came to which step.

    received = assessed + dead_lettered + not assessed;
    corrections = corrected + repeated + waiting + refused + not corrected;
    assessed and corrected = stored + refused + underway + not stored.
    """

    received: int = 0  # distinct submissions, and messages that cannot be read
    repeated: int = 0  # submissions that had come before
    corrections: int = 0
    corrected: int = 0  # corrections of which an assessment came
    corrections_repeated: int = 0  # that had come before, within the last week
    corrections_waiting: int = 0  # that came before their submission: what they changed is in its own assessment
    corrections_refused: int = 0  # with a dead letter
    assessed: int = 0
    dead_lettered: int = 0
    stored: int = 0  # assessments with every point in the store, this revision of it or a later one
    refused: int = 0  # assessments with a dead letter of the storing agent
    underway: int = 0  # assessed too recently to be stored
    care_received: int = 0
    care_stored: int = 0
    care_refused: int = 0  # care events with a dead letter

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Account(Struct, frozen=True, kw_only=True):
    """One partition's account of a period."""

    partition: int
    from_at: datetime  # later than asked where the logs no longer reach back
    whole_log: bool  # whether the logs still reach back to what was asked
    counts: Counts
    unaccounted: dict[Step, int]  # every step has its number
    missing: tuple[Missing, ...]  # in the log's order, at most MOST_NAMED
    resume: dict[str, int]  # topic -> the first offset that is unaccounted for or under way
    open_since: datetime | None  # when the first of those was received; None: there is none

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not any(self.unaccounted.values())


class Ledger:
    """Counts and names while a partition is gone through; of what is missing it keeps a bounded number."""

    def __init__(self, partition: int) -> None:
        self.count: Counter[str] = Counter()
        self._partition = partition
        self._unaccounted: Counter[Step] = Counter()
        self._missing: list[Missing] = []
        self._resume: dict[str, int] = {}
        self._open_ms: int | None = None

    def miss(self, step: Step, topic: Topic, offset: int, at_ms: int, named: UUID | None) -> None:
        """Name a message that did not come to `step`."""
        self._unaccounted[step] += 1
        self.wait(topic, offset, at_ms)
        if len(self._missing) < MOST_NAMED:
            self._missing.append(
                Missing(
                    step=step,
                    topic=topic.name,
                    partition=self._partition,
                    offset=offset,
                    received_at=from_ms(at_ms),
                    id=named,
                )
            )

    def wait(self, topic: Topic, offset: int, at_ms: int) -> None:
        """A message whose account is not closed: whoever looks again begins with it."""
        self._resume[topic.name] = min(offset, self._resume.get(topic.name, offset))
        self._open_ms = at_ms if self._open_ms is None else min(at_ms, self._open_ms)

    def close(self, from_ms_: int, *, whole_log: bool) -> Account:
        """The account, once everything was gone through."""
        return Account(
            partition=self._partition,
            from_at=from_ms(from_ms_),
            whole_log=whole_log,
            counts=Counts(**self.count),
            unaccounted={step: self._unaccounted[step] for step in Step},
            missing=tuple(sorted(self._missing, key=lambda one: (one.topic, one.offset))),
            resume=dict(self._resume),
            open_since=None if self._open_ms is None else from_ms(self._open_ms),
        )


def total(accounts: Iterable[Account]) -> Counts:
    """The sum over partitions."""
    return sum((account.counts for account in accounts), Counts())
