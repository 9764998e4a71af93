"""One dead letter: what it is known by, and what may be told of it without its payload or its patient."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, Self

from msgspec import Struct

from schemas import dead_letters
from schemas.dead_letters import DeadLetterReason
from schemas.topics import DEAD_LETTER_ACTS, DEAD_LETTERS, TOPICS

UNKNOWN: Final = "unknown"  # the reason of a letter that gives none of ours
ORIGINS: Final = {
    topic.name: topic for topic in TOPICS if topic.message is not None and topic.name != DEAD_LETTER_ACTS.name
}
NAMES: Final = (*ORIGINS, DEAD_LETTERS.name)
FIELD_LENGTH: Final = 200
PROCESS_LENGTH: Final = 40
_REASONS: Final = {reason.value for reason in DeadLetterReason}
_ID: Final = re.compile(r"(?P<topic>[a-z0-9-]{1,64})/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})")
_NUMBER: Final = re.compile(rb"[0-9]{1,18}")


class DeadLettersError(ValueError):
    """What was asked for cannot be done; one sentence that says why, without anything of a payload."""


class LetterId(NamedTuple):
    """Where a message came from: what its dead letter is known by, however often it was written.

    >>> LetterId.parse("submissions/3/1042")
    LetterId(topic='submissions', partition=3, offset=1042)
    """

    topic: str  # as the vocabulary names it
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id as it is printed; raises DeadLettersError where it is none."""
        found = _ID.fullmatch(text)
        if found is None or found["topic"] not in NAMES:
            raise DeadLettersError("an id is topic/partition/offset, as submissions/3/1042: see `dead-letters list`")
        return cls(found["topic"], int(found["partition"]), int(found["offset"]))


class Place(NamedTuple):
    """Where a letter lies on the topic of dead letters."""

    partition: int
    offset: int


class Letter(Struct, frozen=True, kw_only=True, gc=False):
    """What is told of a dead letter."""

    id: LetterId
    at_ms: int  # when it was written [ms since 1970]
    reason: str  # of DeadLetterReason, or UNKNOWN
    field: str | None
    place: Place
    processes: tuple[str, ...] = ()  # who could not work with it; none: of before that was said
    cut: bool = False  # only the beginning of its message was kept

    @property
    def tells_origin(self) -> bool:
        """Whether its message is whole, and came from one of our topics."""
        return self.id.topic != DEAD_LETTERS.name and not self.cut


def of_record(record: Any, prefix: str) -> Letter:  # noqa: ANN401 - aiokafka ships no types
    """Return the letter of `record`, read from the topic of dead letters of the installation with `prefix`.

    One that does not say where it came from, or names a topic that is none of the installation's, is known by the
    place where it lies itself. So is what was too large to be written, of which only the beginning is kept.
    """
    headers = {name: value for name, value in record.headers if value is not None}
    place = Place(record.partition, record.offset)
    reason = headers.get(dead_letters.REASON, b"").decode(errors="replace")
    field = headers.get(dead_letters.FIELD)
    process = headers.get(dead_letters.PROCESS)
    return Letter(
        id=_origin(headers, prefix) or LetterId(DEAD_LETTERS.name, *place),
        at_ms=record.timestamp,
        reason=reason if reason in _REASONS else UNKNOWN,
        field=None if field is None else _shown(field, FIELD_LENGTH),
        place=place,
        processes=(_shown(process, PROCESS_LENGTH),) if process else (),
        cut=dead_letters.CUT in headers,
    )


def _origin(headers: dict[str, bytes], prefix: str) -> LetterId | None:
    name = headers.get(dead_letters.TOPIC, b"").decode(errors="replace")
    numbers = [headers.get(header, b"") for header in (dead_letters.PARTITION, dead_letters.OFFSET)]
    topic = name.removeprefix(prefix)
    if not name.startswith(prefix) or topic not in ORIGINS or not all(_NUMBER.fullmatch(one) for one in numbers):
        return None
    return LetterId(topic, *map(int, numbers))


def _shown(value: bytes, length: int) -> str:
    return printable(value.decode(errors="replace")[:length], keep="")


def printable(text: str, *, keep: str = "\n") -> str:
    """Return `text` with everything that could move a terminal's cursor written out, but for `keep`."""
    return "".join(one if one.isprintable() or one in keep else one.encode("unicode_escape").decode() for one in text)
