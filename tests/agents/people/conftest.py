"""A small board behind the guard, over real HTTP on loopback, and browsers that visit it."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from yarl import URL

from agents import databases
from agents.access import log as access_log
from agents.access.verifying import about
from agents.http import serving
from agents.keys import Keys
from agents.metrics import Metrics
from agents.people.attempts import Attempts
from agents.people.doors import Doors
from agents.people.guard import Guard, demand
from agents.people.origin import Address, masked
from agents.people.passwords import Passwords
from agents.people.sessions import Sessions
from agents.people.users import User, UserFile
from schemas.people import Right, Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from agents.access.entries import Entry
    from agents.access.log import AccessLog
    from agents.people.oidc import Provider

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
KEYS = Keys({1: b"k" * 32})
PASSWORD = "correct horse battery staple"  # noqa: S105 - made up for these tests
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SERVICES = {"p-north": "north", "p-south": "south"}
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)

    def seconds(self) -> float:
        return self.at.timestamp()


@dataclass
class Answer:
    """What the board answered."""

    status: int
    headers: dict[str, str]
    text: str
    set_cookies: list[str]

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")


@dataclass
class Browser:
    """One browser: keeps cookies as it is told, and says where its requests come from."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str,
        form: dict[str, str] | None = None,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        page: bool = True,
    ) -> Answer:
        sent = {**(PAGE if page else {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}), **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = body
        if form is not None:
            data = urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                method, URL(self.base + path, encoded=True), data=data, headers=sent, allow_redirects=False
            ) as response,
        ):
            text = await response.text()
            set_cookies = response.headers.getall("Set-Cookie", [])
            for line in set_cookies:
                for name, morsel in SimpleCookie(line).items():
                    if morsel.value:
                        self.cookies[name] = morsel.value
                    else:
                        self.cookies.pop(name, None)
            return Answer(response.status, dict(response.headers), text, set_cookies)

    async def get(self, path: str, **asked: Any) -> Answer:  # noqa: ANN401 - as `ask` takes them
        return await self.ask("GET", path, **asked)

    async def post(self, path: str, form: dict[str, str], **asked: Any) -> Answer:  # noqa: ANN401 - the same
        headers = {"Sec-Fetch-Site": "same-origin", **asked.pop("headers", {})}
        return await self.ask("POST", path, form, headers=headers, **asked)

    async def sign_in(self, ref: str = "nurse-1", password: str = PASSWORD, going: str = "") -> Answer:
        """Open the page for signing in, and send its form."""
        shown = await self.get(f"/login{going}")
        found = TOKEN.search(shown.text)
        assert found is not None, shown.text
        return await self.post("/login", {"csrf": found[1], "ref": ref, "password": password})

    async def csrf(self) -> str:
        """Return the token that the pages of this session hold."""
        return (await self.get("/token")).text


@dataclass
class Board:
    """A running board."""

    base: str
    clock: Clock
    users: UserFile
    sessions: Sessions
    access: AccessLog
    metrics: Metrics
    folder: Path
    passwords: Passwords
    guard: Guard
    begun: asyncio.Event  # a stream is open
    ended: asyncio.Event  # it may look whether its session stands

    def browser(self) -> Browser:
        return Browser(self.base)

    async def nurse(self) -> Browser:
        """Return the browser of a nurse of `north` who is signed in."""
        browser = self.browser()
        assert (await browser.sign_in()).status == 303
        return browser

    async def logged(self, patient: str) -> list[Entry]:
        """Return what the access log holds about a patient, once it is written."""
        await self.access.add("test", "written", None, None)
        return list(about(self.folder / "access", KEYS, patient))


def user(*roles: Role, services: tuple[str, ...] = ("north",), at: datetime = NOW, **changed: Any) -> User:  # noqa: ANN401 - any field
    made = {
        "name": "Nurse One",
        "roles": frozenset(roles or {Role.NURSE}),
        "services": frozenset(services),
        "password": QUICK.hash(PASSWORD),
        "valid_from_at": at,
    }
    return User(**{**made, **changed})


