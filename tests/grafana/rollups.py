"""The store's rollups, worked out at once instead of at night."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiohttp

from agents import wallclock
from dashboards import flux
from tests.grafana.asking import AnswerError
from tests.grafana.interpolation import rfc3339

if TYPE_CHECKING:
    from infra.local.servers import InfluxDB

WITHIN_S: Final = 600.0


async def roll_up(influxdb: InfluxDB, http: aiohttp.ClientSession, days: int) -> None:
    """Work out the days and weeks of so many days until now."""
    now = wallclock.now()
    headers = {"Authorization": f"Token {influxdb.token}"}
    async with http.get(f"{influxdb.url}/api/v2/orgs", headers=headers) as answer:
        org = (await answer.json())["orgs"][0]["id"]
    for kind in ("daily", "weekly"):
        body = {"orgID": org, "name": f"{influxdb.bucket}-{kind}", "retentionRules": []}
        async with http.post(f"{influxdb.url}/api/v2/buckets", headers=headers, json=body) as answer:
            await answer.read()
    for function in ("rollUpDays", "rollUpWeeks"):
        period = f"start: {rfc3339(now - timedelta(days=days))}, stop: {rfc3339(now)}"
        text = f'{flux.text(function)}\n{function}(bucket: "{influxdb.bucket}", {period})\n'
        async with http.post(
            f"{influxdb.url}/api/v2/query",
            params={"org": influxdb.org},
            headers={"Authorization": f"Token {influxdb.token}"},
            json={"query": text, "type": "flux"},
            timeout=aiohttp.ClientTimeout(total=WITHIN_S),
        ) as answer:
            said = await answer.text()
            if answer.status != 200 or "error" in said.partition("\n")[0]:
                raise AnswerError(said)
