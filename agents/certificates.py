"""Until when the certificates are valid that stand before the product's own addresses.

No process of ours ends TLS: a proxy does for the board and the gateway, and so do InfluxDB and the identity provider.
So it is looked, by a handshake, at what is shown at the addresses that the settings name. To Kafka there is no TLS.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog
from cryptography import x509
from yarl import URL

from agents.settings import variable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from agents.metrics import Metrics
    from agents.settings import Settings

EVERY_S: Final = 3600.0
AFTER_FAILURE_S: Final = 60.0
WITHIN_S: Final = 10.0
LOOKED_AT: Final = ("board_url", "gateway_url", "influxdb_url", "oidc_issuer")
_log = structlog.get_logger()


def addresses(settings: Settings) -> dict[str, URL]:
    """The addresses behind TLS that the settings name, by setting."""
    named = {field: URL(getattr(settings, field)) for field in LOOKED_AT}
    return {field: url for field, url in named.items() if url.scheme == "https"}


async def expires_at(host: str, port: int) -> float:
    """Until when the certificate is valid that is shown at an address [Unix time, s].

    It is not looked whether it is genuine, for whoever uses the address does that; nothing is sent.

    Raises
    ------
    OSError
        Nobody answers by TLS there, or not in time; the standard library's errors of both kinds are among them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # one that has expired is to be told of too
    async with asyncio.timeout(WITHIN_S):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    finally:
        writer.transport.abort()


@asynccontextmanager
async def watched(looked_at: Mapping[str, URL], metrics: Metrics) -> AsyncIterator[None]:
    """While the block runs, show until when the certificates are valid; where nobody answers, what was last seen."""
    tasks = [asyncio.create_task(_follow(field, url, metrics)) for field, url in looked_at.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(field: str, url: URL, metrics: Metrics) -> None:
    while True:
        try:
            until = await expires_at(url.host or "", url.port or 443)
        except (OSError, ValueError) as error:
            _log.warning("certificate_not_seen", variable=variable(field), error=type(error).__name__)
            await asyncio.sleep(AFTER_FAILURE_S)
        else:
            metrics.certificate_expires.labels(field).set(until)
            await asyncio.sleep(EVERY_S)
