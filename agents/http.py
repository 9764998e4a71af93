"""The small server of every process: /metrics, /livez, /readyz, and what else the process shows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiohttp.typedefs import Handler, Middleware

    from agents.health import Health
    from agents.metrics import Metrics

SHUTDOWN_SECONDS: Final = 2.0
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def application(
    health: Health,
    metrics: Metrics,
    *,
    routes: Iterable[web.AbstractRouteDef] = (),
    middlewares: Iterable[Middleware] = (),
) -> web.Application:
    """Return the server's application: metrics and health, and the process's own `routes` behind its `middlewares`."""

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def livez(_request: web.Request) -> web.Response:
        return _answer(health.live())

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(health.ready())

    async def beating(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(health.beat())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app = web.Application(middlewares=[_secured, *middlewares])
    app.cleanup_ctx.append(beating)
    app.add_routes([web.get("/metrics", show_metrics), web.get("/livez", livez), web.get("/readyz", readyz), *routes])
    return app


@web.middleware
async def _secured(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as refused:
        for name, value in SECURITY_HEADERS.items():
            refused.headers.setdefault(name, value)
        raise
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _answer(checks: dict[str, bool]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(checks),
        status=200 if all(checks.values()) else 503,
        content_type="application/json",
    )


@asynccontextmanager
async def serving(app: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` while the block runs, and yield the port it listens on (`port` 0: a free one).

    Raises
    ------
    OSError
        The address is taken or not this machine's.
    """
    # No access log: a path may name a patient some day, and nobody reads it.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
