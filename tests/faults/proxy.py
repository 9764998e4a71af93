"""What stands between storing and InfluxDB: passes on, errs, is slow, cuts off, or adds a bad line of its own."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType

SLOW_S: Final = 3.0
LATE_S: Final = 12.0  # the product's client gives up after 10
BODY_BYTES: Final = 64 * 1024 * 1024
WRITE: Final = "/api/v2/write"
TEXTS: Final = {  # of each measurement a field that is a text: a number in it is refused
    b"assessment": b"zone",
    b"reading": b"unit",
    b"answer": b"kind",
    b"zone_change": b"service",
    b"status": b"zone",
    b"page": b"service",
    b"page_receipt": b"outcome",
    b"care_event": b"event_id",
}
_HOP: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Mood(StrEnum):
    """How the store behaves."""

    WELL = "well"
    UNAVAILABLE = "503"
    TOO_MANY = "429"
    BAD_LINE = "422 on one line"  # of each second request that has several; the good ones are stored
    SLOW = "slow"
    LATE = "slower than its client waits"  # stored, and said so when nobody listens any more
    CUT = "answer cut"  # in the middle of its first line
    CUT_ASKING = "request cut"  # in the middle of its body
    AWAY = "away"  # the connection is closed before anything is read


class Proxy:
    """An HTTP proxy on loopback; `mood`, and `slow_s` of the slow one, may be set at any time.

    Parameters
    ----------
    url
        Where InfluxDB is.

    Attributes
    ----------
    troubled
        Writes that went otherwise than the store alone would have it.
    bad_lines
        Requests to which a bad line was added, and which the store answered with 422.
    """

    def __init__(self, url: str) -> None:
        self._to = url
        self.mood = Mood.WELL
        self.slow_s = SLOW_S
        self.troubled = 0
        self.bad_lines = 0
        self.url = ""
        self._requests = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
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
        if mood not in {Mood.WELL, Mood.BAD_LINE}:
            self.troubled += request.path == WRITE
        match mood:
            case Mood.AWAY:
                return _cut(request)
            case Mood.UNAVAILABLE | Mood.TOO_MANY:
                return web.Response(status=int(mood), headers={"Retry-After": "1"})
            case Mood.SLOW:
                await asyncio.sleep(self.slow_s)
        body = await request.read()
        if mood is Mood.CUT_ASKING:
            await self._half(request, body)
            return _cut(request)
        sent = _with_bad_line(body) if mood is Mood.BAD_LINE and self._turn(body) else body
        try:
            status, answer, headers = await self._pass_on(request, sent)
        except aiohttp.ClientError:
            return _cut(request)
        if sent is not body:
            self.troubled += 1
            self.bad_lines += status == 422
        if mood is Mood.LATE:
            await asyncio.sleep(LATE_S)
        if mood is Mood.CUT and request.transport is not None:
            request.transport.write(f"HTTP/1.1 {status} No".encode())
            await asyncio.sleep(0.05)
            return _cut(request)
        return web.Response(status=status, body=answer, headers=headers)

    async def _pass_on(self, request: web.Request, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with self._session.request(
            request.method, self._to + request.path_qs, data=body, headers=headers
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return answer.status, await answer.read(), kept

    async def _half(self, request: web.Request, body: bytes) -> None:
        """Give the store half of the body that it was promised, and be gone."""
        where = urlsplit(self._to)
        try:
            _, writer = await asyncio.open_connection(where.hostname, where.port)
        except OSError:
            return  # it is stopped itself
        lines = [f"{request.method} {request.path_qs} HTTP/1.1", f"Host: {where.netloc}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2])
        try:
            await writer.drain()
            await asyncio.sleep(0.05)
        finally:
            writer.transport.abort()

    def _turn(self, body: bytes) -> bool:
        """Each second request of several lines: a line that stands alone must not be taken for the bad one."""
        self._requests += 1
        return b"\n" in body and self._requests % 2 == 0


def _with_bad_line(body: bytes) -> bytes:
    """The lines, and behind them one of ours with a number where the first has a text; the store refuses that alone."""
    first = body.partition(b"\n")[0]
    measurement = first.partition(b",")[0]
    field = TEXTS.get(measurement)
    at_ns = first.rpartition(b" ")[2]
    return body if field is None else b"%b\n%b,patient=proxy %b=1.0 %b" % (body, measurement, field, at_ns)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
