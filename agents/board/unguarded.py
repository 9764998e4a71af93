"""A board on one's own machine without sign-in: whoever sits at it is everybody's nurse and doctor, and nobody else.

It answers loopback alone. Nobody may be followed on it.
"""

from __future__ import annotations

from ipaddress import ip_address
from secrets import token_urlsafe
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from agents.board.around import CSRF, PERSON
from schemas.people import Person, Role

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from agents.board.model import Model

_log = structlog.get_logger()


def unguarded(model: Model, pathless: frozenset[str] = frozenset({"/metrics", "/livez", "/readyz"})) -> Middleware:
    """Return the middleware: it lets this machine in, for every service that the model knows of."""
    token = token_urlsafe(32)

    @web.middleware
    async def letting(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in pathless:
            if not _here(request.remote):
                raise web.HTTPForbidden(text="There is no sign-in here: this board answers its own machine alone.")
            services = frozenset(status.service for status in model.all_statuses() if status.service)
            request[PERSON] = Person(
                ref="this-machine", name="Demo", roles=frozenset({Role.NURSE, Role.DOCTOR}), services=services
            )
            request[CSRF] = token
        return await handler(request)

    return letting


def _here(remote: str | None) -> bool:
    try:
        return remote is not None and ip_address(remote).is_loopback
    except ValueError:
        return False


class Unwritten:
    """The access log of a board that nobody signs in to: who it was cannot be said, so nothing is kept."""

    async def add(self, person_ref: str, action: str, patient: str | None, service: str | None, outcome: str) -> None:
        """Note that something was done, by nobody in particular."""
        del person_ref, patient, service
        _log.debug("board_used", action=action, outcome=outcome)
