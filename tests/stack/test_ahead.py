"""After an outage of triage, on real Kafka, which dates records itself: what came lately is looked at ahead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from agents.broker import topics
from agents.broker.clients import started
from agents.triage import ahead
from tests.agents.conftest import eventually
from tests.agents.triage.test_ahead import CHANGELOG, ILL, RED, WELL, Triage, at_work, now, sent

if TYPE_CHECKING:
    from tests.agents.conftest import Eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
__all__ = ["eventually"]  # a fixture


async def test_reds_that_came_just_before_and_after_a_restart_are_paged_before_the_backlog_is_worked(
    kafka_bootstrap: str, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LOOK_S", 0.05)
    prefix = f"ahead-{uuid4().hex[:8]}-"
    await topics.apply(
        kafka_bootstrap, prefix=prefix, partitions=1, replication=1, changelogs=(f"{prefix}{CHANGELOG}",)
    )
    async with started(AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)) as producer:
        async with at_work(Triage(kafka_bootstrap, producer, prefix)) as before:
            await before.follow(eventually)
        after = Triage(kafka_bootstrap, producer, prefix)
        await after.fall_behind()
        await asyncio.sleep(16)  # so that they are old enough
        monkeypatch.setattr(ahead, "AFTER_S", 15.0)
        await after.put("submissions", sent(WELL, "red", now(), RED), now())
        async with at_work(after):
            await eventually(lambda: after.shown("pages_ahead_total") == 1, within=60)
            await after.put("submissions", sent(ILL, "red", now(), RED), now())
            await eventually(lambda: after.shown("pages_ahead_total") == 2, within=60)
            assert await after.done() == 2
            assert [page.key.decode() for page in await after.read("pages")] == [WELL, ILL]

            after.held.goes_on = True
            pages = await after.told("pages", 4)
            assert [page.value for page in pages[2:]] == [page.value for page in pages[:2]]
            await eventually(lambda: after.shown("partitions_ahead") == 0)
            assert after.shown("ahead_failures_total") == 0
