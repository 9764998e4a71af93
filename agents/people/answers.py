"""What somebody gets who is not let through: a page where a browser goes to one, JSON where a script asks."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from agents.people.languages import language
from agents.people.paths import HOME, SIGN_IN, within
from dashboards.board import login

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
_REASONS: Final = {
    400: "bad_request",
    401: "not_signed_in",
    403: "refused",
    421: "wrong_address",
    503: "not_recorded",
}


def for_a_page(request: web.Request) -> bool:
    """Whether a person's browser goes to a page, and not a script of one asks for data."""
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in request.headers.get("Accept", "")


def to_sign_in(request: web.Request) -> web.Response:
    """Send a browser to the page for signing in, and back to where it was going; tell a script."""
    if not for_a_page(request):
        return refused(request, 401)
    going = within(request.path_qs) if request.method == "GET" else HOME
    query = "" if going == HOME else f"?{urlencode({'next': going})}"
    return web.Response(status=303, headers={"Location": f"{SIGN_IN}{query}", "Cache-Control": "no-store"})


def refused(request: web.Request, status: int) -> web.Response:
    """Say no, in the way in which was asked."""
    reason = _REASONS[status]
    if not for_a_page(request):
        body = msgspec.json.encode({"error": reason})
        return web.Response(status=status, body=body, content_type="application/json")
    html = login.refused(language(request), reason, person=request.get("person"), csrf=request.get("csrf", ""))
    return page(html, status)


def page(html: str, status: int = 200) -> web.Response:
    """A page of ours that runs no script."""
    return web.Response(
        text=html,
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
