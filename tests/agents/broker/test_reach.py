"""Readiness to take what is sent, by asking the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agents.broker.clients import started
from agents.broker.embedded import EmbeddedBroker
from agents.broker.reach import Reach
from agents.gateway.delivery import build_producer

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is awaited is the passing of time itself
            await asyncio.sleep(0.02)


async def test_holds_while_the_broker_answers_and_no_longer() -> None:
    broker = EmbeddedBroker(partitions=2, prefix="reach-")
    async with started(build_producer(broker.bootstrap, idempotent=False)) as producer:
        reach = Reach(producer, "reach-submissions", every_s=0.2)
        assert not reach.holds()
        asking = asyncio.create_task(reach.run())
        await until(reach.holds)
        broker.set_down()
        await until(lambda: not reach.holds())
        broker.set_up()
        await until(reach.holds)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    broker.close()
