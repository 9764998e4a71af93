"""What a report reads is what it needs of every kind of event, without canaries, and no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.report import reading
from agents.stores.port import ReadError, ReadFault
from agents.stores.sqlite import SQLiteStore
from agents.storing.care_points import KINDS, of_care_event
from pipeline.outcomes.frames import CARE_EVENTS
from schemas.care import Admitted
from tests.agents.storing.test_points import SAID

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

STOP = datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Oslo"))


def test_every_kind_of_event_is_read_with_all_that_outcomes_take_of_it() -> None:
    taken = set(CARE_EVENTS.columns)
    for event, _ in SAID:
        point, *_ = of_care_event(event)  # a plan's limits follow
        assert set(point.fields) & taken == set(reading.SAID[point.tags["kind"]]), point.tags["kind"]
    assert set(reading.SAID) == set(KINDS.values())


async def test_canaries_are_not_read_and_an_event_that_was_written_twice_is_read_once(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "points.sqlite", metrics=Metrics(CollectorRegistry()))
    at = STOP - timedelta(days=3)
    told = [
        Admitted(event_id=UUID(int=number), patient=patient, at=at + late, recorded_at=at + late, acute=True)
        for number, patient, late in (
            (1, "sim-1", timedelta(0)),
            (1, "sim-1", timedelta(hours=1)),
            (2, "canary-lungs-1", timedelta(0)),
        )
    ]
    assert await store.write([point for event in told for point in of_care_event(event)]) == []
    found = await reading.held(store, STOP - timedelta(days=30), STOP, ())
    await store.close()
    assert found.care_events[["patient", "acute"]].to_numpy().tolist() == [["sim-1", 1.0]]
    assert found.answers == {}


async def test_a_store_that_does_not_answer_one_question_is_told_by_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SQLiteStore(tmp_path / "points.sqlite", metrics=Metrics(CollectorRegistry()))
    scan, asked = store.scan, []

    async def failing(measurement: str, **question: Any) -> pd.DataFrame:  # noqa: ANN401 - any question
        asked.append(measurement)
        if measurement == "status":
            raise ReadError(ReadFault.FAILED, "gave up")
        return await scan(measurement, **question)

    monkeypatch.setattr(store, "scan", failing)
    with pytest.raises(ReadError, match="gave up"):
        await reading.held(store, STOP - timedelta(days=30), STOP, ())
    await store.close()
    assert "status" in asked
