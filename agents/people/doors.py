"""Signing in and out: by a password of the user file, or at an identity provider."""

from __future__ import annotations

import asyncio
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec
import structlog
from aiohttp import web
from itsdangerous import BadData, URLSafeTimedSerializer
from msgspec import Struct

from agents.people import answers
from agents.people.languages import language
from agents.people.oidc import ProviderError, Underway
from agents.people.origin import FIELD, FORM, masked, same_token
from agents.people.paths import HOME, SIGN_IN, within
from agents.people.users import UsersError
from dashboards.board import login

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.access.log import AccessLog
    from agents.metrics import Metrics
    from agents.people.attempts import Attempts
    from agents.people.oidc import Provider
    from agents.people.origin import Address
    from agents.people.passwords import Passwords
    from agents.people.sessions import Sessions
    from agents.people.users import UserFile
    from schemas.people import Person

ENTRY_S: Final = 600  # how long the page for signing in may stand open [s]
PASSWORD: Final = "password"  # noqa: S105 - the way's name
OIDC: Final = "oidc"
NOBODY: Final = "unknown"  # in the access log, of a reference that is nobody's
CALLBACK: Final = "/login/callback"
_log = structlog.get_logger()


class Entry(Struct, frozen=True):
    """What a browser that is not signed in keeps for us, signed: the token of its form, and where it was going."""

    csrf: str
    next: str = HOME
    underway: Underway | None = None


