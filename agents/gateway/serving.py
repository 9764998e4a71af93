"""Running the gateway's application with the few server options that its promises need."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from logging import LogRecord

KEEP_ALIVE_S: Final = 75.0  # our choice; longer than the usual proxies' own
LINGER_S: Final = 2.0  # how long the rest of a refused body is read away [s]


def _unspoken(record: LogRecord) -> bool:
    # aiohttp logs an unreadable request with its header lines, and a token may stand in one.
    record.msg, record.args, record.exc_info, record.exc_text = "unreadable request", (), None, None
    return True


async def serve(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Listen; the returned runner's `cleanup()` ends it after the requests under way.

    Behind a proxy that ends TLS and closes connections that send no request: aiohttp itself waits for ever for one.

    Parameters
    ----------
    application
        From `build_gateway`.
    host, port
        Where to listen; port 0 takes a free one, which `runner.addresses` tells.
    """
    logger = logging.getLogger("sonevakt.gateway.http")
    logger.addFilter(_unspoken)
    runner = web.AppRunner(
        application,
        access_log=None,  # ours tells the route, aiohttp's the address with its query string
        logger=logger,
        auto_decompress=False,  # or a refused gzip body would still be unpacked to be thrown away
        keepalive_timeout=KEEP_ALIVE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=15.0,
    )
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
