"""Searching by name: the name is sent in a form and stands in no address, log or list; what was found has a token.

The form has a page of its own, for the list's form is sent in the address.
"""

from __future__ import annotations

from collections import OrderedDict
from http import HTTPStatus
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from agents.board.answering import DONE, demand
from agents.board.around import person_of
from agents.board.form_page import Asked, FormPage, NotDoneError
from agents.board.named import UnavailableError, asking
from agents.board.viewing import audience_of, lang_of
from dashboards.board.views import Field
from schemas.people import Right

if TYPE_CHECKING:
    from aiohttp import web

    from agents.board.desk import Desk
    from agents.board.fields import Entered

REMEMBERED: Final = 500  # searches
SEARCHED: Final = 100  # characters


class Searching(FormPage[None]):
    """The form of /search, and what was found lately."""

    slug = "search"
    title = "search.title"
    submit = "filter.q"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._found: OrderedDict[str, tuple[str, frozenset[str]]] = OrderedDict()  # token -> whose, pseudonyms

    def found(self, token: str, ref: str) -> frozenset[str] | None:
        """Return what somebody's own search found; None: nothing is known of it."""
        whose, pseudonyms = self._found.get(token, ("", frozenset()))
        return pseudonyms if whose == ref else None

    async def about(self, request: web.Request) -> None:
        """Come back where the person sees who patients are, in some service."""
        person = person_of(request)
        if not any(person.may(Right.SEE_IDENTITY, service) for service in person.services):
            await demand(self._desk, request, Right.SEE_IDENTITY, "")

    async def asked(self, request: web.Request, about: None, entered: Entered | None) -> Asked:
        """Return the one field."""
        del about, entered
        voice = self._desk.voice(lang_of(request))
        return Asked(
            [Field(name="words", label=voice("search.words"), kind="text", hint=voice("search.hint"), most=SEARCHED)]
        )

    async def act(self, request: web.Request, about: None, entered: Entered) -> str:
        """Look for the words, and lead to the list of those who were found."""
        del about
        desk, person = self._desk, person_of(request)
        words = entered.text("words", most=SEARCHED)
        if words is None:
            raise NotDoneError
        audience = audience_of(request)
        among = [one.patient for one in desk.model.all_statuses() if audience.sees(one) and audience.sees_name(one)]
        await desk.access.add(person.ref, "search", None, None, DONE)
        try:
            with asking():
                found = frozenset(await desk.directory.search(words, among))
        except UnavailableError:
            raise NotDoneError(HTTPStatus.SERVICE_UNAVAILABLE, "identity.unavailable") from None
        token = token_urlsafe(9)
        self._found[token] = person.ref, found
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return f"/?found={token}"
