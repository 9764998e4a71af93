"""Open boards hear of every change within a second: server-sent events, coalesced and rendered once for all alike."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from html import escape
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from aiohttp import web

from agents.board.answering import DONE, may_list
from agents.board.around import person_of
from agents.board.rows import storms
from agents.board.viewing import audience_of
from dashboards.board import listing
from dashboards.board.views import Filters
from schemas.people import Right

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from agents.board.desk import Desk
    from agents.board.viewing import Audience
    from schemas.assessments import PatientStatus

TOGETHER_S: Final = 0.25  # changes that come within so long are told as one [s]
BEAT_S: Final = 5.0  # a board that hears nothing for much longer says so [s]
LOOKED_S: Final = 1.0  # how often it is looked whether something fell due, and at the platform [s]
WAITING: Final = 50  # messages that wait for one board; one that reads none for so long is let go
WARMED: Final = 25  # rows rendered ahead between two looks at what else there is to do
_log = structlog.get_logger()


@dataclass(eq=False)
class _Open:
    """One open board."""

    audience: Audience
    waiting: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def tell(self, message: bytes) -> None:
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)  # it comes back, and asks for what it missed


class Live:
    """Tells every open board what changed.

    Parameters
    ----------
    desk
        What the board knows and how it looks.
    alive
        Whether the session behind a request has not ended meanwhile.
    """

    def __init__(self, desk: Desk, alive: Callable[[web.Request], Awaitable[bool]]) -> None:
        self._desk = desk
        self._alive = alive
        self._boards: set[_Open] = set()
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        self._boot = token_hex(4)
        self._above: dict[Audience, tuple[str, str]] = {}  # counts and banners as last told
        desk.model.listen(self._hear)

    @property
    def version(self) -> str:
        """What a page holds that is rendered now."""
        return f"{self._boot}-{self._desk.model.seq}"

    def _hear(self, patient: str) -> None:
        self._changed.add(patient)
        self._woken.set()

    async def run(self) -> None:
        """Tell for ever; ends when cancelled."""
        loop = asyncio.get_running_loop()
        told_at = float("-inf")
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_S):
                    await self._woken.wait()
            wait = told_at + TOGETHER_S - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._woken.clear()
            changed, self._changed = self._changed, set()
            changed.update(self._desk.rows.fallen_due(self._desk.now()))
            told_at = loop.time()
            try:
                await self._tell(changed)
            except Exception as error:  # noqa: BLE001 - one row that cannot be rendered must not still the boards
                _log.error("board_not_told", error=type(error).__name__)

    async def _tell(self, changed: Collection[str]) -> None:
        audiences = {board.audience for board in self._boards}
        self._above = {audience: told for audience, told in self._above.items() if audience in audiences}
        for audience in audiences:
            message = await self._message(audience, changed, self._desk.model.seq)
            if message is not None:
                for board in [one for one in self._boards if one.audience == audience]:
                    board.tell(message)
        if not audiences:
            await self._warm(changed)

    async def _warm(self, changed: Collection[str]) -> None:
        """Render ahead what the next page will ask for."""
        voice = self._desk.voice("nb")
        for number, patient in enumerate(changed, start=1):
            status = self._desk.model.status(patient)
            if status is not None and listing.listed(status):
                self._desk.rows.of(status, self._desk.now(), voice)
            if number % WARMED == 0:
                await asyncio.sleep(0)

    async def _message(self, audience: Audience, changed: Collection[str], seq: int) -> bytes | None:
        """What an audience is told; None where nothing of it changed."""
        desk, now, voice = self._desk, self._desk.now(), self._desk.voice(audience.lang)
        shown: list[PatientStatus] = []
        gone: list[str] = []
        for patient in changed:
            status = desk.model.status(patient)
            if status is not None and audience.sees(status) and listing.listed(status):
                shown.append(status)
            elif any(audience.person.may(Right.SEE_LIST, one) for one in desk.model.patient(patient).services):
                gone.append(patient)  # of nobody else is even the pseudonym told
        above = self.above(audience, now)
        if not shown and not gone and self._above.get(audience) == above:
            return None
        self._above[audience] = above
        names = await desk.names(audience, shown)
        told: dict[str, Any] = {
            "rows": [
                desk.rows.of(status, now, voice).html(_name(names.get(status.patient)))
                for status in sorted(shown, key=desk.rows.place)
            ],
            "gone": gone,
            "counts": above[0],
            "banners": above[1],
        }
        return b"id: %s-%d\nevent: rows\ndata: %s\n\n" % (self._boot.encode(), seq, msgspec.json.encode(told))

    def above(self, audience: Audience, now: datetime, filters: Filters | None = None) -> tuple[str, str]:
        """Return the counts and banners of an audience."""
        desk, voice = self._desk, self._desk.voice(audience.lang)
        seen = [status for status in desk.model.all_statuses() if audience.sees(status)]
        banners = desk.banners(audience.person, now, voice, storms(seen, now))
        return listing.counts(listing.summed(seen), voice, filters or Filters()), banners

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Answer /events: what changed since the page was rendered, then everything as it comes."""
        audience, person = audience_of(request), person_of(request)
        await may_list(self._desk, request)
        await self._desk.access.add(person.ref, "list", None, None, DONE)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        board = _Open(audience)
        await response.prepare(request)
        self._boards.add(board)  # before it is looked what it missed: what comes meanwhile waits
        try:
            await response.write(b"retry: 2000\n\n" + await self._missed(request, audience))
            asked_at = monotonic()
            while True:
                message: bytes | None = b"event: beat\ndata: 1\n\n"
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        message = await board.waiting.get()
                if message is None:
                    break
                if monotonic() >= asked_at + BEAT_S or message.startswith(b"event: beat"):
                    asked_at = monotonic()
                    if not await self._alive(request):
                        await response.write(b"event: left\ndata: 1\n\n")
                        break
                await response.write(message)
        except ConnectionError:
            pass  # the board was closed
        finally:
            self._boards.discard(board)
        return response

    async def _missed(self, request: web.Request, audience: Audience) -> bytes:
        boot, _, seq = (request.headers.get("Last-Event-ID") or request.query.get("since", "")).rpartition("-")
        if boot != self._boot or not seq.isdecimal() or len(seq) > 18:  # noqa: PLR2004 - as many digits as 64 bits hold
            return b"event: anew\ndata: 1\n\n"
        missed = self._desk.model.changed_since(int(seq))
        return await self._message(audience, missed, self._desk.model.seq) or b"event: beat\ndata: 1\n\n"


def _name(name: str | None) -> str:
    return f'<span class="name">{escape(name)}</span>' if name else ""
