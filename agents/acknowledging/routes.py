"""The link over HTTP: a page to read, and the form by which its reader takes the patient over.

To look is not to acknowledge: mail scanners and previews follow links. What may be done is worked out anew at the POST.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.acknowledging.deciding import STATUS, Decision, Standing, acknowledged, decide
from agents.acknowledging.links import PATH
from agents.gateway.delivery import UnconfirmedError
from dashboards.board.acknowledging import CONTENT_SECURITY_POLICY, REASONS, render
from dashboards.board.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.acknowledging.known import Known, Writer
    from agents.acknowledging.links import Links
    from agents.metrics import Metrics
    from agents.wallclock import Clock
    from schemas.services import Language, Service

NOTE_LENGTH: Final = 500  # as in schemas.types.ShortText
FORM_BYTES: Final = 8192
_NATIONAL_NUMBER: Final = re.compile(r"[0-9]{11}")
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    # With no referrer at all a browser would hide the form's origin too, which is checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Acknowledging:
    """Answers who follows a link.

    Parameters
    ----------
    links
        Reads the tokens.
    known, writer
        What is known of alerts, and where acknowledgements go.
    services
        Whose names and languages the page is in.
    clock, metrics
        What time it is; acknowledgements.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        links: Links,
        known: Known,
        writer: Writer,
        *,
        services: Mapping[str, Service],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._links = links
        self._known = known
        self._writer = writer
        self._services = services
        self._clock = clock
        self._metrics = metrics
        for standing in Standing:
            metrics.acknowledgements.labels("link", standing.value)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return what a board mounts."""
        # Without HEAD: a link checker asks by it, and nothing is to be told to one.
        return [
            web.get(f"/{PATH}/{{token}}", self._show, allow_head=False),
            web.post(f"/{PATH}/{{token}}", self._take),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        found = decide(self._links, self._known, request.match_info["token"], self._clock())
        return self._answer(request, found)

    async def _take(self, request: web.Request) -> web.Response:
        if not self._from_here(request):
            return self._answer(request, Decision(Standing.ELSEWHERE), used=True)
        now = self._clock()
        found = decide(self._links, self._known, request.match_info["token"], now)
        if found.standing is not Standing.OPEN or found.link is None or found.asked is None:
            return self._answer(request, found, used=True)
        said = await _form(request)
        if said is None:
            return self._answer(request, found._replace(standing=Standing.UNSAID), used=True)
        event = acknowledged(found.link, found.asked, now, *said)
        try:
            await self._writer.write(event)
        except UnconfirmedError:
            return self._answer(request, found._replace(standing=Standing.UNCONFIRMED), used=True)
        return self._answer(request, found._replace(standing=Standing.DONE, by=event), used=True)

    def _from_here(self, request: web.Request) -> bool:
        """Whether the form was sent from our own page: a browser says so in one of two ways, whatever a page wants."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site == "same-origin"
        return request.headers.get("Origin") == str(self._links.board.origin())

    def _answer(self, request: web.Request, found: Decision, *, used: bool = False) -> web.Response:
        if used:
            self._metrics.acknowledgements.labels("link", found.standing.value).inc()
        page = None if found.asked is None else found.asked.page
        service = None if page is None else self._services.get(page.service)
        body = render(
            found.standing.value,
            _language(request, service),
            page=page,
            service=None if service is None else service.name,
            zone="Europe/Oslo" if service is None else service.time_zone,
            by=found.by,
            board=str(self._links.board),
        )
        return web.Response(
            text=body, status=STATUS[found.standing], content_type="text/html", charset="utf-8", headers=_HEADERS
        )


async def _form(request: web.Request) -> tuple[str, str | None] | None:
    """The reason and the note; None where no known reason is said, or the note cannot be kept."""
    if request.content_length is None or request.content_length > FORM_BYTES:
        return None
    form = await request.post()
    reason, note = form.get("reason"), form.get("note", "")
    if not isinstance(reason, str) or reason not in REASONS or not isinstance(note, str):
        return None
    note = note.strip()
    if len(note) > NOTE_LENGTH or _NATIONAL_NUMBER.search(re.sub(r"[\s.-]", "", note)):
        return None
    return reason, note or None


def _language(request: web.Request, service: Service | None) -> Language:
    asked = request.query.get("lang")
    for language in LANGUAGES:
        if asked == language:
            return language
    return "nb" if service is None else service.language
