"""How much the gateway takes, from whom, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from schemas.topics import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """Limits of the gateway; every default is our choice.

    Attributes
    ----------
    tokens_file
        JSON: vendor slug -> list of SHA-256 of its tokens, in hex.
    topic_prefix
        Before `submissions`.
    body_bytes
        A larger body is refused [B].
    message_bytes
        A session that is larger as a message is refused; the broker's own limit counts headers and key too [B].
    batch_items
        Most sessions in one request.
    items_per_minute
        Sessions and corrections of one vendor; a burst of as many is allowed. A body
        that cannot be read costs one.
    in_flight
        Requests under way at once, of all vendors together; one more is told to come again.
    in_flight_of_vendor
        Requests under way at once of one vendor, so that one that hangs leaves places to the others.
    body_timeout_s
        A body must have come within [s].
    confirm_timeout_s
        The broker must have confirmed within [s].
    retry_after_s
        What a vendor is told to wait when the broker does not confirm, or too much is under way [s].
    ahead_minutes
        How far a measurement may lie ahead of our clock [min].
    """

    tokens_file: Path
    topic_prefix: str = ""
    body_bytes: int = 1_048_576
    message_bytes: int = MAX_MESSAGE_BYTES - 4096
    batch_items: int = 500
    items_per_minute: int = 6_000
    in_flight: int = 64
    in_flight_of_vendor: int = 32
    body_timeout_s: float = 10.0
    confirm_timeout_s: float = 10.0
    retry_after_s: int = 5
    ahead_minutes: int = 10

    def __post_init__(self) -> None:
        """Raise ValueError for a limit that would refuse every request."""
        unbounded = {"tokens_file", "topic_prefix", "ahead_minutes"}
        for name in (field.name for field in fields(self) if field.name not in unbounded):
            if getattr(self, name) <= 0:
                raise ValueError(f"gateway setting {name} must be above 0")
        if self.items_per_minute < self.batch_items:
            raise ValueError(
                "gateway setting items_per_minute must be at least batch_items, or a full batch never fits"
            )
