"""The main path on the real servers, and TIHM through them with what the embedded default says of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import pandas as pd
import pytest
from prometheus_client import CollectorRegistry

from agents import processes
from agents.broker import topics
from agents.metrics import Metrics
from agents.recordings import tihm
from agents.settings import Settings
from agents.stores.influxdb import InfluxDBStore
from infra.local.servers import Prometheus
from pipeline.triage.vitals import BY_CODE
from tests.main_path import main_path

if TYPE_CHECKING:
    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
TIHM = Path(os.environ.get("SONEVAKT_TIHM", Path(__file__).parents[3] / "shared" / "data" / "tihm"))


def token_file(folder: Path, influxdb: RunningInfluxDB) -> Path:
    path = folder / "influxdb.token"
    path.touch(mode=0o600)
    path.write_text(influxdb.token)
    return path


async def test_a_session_posted_to_the_gateway_is_judged_stored_and_paged(
    tmp_path: Path, kafka_bootstrap: str, influxdb: RunningInfluxDB
) -> None:
    settings = Settings(
        broker=f"kafka://{kafka_bootstrap}",
        store=influxdb.url.replace("http:", "influxdb:"),
        influxdb_org=influxdb.org,
        influxdb_bucket=influxdb.bucket,
        influxdb_token_file=str(token_file(tmp_path, influxdb)),
        partitions=3,
        topic_prefix=f"main-{uuid4().hex[:8]}-",
        commit_interval_s=0.1,
        session_timeout_s=6.0,
        tick_seconds=0.5,
    )
    await topics.apply(
        kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=3,
        replication=1,
        changelogs=(processes.changelog(settings),),
    )
    await main_path(settings, kafka_bootstrap, tmp_path)


def replay(assessments: Path, env: dict[str, str]) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    command = [sys.executable, "-c", "from agents.commands import main; main()", "replay", str(TIHM)]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "--once", "--assessments", str(assessments)],
        env={**ours, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def stored(influxdb: RunningInfluxDB) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every reading and every assessment in the store, in an order of their own."""
    store = InfluxDBStore(
        influxdb.url,
        org=influxdb.org,
        bucket=influxdb.bucket,
        token=influxdb.token,
        metrics=Metrics(CollectorRegistry()),
        timeout_s=60,
    )
    try:
        frames = [
            await store.read(measurement, start=datetime(2019, 1, 1, tzinfo=UTC), stop=datetime(2020, 1, 1, tzinfo=UTC))
            for measurement in ("reading", "assessment")
        ]
    finally:
        await store.close()
    readings, assessments = (
        frame.sort_values(sorted(frame.columns), ignore_index=True, key=lambda column: column.astype(str))
        for frame in frames
    )
    return readings, assessments


@pytest.mark.skipif(not TIHM.is_dir(), reason="TIHM is not part of the project: set SONEVAKT_TIHM to its folder")
async def test_real_patients_get_the_same_assessments_on_the_real_servers_and_embedded_and_again(
    tmp_path: Path, kafka_bootstrap: str, influxdb: RunningInfluxDB
) -> None:
    real = {
        "SONEVAKT_BROKER": f"kafka://{kafka_bootstrap}",
        "SONEVAKT_TOPIC_PREFIX": f"tihm-{uuid4().hex[:8]}-",
        "SONEVAKT_STORE": influxdb.url.replace("http:", "influxdb:"),
        "SONEVAKT_INFLUXDB_ORG": influxdb.org,
        "SONEVAKT_INFLUXDB_BUCKET": influxdb.bucket,
        "SONEVAKT_INFLUXDB_TOKEN_FILE": str(token_file(tmp_path, influxdb)),
    }
    embedded = replay(tmp_path / "embedded.jsonl", {})
    first = replay(tmp_path / "first.jsonl", real)
    after_first = await stored(influxdb)
    second = replay(tmp_path / "second.jsonl", real)
    after_second = await stored(influxdb)
    for told in (embedded, first, second):
        assert "adds up       yes" in told
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "embedded.jsonl").read_bytes()
    assert (tmp_path / "second.jsonl").read_bytes() == (tmp_path / "first.jsonl").read_bytes()
    readings, assessments = after_first
    assert len(assessments) == (tmp_path / "first.jsonl").read_bytes().count(b"\n") > 1000
    recorded = tihm.read(TIHM).rows
    vitals = {kind: BY_CODE[code].name for kind, code in tihm.FOLLOWED.items()}
    measured = Counter(
        (f"tihm-{row.patient}", vitals[row.kind], round(row.at.timestamp() * 1000), row.value) for row in recorded
    )
    kept = Counter(
        (row.patient, row.vital, round(row.time.timestamp() * 1000), row.sent_value) for row in readings.itertuples()
    )
    assert kept == measured  # no dead letter: every followed measurement is in the store, as it was sent
    for before, after in zip(after_first, after_second, strict=True):
        pd.testing.assert_frame_equal(before, after)


async def test_prometheus_reads_volume_and_latency_back_while_the_demo_runs() -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from agents.commands import main; main()",
        "demo",
        "--patients",
        "20",
        "--days",
        "15",
        env=ours,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert demo.stdout is not None
        line = ""
        while "metrics:" not in line:
            line = (await demo.stdout.readline()).decode()
        target = line.split("metrics: http://")[1].split("/")[0]
        while "live now" not in line:
            line = (await demo.stdout.readline()).decode()
        with Prometheus(targets=[target]) as prometheus:
            assert await _value(prometheus.url, "sum(sonevakt_assessments_total)") > 100
            assert await _value(prometheus.url, "sonevakt_received_to_assessed_seconds_count") > 100
            assert await _value(prometheus.url, "sum(sonevakt_points_written_total)") > 100
    finally:
        demo.terminate()
        assert await asyncio.wait_for(demo.wait(), 30) == 0


async def _value(url: str, query: str) -> float:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while True:
            async with http.get(f"{url}/api/v1/query", params={"query": query}) as answer:
                found: list[Any] = (await answer.json())["data"]["result"]
            if found and float(found[0]["value"][1]) > 100:
                return float(found[0]["value"][1])
            await asyncio.sleep(0.5)
