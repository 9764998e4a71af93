"""Which paths are open without signing in, which are never right, and where somebody may be sent after signing in.

Whether a path is open is asked of the route that will answer, not of the text of the path, so that a path written in
another way cannot be open for the guard and something else for the router.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web

OPEN: Final = frozenset({"/login", "/login/oidc", "/login/callback", "/livez", "/readyz"})
OPEN_BELOW: Final = ("/static", "/a", "/hooks")
SIGN_IN: Final = "/login"
HOME: Final = "/"
NEXT_LENGTH: Final = 500
# An encoded slash, backslash, dot or NUL; two slashes; a step to here or up: no page of ours is written so.
_TRICK: Final = re.compile(r"//|\\|%2f|%5c|%2e|%00|[\x00-\x20\x7f]|/\.{1,2}(/|$)", re.IGNORECASE)


def tricked(raw_path: str) -> bool:
    """Whether a path, as it came on the wire, is written to be read in two ways."""
    return _TRICK.search(raw_path) is not None


def is_open(request: web.Request) -> bool:
    """Whether the route that answers needs nobody signed in; no route needs somebody."""
    resource = request.match_info.route.resource
    if resource is None:
        return False
    path = resource.canonical
    return path in OPEN or any(path == below or path.startswith(f"{below}/") for below in OPEN_BELOW)


def within(target: str | None) -> str:
    """Return `target` where it is a path of this board, else the first page: nobody is sent elsewhere by signing in."""
    if not target or len(target) > NEXT_LENGTH or not target.startswith("/"):
        return HOME
    path = target.partition("?")[0]
    if tricked(path) or any(ord(letter) <= 0x20 or letter in "\\\x7f#" for letter in target):  # noqa: PLR2004 - control characters and blanks
        return HOME
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or path in {"/logout", SIGN_IN} or path.startswith(f"{SIGN_IN}/"):
        return HOME
    return target