def pages() -> list[web.AbstractRouteDef]:
    """Return a few pages as a board has them."""

    async def home(request: web.Request) -> web.Response:
        return web.Response(text=f"home of {request['person'].ref}", content_type="text/html")

    async def token(request: web.Request) -> web.Response:
        return web.Response(text=masked(request["csrf"]))

    async def patient(request: web.Request) -> web.Response:
        demand(request, Right.SEE_PATIENT, SERVICES.get(request.match_info["patient"], "nowhere"))
        return web.Response(text="measurements")

    async def act(request: web.Request) -> web.Response:
        demand(request, Right.RECORD, SERVICES.get(request.match_info["patient"], "nowhere"))
        return web.Response(text="recorded")

    async def sign(request: web.Request) -> web.Response:
        demand(request, Right.SIGN_PLAN, "north", patient="p-north")
        return web.Response(text="signed")

    async def open_page(request: web.Request) -> web.Response:
        return web.Response(text=f"open, {'nobody' if 'person' not in request else request['person'].ref}")

    return [
        web.get("/", home),
        web.get("/token", token),
        web.get("/patients/{patient}", patient),
        web.post("/patients/{patient}/contacts", act),
        web.put("/patients/{patient}/contacts", act),
        web.delete("/patients/{patient}/contacts", act),
        web.post("/plans", sign),
        web.get("/livez", open_page),
        web.get("/metrics", open_page),
        web.get("/static/board.css", open_page),
        web.get("/a/{token}", open_page),
        web.post("/a/{token}", open_page),
        web.post("/hooks/pagerduty", open_page),
        web.get("/staticky", open_page),
        web.get("/loginx", open_page),
    ]


@pytest.fixture
async def open_board(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Board]]]:
    """Return a function that starts a board."""
    async with AsyncExitStack() as stack:

        async def start(
            *,
            provider: Provider | None = None,
            users: dict[str, User] | None = None,
            board_url: str = "",
            passwords: Passwords | None = None,
            proxy: str = "",
        ) -> Board:
            clock = Clock()
            metrics = Metrics(CollectorRegistry())
            file = UserFile(tmp_path / "users.json")
            with file.changing() as held:
                held.update({"nurse-1": user()} if users is None else users)
            access = await stack.enter_async_context(access_log.opened(tmp_path / "access", KEYS, clock, metrics))
            sessions = Sessions(databases.opened(f"sqlite:///{tmp_path / 'sessions.sqlite'}"), clock)
            stack.push_async_callback(sessions.close)
            await sessions.open()
            address = Address(board_url, "127.0.0.1")
            used = passwords or Passwords(QUICK)
            doors = Doors(
                sessions=sessions,
                address=address,
                access=access,
                metrics=metrics,
                users=file,
                passwords=used,
                attempts=Attempts(clock.seconds),
                provider=provider,
                proxy=proxy,
            )
            guard = Guard(sessions=sessions, address=address, access=access, users=file, doors=doors)
            app = web.Application(middlewares=[guard.middleware], client_max_size=64 * 1024)
            begun, ended = asyncio.Event(), asyncio.Event()

            async def stream(request: web.Request) -> web.StreamResponse:
                response = web.StreamResponse()
                await response.prepare(request)
                await response.write(b"begun ")
                begun.set()
                await ended.wait()
                await response.write(b"alive" if await guard.alive(request) else b"over")
                return response

            app.add_routes([*guard.routes(), *pages(), web.get("/events", stream)])
            port = await stack.enter_async_context(serving(app, host="127.0.0.1", port=0))
            base = f"http://127.0.0.1:{port}"
            return Board(base, clock, file, sessions, access, metrics, tmp_path, used, guard, begun, ended)

        yield start


@pytest.fixture
async def board(open_board: Callable[..., Awaitable[Board]]) -> Board:
    """A board with one nurse, of `north`."""
    return await open_board()
