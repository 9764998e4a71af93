"""Doing what staff decided: one event for one form, however often it is sent, and done only when the broker has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5
from weakref import WeakValueDictionary

from agents.access.changes import changing
from agents.board.around import person_of
from agents.board.named import UnavailableError
from agents.gateway.delivery import UnconfirmedError
from agents.gateway.intake import Accepted
from schemas.codec import encode
from schemas.submissions import Submission

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from aiohttp import web

    from agents.board.around import Confirming
    from agents.board.desk import Desk
    from schemas.assessments import PatientStatus
    from schemas.care import CareEvent
    from schemas.people import Person

_NAMES: Final = UUID("0c4a0b1e-2f0e-4f65-9f3b-8b8a2c6d7e11")  # of the ids that forms make
REMEMBERED: Final = 5_000  # forms done lately
DECIDED_S: Final = 1.0  # how long the page that follows a form waits for triage [s]
_HEADER: Final = "board"


def event_id(person: Person, patient: str, slug: str, form_id: UUID) -> UUID:
    """Return the id of what a form makes: the same for the same form of the same person, sent again or not."""
    return uuid5(_NAMES, "\x1f".join((person.ref, patient, slug, str(form_id))))


class Acting:
    """Hands events to the broker, each form's once.

    A second click while the first is under way waits for it; one after it changes nothing. After a restart of the board
    it may be written again, with the same id, and whoever reads it drops it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done: OrderedDict[UUID, None] = OrderedDict()
        self._under_way: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, patient: str) -> asyncio.Lock:
        """Return what is held from looking at a patient until acting on it, so that nobody acts in between here."""
        return self._turns.setdefault(patient, asyncio.Lock())

    async def do(self, delivery: Confirming | None, event: CareEvent | Submission, id_: UUID) -> None:
        """Come back when the broker has confirmed the event.

        Raises
        ------
        agents.gateway.delivery.UnconfirmedError
            It has not, in time; the form may be sent again.
        """
        if delivery is None:
            raise UnconfirmedError("no broker to write to")
        async with self._under_way.setdefault(id_, asyncio.Lock()):
            if id_ in self._done:
                return
            await delivery.confirm([Accepted(id_, event.patient.encode(), encode(event))], _HEADER)
            self._done[id_] = None
            while len(self._done) > REMEMBERED:
                self._done.popitem(last=False)

    def recorded(
        self, request: web.Request, action: str, patient: str, service: str | None
    ) -> AbstractAsyncContextManager[None]:
        """Return what writes down that the person changes something of a patient, and what became of it."""
        access, ref = self._desk.access, person_of(request).ref
        return changing(
            lambda outcome: access.add(ref, action, patient, service, outcome),
            unsure=(UnconfirmedError, UnavailableError),
        )

    async def write(
        self, request: web.Request, event: CareEvent | Submission, id_: UUID, action: str, service: str | None
    ) -> None:
        """Write it down in the access log and hand it to the broker; the board itself knows of it at once.

        Raises
        ------
        agents.gateway.delivery.UnconfirmedError
            As `do`.
        """
        desk = self._desk
        async with self.recorded(request, action, event.patient, service):
            await self.do(desk.submissions if isinstance(event, Submission) else desk.care, event, id_)
        if not isinstance(event, Submission):
            desk.model.heard(event)

    async def decided(self, status: PatientStatus) -> None:
        """Come back when triage has decided something of a patient after `status`, or soon: the next page shows it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DECIDED_S):
                while self._desk.model.status(status.patient) is status:  # noqa: ASYNC110 - the model has no event of one patient's
                    await asyncio.sleep(0.02)
