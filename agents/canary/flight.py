"""One round of one service's canary: red, paged, acknowledged, green again; each leg timed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agents.canary.patients import GREEN_PULSE, RED_PULSE, acknowledgement, enrolment, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.canary.news import News
    from agents.canary.sending import Sending
    from agents.metrics import Metrics
    from agents.wallclock import Clock
    from schemas.assessments import Episode, PatientStatus

SENT, PAGED, ACKNOWLEDGED, CLOSED = LEGS = ("sent", "paged", "acknowledged", "closed")
GREENS: Final = 2  # that an acknowledged red takes to end
_MS: Final = timedelta(milliseconds=1)  # the fold knows nothing finer


class Green(NamedTuple):
    """A green that is sent, and sent again as the very same, until it is known to have come."""

    at: datetime
    body: dict[str, Any]


@dataclass(kw_only=True)
class Flights:
    """The rounds of one service. A round that failed is closed before the next red, so nothing piles up.

    Attributes
    ----------
    service
        Whose pages are proved.
    news, sending, metrics, clock
        What comes, what is sent, where the legs are timed, what time it is.
    """

    service: str
    news: News
    sending: Sending
    metrics: Metrics
    clock: Clock
    _open: dict[str, Green | None] = field(default_factory=dict, init=False)  # pseudonym -> the green that closes it
    _last: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC), init=False)

    async def fly(self, patient: str) -> float:
        """Fly once; how long the red took from its sending to its end [s]. Bound it with asyncio.timeout."""
        self._find_open()
        for lost in list(self._open):
            await self._close(lost)
        await self._enrolled(patient)
        loop = asyncio.get_running_loop()
        began = loop.time()
        red_at = self._now()
        self._open[patient] = None  # until this round is through
        with self._leg(SENT):
            await self.sending.session(session(patient, RED_PULSE, red_at))
        with self._leg(PAGED):
            episode = await self.news.until(lambda: self._paged(patient, red_at))
        with self._leg(ACKNOWLEDGED):
            await self._acknowledge(patient, episode)
        with self._leg(CLOSED):
            await self._greens(patient)
        del self._open[patient]
        return loop.time() - began

    def _now(self) -> datetime:
        """A later instant than any before, or two sessions would be one."""
        now = self.clock()
        self._last = max(now.replace(microsecond=now.microsecond // 1000 * 1000), self._last + _MS)
        return self._last

    @contextmanager
    def _leg(self, name: str) -> Iterator[None]:
        """Time a leg that comes to its end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        yield
        self.metrics.canary_leg.labels(name).observe(loop.time() - began)

    def _status(self, patient: str) -> PatientStatus | None:
        return self.news.statuses.get(patient)

    def _find_open(self) -> None:
        """Know of canaries that an earlier process left in an episode."""
        for patient, status in self.news.statuses.items():
            if status.service == self.service and status.episode is not None:
                self._open.setdefault(patient, None)

    async def _enrolled(self, patient: str) -> None:
        def planned() -> PatientStatus | None:
            status = self._status(patient)
            return status if status is not None and status.plan_version is not None else None

        if planned() is None:
            for event in enrolment(patient, self.service, self._now()):
                await self.sending.care(event)
            await self.news.until(planned)

    def _paged(self, patient: str, red_at: datetime) -> Episode | None:
        """The episode of this red, once its page has come."""
        status = self._status(patient)
        episode = status.episode if status is not None else None
        if episode is None or episode.worsened_at < red_at:
            return None
        return episode if self.news.paged(self.service, str(episode.zone_change_id)) else None

    async def _acknowledge(self, patient: str, episode: Episode) -> None:
        def taken_over() -> PatientStatus | None:
            status = self._status(patient)
            return status if status is not None and (status.episode is None or status.episode.acknowledged) else None

        await self.sending.care(acknowledgement(patient, episode.zone_change_id, self._now()))
        await self.news.until(taken_over)

    async def _greens(self, patient: str) -> None:
        def over() -> PatientStatus | None:
            status = self._status(patient)
            return status if status is not None and status.episode is None else None

        for _ in range(GREENS):
            await self.sending.session(session(patient, GREEN_PULSE, self._now()))
        await self.news.until(over)

    async def _close(self, patient: str) -> None:
        """End what an earlier round left: a green shows that triage has come to here, then what is still needed."""
        green = self._open[patient]
        if green is None:
            at = self._now()
            green = self._open[patient] = Green(at, session(patient, GREEN_PULSE, at))

        def heard() -> PatientStatus | None:
            status = self._status(patient)
            last = status.last_submission_at if status is not None else None
            return status if last is not None and last >= green.at else None

        await self.sending.session(green.body)
        status = await self.news.until(heard)
        if status.episode is not None:
            if not status.episode.acknowledged:
                await self._acknowledge(patient, status.episode)
            await self._greens(patient)
        del self._open[patient]
