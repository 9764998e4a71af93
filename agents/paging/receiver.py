"""A receiver of pages, for the demo and for tests: checks the signature, takes every page once, and counts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from agents.paging.signing import SignatureError, SigningSecret, verify
from schemas.services import Contact, Service, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.wallclock import Clock

DUTIES: Final = ("nurse", "next-nurse", "lead")  # of the ladder that a service has unless it sets its own
REMEMBERED: Final = 100_000  # pages whose repeats are known; our choice
BODY_BYTES: Final = 1_048_576  # a group of 200 pages with 20 causes each
Stage = Callable[[str, str], Awaitable[int | None]]  # (service, page id) -> a status to answer with, or None to go on


def service_paged_at(name: str, url: str, secret_file: str, *, timeout_s: float | None = None) -> Service:
    """Return a service all of whose duties are told at one address."""
    way = Webhook(url=url, secret_file=secret_file, timeout_s=timeout_s)
    return Service(name=name, contacts={duty: Contact(ways={"webhook": way, "phone": way}) for duty in DUTIES})


async def _go_on(service: str, page_id: str) -> int | None:
    del service, page_id
    return None


class Receiver:
    """Takes pages for several services at `/pages/{service}`.

    Parameters
    ----------
    secrets
        Service -> secret shared with the messenger.
    clock
        Tells old messages from new.
    before, after
        Called before a page takes effect and after it, before the answer: where a test lets it fail or hang.

    Attributes
    ----------
    taken
        Page id -> the page's data, each once however often it came, alone or in a group; the newest 100,000.
    posts, effects, refused
        Genuine posts with their repeats, those that woke somebody, and posts with a wrong signature.
    """

    def __init__(
        self, secrets: Mapping[str, SigningSecret], clock: Clock, before: Stage = _go_on, after: Stage = _go_on
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._before = before
        self._after = after
        self.taken: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.posts = 0
        self.effects = 0
        self.refused = 0

    def application(self) -> web.Application:
        """Return it as an application."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.add_routes(self.routes())
        return application

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers, to be among the routes of another application."""
        return [web.post("/pages/{service}", self._handle)]

    async def _handle(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        secret = self._secrets.get(service)
        if secret is None:
            return web.Response(status=404)
        body = await request.read()
        try:
            page_id = verify(request.headers, body, secret, self._clock())
        except SignatureError as error:
            self.refused += 1
            return web.Response(status=401, text=str(error))
        self.posts += 1
        answered = await self._before(service, page_id)
        if answered is not None:
            return web.Response(status=answered)
        data = msgspec.json.decode(body)["data"]
        for page in data.get("pages", (data,)):
            if page["page_id"] not in self.taken:
                self.effects += 1
                self.taken[page["page_id"]] = page
            while len(self.taken) > REMEMBERED:
                self.taken.popitem(last=False)
        return web.Response(status=await self._after(service, page_id) or 204)
