"""Recorded events as JSON lines: `{"topic": "submissions", "message": {...}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from agents.recordings.events import Event, RecordingError
from schemas.codec import UNREADABLE, Codec, UnreadableError
from schemas.submissions import Correction, Submission
from schemas.topics import CARE, SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from schemas.care import CareEvent


class _Line(msgspec.Struct, frozen=True):
    topic: str
    message: msgspec.Raw


_line: Final = msgspec.json.Decoder(_Line)
_submissions: Final[Codec[Submission | Correction]] = Codec(SUBMISSIONS.message)
_care: Final[Codec[CareEvent]] = Codec(CARE.message)


def read(lines: Iterable[bytes], name: str) -> Iterator[Event]:
    """Events of `lines`, in the order given; raises RecordingError naming the line."""
    for number, raw in enumerate(lines, start=1):
        if raw.strip():
            try:
                yield event(raw)
            except UnreadableError as error:
                raise RecordingError(f"{name}, line {number}: {error}") from None
            except UNREADABLE:
                raise RecordingError(f"{name}, line {number}: is not an object with topic and message") from None


def event(raw: bytes) -> Event:
    """The event in one line; raises UnreadableError or one of UNREADABLE."""
    line = _line.decode(raw)
    if line.topic == SUBMISSIONS.name:
        sent = _submissions.decode(bytes(line.message))
        return Event(sent.received_at if isinstance(sent, Submission) else sent.recorded_at, SUBMISSIONS, sent)
    if line.topic == CARE.name:
        care = _care.decode(bytes(line.message))
        return Event(care.recorded_at, CARE, care)
    raise msgspec.ValidationError("topic")
