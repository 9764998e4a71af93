"""What must be known of alerts before one is acknowledged from elsewhere, and where the acknowledgement goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from schemas.care import Acknowledged
    from schemas.paging import PageRequest


class Asked(NamedTuple):
    """A page, and when it was first asked for, by the broker's clock."""

    page: PageRequest
    at: datetime


class Worsening(NamedTuple):
    """What an acknowledgement must name: the opening of a patient's episode, or its newest worsening."""

    zone_change_id: UUID
    at: datetime


class Known(Protocol):
    """The board's read model, as far as it is asked here."""

    def up_to_date(self) -> bool:
        """Whether everything that the broker has was heard, not long ago."""

    def page(self, page_id: UUID) -> Asked | None:
        """A page of the last 24 hours at least; None: unknown, or older."""

    def told_in(self, key: UUID) -> tuple[Asked, ...]:
        """The pages that `page` knows of what a notice was about: `key` is an incident, a group of pages, or a page."""

    def worsening(self, patient: str) -> Worsening | None:
        """The newest of a patient; None where no episode is open."""

    def taken_over(self, zone_change_id: UUID) -> Acknowledged | None:
        """What acknowledged a zone change first."""

    def retracted(self, zone_change_id: UUID) -> bool:
        """Whether a zone change was taken back."""


class Writer(Protocol):
    """Where acknowledgements go."""

    async def write(self, event: Acknowledged) -> None:
        """Return when the broker has confirmed it.

        Raises
        ------
        UnconfirmedError
            It has not, in time; it may be written all the same.
        """
