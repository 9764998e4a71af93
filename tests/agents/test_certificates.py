"""Until when certificates are valid, asked of a server that shows one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from yarl import URL

from agents import certificates
from agents.metrics import Metrics
from agents.settings import read
from tests.certificates import certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.agents.conftest import Eventually

UNTIL = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
EXPIRED = datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC)


@asynccontextmanager
async def showing(file: Path) -> AsyncIterator[int]:
    """A server that shows a certificate; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(taken, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("until", [UNTIL, EXPIRED])
async def test_it_is_told_until_when_a_certificate_is_valid_or_was(tmp_path: Path, until: datetime) -> None:
    async with showing(certificate(tmp_path, until)) as port:
        assert await certificates.expires_at("127.0.0.1", port) == until.timestamp()


async def test_an_address_without_tls_is_an_error_and_not_a_date() -> None:
    async def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(taken, "127.0.0.1", 0) as server:
        with pytest.raises(OSError, match=r".*"):
            await certificates.expires_at("127.0.0.1", server.sockets[0].getsockname()[1])


async def test_what_was_last_seen_is_shown_by_setting_and_others_do_not_wait_for_who_is_away(
    tmp_path: Path, eventually: Eventually
) -> None:
    metrics = Metrics(CollectorRegistry())
    async with showing(certificate(tmp_path, UNTIL)) as port:
        looked_at = {"board_url": URL(f"https://127.0.0.1:{port}"), "gateway_url": URL("https://127.0.0.1:9")}
        async with certificates.watched(looked_at, metrics):
            await eventually(lambda: seen(metrics, "board_url"))
    assert seen(metrics, "board_url") == UNTIL.timestamp()
    assert seen(metrics, "gateway_url") is None


def seen(metrics: Metrics, of: str) -> float | None:
    return metrics.registry.get_sample_value("sonevakt_certificate_expires_timestamp_seconds", {"of": of})


def test_only_addresses_behind_tls_are_looked_at() -> None:
    settings = read(
        {
            "SONEVAKT_BOARD_URL": "https://board.example",
            "SONEVAKT_GATEWAY_URL": "http://gateway.example",
            "SONEVAKT_OIDC_ISSUER": "https://sign-in.example:8443/realm",
        }
    )
    assert certificates.addresses(settings) == {
        "board_url": URL("https://board.example"),
        "oidc_issuer": URL("https://sign-in.example:8443/realm"),
    }
