"""One event of a recording, and what is wrong with a recording that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.care import CareEvent
    from schemas.submissions import Correction, Submission
    from schemas.topics import Topic


class Event(NamedTuple):
    """A message, the topic that it belongs on, and when it reached us."""

    at: datetime
    topic: Topic
    message: Submission | Correction | CareEvent


class RecordingError(ValueError):
    """A recording cannot be read; the text names file, row and column, and never a value."""
