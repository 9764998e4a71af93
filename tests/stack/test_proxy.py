"""The proxy's configuration in docs/operations.md, on the real Caddy: what the board trusts is what Caddy says."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import pytest
from aiohttp import web

from agents.http import serving
from infra.local import builds
from infra.local.process import free_port
from tests.docs.guide import blocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.stack
GUIDE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
FORGED: Final = "203.0.113.9, 198.51.100.7"
UPSTREAM: Final = {"board": 8081, "gateway": 8080, "grafana": 3000}
OF_A_TEST: Final = "admin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system"


@asynccontextmanager
async def caddy(folder: Path, ports: dict[str, int], upstream: int) -> AsyncIterator[None]:
    """Caddy as the guide has it, but for names and ports, and with a certificate that it signs itself."""
    text = next(block.text for block in blocks(GUIDE) if block.kind == "caddyfile")
    for name, port in ports.items():
        text = text.replace(f"{name}.example {{", f"https://localhost:{port} {{\n\ttls internal")
        text = text.replace(f"127.0.0.1:{UPSTREAM[name]}\n", f"127.0.0.1:{upstream}\n")
    text = text.replace("{\n", f"{{\n\t{OF_A_TEST} {folder}\n", 1)
    path = folder / "Caddyfile"
    path.write_text(text)
    assert not re.search(r"example|127\.0\.0\.1:(?:8080|8081|3000)\b", text)
    log = (folder / "caddy.log").open("wb")
    command = (str(builds.caddy()), "run", "--adapter", "caddyfile", "--config", str(path))
    running = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env={"HOME": str(folder)})
    try:
        async with asyncio.timeout(60):
            while not await answers(*ports.values()):
                assert running.returncode is None, (folder / "caddy.log").read_text()
                await asyncio.sleep(0.05)
        yield
    finally:
        running.terminate()
        await running.wait()
        log.close()


async def answers(*ports: int) -> bool:
    """Whether it listens, and has signed its certificates."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for port in ports:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        except OSError:  # a TLS error is one too
            return False
        writer.close()
        await writer.wait_closed()
    return True


async def test_the_board_hears_who_asks_and_browsers_hear_the_board_at_once(tmp_path: Path) -> None:
    heard: dict[str, web.Request] = {}
    read = asyncio.Event()

    async def page(request: web.Request) -> web.Response:
        heard["page"] = request
        return web.Response(text="a page")

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await read.wait()  # a proxy that gathers would never hand on the first
        await response.write(b"data: two\n\n")
        return response

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/events", events)])
    ports = {name: free_port() for name in UPSTREAM}
    async with (
        serving(app, host="127.0.0.1", port=0) as upstream,
        caddy(tmp_path, ports, upstream),
        aiohttp.ClientSession(
            headers={"X-Forwarded-For": FORGED, "Authorization": "Bearer token"},
            connector=aiohttp.TCPConnector(family=socket.AF_INET, ssl=False),
        ) as http,
        asyncio.timeout(60),
    ):
        for port in ports.values():
            async with http.get(f"https://localhost:{port}/") as answer:
                assert await answer.text() == "a page"
                assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert heard["page"].remote == "127.0.0.1"  # what SONEVAKT_BOARD_PROXY names
            assert heard["page"].headers.getall("X-Forwarded-For") == ["127.0.0.1"]  # nothing of what was claimed
            assert heard["page"].headers["Authorization"] == "Bearer token"
        async with http.get(f"https://localhost:{ports['board']}/events") as answer:
            assert await answer.content.readuntil(b"\n\n") == b"data: one\n\n"
            read.set()
            assert await answer.content.readuntil(b"\n\n") == b"data: two\n\n"
