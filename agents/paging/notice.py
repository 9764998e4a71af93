"""What is told at once to one contact: a page, or several that would otherwise come one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid5

from schemas.paging import PageAction, Priority
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.paging import PageRequest
    from schemas.services import Service

_GROUPS: Final = UUID("1f0c8a52-6c53-5b8e-9d0f-0b6d52f1c7aa")  # namespace of the ids of groups
_URGENCY: Final = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)
_ATTENTION: Final = (Zone.RED, Zone.YELLOW, Zone.NO_DATA, Zone.NOT_MONITORED, Zone.GREEN)


class Notice(NamedTuple):
    """Pages of one service for one contact.

    Attributes
    ----------
    pages
        The one about the newest measurement first. Of several all ask that somebody looks, and none is a test.
    name, service
        Whose they are.
    links
        Page id -> the link by which its reader acknowledges; without one where there is no board to lead to.
    board
        Where the triage list is, if it is anywhere.
    """

    pages: tuple[PageRequest, ...]
    name: str
    service: Service
    links: Mapping[UUID, str] = {}
    board: str | None = None

    @property
    def first(self) -> PageRequest:
        """The page about the newest measurement, and where there is one only, that."""
        return self.pages[0]

    @property
    def grouped(self) -> bool:
        """Whether it tells of more than one page."""
        return len(self.pages) > 1

    @property
    def notice_id(self) -> UUID:
        """What a receiver knows it by: the page's own id, or one that the same pages always have together."""
        return group_id(self.pages) if self.grouped else self.first.page_id

    @property
    def action(self) -> PageAction:
        """What it tells."""
        return self.first.action

    @property
    def patients(self) -> tuple[str, ...]:
        """Whom it is about, each once."""
        return tuple(dict.fromkeys(page.patient for page in self.pages))

    @property
    def zone(self) -> Zone:
        """The worst zone that it tells of."""
        return min((page.zone for page in self.pages), key=_ATTENTION.index)

    @property
    def priority(self) -> Priority:
        """The highest priority that it tells of."""
        return min((page.priority for page in self.pages), key=_URGENCY.index)

    @property
    def link(self) -> str | None:
        """Where a person who reads it goes on: to the acknowledgement of the one page, or to the list."""
        return self.board if self.grouped else self.links.get(self.first.page_id)


def group_id(pages: tuple[PageRequest, ...]) -> UUID:
    """Return the id under which `pages` are told together."""
    return uuid5(_GROUPS, "/".join(sorted(str(page.page_id) for page in pages)))
