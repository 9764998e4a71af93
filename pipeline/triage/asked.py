"""Whom a climb has asked to look, and whom that is known to have reached: they are told of its end.

A duty is asked, and whoever has it then is told. By the end of a red somebody else may have the duty, and the paging
process another memory. So a receipt's word of whom a page reached is kept here, in the patient's state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pipeline.triage.state import ID_BYTES, Asked

if TYPE_CHECKING:
    from uuid import UUID

    from pipeline.triage.state import Climb
    from schemas.paging import Receipt

Duties = tuple[Asked, ...]
TOLD: Final = 20  # duties and whom they reached that hear of the end, the newest; our choice


def asked_by(page: UUID) -> bytes:
    """What is kept of the page that asks a duty, until it is known whom that reached."""
    return page.bytes[:ID_BYTES]


def joined(some: Duties, more: Duties) -> Duties:
    """All of both. A duty that is asked anew takes the place of the same one that nobody is known to have got."""
    found = list(some)
    for duty in more:
        place = next((at for at, known in enumerate(found) if known.contact is None and _same(known, duty)), None)
        if place is not None:
            found[place] = duty
        else:
            found.append(duty)
    return tuple(dict.fromkeys(found))[-TOLD:]


def reached(climb: Climb, receipt: Receipt) -> Climb:
    """The climb once a receipt says whom its page reached; the very same where that is no news."""
    page = asked_by(receipt.page_id)
    if receipt.told is None or page not in [duty.page for duty in (*climb.before, *climb.asked)]:
        return climb
    return replace(
        climb, asked=_known(climb.asked, page, receipt.told), before=_known(climb.before, page, receipt.told)
    )


def _known(duties: Duties, page: bytes, contact: str) -> Duties:
    known = [replace(duty, contact=contact, page=b"") if duty.page == page else duty for duty in duties]
    return tuple(dict.fromkeys(known))


def _same(one: Asked, other: Asked) -> bool:
    return (one.service, one.to, one.by) == (other.service, other.to, other.by)
