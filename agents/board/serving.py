"""The board over HTTP: which address is answered by what.

Nobody is let in here: whoever runs the board gives it a middleware that sets `request["person"]` and `request["csrf"]`,
and a request without them is refused.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agents.board.acting import Acting
from agents.board.enrolling import EnrolPage
from agents.board.identifying import IdentityPage
from agents.board.list_page import ListPage
from agents.board.live import Live
from agents.board.meeting import MeetingPage
from agents.board.patient_page import PatientPage
from agents.board.plan_page import PlanPage
from agents.board.registering import RegisteringPage
from agents.board.searching import Searching
from agents.http import application
from dashboards.board.pages import ASSETS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from aiohttp.typedefs import Handler, Middleware

    from agents.board.desk import Desk
    from agents.health import Health
    from agents.metrics import Metrics

COUNT_EVERY: Final = 2.0  # how often patients by zone are counted for the metrics [s]
_TYPES: Final = {"css": "text/css", "js": "text/javascript"}


def checks(desk: Desk) -> dict[str, Callable[[], bool]]:
    """Return what must hold for the board to be ready; one unreadable status does not take the list from everybody."""
    return {"up_to_date": desk.up_to_date}


async def _always(_request: web.Request) -> bool:
    return True


def board(  # noqa: PLR0913 - what a board is made of
    health: Health,
    metrics: Metrics,
    desk: Desk,
    *,
    signed_in: Middleware,
    alive: Callable[[web.Request], Awaitable[bool]] = _always,
    routes: Iterable[web.AbstractRouteDef] = (),
) -> web.Application:
    """Return the board's application over what its desk knows; reading is the process's own work.

    Parameters
    ----------
    signed_in
        Says who asks, or sends them to sign in.
    alive
        Whether the session behind an open stream has not ended meanwhile.
    routes
        Those of signing in and out.
    """
    live = Live(desk, alive)
    acting, searching = Acting(desk), Searching(desk)
    listing, patient = ListPage(desk, live, searching), PatientPage(desk, acting)
    plan, registering = PlanPage(desk, acting), RegisteringPage(desk, acting)
    enrol, meeting, identifying = EnrolPage(desk, acting), MeetingPage(desk), IdentityPage(desk, acting)

    async def working(_app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(counting()), asyncio.create_task(live.run())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def counting() -> None:
        while True:
            desk.model.statuses.count(desk.now())
            await asyncio.sleep(COUNT_EVERY)

    app = application(
        health,
        metrics,
        routes=[
            web.get("/", listing.page),
            web.get("/status.json", listing.status),
            web.get("/events", live.events),
            web.get("/patients/{patient}", patient.page),
            web.get("/patients/{patient}/plan", plan.page),
            web.post("/patients/{patient}/plan", plan.post),
            web.get("/patients/{patient}/registration", registering.page),
            web.post("/patients/{patient}/registration", registering.post),
            web.get("/patients/{patient}/identity", identifying.page),
            web.post("/patients/{patient}/identity", identifying.post),
            web.post("/patients/{patient}/{act}", patient.act),
            web.get("/transferred/{patient}/{event}", patient.transferred),
            web.get("/enrol", enrol.page),
            web.post("/enrol", enrol.post),
            web.get("/enrolled/{patient}", enrol.enrolled),
            web.get("/search", searching.page),
            web.post("/search", searching.post),
            web.get("/meeting", meeting.page),
            web.get("/meeting.csv", meeting.csv),
            web.get("/equipment", meeting.equipment),
            *(web.get(f"/static/{name}", _asset(name, body)) for name, body in ASSETS.items()),
            *routes,
        ],
        middlewares=(signed_in,),
    )
    app.cleanup_ctx.append(working)
    return app


def _asset(name: str, body: bytes) -> Handler:
    kind = _TYPES[name.rpartition(".")[2]]

    async def asset(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})

    return asset
