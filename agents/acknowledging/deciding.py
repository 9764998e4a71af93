"""What a link is good for at the moment at which somebody follows it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid5

from agents.acknowledging.links import VALID_FOR, ForgedError
from schemas.care import Acknowledged

if TYPE_CHECKING:
    from datetime import datetime

    from agents.acknowledging.known import Asked, Known
    from agents.acknowledging.links import Link, Links

SETTLES_IN: Final = timedelta(minutes=10)  # a page and what it is about are told of within this; our choice
_EVENTS: Final = UUID("a3f4b8f5-3b0e-5d44-8a0c-4f1c6f0f8f5d")  # namespace of acknowledgements by link and by PagerDuty


class Standing(StrEnum):
    """What a link is good for."""

    OPEN = "open"
    DONE = "done"  # just now, by this link
    TEST = "test"  # nobody is ill
    FORGED = "forged"
    BEHIND = "behind"  # the board has not heard of the page yet
    EXPIRED = "expired"
    RETRACTED = "retracted"  # the alert was taken back, or is over
    LATE = "late"  # the patient is worse since: that is another page
    USED = "used"  # somebody has it already
    UNSAID = "unsaid"  # no reason was chosen, or the note cannot be taken
    ELSEWHERE = "elsewhere"  # the form was sent from another site
    UNCONFIRMED = "unconfirmed"  # the broker did not say that it has it


STATUS: Final = {
    Standing.OPEN: 200,
    Standing.DONE: 200,
    Standing.TEST: 200,
    Standing.FORGED: 403,
    Standing.BEHIND: 503,
    Standing.EXPIRED: 410,
    Standing.RETRACTED: 404,
    Standing.LATE: 412,
    Standing.USED: 409,
    Standing.UNSAID: 422,
    Standing.ELSEWHERE: 403,
    Standing.UNCONFIRMED: 503,
}


class Decision(NamedTuple):
    """What is said to who follows a link."""

    standing: Standing
    link: Link | None = None
    asked: Asked | None = None
    by: Acknowledged | None = None  # who has it already


def decide(links: Links, known: Known, token: str, now: datetime) -> Decision:
    """Return what a link is good for at `now`."""
    try:
        link = links.read(token)
    except ForgedError:
        return Decision(Standing.FORGED)
    if not known.up_to_date():
        return Decision(Standing.BEHIND, link)
    asked = known.page(link.page_id)
    if asked is None or now - asked.at > VALID_FOR:
        return Decision(Standing.EXPIRED, link, asked)
    if asked.page.test:
        return Decision(Standing.TEST, link, asked)
    taken = known.taken_over(asked.page.zone_change_id)
    if taken is not None:
        return Decision(Standing.USED, link, asked, taken)
    return Decision(_standing(known, asked, now), link, asked)


def _standing(known: Known, asked: Asked, now: datetime) -> Standing:
    page = asked.page
    newest = known.worsening(page.patient)
    if known.retracted(page.zone_change_id):
        return Standing.RETRACTED
    if newest is not None and newest.zone_change_id == page.zone_change_id:
        return Standing.OPEN
    if newest is not None and newest.at >= page.at:
        return Standing.LATE
    # A page may be asked ahead of a backlog, before anything else is told of what it is about.
    return Standing.BEHIND if now - asked.at < SETTLES_IN else Standing.RETRACTED


def acknowledged(link: Link, asked: Asked, now: datetime, reason_code: str, note: str | None) -> Acknowledged:
    """Return the event of a link: the same id however often, and by however many at once, it is used."""
    return Acknowledged(
        event_id=event_id("link", asked.page.page_id),
        patient=asked.page.patient,
        at=now,
        recorded_at=now,
        recorded_by=link.told,
        zone_change_id=asked.page.zone_change_id,
        by=link.told,
        reason_code=reason_code,
        note=note,
    )


def event_id(*cause: object) -> UUID:
    """Return the id of the acknowledgement that comes of `cause`."""
    return uuid5(_EVENTS, "/".join(map(str, cause)))
