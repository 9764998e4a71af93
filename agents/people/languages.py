"""In which language somebody is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.board.words import LANGUAGES, Lang

if TYPE_CHECKING:
    from aiohttp import web

DEFAULT: Final[Lang] = "nb"


def language(request: web.Request) -> Lang:
    """Return the language asked for in the address, else the browser's, else bokmål."""
    asked = request.query.get("lang")
    for lang in LANGUAGES:
        if asked == lang:
            return lang
    wanted = request.headers.get("Accept-Language", "").lower()
    return "en" if wanted.startswith("en") else DEFAULT
