"""The dead man's heartbeat: a word to an outside address while all is well, so that its silence is noticed there.

Whoever is told of a fault by the platform itself is not told when the platform, its network or its whole room is gone.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import aiohttp
import structlog
from yarl import URL

from agents.settings import SettingsError, secret, variable

if TYPE_CHECKING:
    from pathlib import Path

    from agents.metrics import Metrics
    from agents.wallclock import Clock

FIELD: Final = "heartbeat_url_file"
SENT, FAILED, WITHHELD = "sent", "failed", "withheld"
TIMEOUT_S: Final = 10.0
_SUCCESS: Final = range(200, 300)
_log = structlog.get_logger()


def load_address(path: str) -> URL:
    """Return the outside address; whoever knows it could keep the alarm quiet, so it is never shown.

    Raises
    ------
    SettingsError
        The file holds no https address (http on this machine itself alone).
    """
    advice = f"{variable(FIELD)}: the file must hold one https address, http only on this machine itself"
    try:
        url = URL(secret(FIELD, path))
        host = url.host
    except ValueError as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(advice) from None
    if not host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        raise SettingsError(advice)
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(path: Path) -> None:
    """Raise SettingsError where the file at `path` holds no address that a heartbeat may go to."""
    load_address(str(path))


class Heartbeat:
    """Sends one GET for each round in which every service came through.

    Parameters
    ----------
    url
        None: there is no outside address, and nothing is sent.
    metrics
        heartbeats, last_heartbeat.
    clock
        For when it was last sent.
    """

    def __init__(self, url: URL | None, metrics: Metrics, clock: Clock) -> None:
        self._url = url
        self._metrics = metrics
        self._clock = clock
        for outcome in (SENT, FAILED, WITHHELD):
            metrics.heartbeats.labels(outcome)
        if url is not None:  # from now on it is missed
            metrics.last_heartbeat.set(clock().timestamp())

    async def beat(self) -> None:
        """Send it once; a failure is counted, and the next round sends again."""
        if self._url is None:
            return
        answered = await self._send(self._url)
        self._metrics.heartbeats.labels(SENT if answered else FAILED).inc()
        if answered:
            self._metrics.last_heartbeat.set(self._clock().timestamp())

    def withhold(self) -> None:
        """Send none, so that the outside notices."""
        if self._url is not None:
            self._metrics.heartbeats.labels(WITHHELD).inc()

    async def _send(self, url: URL) -> bool:
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    headers={"User-Agent": "sonevakt-canary", "Cache-Control": "no-cache"},
                ) as http,
                http.get(url, allow_redirects=False) as answer,  # the address is a secret: not to be sent on
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # The error's own text holds the address.
            _log.warning("heartbeat_not_sent", error=type(error).__name__)
            return False
        if status not in _SUCCESS:
            _log.warning("heartbeat_not_sent", status=status)
        return status in _SUCCESS
