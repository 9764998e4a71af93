"""What stands between the storing process and InfluxDB: passes on, answers with an error, is slow, or cuts off."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType

SLOW_S: Final = 3.0
BODY_BYTES: Final = 64 * 1024 * 1024
_HOP: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding"})


class Mood(StrEnum):
    """How the store behaves."""

    WELL = "well"
    UNAVAILABLE = "503"
    TOO_MANY = "429"
    SLOW = "slow"
    CUT = "cut"  # the request arrives, the answer does not
    AWAY = "away"  # the connection is closed before anything is read


class Proxy:
    """An HTTP proxy on loopback; `mood` may be set at any time.

    Parameters
    ----------
    url
        Where InfluxDB is.
    """

    def __init__(self, url: str) -> None:
        self._to = url
        self.mood = Mood.WELL
        self.troubled = 0  # requests that were answered otherwise than by the store
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        mood = self.mood
        if mood is not Mood.WELL:
            self.troubled += 1
        if mood is Mood.AWAY:
            return _cut(request)
        if mood is Mood.UNAVAILABLE:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if mood is Mood.TOO_MANY:
            return web.Response(status=429, headers={"Retry-After": "1"})
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_S)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if "Content-Encoding" in request.headers:
            headers["Content-Encoding"] = request.headers["Content-Encoding"]
        try:
            async with self._session.request(
                request.method, self._to + request.path_qs, data=await request.read(), headers=headers
            ) as answer:
                body = await answer.read()
                if mood is Mood.CUT:
                    return _cut(request)
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
                return web.Response(status=answer.status, body=body, headers=kept)
        except aiohttp.ClientError:
            return _cut(request)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
