"""What the canaries wait for: a status that triage wrote, a page that came."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agents.paging.receiver import Receiver
from schemas.paging import PageAction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agents.paging.signing import SigningSecret
    from agents.wallclock import Clock
    from schemas.assessments import PatientStatus

Found = TypeVar("Found")
KEPT: Final = 1000  # pages; far more than are ever open


class News:
    """The latest of each canary, and a way to wait for more.

    Parameters
    ----------
    secrets
        Service -> secret by which its pages to the canary are signed.
    clock
        Tells old posts from new.

    Attributes
    ----------
    statuses
        Pseudonym -> the newest status.
    receiver
        Takes the pages; its routes are the process's own.
    """

    def __init__(self, secrets: Mapping[str, SigningSecret], clock: Clock) -> None:
        self.statuses: dict[str, PatientStatus] = {}
        self.receiver = Receiver(secrets, clock, after=self._paged)
        self._pages: dict[tuple[str, str], None] = {}  # (service, zone change), oldest first
        self._changed = asyncio.Event()

    def heard(self, status: PatientStatus) -> None:
        """Take a status."""
        self.statuses[status.patient] = status
        self._tell()

    def paged(self, service: str, zone_change_id: str) -> bool:
        """Whether the page about a zone change has come to the service's canary."""
        return (service, zone_change_id) in self._pages

    async def until(self, found: Callable[[], Found | None]) -> Found:
        """Wait until `found` finds something; it is asked after all that comes. Bound it with asyncio.timeout."""
        while True:
            changed = self._changed
            if (answer := found()) is not None:
                return answer
            await changed.wait()

    async def _paged(self, service: str, page_id: str) -> int | None:
        data: dict[str, Any] = self.receiver.taken.get(page_id, {})
        if data.get("action", PageAction.TRIGGER) == PageAction.TRIGGER:  # that it is taken over, or over, is told too
            self._pages[service, str(data.get("zone_change_id"))] = None
        while len(self._pages) > KEPT:
            del self._pages[next(iter(self._pages))]
        self._tell()
        return None

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
