"""Reconciliation on real Kafka and InfluxDB: a run is whole, and holes made on purpose are named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import pytest

from agents import processes
from agents.broker import topics
from agents.settings import Settings
from tests.agents.conftest import logs_as_they_were  # noqa: F401 - a fixture
from tests.reconciled import reconciled
from tests.stack.test_main_path import token_file
from tests.stack.test_stores_influxdb import bucket  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240), pytest.mark.usefixtures("logs_as_they_were")]


async def test_a_run_is_whole_and_a_hole_made_on_purpose_is_named(
    tmp_path: Path,
    kafka_bootstrap: str,
    influxdb: RunningInfluxDB,
    bucket: str,  # noqa: F811 - the fixture
) -> None:
    settings = Settings(
        broker=f"kafka://{kafka_bootstrap}",
        store=influxdb.url.replace("http:", "influxdb:"),
        influxdb_org=influxdb.org,
        influxdb_bucket=bucket,
        influxdb_token_file=str(token_file(tmp_path, influxdb)),
        partitions=3,
        topic_prefix=f"whole-{uuid4().hex[:8]}-",
        commit_interval_s=0.1,
        session_timeout_s=6.0,
    )
    env = {
        "SONEVAKT_BROKER": settings.broker,
        "SONEVAKT_STORE": settings.store,
        "SONEVAKT_INFLUXDB_ORG": settings.influxdb_org,
        "SONEVAKT_INFLUXDB_BUCKET": bucket,
        "SONEVAKT_INFLUXDB_TOKEN_FILE": str(settings.influxdb_token_file),
        "SONEVAKT_PARTITIONS": "3",
        "SONEVAKT_TOPIC_PREFIX": settings.topic_prefix,
    }
    await topics.apply(
        kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=3,
        replication=1,
        changelogs=(processes.changelog(settings),),
    )

    async def take_out(patient: str, at: datetime) -> None:
        headers = {"Authorization": f"Token {influxdb.token}"}
        what = {
            "start": at.isoformat(),
            "stop": (at + timedelta(milliseconds=1)).isoformat(),
            "predicate": f'_measurement="assessment" AND patient="{patient}"',
        }
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:
            url = f"{influxdb.url.rstrip('/')}/api/v2/delete"
            await http.post(url, params={"org": influxdb.org, "bucket": bucket}, json=what)

    await reconciled(settings, kafka_bootstrap, env, take_out)
