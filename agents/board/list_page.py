"""The triage list over HTTP: the patients of the person's services, filtered and searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from agents.board.answering import DONE, compressed, may_list, other_language, page
from agents.board.around import person_of
from agents.board.live import _name
from agents.board.viewing import audience_of, viewer_of
from dashboards.board import listing
from dashboards.board.views import Filters
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.board.desk import Desk
    from agents.board.live import Live
    from agents.board.searching import Searching
    from schemas.assessments import PatientStatus

UNACKNOWLEDGED: Final = "unacknowledged"
SEARCHED: Final = 100  # characters of a search


def filters_of(request: web.Request) -> Filters:
    """Return what is asked for in the address; what it cannot be is left out."""
    query = request.query
    zone = query.get("zone", "")
    return Filters(
        zone=zone if zone == UNACKNOWLEDGED or zone in set(Zone) else "",
        service=query.get("service", "")[:64],
        municipality=query.get("municipality", "")[:64],
        pathway=query.get("pathway", "")[:64],
        phase=query.get("phase", "")[:64],
        mine="mine" in query,
        q=query.get("q", "").strip()[:SEARCHED],
        found=query.get("found", "")[:64],
        wall="wall" in query,
    )


class ListPage:
    """The list as a page and as JSON."""

    def __init__(self, desk: Desk, live: Live, searching: Searching) -> None:
        self._desk = desk
        self._live = live
        self._searching = searching

    async def page(self, request: web.Request) -> web.Response:
        """Answer /."""
        desk, now, person = self._desk, self._desk.now(), person_of(request)
        await may_list(desk, request)
        audience, filters = audience_of(request), filters_of(request)
        voice, version = desk.voice(audience.lang), self._live.version
        seen = [status for status in desk.model.all_statuses() if audience.sees(status)]
        found = self._searching.found(filters.found, person.ref) if filters.found else None
        shown = [
            status
            for status in sorted(filter(listing.listed, seen), key=desk.rows.place)
            if self._fits(status, filters, person.ref, found)
        ]
        names = await desk.names(audience, shown)
        await desk.access.add(person.ref, "list", None, None, DONE)
        _, banners = self._live.above(audience, now)
        html = listing.page(
            [desk.rows.of(one, now, voice).html(_name(names.get(one.patient))) for one in shown],
            now,
            voice,
            viewer=viewer_of(request),
            filters=filters,
            options=_options(seen, voice.named),
            summary=listing.summed(seen),
            banners=banners,
            version=version,
            shown=len(shown),
            found=found is not None,
            here="list",
            other_language=other_language(request, voice.other),
        )
        return await compressed(request, page(request, html))

    async def status(self, request: web.Request) -> web.Response:
        """Answer /status.json: the same patients, for programs."""
        desk, audience = self._desk, audience_of(request)
        body = {
            "at": desk.now(),
            "up_to_date": desk.up_to_date(),
            "unreadable": desk.model.statuses.unreadable,
            "patients": [status for status in desk.model.all_statuses() if audience.sees(status)],
        }
        await desk.access.add(person_of(request).ref, "list", None, None, DONE)
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    def _fits(self, status: PatientStatus, filters: Filters, ref: str, found: frozenset[str] | None) -> bool:
        if filters.zone == UNACKNOWLEDGED and not listing.unacknowledged(status):
            return False
        if filters.zone not in {"", UNACKNOWLEDGED} and status.zone != filters.zone:
            return False
        if filters.q and filters.q.lower() not in status.patient.lower():
            return False
        if found is not None and status.patient not in found:
            return False
        if filters.mine and not self._has(status, ref):
            return False
        return all(
            not wanted or wanted == held
            for wanted, held in (
                (filters.service, status.service),
                (filters.municipality, status.municipality),
                (filters.pathway, status.pathway),
                (filters.phase, status.phase),
            )
        )

    def _has(self, status: PatientStatus, ref: str) -> bool:
        """Whether somebody took the open episode over."""
        if status.episode is None:
            return False
        taken = self._desk.model.patient(status.patient).course.taken(status.episode.zone_change_id)
        return taken is not None and taken.by == ref


def _options(seen: list[PatientStatus], named: Callable[[str, str], str]) -> dict[str, list[tuple[str, str]]]:
    """What can be filtered by: what there is."""
    kinds: dict[str, tuple[str, list[str | None]]] = {
        "service": ("service_name", [status.service for status in seen]),
        "municipality": ("municipality", [status.municipality for status in seen]),
        "pathway": ("pathway", [status.pathway for status in seen]),
        "phase": ("phase", [status.phase.value if status.phase else None for status in seen]),
    }
    return {
        kind: sorted(((one, named(words, one)) for one in set(held) if one is not None), key=lambda one: one[1])
        for kind, (words, held) in kinds.items()
    }
