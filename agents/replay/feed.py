"""Feeding: one recorded day after the other, each worked off before time goes on.

Topics have no order among each other, so a tick of the evening could overtake a registration of noon, and the patient
would be called overdue and then not. The day's messages are therefore waited for before its tick is written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.broker.lag import LagWatch
from agents.partitioner import partition_for
from schemas.codec import encode
from schemas.paging import Tick
from schemas.submissions import Submission
from schemas.topics import CARE, SUBMISSIONS, TICKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from datetime import date, datetime
    from uuid import UUID

    from agents.recordings.events import Event

POLL_S: Final = 0.02


class Feed:
    """A producer of recorded events.

    Parameters
    ----------
    bootstrap, prefix, partitions
        Where to.
    group
        The consumer group of triage, whose progress is waited for.
    """

    def __init__(self, bootstrap: str, *, prefix: str, partitions: int, group: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._partitions = partitions
        self._group = group
        self.sent: Counter[str] = Counter()
        self.submissions: set[UUID] = set()

    async def run(self, events: Iterable[Event], told: Callable[[date, int], None], speed: float | None = None) -> None:
        """Feed all of `events`, which are in order; `told` hears of each day and how many events it had.

        Parameters
        ----------
        speed
            Recorded seconds a second; None: as fast as they are worked off.
        """
        async with self.producing() as producer, LagWatch(self._bootstrap) as watch:
            for day, of_day in groupby(events, key=lambda event: event.at.date()):
                todays = list(of_day)
                await self._send(producer, todays, speed)
                await self.worked_off(watch)
                await self.tick(producer, todays[-1].at.replace(hour=23, minute=59))
                told(day, len(todays))
            await self.worked_off(watch)

    def producing(self) -> AbstractAsyncContextManager[AIOKafkaProducer]:
        """A producer for `send` and `tick`."""
        return started(AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=5))

    async def send(self, producer: AIOKafkaProducer, event: Event) -> None:
        """Write one event, and wait for the broker."""
        await self._send(producer, [event], None)

    async def send_all(self, producer: AIOKafkaProducer, events: list[Event]) -> None:
        """Write events in order, and wait for the broker."""
        await self._send(producer, events, None)

    async def tick(self, producer: AIOKafkaProducer, at: datetime) -> None:
        """Let time come to `at`, for everybody."""
        tick = encode(Tick(at=at))
        topic = self._prefix + TICKS.name
        sent = [await producer.send(topic, tick, partition=number) for number in range(self._partitions)]
        await asyncio.gather(*sent)

    async def worked_off(self, watch: LagWatch) -> None:
        """Wait until triage has worked everything that was fed."""
        topics = [self._prefix + topic.name for topic in (SUBMISSIONS, CARE)]
        while any((await watch.behind(self._group, topics)).values()):  # noqa: ASYNC110 - the broker must be asked
            await asyncio.sleep(POLL_S)

    async def _send(self, producer: AIOKafkaProducer, events: list[Event], speed: float | None) -> None:
        pending = []
        before: datetime | None = None
        for event in events:
            if speed and before is not None:
                await asyncio.sleep(max(0.0, (event.at - before).total_seconds() / speed))
            before = event.at
            key = event.message.patient.encode()
            partition = partition_for(key, self._partitions)
            topic = self._prefix + event.topic.name
            pending.append(await producer.send(topic, encode(event.message), key=key, partition=partition))
            self.sent[event.topic.name] += 1
            if isinstance(event.message, Submission):
                self.submissions.add(event.message.submission_id)
        await asyncio.gather(*pending)
