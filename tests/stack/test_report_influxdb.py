"""The council's tables of the same patients are the same numbers from SQLite and from a real InfluxDB."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from prometheus_client import CollectorRegistry

from agents.council import load_council
from agents.metrics import Metrics
from agents.report.building import document
from agents.report.making import Configured, Wanted, worked_out
from agents.stores.influxdb import InfluxDBStore
from agents.stores.sqlite import SQLiteStore
from benchmarks.service_year import fill
from dashboards.report.page import html
from tests.agents.report.conftest import COUNCIL
from tests.stack.buckets import bucket_of

if TYPE_CHECKING:
    from pathlib import Path

    from agents.stores.port import TimeSeriesStore

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
OSLO = ZoneInfo("Europe/Oslo")
QUARTER = Wanted(datetime(2025, 10, 1, tzinfo=OSLO), datetime(2026, 1, 1, tzinfo=OSLO))
MADE = datetime(2026, 1, 3, tzinfo=OSLO)


async def test_both_stores_give_the_same_tables_and_the_same_page(influxdb: Any, tmp_path: Path) -> None:  # noqa: ANN401 - url, org, bucket, token: tests/stack/conftest.py
    metrics = Metrics(CollectorRegistry())
    configured = Configured({}, load_council(COUNCIL))
    async with bucket_of(influxdb, keeps_days=None) as bucket:
        where = {"org": influxdb.org, "bucket": bucket, "token": influxdb.token}
        stores: list[TimeSeriesStore] = [
            SQLiteStore(tmp_path / "points.sqlite", metrics=metrics),
            InfluxDBStore(influxdb.url, **where, metrics=metrics, timeout_s=60),
        ]
        assert await fill(stores, 60, 120) > 0
        (held, ours), (_, theirs) = [await worked_out(store, configured, QUARTER) for store in stores]
        for store in stores:
            await store.close()
    assert set(ours.tables) == set(theirs.tables)
    for name, table in ours.tables.items():
        pd.testing.assert_frame_equal(table, theirs.tables[name], obj=name)
    assert len(ours.tables["rates"])
    span = (QUARTER.start, QUARTER.stop)
    pages = [html(document(held, told, configured.council, (), span, MADE), "nb") for told in (ours, theirs)]
    assert pages[0] == pages[1]
