"""The board over HTTP: the list as a page and as JSON.

There is no sign-in yet (it comes with the next issue): whoever reaches the port sees the list. So it listens on
loopback unless it is told otherwise, and it must not be exposed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from agents import wallclock
from agents.http import application
from dashboards.board.page import CONTENT_SECURITY_POLICY, render
from dashboards.board.words import LANGUAGES, Lang
from pipeline.triage.explain import explain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from agents.board.reading import Reading
    from agents.health import Health
    from agents.metrics import Metrics

COUNT_EVERY: Final = 2.0  # how often patients by zone are counted for the metrics [s]
DEFAULT_LANG: Final[Lang] = "nb"


def checks(reading: Reading) -> dict[str, Callable[[], bool]]:
    """Return what must hold for the board to be ready; one unreadable status does not take the list from everybody."""
    return {"up_to_date": reading.up_to_date}


def board(
    health: Health, metrics: Metrics, reading: Reading, *, now: Callable[[], datetime] = wallclock.now
) -> web.Application:
    """Return the board's application over what `reading` reads; running that is the process's own work."""
    statuses = reading.statuses

    async def page(request: web.Request) -> web.Response:
        html = render(
            statuses.rows,
            now(),
            _lang(request),
            explain=explain,
            up_to_date=reading.up_to_date(),
            unreadable=statuses.unreadable,
        )
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return web.Response(text=html, content_type="text/html", charset="utf-8", headers=headers)

    async def status(_request: web.Request) -> web.Response:
        body: dict[str, Any] = {
            "at": now(),
            "up_to_date": reading.up_to_date(),
            "unreadable": statuses.unreadable,
            "patients": statuses.rows,
        }
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def working(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(counting())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def counting() -> None:
        while True:
            statuses.count(now())
            await asyncio.sleep(COUNT_EVERY)

    app = application(health, metrics, routes=[web.get("/", page), web.get("/status.json", status)])
    app.cleanup_ctx.append(working)
    return app


def _lang(request: web.Request) -> Lang:
    """Return the language asked for in the address, else the browser's, else bokmål."""
    asked = request.query.get("lang")
    for lang in LANGUAGES:
        if asked == lang:
            return lang
    wanted = request.headers.get("Accept-Language", "").lower()
    return "en" if wanted.startswith("en") else DEFAULT_LANG
