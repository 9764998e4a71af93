"""The demo's own canary: a service of nobody's, whose pages go to the canary itself."""

from __future__ import annotations

import hashlib
import socket
from base64 import b64encode
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents import processes
from agents.http import serving

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from agents.metrics import Metrics
    from agents.settings import Settings

SERVICE: Final = "canary"
EVERY_S: Final = 15.0
WITHIN_S: Final = 10.0


class DemoCanary:
    """Its files are written before paging starts, and it flies once the demo is live.

    Parameters
    ----------
    folder
        Where its files are.

    Attributes
    ----------
    way, service
        Where its service is paged, and the whole of it, as they stand in a file.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self._port = int(held.getsockname()[1])
        self._folder = folder
        self._token = token_urlsafe(32)
        self._write("canary.secret", f"whsec_{b64encode(token_bytes(32)).decode()}".encode("ascii"))
        self._write("canary.token", self._token.encode("ascii"))
        self.way: dict[str, Any] = {
            "url": f"http://127.0.0.1:{self._port}/pages/{SERVICE}",
            "secret_file": "canary.secret",
        }
        contact = {"ways": {"webhook": {"kind": "webhook", **self.way}}}
        self.service: dict[str, Any] = {
            "name": SERVICE,
            "ladder": {"red": [{"after_minutes": 0, "to": "nurse"}]},
            "contacts": {"nurse": contact, "canary": contact},
        }
        self._write("canary-services.json", msgspec.json.encode({SERVICE: self.service}))
        digest = hashlib.sha256(self._token.encode("ascii")).hexdigest()
        self._write("canary-tokens.json", msgspec.json.encode({SERVICE: [digest]}))

    async def fly(self, stack: AsyncExitStack, settings: Settings, bootstrap: str, metrics: Metrics) -> None:
        """Start a gateway for it, and it."""
        settings = msgspec.structs.replace(
            settings,
            services_file=str(self._folder / "canary-services.json"),
            gateway_tokens_file=str(self._folder / "canary-tokens.json"),
            canary_token_file=str(self._folder / "canary.token"),
            canary_seconds=EVERY_S,
            canary_within_seconds=WITHIN_S,
        )
        gateway, address = await stack.enter_async_context(processes.gateway(settings, bootstrap, metrics, 0))
        await stack.enter_async_context(processes.running(gateway))
        settings = msgspec.structs.replace(settings, gateway_url=address)
        process = await stack.enter_async_context(processes.canary(settings, bootstrap, metrics))
        if process.application is None:
            raise RuntimeError("a canary takes its pages by an application of its own")
        await stack.enter_async_context(serving(process.application, host="127.0.0.1", port=self._port))
        await stack.enter_async_context(processes.running(process))

    def _write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
