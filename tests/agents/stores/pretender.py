"""A server that answers as InfluxDB does, and fails as one does, on demand."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.oracles import line_protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


class Pretender:
    """Holds the lines it confirmed. `next_answers` are given once each, before it behaves again.

    Attributes
    ----------
    bad
        Values of a field `value` that are refused as a type conflict, while the other lines are kept.
    most_bytes
        A longer request is too large.
    """

    def __init__(self) -> None:
        self.next_answers: deque[Answer] = deque()
        self.bad: set[float] = set()
        self.most_bytes = 10**9
        self.requests = 0
        self.confirmed: dict[tuple[object, ...], dict[str, float | str]] = {}
        self.csv = "\r\n"
        self.json = '{"results":[{"statement_id":0}]}'
        self.asked: list[dict[str, object]] = []
        self.server: TestServer | None = None

    async def start(self, port: int = 0) -> None:
        """Serve on the loopback; port 0: any that is free."""
        app = web.Application(client_max_size=10**9)
        app.router.add_post("/api/v2/write", self._write)
        app.router.add_post("/api/v2/query", self._query)
        app.router.add_post("/query", self._scan)
        app.router.add_get("/ping", self._ping)
        self.server = TestServer(app, port=port)
        await self.server.start_server()

    async def stop(self) -> None:
        """Stop serving, and keep what was confirmed."""
        if self.server is not None:
            await self.server.close()

    @property
    def url(self) -> str:
        """Where it serves."""
        assert self.server is not None
        return str(self.server.make_url(""))

    @property
    def values(self) -> list[object]:
        """The field `value` of each confirmed point, in the order in which they came."""
        return [fields["value"] for fields in self.confirmed.values()]

    async def _write(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        assert request.query["precision"] == "ns"
        assert request.headers["Authorization"] == "Token the-token"
        body = await request.read()
        if body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        if self.next_answers:
            return await self.next_answers.popleft()(request, body)
        if len(body) > self.most_bytes:
            return said(413, "request too large", "unable to read data: points batch is too large")
        dropped = 0
        for measurement, tags, fields, at_ns in line_protocol.lines(body):
            if fields.get("value") in self.bad:
                dropped += 1
            else:
                self.confirmed.setdefault((measurement, *sorted(tags.items()), at_ns), {}).update(fields)
        if dropped:
            message = f"failure writing points to database: partial write: field type conflict: ... dropped={dropped}"
            return said(422, "unprocessable entity", message)
        return web.Response(status=204)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if self.next_answers:
            return await self.next_answers.popleft()(request, b"")
        return web.Response(text=self.csv)

    async def _scan(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Token the-token"
        self.asked.append(dict(await request.post()))
        if self.next_answers:
            return await self.next_answers.popleft()(request, b"")
        return web.Response(text=self.json)

    async def _ping(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)


def said(status: int, code: str, message: str) -> web.Response:
    """Answer in InfluxDB's own words."""
    return web.Response(status=status, text=json.dumps({"code": code, "message": message}))


def fails(status: int, body: str = "<html>not InfluxDB</html>", **headers: str) -> Answer:
    """Answer `status` and store nothing."""

    async def answer(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(status=status, text=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


async def cuts(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Cut the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(_request: web.Request, _body: bytes) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    return web.Response()
