"""Every query of every panel, variable and annotation, asked of the running product on real servers."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from agents import wallclock
from dashboards.grafana.written import FOLDER
from infra.local.servers import InfluxDB, Kafka
from tests.grafana import questions
from tests.grafana.asking import Servers
from tests.grafana.interpolation import Chosen, Period
from tests.grafana.scenario import played

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


async def test_no_panel_is_empty(tmp_path: Path) -> None:
    dashboards = [json.loads(path.read_text()) for path in sorted(FOLDER.rglob("core.json"))]
    with Kafka() as kafka, InfluxDB() as influxdb:
        async with played(kafka, influxdb, tmp_path) as scene, aiohttp.ClientSession() as http:
            told = {"url": influxdb.url, "org": influxdb.org, "bucket": influxdb.bucket, "token": influxdb.token}
            servers = Servers(http, scene.product.prometheus.url, told)
            for _ in range(60):
                empty = []
                rows = 0
                for dashboard in dashboards:
                    now = wallclock.now()
                    period = Period(now - timedelta(hours=1), now)
                    chosen = {}
                    for variable in questions.variables(dashboard):
                        found = await servers.values(questions.of_variable(dashboard, variable), chosen, period)
                        chosen[variable["name"]] = Chosen(tuple(found))
                    for question in questions.of_panels(dashboard):
                        answer = await servers.ask(question, chosen, period)
                        rows += answer.rows
                        if not answer.rows:
                            empty.append(question.name)
                print(len(empty), rows, empty[:10], scene.sent, flush=True)
                if not empty:
                    break
                await asyncio.sleep(2)
            print("\n".join(empty))
            print(scene.product.ends())
            print(Counter(scene.tally.letters.values()))
            assert empty == []
