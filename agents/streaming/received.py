"""The header by which what comes of a submission tells when the broker took that: later steps time themselves by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.streaming.records import Headers, Record

RECEIVED_MS: Final = "received_ms"  # [ms since 1970]
_LONGEST: Final = 15  # digits of any instant that there will be


def came_at(record: Record) -> Headers:
    """The header of what comes of a submission."""
    return ((RECEIVED_MS, b"%d" % record.timestamp_ms),)


def received_ms(headers: Iterable[tuple[str, bytes | None]]) -> int | None:
    """When the broker took it [ms since 1970]; None where no header says so, or says no instant."""
    said = dict(headers).get(RECEIVED_MS) or b""
    return int(said) if said.isdigit() and len(said) <= _LONGEST else None
