"""The canaries of all services, round after round, and the heartbeat that tells when all of them came through."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from agents.canary.flight import LEGS, Flights
from agents.canary.hearing import Hearing
from agents.canary.patients import pseudonym, whose_turn
from agents.canary.sending import RefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents.canary.heartbeat import Heartbeat
    from agents.canary.news import News
    from agents.canary.sending import Sending
    from agents.metrics import Metrics
    from agents.wallclock import Clock

THROUGH, LATE, REFUSED = OUTCOMES = ("through", "late", "refused")
SLACK_S: Final = 15.0  # beyond which a round that ought to have come through is missed [s]
_log = structlog.get_logger()


class Canaries:
    """Flies each service's canary every so often, all of them at once; a round that is late is ended before the next.

    Parameters
    ----------
    services
        Whose pages are proved.
    news, sending, heartbeat
        What comes, what is sent, and who is told outside.
    bootstrap, prefix, partitions
        Of the broker.
    every_s, within_s
        From one round's beginning to the next, and by when a round must be through [s].
    metrics
        canary_round_trip, canary_leg, canary_rounds, canary_last_success, canary_due.
    clock
        What time it is.
    """

    def __init__(  # noqa: PLR0913 - what the rounds touch, by name
        self,
        services: Collection[str],
        *,
        news: News,
        sending: Sending,
        heartbeat: Heartbeat,
        bootstrap: str,
        prefix: str,
        partitions: int,
        every_s: float,
        within_s: float,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._heartbeat = heartbeat
        self._partitions = partitions
        self._every_s = every_s
        self._within_s = within_s
        self._metrics = metrics
        self._clock = clock
        self._sending = sending
        self._hearing = Hearing(bootstrap=bootstrap, prefix=prefix, heard=news.heard)
        self._flights = [
            Flights(service=service, news=news, sending=sending, metrics=metrics, clock=clock)
            for service in sorted(services)
        ]
        for leg in LEGS:
            metrics.canary_leg.labels(leg)
        for service in services:
            for outcome in OUTCOMES:
                metrics.canary_rounds.labels(service, outcome)
            self._expect(service, within_s)

    def hears(self) -> bool:
        """Return whether what triage says of the canaries is known."""
        return self._hearing.complete()

    async def run(self) -> None:
        """Fly for ever; ends when cancelled."""
        hearing = asyncio.create_task(self._hearing.run())
        try:
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                await asyncio.sleep(due - loop.time())
                due = max(due + self._every_s, loop.time())  # rounds that were missed are left out
                await self._round()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await self._sending.close()

    async def _round(self) -> None:
        number = whose_turn(self._clock(), self._every_s)
        through = await asyncio.gather(*(self._fly(flights, number) for flights in self._flights))
        if all(through):
            await self._heartbeat.beat()
        else:
            self._heartbeat.withhold()

    async def _fly(self, flights: Flights, number: int) -> bool:
        patient = pseudonym(flights.service, number, self._partitions)
        try:
            async with asyncio.timeout(self._within_s):
                while not self._hearing.complete():  # noqa: ASYNC110 - at the beginning alone
                    await asyncio.sleep(0.05)
                took_s = await flights.fly(patient)
        except TimeoutError:
            return self._told(flights.service, LATE, "not through in time")
        except RefusedError as error:
            return self._told(flights.service, REFUSED, str(error))
        self._metrics.canary_round_trip.labels(flights.service).observe(took_s)
        self._metrics.canary_last_success.labels(flights.service).set(self._clock().timestamp())
        self._expect(flights.service, self._every_s + self._within_s)
        self._metrics.canary_rounds.labels(flights.service, THROUGH).inc()
        return True

    def _told(self, service: str, outcome: str, why: str) -> bool:
        self._metrics.canary_rounds.labels(service, outcome).inc()
        _log.error("canary_did_not_come_through", service=service, outcome=outcome, problem=why)
        return False

    def _expect(self, service: str, in_s: float) -> None:
        self._metrics.canary_due.labels(service).set(self._clock().timestamp() + in_s + SLACK_S)
