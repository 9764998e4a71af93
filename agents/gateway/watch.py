"""Around every request: an answer whatever happens, one log line, one count, and headers that keep answers private."""

from __future__ import annotations

from time import perf_counter
from traceback import extract_tb
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import hdrs, web

from agents.gateway.problems import (
    BAD_REQUEST,
    INTERNAL,
    METHOD,
    NOT_FOUND,
    TOO_LARGE,
    ProblemKind,
    Refusal,
    answer,
)

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from agents.metrics import Metrics

VENDOR: Final = web.RequestKey("vendor", str)
ITEMS: Final = web.RequestKey("items", int)
_BY_STATUS: Final = {404: NOT_FOUND, 405: METHOD, 413: TOO_LARGE}
_PRIVATE: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_log = structlog.get_logger("gateway")


def watched(metrics: Metrics) -> Middleware:
    """Return the outermost middleware.

    The log knows the route's pattern and never the address as sent, so no query string, token or pseudonym is in it.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        response = await _answered(request, handler)
        for name, value in _PRIVATE.items():
            response.headers.setdefault(name, value)
        metrics.gateway_requests.labels(str(response.status)).inc()
        route = request.match_info.route.resource
        _log.info(
            "request",
            method=request.method if request.method in hdrs.METH_ALL else "other",
            route=route.canonical if route else None,
            status=response.status,
            seconds=round(perf_counter() - began, 4),
            vendor=request.get(VENDOR),
            items=request.get(ITEMS),
        )
        return response

    return middleware


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer(refusal)
    except web.HTTPException as error:
        kept = {name: value for name, value in error.headers.items() if name == hdrs.ALLOW}
        return answer(Refusal(_kind_of(error.status), headers=kept, hang_up=True))
    except Exception as error:  # noqa: BLE001 - the vendor must hear that nothing was acknowledged, whatever broke
        # The error's own text may hold what the patient sent; where it happened does not.
        where = extract_tb(error.__traceback__)[-1]
        _log.error("request failed", error=type(error).__name__, function=where.name, line=where.lineno)
        return answer(Refusal(INTERNAL, hang_up=True))


def _kind_of(status: int) -> ProblemKind:
    return _BY_STATUS.get(status, BAD_REQUEST if status < INTERNAL.status else INTERNAL)
