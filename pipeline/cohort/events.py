"""One thing that reaches us from the cohort, and how its ids are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.topics import Topic

_NAMES: Final = UUID("0c6f4b0e-9a57-4f0e-8f0e-3b8d3f0f5a11")


class Event(NamedTuple):
    """A message, its topic, and when it reaches us."""

    at: datetime
    topic: Topic
    message: Any  # a message of that topic


def named(what: str) -> UUID:
    """The id of `what`: the same whenever it is simulated again."""
    return uuid5(_NAMES, what)
