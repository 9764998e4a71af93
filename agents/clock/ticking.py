"""One tick to every partition, every few seconds: what makes an overdue registration noticed.

A tick that could not be written is not written later: the next one says the same and more. So at most one round is
under way, whatever the broker does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents import wallclock
from agents.broker.clients import started
from agents.broker.topics import topic_name
from schemas.codec import encode
from schemas.paging import Tick
from schemas.topics import TICKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from agents.metrics import Metrics

REQUEST_TIMEOUT_MS: Final = 5_000  # a round not confirmed by then has failed
LATE_AFTER: Final = 3  # rounds without confirmation before the clock is not ready
_log = structlog.get_logger()


@dataclass(kw_only=True)
class Ticking:
    """The clock of one installation.

    Attributes
    ----------
    bootstrap, prefix, partitions
        Where to, and how many partitions the topic has.
    every
        Between rounds [s].
    metrics
        Ticks by outcome, and the last confirmed round.
    now
        What time it is; tests give their own.
    """

    bootstrap: str
    prefix: str
    partitions: int
    every: float
    metrics: Metrics
    now: Callable[[], datetime] = wallclock.now
    _confirmed: float | None = field(default=None, init=False)  # the last whole round, by the loop's clock [s]

    def confirmed_lately(self) -> bool:
        """Return whether the broker has taken a whole round not long ago: the clock's readiness."""
        bound = LATE_AFTER * max(self.every, REQUEST_TIMEOUT_MS / 1000)
        return self._confirmed is not None and asyncio.get_running_loop().time() - self._confirmed < bound

    async def run(self) -> None:
        """Tick for ever, through every outage of the broker; ends when cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                async with started(self._producer()) as producer:
                    while True:
                        await asyncio.sleep(due - loop.time())
                        # Rounds missed in an outage are left out, they are not caught up on.
                        due = max(due + self.every, loop.time())
                        await self._round(producer)
            except (KafkaError, OSError, TimeoutError) as error:
                self.metrics.ticks.labels("failed").inc(self.partitions)
                _log.warning(
                    "ticks_not_connected", error=type(error).__name__, topic=topic_name(self.prefix, TICKS.name)
                )
                await asyncio.sleep(min(self.every, 1.0))

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", request_timeout_ms=REQUEST_TIMEOUT_MS)

    async def _round(self, producer: AIOKafkaProducer) -> None:
        raw = encode(Tick(at=self.now()))
        written = await asyncio.gather(
            *(
                producer.send_and_wait(topic_name(self.prefix, TICKS.name), raw, partition=number)
                for number in range(self.partitions)
            ),
            return_exceptions=True,
        )
        failures = [one for one in written if isinstance(one, BaseException)]
        for failure in failures:
            if not isinstance(failure, (KafkaError, OSError, TimeoutError)):
                raise failure
        self.metrics.ticks.labels("delivered").inc(self.partitions - len(failures))
        self.metrics.ticks.labels("failed").inc(len(failures))
        if failures:
            _log.warning(
                "ticks_failed",
                count=len(failures),
                error=type(failures[0]).__name__,
                topic=topic_name(self.prefix, TICKS.name),
            )
            return
        self._confirmed = asyncio.get_running_loop().time()
        self.metrics.last_tick.set(self.now().timestamp())
