"""`make stack`: every process is up, Prometheus reads each as it does in a deployment, and Ctrl-C ends all of it."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from infra.local import product

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]
DEPLOYED: Final = Path(__file__).parents[2] / "infra" / "prometheus" / "prometheus.yml"
LAST_LINE: Final = "Ctrl-C ends everything"
UP: Final = "up"
WITHIN_S: Final = 120.0


async def told(running: asyncio.subprocess.Process) -> str:
    """Everything that it prints until it is up."""
    assert running.stdout is not None
    text = ""
    async with asyncio.timeout(WITHIN_S):
        while LAST_LINE not in text:
            line = await running.stdout.readline()
            assert line, f"it ended:\n{text}"
            text += line.decode()
    return text


async def asked(http: aiohttp.ClientSession, url: str, query: str) -> list[dict[str, Any]]:
    async with http.get(f"{url}/api/v1/query", params={"query": query}) as answer:
        found: list[dict[str, Any]] = (await answer.json())["data"]["result"]
        return found


async def test_all_of_it_comes_up_and_goes_away_again(addresses: object) -> None:
    assert addresses  # the servers are running
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.local.product"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        text = await told(running)
        found = re.search(r"^Prometheus: (http://\S+)/alerts$", text, re.MULTILINE)
        alarms = re.search(r"^Alertmanager: (http://\S+)/#/alerts$", text, re.MULTILINE)
        assert found
        assert alarms
        async with aiohttp.ClientSession() as http, asyncio.timeout(WITHIN_S):
            up: list[Any] = []
            deployed = DEPLOYED.read_text()
            jobs = set(re.findall(r"job_name: (\w+)", deployed))
            others = len(jobs - {"sonevakt"})
            while [one["value"][1] for one in up] != ["1"] * (
                len(product.NAMES) + others
            ):  # each from its first scrape on
                await asyncio.sleep(0.5)
                up = await asked(http, found[1], UP)
            roles = set(re.findall(r"role: (\w+)", deployed))
            assert {one["metric"].get("role") for one in up} - {None} == roles - {"canary"}
            assert {one["metric"]["job"] for one in up} == jobs
            assert await asked(http, found[1], "node_filesystem_avail_bytes{job='machine'}")
            async with http.get(f"{found[1]}/api/v1/rules") as answer:
                groups = (await answer.json())["data"]["groups"]
            assert sum(len(group["rules"]) for group in groups) > 10
            async with http.get(f"{alarms[1]}/-/ready") as answer:
                assert answer.status == 200
    finally:
        running.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.wait(), WITHIN_S) == 0
