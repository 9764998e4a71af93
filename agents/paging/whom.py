"""Who is told of a page, and by which of their ways: whoever has the duty at the moment of posting.

That somebody has it, or that it is over, is told to whoever was told that it began, though their shift may have ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage.rosters import on_duty
from schemas.paging import PageAction
from schemas.services import CANARY, NURSE

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.paging import PageRequest
    from schemas.services import Contact, Service


class Told(NamedTuple):
    """A contact of a service, and one of its ways."""

    contact: str
    by: str


def whom(service: Service, page: PageRequest, now: datetime) -> Told | None:
    """Return who is told; None where the service can reach nobody.

    Where nobody has the duty it is the contact of that name, else whoever is the nurse: better somebody than nobody.
    Who lacks the way that is asked for is told by their usual one. What only tries the alarm path calls no nurse.
    """
    if page.to == CANARY:
        return Told(CANARY, usual(service.contacts[CANARY])) if CANARY in service.contacts else None
    told = None if page.action is PageAction.TRIGGER else page.contact
    for name in (told, on_duty(service, page.to, now), page.to, on_duty(service, NURSE, now), NURSE):
        contact = service.contacts.get(name) if name is not None else None
        if name is not None and contact is not None:
            return Told(name, page.by if page.by in contact.ways and page.by is not None else usual(contact))
    return None


def usual(contact: Contact) -> str:
    """Return the way by which a contact is told where no other is asked for."""
    return contact.usual if contact.usual is not None else next(iter(contact.ways))
