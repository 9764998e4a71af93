"""The alarm path proves itself, over the embedded broker: what stops it stops the heartbeat, and a store does not.

The broker's own outage is in tests/stack/test_proves_itself.py: workers may end themselves in one, and there each is a
process of its own that is started again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents import processes
from agents.broker.embedded import EmbeddedBroker
from agents.settings import Settings
from tests.canary_path import SERVICES, Installation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
PARTITIONS = 3


def settings(folder: Path, store: str | None = None) -> Settings:
    token = folder / "influxdb.token"
    token.write_text("nobody asks for it")
    return Settings(
        partitions=PARTITIONS,
        store=store or f"sqlite:///{folder / 'store.sqlite'}",
        influxdb_token_file=str(token),
        commit_interval_s=0.1,
        session_timeout_s=6.0,
        tick_seconds=0.5,
        canary_seconds=0.5,
        canary_within_seconds=4.0,
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=PARTITIONS, changelogs=(processes.changelog(settings(tmp_path)),)) as running:
        yield running


@pytest.fixture
async def installation(broker: EmbeddedBroker, tmp_path: Path) -> AsyncIterator[Installation]:
    async with Installation(settings(tmp_path), broker.bootstrap, tmp_path) as running:
        await running.is_heard()
        yield running


async def test_every_leg_of_a_round_is_timed_and_the_outside_hears_of_it(installation: Installation) -> None:
    metrics = installation.metrics
    assert installation.rounds("through") >= 2 * len(SERVICES)
    for service in SERVICES:
        assert metrics.canary_last_success.labels(service)._value.get() > metrics.started._value.get()
        assert metrics.canary_round_trip.labels(service)._sum.get() > 0
    for leg in ("sent", "paged", "acknowledged", "closed"):
        assert metrics.canary_leg.labels(leg)._sum.get() > 0


@pytest.mark.parametrize("name", ["triage", "paging", "gateway"])
async def test_the_heartbeat_stops_with_a_part_of_the_alarm_path_and_goes_on_with_it(
    installation: Installation, name: str
) -> None:
    await installation.stop(name)
    await installation.goes_silent()
    await installation.start(name)
    await installation.is_heard()


async def test_the_heartbeat_goes_on_while_the_store_is_down(broker: EmbeddedBroker, tmp_path: Path) -> None:
    nowhere = settings(tmp_path, "influxdb://127.0.0.1:9")
    async with Installation(nowhere, broker.bootstrap, tmp_path) as running:
        await running.is_heard(more=4)
        written = [sample for family in running.metrics.points_written.collect() for sample in family.samples]
        assert not any(sample.value for sample in written if sample.name.endswith("_total"))
