"""A patient's zone changes and pages of the last weeks, kept small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from schemas.assessments import ZoneChange
from schemas.paging import Outcome

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from schemas.paging import PageRequest, Receipt
    from schemas.types import Zone

KEPT: Final = 60  # of each kind
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(ZoneChange).decode


class Alarms:
    """One patient's; a retraction takes its change away."""

    __slots__ = ("_changes", "_episodes", "_told")

    def __init__(self) -> None:
        self._changes: dict[UUID, tuple[datetime, bytes]] = {}
        self._episodes: dict[UUID, UUID] = {}  # page -> zone change
        self._told: dict[UUID, tuple[str, ...]] = {}  # page -> whom it reached

    def change(self, change: ZoneChange) -> bool:
        """Keep a zone change; whether anything changed."""
        if change.retracted:
            return self._changes.pop(change.zone_change_id, None) is not None
        self._changes[change.zone_change_id] = (change.at, _encode(change))
        if len(self._changes) > KEPT:
            del self._changes[min(self._changes, key=lambda id_: self._changes[id_][0])]
        return True

    def asked(self, page: PageRequest) -> bool:
        """Keep which zone change a page is about; whether anything changed."""
        if self._episodes.get(page.page_id) == page.zone_change_id:
            return False
        self._episodes[page.page_id] = page.zone_change_id
        while len(self._episodes) > KEPT:
            oldest = next(iter(self._episodes))
            del self._episodes[oldest]
            self._told.pop(oldest, None)
        return True

    def delivered(self, receipt: Receipt) -> bool:
        """Keep whom a page reached; whether anything changed."""
        if receipt.outcome is not Outcome.DELIVERED or receipt.told is None:
            return False
        known = self._told.get(receipt.page_id, ())
        if receipt.told in known:
            return False
        self._told[receipt.page_id] = (*known, receipt.told)
        while len(self._told) > KEPT:
            del self._told[next(iter(self._told))]
        return True

    def changes(self) -> list[ZoneChange]:
        """Return the zone changes that stand, oldest first."""
        return [_decode(raw) for _, raw in sorted(self._changes.values())]

    def since(self, at: datetime, zone: Zone) -> list[ZoneChange]:
        """Return the changes to a zone from an instant on."""
        recent = (raw for changed_at, raw in sorted(self._changes.values()) if changed_at >= at)
        return [change for change in map(_decode, recent) if change.to_zone is zone]

    def told(self, zone_change_id: UUID) -> tuple[str, ...]:
        """Return whom pages about a zone change reached, each once, in order."""
        pages = (page for page, change in self._episodes.items() if change == zone_change_id)
        return tuple(dict.fromkeys(who for page in pages for who in self._told.get(page, ())))
