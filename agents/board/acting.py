"""Doing what staff decided: one event for one form, however often it is sent, and done only when the broker has it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from agents.gateway.delivery import UnconfirmedError
from agents.gateway.intake import Accepted
from schemas.codec import encode

if TYPE_CHECKING:
    from agents.board.around import Confirming
    from schemas.care import CareEvent
    from schemas.people import Person
    from schemas.submissions import Submission

_NAMES: Final = UUID("0c4a0b1e-2f0e-4f65-9f3b-8b8a2c6d7e11")  # of the ids that forms make
REMEMBERED: Final = 5_000  # forms done lately
_HEADER: Final = "board"


def event_id(person: Person, patient: str, slug: str, form_id: UUID) -> UUID:
    """Return the id of what a form makes: the same for the same form of the same person, sent again or not."""
    return uuid5(_NAMES, "\x1f".join((person.ref, patient, slug, str(form_id))))


class Acting:
    """Hands events to the broker, each form's once.

    A second click while the first is under way waits for it; one after it changes nothing. After a restart of the board
    it may be written again, with the same id, and whoever reads it drops it.
    """

    def __init__(self) -> None:
        self._done: OrderedDict[UUID, None] = OrderedDict()
        self._under_way: dict[UUID, asyncio.Lock] = {}

    async def do(self, delivery: Confirming | None, event: CareEvent | Submission, id_: UUID) -> None:
        """Come back when the broker has confirmed the event.

        Raises
        ------
        agents.gateway.delivery.UnconfirmedError
            It has not, in time; the form may be sent again.
        """
        if delivery is None:
            raise UnconfirmedError("no broker to write to")
        lock = self._under_way.setdefault(id_, asyncio.Lock())
        try:
            async with lock:
                if id_ in self._done:
                    return
                await delivery.confirm([Accepted(id_, event.patient.encode(), encode(event))], _HEADER)
                self._done[id_] = None
                while len(self._done) > REMEMBERED:
                    self._done.popitem(last=False)
        finally:
            self._under_way.pop(id_, None)
