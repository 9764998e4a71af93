"""Frames from SQLite, and what holds whatever the store is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from agents.frames.catalogue import FRAMES
from agents.frames.reading import Frames
from agents.metrics import Metrics
from agents.stores.sqlite import SQLiteStore
from tests.agents.frames import told
from tests.agents.frames.contract import START, STOP, FramesContract, everything, tell
from tests.agents.frames.told import day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    import pandas as pd


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "points.sqlite", metrics=Metrics(CollectorRegistry()))
    yield store
    await store.close()


class TestContract(FramesContract):
    """SQLite gives all of them."""


class Watched(SQLiteStore):
    """Keeps how long a time was asked for at once, of everything but care events and limits, which are few."""

    longest = timedelta(0)

    async def scan(self, measurement: str, *, start: datetime, stop: datetime, **asked: Any) -> pd.DataFrame:  # noqa: ANN401 - as the port
        if measurement not in {"care_event", "plan_limit"}:
            self.longest = max(self.longest, stop - start)
        return await super().scan(measurement, start=start, stop=stop, **asked)


@pytest.mark.parametrize("name", FRAMES)
async def test_never_more_than_a_window_is_read_at_once(tmp_path: Path, name: str) -> None:
    store = Watched(tmp_path / "points.sqlite", metrics=Metrics(CollectorRegistry()))
    await tell(store, *everything())
    rows = 0
    async for part in Frames(store, window=timedelta(days=9)).parts(name, START, STOP):
        rows += len(part)
        assert len(part)

    assert store.longest <= timedelta(days=9)
    assert rows == len(await Frames(store).whole(name, START, STOP))
    await store.close()


async def test_a_period_that_is_none_is_refused(store: SQLiteStore) -> None:
    with pytest.raises(ValueError, match="before"):
        await Frames(store).readings(day(1), day(1))
    with pytest.raises(ValueError, match="time zone"):
        await Frames(store).readings(day(1).replace(tzinfo=None), day(2))


async def test_a_word_of_a_newer_version_is_shown_and_not_lost(store: SQLiteStore) -> None:
    (point,) = told.points_of([told.status("p-1", day(1), told.Zone.RED)])
    point.fields["zone"] = "violet"  # type: ignore[index] # as somebody else wrote it
    await store.write([point])

    frame = await Frames(store).statuses(START, STOP)

    assert list(frame["zone"]) == ["violet"]


async def test_services_are_all_that_ever_were_responsible(store: SQLiteStore) -> None:
    await tell(store, told.enrolled("p-1", day(0)), told.transferred("p-1", day(1), "heart"))

    assert await Frames(store).services() == {"lungs", "heart"}
