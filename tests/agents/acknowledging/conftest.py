"""A board that mounts the handlers, over what was heard, with a writer that keeps what it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from yarl import URL

from agents.acknowledging.heard import Heard
from agents.acknowledging.links import Links
from agents.acknowledging.pagerduty import PagerDutyHook
from agents.acknowledging.routes import Acknowledging
from agents.gateway.delivery import UnconfirmedError
from agents.metrics import Metrics
from schemas.assessments import Episode, EpisodeState, PatientStatus, ZoneChange
from schemas.paging import PageRequest, Priority
from schemas.services import Service
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schemas.care import Acknowledged

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECRET = b"a-subscription-secret"


class Board:
    """What is known of one patient's alert, and the handlers over it."""

    def __init__(self) -> None:
        self.now = NOW
        self.hears = True
        self.confirms = True
        self.written: list[Acknowledged] = []
        self.metrics = Metrics(CollectorRegistry())
        self.heard = Heard(lambda: self.hears)
        self.url = URL()
        self.http: aiohttp.ClientSession | None = None

    async def write(self, event: Acknowledged) -> None:
        """Be the writer: what is confirmed is heard at once."""
        if not self.confirms:
            raise UnconfirmedError("TimeoutError")
        self.written.append(event)
        self.heard.take_care(event)

    def page(self, number: int = 1, *, at: datetime | None = None, **changed: Any) -> PageRequest:  # noqa: ANN401 - any field
        """Ask for a page about the opening of a patient's episode, and hear of the episode."""
        asked_at = at or self.now
        page = PageRequest(
            **{
                "page_id": UUID(int=number),
                "patient": f"p-{number}",
                "service": "lungs",
                "zone": Zone.RED,
                "priority": Priority.HIGH,
                "at": NOW - timedelta(minutes=2),
                "zone_change_id": UUID(int=1000 + number),
                "assessment_id": None,
                "ask": 1,
                "episode_id": UUID(int=2000 + number),
                **changed,
            }
        )
        self.heard.take_page(page, asked_at)
        return page

    def stands(self, page: PageRequest, *, change: UUID | None = None, at: datetime | None = None) -> None:
        """Hear that the patient's episode was opened, or became worse, by that zone change."""
        worsened_at = at or page.at
        episode = Episode(
            state=EpisodeState.OPENED,
            opened_at=page.at,
            worsened_at=worsened_at,
            zone_change_id=change or page.zone_change_id,
        )
        self._status(page.patient, episode)

    def over(self, page: PageRequest) -> None:
        """Hear that the patient has no episode."""
        self._status(page.patient, None)

    def retracted(self, page: PageRequest, *, retracted: bool = True) -> None:
        """Hear that the zone change was taken back, or is told again."""
        change = ZoneChange(
            zone_change_id=page.zone_change_id,
            patient=page.patient,
            at=page.at,
            from_zone=Zone.GREEN,
            to_zone=Zone.RED,
            retracted=retracted,
        )
        self.heard.take_zone_change(change)

    def alert(self, number: int = 1, **changed: Any) -> PageRequest:  # noqa: ANN401 - any field
        """A page and the episode that it is about."""
        page = self.page(number, **changed)
        self.stands(page)
        return page

    def link(self, page: PageRequest, told: str = "nurse-1") -> str:
        """The path of the link in a page."""
        return URL(self.links.of(page.page_id, told)).path

    async def follow(self, path: str, **query: str) -> tuple[int, str]:
        """Open a link, as a browser does."""
        async with self.client.get(self.url.with_path(path).with_query(query)) as answer:
            return answer.status, await answer.text()

    async def send(
        self, path: str, reason: str = "true", note: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Send the form, as a browser does from the board's own page."""
        sent = {"Sec-Fetch-Site": "same-origin"} if headers is None else headers
        form = {"reason": reason, "note": note}
        async with self.client.post(self.url.with_path(path), data=form, headers=sent) as answer:
            return answer.status, await answer.text()

    def count(self, by: str, outcome: str) -> float:
        """How many acknowledgements came to that."""
        labels = {"by": by, "outcome": outcome}
        return self.metrics.registry.get_sample_value("sonevakt_acknowledgements_total", labels) or 0.0

    @property
    def client(self) -> aiohttp.ClientSession:
        assert self.http is not None
        return self.http

    async def open(self) -> web.AppRunner:
        services = {"lungs": Service(name="The lung centre", language="en"), "heart": Service(name="The heart centre")}
        app = web.Application()
        runner = web.AppRunner(app)
        self.links = Links(URL("https://board.example"), "k" * 40)
        handlers = Acknowledging(
            self.links, self.heard, self, services=services, clock=lambda: self.now, metrics=self.metrics
        )
        hook = PagerDutyHook(
            {"lungs": (b"an-older-secret-of-it", SECRET)}, self.heard, self, lambda: self.now, self.metrics
        )
        app.add_routes([*handlers.routes(), *hook.routes()])
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1])
        return runner

    def _status(self, patient: str, episode: Episode | None) -> None:
        self._revision = getattr(self, "_revision", 0) + 1
        self.heard.take_status(
            PatientStatus(
                patient=patient,
                revision=self._revision,
                zone=Zone.RED if episode else Zone.GREEN,
                since_at=NOW,
                reasons=(),
                episode=episode,
            )
        )


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    made = Board()
    runner = await made.open()
    async with aiohttp.ClientSession() as http:
        made.http = http
        yield made
    await runner.cleanup()
