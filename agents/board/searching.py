"""Searching by name: the name is sent in a form and stands in no address, log or list; what was found has a token.

The form has a page of its own, for the list's form is sent in the address.
"""

from __future__ import annotations

from collections import OrderedDict
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.board.answering import DONE, demand, show
from agents.board.around import person_of
from agents.board.fields import Entered
from agents.board.forms import form_id
from agents.board.patient_page import filled, posted
from agents.board.viewing import audience_of, lang_of
from dashboards.board.views import Field, Form
from schemas.people import Right

if TYPE_CHECKING:
    from agents.board.desk import Desk

REMEMBERED: Final = 500  # searches
SEARCHED: Final = 100  # characters
_UNPROCESSABLE: Final = 422


class Searching:
    """The form, and what was found lately."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: OrderedDict[str, tuple[str, frozenset[str]]] = OrderedDict()  # token -> whose, pseudonyms

    def found(self, token: str, ref: str) -> frozenset[str] | None:
        """Return what somebody's own search found; None: nothing is known of it."""
        whose, pseudonyms = self._found.get(token, ("", frozenset()))
        return pseudonyms if whose == ref else None

    async def page(self, request: web.Request) -> web.Response:
        """Answer /search."""
        await self._demand(request)
        return self._shown(request, None)

    async def post(self, request: web.Request) -> web.Response:
        """Answer POST /search: lead to the list of those who were found."""
        await self._demand(request)
        desk, person = self._desk, person_of(request)
        entered = Entered(await posted(desk, request), desk.voice(lang_of(request)), desk.tz)
        words = entered.text("words", most=SEARCHED)
        if words is None:
            return self._shown(request, entered, code=_UNPROCESSABLE)
        audience = audience_of(request)
        among = [one.patient for one in desk.model.all_statuses() if audience.sees(one) and audience.sees_name(one)]
        await desk.access.add(person.ref, "search", None, None, DONE)
        token = token_urlsafe(9)
        self._found[token] = person.ref, frozenset(await desk.directory.search(words, among))
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        raise web.HTTPSeeOther(f"/?found={token}")

    async def _demand(self, request: web.Request) -> None:
        person = person_of(request)
        if not any(person.may(Right.SEE_IDENTITY, service) for service in person.services):
            await demand(self._desk, request, Right.SEE_IDENTITY, "")

    def _shown(self, request: web.Request, entered: Entered | None, *, code: int = 200) -> web.Response:
        voice = self._desk.voice(lang_of(request))
        field = Field(name="words", label=voice("search.words"), kind="text", hint=voice("search.hint"), most=SEARCHED)
        form = Form(
            slug="search",
            title=voice("search.title"),
            action="/search",
            fields=filled([field], entered),
            form_id=form_id(),
            submit=voice("filter.q"),
        )
        return show(self._desk, request, "form.html", status=code, form=form, patient="")
