"""The door of every page of the board: nobody without a session, nothing changed from another site, no right assumed.

Whoever builds pages adds `guard.middleware` before all others and `guard.routes()`, reads `request["person"]` and
`request["csrf"]`, which its forms hold `masked`, and calls `demand` before anything is shown or done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from aiohttp import web

from agents.access.log import AccessLogError
from agents.people import answers
from agents.people.doors import OIDC
from agents.people.origin import SAFE, same_token, token
from agents.people.paths import is_open, tricked
from agents.people.users import UsersError
from schemas.types import Pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.typedefs import Handler, Middleware

    from agents.access.log import AccessLog
    from agents.people.doors import Doors
    from agents.people.origin import Address
    from agents.people.sessions import Session, Sessions
    from agents.people.users import UserFile
    from schemas.people import Person, Right

# `same-origin` and not `no-referrer`: with that a browser gives a form of our own the origin `null`.
REFERRERS: Final = "same-origin"
_log = structlog.get_logger()


class RefusedError(web.HTTPForbidden):
    """Somebody signed in has no right to it; the access log records it.

    Parameters
    ----------
    right
        What they lack.
    patient, service
        Whose, and of which service, where it is of one.
    """

    def __init__(self, right: Right, *, patient: str | None, service: str | None) -> None:
        super().__init__()
        self.right = right
        self.patient = patient
        self.service = service


def demand(request: web.Request, right: Right, service: str | None, *, patient: str | None = None) -> Person:
    """Return who asks, where they have `right` in `service` (None: in no service, as users are).

    Parameters
    ----------
    patient
        Whom it is about, where the route's own `patient` does not say it.

    Raises
    ------
    RefusedError
        They have not.
    """
    person: Person = request["person"]
    if not person.may(right, service):
        raise RefusedError(right, patient=patient or request.match_info.get("patient"), service=service)
    return person


class Guard:
    """Lets in who is signed in.

    Parameters
    ----------
    users
        The user file, None where everybody comes by the identity provider.
    access
        Where refusals are recorded.
    doors
        The pages for signing in and out.
    """

    def __init__(
        self, *, sessions: Sessions, address: Address, access: AccessLog, users: UserFile | None, doors: Doors
    ) -> None:
        self._sessions = sessions
        self._address = address
        self._access = access
        self._users = users
        self._doors = doors

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes for signing in and out."""
        return self._doors.routes()

    @property
    def middleware(self) -> Middleware:
        """What stands before every handler."""

        @web.middleware
        async def guarding(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await self._guarded(request, handler)
            if not response.prepared:
                response.headers["Referrer-Policy"] = REFERRERS
            return response

        return guarding

    async def alive(self, request: web.Request) -> bool:
        """Whether the session behind a request that is still being answered, as a stream, is as it was when it began.

        It is not where it has ended, and where its user's services or roles are others now.
        """
        try:
            session = await self._session(request, act=False)
            return session is not None and session.person == request.get("person")
        except UsersError:
            return False

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._address.reached(request):
            return answers.refused(request, 421)
        if tricked(request.rel_url.raw_path):
            return answers.refused(request, 400)
        try:
            session = await self._session(request, act=_is_act(request))
        except UsersError as error:
            _log.error("users_unreadable", error=type(error).__name__)
            return answers.refused(request, 503)
        if session is not None:
            # Not request[...] = ...: aiohttp warns of keys that are plain text, and pages read them by it all the same.
            request._state.update(person=session.person, csrf=session.csrf)  # noqa: SLF001
        return await self._let_in(request, handler, session)

    async def _let_in(self, request: web.Request, handler: Handler, session: Session | None) -> web.StreamResponse:
        changes = request.method not in SAFE
        if is_open(request):
            if changes and self._address.foreign(request):
                return answers.refused(request, 403)
        elif session is None:
            return answers.to_sign_in(request)
        elif changes and not await self._own_form(request, session):
            return await self._refuse(request, "forgery", None, None)
        return await self._answered(request, handler)

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return await self._refuse(request, refused.right.value, refused.patient, refused.service)
        except AccessLogError:
            # What cannot be recorded is not shown.
            return answers.refused(request, 503)
        except web.HTTPException as answer:
            answer.headers["Referrer-Policy"] = REFERRERS
            raise

    async def _own_form(self, request: web.Request, session: Session) -> bool:
        return self._address.same(request) and same_token(await token(request), session.csrf)

    async def _refuse(
        self, request: web.Request, action: str, patient: str | None, service: str | None
    ) -> web.StreamResponse:
        person: Person = request["person"]
        # The address may name what is no pseudonym at all, and no such text is written down.
        about = patient if _is_pseudonym(patient) else None
        try:
            await self._access.add(person.ref, action, about, service, "refused")
        except AccessLogError:
            return answers.refused(request, 503)
        return answers.refused(request, 403)

    async def _session(self, request: web.Request, *, act: bool) -> Session | None:
        sid = request.cookies.get(self._address.cookie)
        if sid is None:
            return None
        session = await self._sessions.of(sid, act=act)
        if session is None:
            return None
        standing = self._standing(session)
        if standing is None:
            await self._sessions.end(sid)
        return standing

    def _standing(self, session: Session) -> Session | None:
        """The session with what its user may do now; None where it has ended with the user."""
        user = None if self._users is None else self._users.of(session.person.ref)
        if user is not None and (user.disabled or user.valid_from_at > session.began_at):
            return None
        if session.way == OIDC:
            return session
        return None if user is None else msgspec.structs.replace(session, person=user.person(session.person.ref))


def _is_pseudonym(text: str | None) -> bool:
    try:
        msgspec.convert(text, Pseudonym)
    except msgspec.ValidationError:
        return False
    return True


def _is_act(request: web.Request) -> bool:
    """Whether a person did something: went to a page or sent a form. What a page fetches by itself is none."""
    if request.method not in SAFE:
        return True
    mode = request.headers.get("Sec-Fetch-Mode")
    return mode == "navigate" if mode is not None else "text/html" in request.headers.get("Accept", "")
