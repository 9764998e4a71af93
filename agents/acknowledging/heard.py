"""Alerts as the topics tell them, in memory: what a board feeds and the handlers ask. Also what tests stand on."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from agents.acknowledging.known import Asked, Worsening
from agents.acknowledging.links import VALID_FOR
from schemas.assessments import PatientStatus, ZoneChange
from schemas.care import Acknowledged
from schemas.paging import PageAction, PageRequest, Receipt, incident_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from schemas.care import CareEvent

K = TypeVar("K")
V = TypeVar("V")
KEPT_FOR: Final = VALID_FOR + timedelta(hours=1)  # a link that has just become void is told to be so
MOST: Final = 200_000  # of each kind; our choice


class Heard:
    """Takes messages in any order, repeats among them, and answers as `Known`.

    Parameters
    ----------
    up_to_date
        Whether everything that the broker has was heard, not long ago.
    """

    def __init__(self, up_to_date: Callable[[], bool]) -> None:
        self._up_to_date = up_to_date
        self._pages: OrderedDict[UUID, Asked] = OrderedDict()
        self._notices: OrderedDict[UUID, dict[UUID, None]] = OrderedDict()  # incident, group or page -> pages
        self._taken: OrderedDict[UUID, Acknowledged] = OrderedDict()
        self._retracted: OrderedDict[UUID, None] = OrderedDict()
        self._worsenings: dict[str, tuple[int, Worsening | None]] = {}

    def take(self, message: object, at: datetime) -> None:
        """Hear any message of the topics that it stands on, written `at` by the broker's clock; others mean nothing."""
        match message:
            case PageRequest():
                self.take_page(message, at)
            case Receipt():
                self.take_receipt(message)
            case PatientStatus():
                self.take_status(message)
            case ZoneChange():
                self.take_zone_change(message)
            case Acknowledged():
                self.take_care(message)

    def take_page(self, page: PageRequest, at: datetime) -> None:
        """Hear that a page was asked for; `at` by the broker's clock."""
        if page.action is not PageAction.TRIGGER:
            return
        known = self._pages.get(page.page_id)
        self._pages[page.page_id] = Asked(page, at if known is None else min(known.at, at))
        for key in {page.page_id, incident_of(page)}:
            self._about(key, page.page_id)
        while self._pages and at - next(iter(self._pages.values())).at > KEPT_FOR:
            self._pages.popitem(last=False)
        _bound(self._pages)

    def take_receipt(self, receipt: Receipt) -> None:
        """Hear in which group a page was told."""
        if receipt.group is not None:
            self._about(receipt.group, receipt.page_id)

    def take_status(self, status: PatientStatus) -> None:
        """Hear where a patient stands; one with a lower revision is older."""
        if status.revision < self._worsenings.get(status.patient, (0, None))[0]:
            return
        episode = status.episode
        newest = None if episode is None else Worsening(episode.zone_change_id, episode.worsened_at)
        self._worsenings[status.patient] = status.revision, newest

    def take_zone_change(self, change: ZoneChange) -> None:
        """Hear that a zone change was taken back, or that it holds again: ids are derived, so it has the same one."""
        if change.retracted:
            self._retracted[change.zone_change_id] = None
            _bound(self._retracted)
        else:
            self._retracted.pop(change.zone_change_id, None)

    def take_care(self, event: CareEvent) -> None:
        """Hear of an acknowledgement; of several the first by its own time holds."""
        if isinstance(event, Acknowledged):
            known = self._taken.get(event.zone_change_id)
            if known is None or (event.at, event.event_id) < (known.at, known.event_id):
                self._taken[event.zone_change_id] = event
            _bound(self._taken)

    def up_to_date(self) -> bool:
        """Whether everything was heard."""
        return self._up_to_date()

    def page(self, page_id: UUID) -> Asked | None:
        """A page of the last 25 hours."""
        return self._pages.get(page_id)

    def told_in(self, key: UUID) -> tuple[Asked, ...]:
        """What a notice was about."""
        return tuple(self._pages[page_id] for page_id in self._notices.get(key, ()) if page_id in self._pages)

    def worsening(self, patient: str) -> Worsening | None:
        """The newest of a patient."""
        return self._worsenings.get(patient, (0, None))[1]

    def taken_over(self, zone_change_id: UUID) -> Acknowledged | None:
        """What acknowledged it first."""
        return self._taken.get(zone_change_id)

    def retracted(self, zone_change_id: UUID) -> bool:
        """Whether it was taken back."""
        return zone_change_id in self._retracted

    def _about(self, key: UUID, page_id: UUID) -> None:
        self._notices.setdefault(key, {})[page_id] = None
        _bound(self._notices)


def _bound(held: OrderedDict[K, V]) -> None:
    if len(held) > MOST:
        held.popitem(last=False)