class Doors:
    """The pages for signing in and out.

    Parameters
    ----------
    users, provider
        The ways in; at least one.
    proxy
        The address of the proxy whose X-Forwarded-For is believed; empty: none.
    """

    def __init__(  # noqa: PLR0913 - what the two ways need
        self,
        *,
        sessions: Sessions,
        address: Address,
        access: AccessLog,
        metrics: Metrics,
        users: UserFile | None,
        passwords: Passwords,
        attempts: Attempts,
        provider: Provider | None,
        proxy: str = "",
    ) -> None:
        self._sessions = sessions
        self._address = address
        self._access = access
        self._tried = metrics.sign_ins
        for outcome in ("done", "refused", "limited"):
            self._tried.labels(outcome)  # from 0 on: of a series that begins at 1 no increase is seen
        self._users = users
        self._passwords = passwords
        self._attempts = attempts
        self._provider = provider
        self._proxy = proxy
        # Of this process alone: after a restart somebody in the middle of signing in begins anew.
        self._signed = URLSafeTimedSerializer(token_urlsafe(32), salt="entry")
        self._entry_cookie = f"{address.cookie}-entry"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes."""
        return [
            web.get(SIGN_IN, self._show),
            web.post(SIGN_IN, self._by_password),
            web.post("/logout", self._out),
            web.get("/login/oidc", self._to_provider),
            web.get(CALLBACK, self._from_provider),
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        going = within(request.query.get("next"))
        if "person" in request:
            return _see(going)
        return self._page(request, Entry(csrf=token_urlsafe(32), next=going))

    async def _by_password(self, request: web.Request) -> web.StreamResponse:
        entry = self._entry(request)
        form = await request.post() if request.content_type == FORM else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if entry is None or not self._address.same(request) or not same_token(fields.get(FIELD, ""), entry.csrf):
            return self._page(request, Entry(csrf=token_urlsafe(32)), "again", 403)
        if self._users is None:
            raise web.HTTPNotFound
        ref, offered = fields.get("ref", "").strip()[:64], fields.get("password", "")
        client = self._client(request)
        wait = self._attempts.take(ref, client)
        if wait > 0:
            self._tried.labels("limited").inc()
            limited = self._page(request, entry, "wait", 429)
            limited.headers["Retry-After"] = str(int(wait) + 1)
            return limited
        user = self._users.of(ref)
        right = await self._passwords.right(user, offered)
        if not right or user is None:
            return await self._wrong(request, entry, ref if user is not None else NOBODY)
        self._attempts.succeeded(ref, client)
        if self._passwords.outdated(user):
            await asyncio.to_thread(self._hash_again, self._users, ref, offered)
        return await self._in(request, user.person(ref), PASSWORD, entry.next)

    def _hash_again(self, users: UserFile, ref: str, password: str) -> None:
        """Keep the password's hash by the parameters of today; who signs in is not to wait for a full disk's repair."""
        try:
            with users.changing() as everybody:
                everybody[ref] = msgspec.structs.replace(everybody[ref], password=self._passwords.hash(password))
        except (OSError, UsersError, KeyError) as error:
            _log.warning("password_not_hashed_again", error=type(error).__name__)

    async def _wrong(self, request: web.Request, entry: Entry, ref: str) -> web.Response:
        self._tried.labels("refused").inc()
        await self._access.add(ref, "sign_in", None, None, "refused")
        return self._page(request, entry, "wrong", 403)

    async def _out(self, request: web.Request) -> web.StreamResponse:
        person: Person = request["person"]
        await self._sessions.end(request.cookies[self._address.cookie])
        await self._access.add(person.ref, "sign_out", None, None, "done")
        response = _see(SIGN_IN)
        self._forget(response, self._address.cookie)
        return response

    async def _to_provider(self, request: web.Request) -> web.StreamResponse:
        if self._provider is None:
            raise web.HTTPNotFound
        going = within(request.query.get("next"))
        try:
            address, underway = await self._provider.begin(self._redirect_uri(request))
        except ProviderError as error:
            return self._failed(request, error, 502)
        response = _see(address)
        self._keep(response, Entry(csrf=token_urlsafe(32), next=going, underway=underway))
        return response

    async def _from_provider(self, request: web.Request) -> web.StreamResponse:
        if self._provider is None:
            raise web.HTTPNotFound
        entry = self._entry(request)
        if entry is None or entry.underway is None:
            return self._failed(request, ProviderError("not_begun"), 403)
        try:
            person = await self._provider.finish(str(request.url), self._redirect_uri(request), entry.underway)
        except ProviderError as error:
            return self._failed(request, error, 403)
        user = None if self._users is None else self._users.of(person.ref)
        if user is not None and user.disabled:
            await self._access.add(person.ref, "sign_in", None, None, "refused")
            return self._failed(request, ProviderError("disabled"), 403)
        return await self._in(request, person, OIDC, entry.next)

    async def _in(self, request: web.Request, person: Person, way: str, going: str) -> web.StreamResponse:
        """Sign in under a new id, whatever id the browser had: one that was put there by another is worth nothing."""
        before = request.cookies.get(self._address.cookie)
        await self._access.add(person.ref, "sign_in", None, None, "done")
        sid, _ = await self._sessions.begin(person, way, instead_of=before)
        self._tried.labels("done").inc()
        response = _see(going)
        self._forget(response, self._entry_cookie)
        self._set(response, self._address.cookie, sid)
        return response

    def _failed(self, request: web.Request, error: ProviderError, status: int) -> web.Response:
        self._tried.labels("refused").inc()
        _log.warning("sign_in_failed", reason=error.reason)
        told = error.reason if error.reason in {"no_role", "disabled", "unreachable"} else "provider"
        return self._page(request, Entry(csrf=token_urlsafe(32)), told, status)

    def _page(self, request: web.Request, entry: Entry, problem: str = "", status: int = 200) -> web.Response:
        query = "" if entry.next == HOME else f"?{urlencode({'next': entry.next})}"
        html = login.sign_in(
            language(request),
            csrf=masked(entry.csrf),
            by_password=self._users is not None,
            by_provider=None if self._provider is None else f"/login/oidc{query}",
            problem=problem,
        )
        response = answers.page(html, status)
        self._keep(response, Entry(csrf=entry.csrf, next=entry.next))
        return response

    def _redirect_uri(self, request: web.Request) -> str:
        return f"{self._address.own(request)}{CALLBACK}"

    def _client(self, request: web.Request) -> str:
        remote = request.remote or ""
        if self._proxy and remote == self._proxy:
            return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:64] or remote
        return remote

    def _entry(self, request: web.Request) -> Entry | None:
        try:
            kept = self._signed.loads(request.cookies.get(self._entry_cookie, ""), max_age=ENTRY_S)
            return msgspec.convert(kept, Entry)
        except (BadData, msgspec.ValidationError):
            return None

    def _keep(self, response: web.Response, entry: Entry) -> None:
        signed = self._signed.dumps(msgspec.to_builtins(entry))
        self._set(response, self._entry_cookie, signed, ENTRY_S)

    def _set(self, response: web.Response, name: str, value: str, seconds: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._address.secure, httponly=True, samesite="Lax"
        )

    def _forget(self, response: web.Response, name: str) -> None:
        response.del_cookie(name, path="/", secure=self._address.secure, httponly=True, samesite="Lax")


def _see(target: str) -> web.Response:
    return web.Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})
