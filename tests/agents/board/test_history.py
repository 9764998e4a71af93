"""Older measurements come from the store, and a store that is down takes nothing away and is said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from agents.board.history import history
from agents.board.judged import Judgements
from agents.metrics import Metrics
from agents.stores.port import ReadError, ReadFault
from agents.stores.sqlite import SQLiteStore
from agents.storing.points import of_assessment
from schemas.assessments import Assessment, BaselineStatus, Deviation, JudgedReading, Quality, Reason
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def assessment(days_ago: int, value: float, zone: Zone = Zone.GREEN, revision: int = 1) -> Assessment:
    at = NOW - timedelta(days=days_ago)
    normal = Deviation(center=94, spread=1, days=20, age_days=1, status=BaselineStatus.ESTABLISHED, score=-1)
    reading = JudgedReading(
        code="2708-6", vital="spo2", value=value, unit="%", measured_at=at, quality=Quality.VALID, deviation=normal
    )
    reason = Reason(rule="limit_low", zone=zone, code="2708-6", value=value, unit="%", limit=88, readings=(0,))
    return Assessment(
        assessment_id=UUID(int=days_ago),
        submission_id=UUID(int=1000 + days_ago),
        patient="p-1",
        revision=revision,
        at=at,
        received_at=at,
        zone=zone,
        reasons=(reason,),
        readings=(reading,),
        service="joint-centre",
        plan_version=1,
        rules_version="3",
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    opened = SQLiteStore(tmp_path / "store.sqlite", metrics=Metrics(CollectorRegistry()))
    for one in (assessment(80, 86, Zone.RED), assessment(50, 92), assessment(3, 95)):
        assert await opened.write(of_assessment(one)) == []
    yield opened
    await opened.close()


def recent() -> Judgements:
    held = Judgements()
    for one in (assessment(3, 95), assessment(1, 87, Zone.YELLOW)):
        held.take(one, NOW)
    return held


class Down:
    """A store that does not answer."""

    async def read(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - it never returns
        raise ReadError(ReadFault.UNREACHABLE, "down")


async def shown(store: Any, days: int) -> tuple[list[tuple[float, Zone]], str]:  # noqa: ANN401 - a store, or none
    found = await history(store, "p-1", recent().newest(), NOW - timedelta(days=days), NOW)
    dots = [(dot.value, dot.zone) for series in found.series for dot in series.dots]
    return dots, found.missing


async def test_what_is_older_than_the_broker_s_month_comes_from_the_store_each_value_once(store: SQLiteStore) -> None:
    recently = [(95, Zone.GREEN), (87, Zone.YELLOW)]
    assert await shown(store, 90) == ([(86, Zone.RED), (92, Zone.GREEN), *recently], "")
    assert await shown(store, 60) == ([(92, Zone.GREEN), *recently], "")
    assert await shown(store, 2) == ([(87, Zone.YELLOW)], "")


@pytest.mark.parametrize(("store", "missing"), [(Down(), "store_down"), (None, "no_store")])
async def test_without_the_store_what_the_broker_gave_is_shown_and_the_rest_is_said_to_be_missing(
    store: Any,  # noqa: ANN401 - a store that is down, or none
    missing: str,
) -> None:
    assert await shown(store, 90) == ([(95, Zone.GREEN), (87, Zone.YELLOW)], missing)
    assert await shown(store, 14) == ([(95, Zone.GREEN), (87, Zone.YELLOW)], "")
