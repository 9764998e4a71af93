"""The contract of frames on a real InfluxDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from tests.agents.frames.contract import FramesContract
from tests.stack.buckets import bucket_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.stack


@pytest.fixture
async def store(influxdb: Any) -> AsyncIterator[InfluxDBStore]:  # noqa: ANN401 - url, org, bucket, token: tests/stack/conftest.py
    async with bucket_of(influxdb, keeps_days=None) as bucket:
        where = {"org": influxdb.org, "bucket": bucket, "token": influxdb.token}
        store = InfluxDBStore(influxdb.url, **where, metrics=Metrics(CollectorRegistry()))
        yield store
        await store.close()


class TestContract(FramesContract):
    """InfluxDB gives all of them."""
