"""Whether a request comes from the board's own pages: its origin, and the token of the session.

The board answers either at one address that is configured, over https, or on this machine alone.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from secrets import token_bytes
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agents.settings import SettingsError

if TYPE_CHECKING:
    from aiohttp import web

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
FORM: Final = "application/x-www-form-urlencoded"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Address:
    """Where the board is reached.

    Parameters
    ----------
    url
        As the setting `board_url`; empty: on this machine alone.
    host
        Where it listens.

    Raises
    ------
    SettingsError
        It would be reached from elsewhere without https.
    """

    def __init__(self, url: str, host: str) -> None:
        parts = urlsplit(url)
        self.secure = parts.scheme == "https"
        if not self.secure and host not in LOOPBACK:
            raise SettingsError(
                "SONEVAKT_BOARD_URL must be set to the board's https:// address where it listens on other than loopback"
            )
        self._url = f"{parts.scheme}://{parts.netloc.lower()}" if url else ""

    @property
    def cookie(self) -> str:
        """The session cookie's name: with `__Host-` a browser takes it over https from this host alone."""
        return "__Host-sonevakt" if self.secure else "sonevakt-local"

    def own(self, request: web.Request) -> str:
        """The origin of the board's own pages."""
        return self._url or f"http://{request.host.lower()}"

    def reached(self, request: web.Request) -> bool:
        """Whether the request came by the board's address; without https only from this machine, and under its name.

        A page from elsewhere whose name was made to point here (DNS rebinding) comes under that name.
        """
        if self.secure:
            return True
        return _loopback(request.remote or "") and _name(request.host) in LOOPBACK

    def same(self, request: web.Request) -> bool:
        """Whether a browser sent the request from a page of the board.

        A form of a page without referrers has the origin `null`, so where a browser tells the site, that decides.
        """
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if origin is not None and origin != "null" and origin.lower() != self.own(request):
            return False
        return site == "same-origin" if site is not None else origin is not None and origin != "null"

    def foreign(self, request: web.Request) -> bool:
        """Whether a browser says that another site's page sent it; what is no browser says nothing."""
        if "Sec-Fetch-Site" not in request.headers and "Origin" not in request.headers:
            return False
        return not self.same(request)


async def token(request: web.Request) -> str:
    """Return the token that the request holds, in its header or its form.

    Raises
    ------
    aiohttp.web.HTTPRequestEntityTooLarge
        The form is larger than the application takes.
    """
    sent = request.headers.get(HEADER)
    if sent is not None:
        return sent
    if request.content_type != FORM:
        return ""
    field = (await request.post()).get(FIELD, "")
    return field if isinstance(field, str) else ""


def masked(token: str) -> str:
    """Return a token as a page holds it: another text each time, which the length of a packed page does not tell."""
    raw = token.encode()
    pad = token_bytes(len(raw))
    return pad.hex() + _crossed(raw, pad).hex()


def unmasked(sent: str) -> bytes:
    """Return the token in what a page held; empty where it is none."""
    try:
        raw = bytes.fromhex(sent)
    except ValueError:
        return b""
    half, odd = divmod(len(raw), 2)
    return b"" if odd else _crossed(raw[:half], raw[half:])


def same_token(sent: str, wanted: str) -> bool:
    """Whether the masked token is the wanted one, in a time that does not tell where they differ."""
    return bool(wanted) and hmac.compare_digest(unmasked(sent), wanted.encode())


def _crossed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
