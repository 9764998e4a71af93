"""What the canaries do: post to the gateway as a patient's app does, and write care events as the board does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents.broker.clients import start, stop
from agents.broker.topics import topic_name
from agents.partitioner import by_key
from schemas.codec import encode
from schemas.topics import CARE

if TYPE_CHECKING:
    from yarl import URL

    from schemas.care import CareEvent

REQUEST_TIMEOUT_MS: Final = 5_000
POST_S: Final = 15.0  # the gateway itself waits 10 s for the broker [s]
AGAIN_S: Final = 0.5
_TAKEN: Final = 202
_SERVER_ERROR: Final = 500
_LATER: Final = 429


class RefusedError(Exception):
    """The gateway will not have what a canary sends: its status, and what to look at."""


class Sending:
    """The ways in.

    Parameters
    ----------
    gateway
        The gateway's address, as the vendors' apps have it.
    token
        The canary's own; it is sent to that address alone.
    bootstrap, prefix
        Where care events go.
    """

    def __init__(self, gateway: URL, token: str, bootstrap: str, prefix: str) -> None:
        self._submissions = gateway / "v1" / "submissions"
        self._token = token
        self._bootstrap = bootstrap
        self._care = topic_name(prefix, CARE.name)
        self._producer: AIOKafkaProducer | None = None
        self._http: aiohttp.ClientSession | None = None
        self._starting = asyncio.Lock()

    async def session(self, body: dict[str, Any]) -> None:
        """Post a session until the gateway has taken it; bound it with asyncio.timeout.

        Raises
        ------
        RefusedError
            It never will, as with a token that it does not know.
        """
        while (status := await self._post(body)) != _TAKEN:
            if status is not None and status < _SERVER_ERROR and status != _LATER:
                raise RefusedError(
                    f"the gateway answers {status}: look at SONEVAKT_GATEWAY_URL and SONEVAKT_CANARY_TOKEN_FILE"
                )
            await asyncio.sleep(AGAIN_S)

    async def care(self, event: CareEvent) -> None:
        """Write a care event, again until the broker has confirmed it; bound it with asyncio.timeout."""
        while True:
            try:
                producer = await self._connected()
                await producer.send_and_wait(self._care, encode(event), key=event.patient.encode())
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def close(self) -> None:
        """Let go of all connections."""
        if self._producer is not None:
            await stop(self._producer)
        if self._http is not None:
            await self._http.close()

    async def _post(self, body: dict[str, Any]) -> int | None:
        """Return the gateway's status; None where it did not answer."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=POST_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                headers={"Authorization": f"Bearer {self._token}", "User-Agent": "sonevakt-canary"},
            )
        try:
            async with self._http.post(self._submissions, json=body, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def _connected(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    acks="all",
                    partitioner=by_key,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                )
                try:
                    await start(producer)
                except BaseException:
                    await stop(producer)
                    raise
                self._producer = producer
            return self._producer
