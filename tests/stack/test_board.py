"""The board in a browser, on the real servers: a red that the gateway takes is seen, taken over, and climbs no more.

Every process is the product's own. The steps of the ladder are a minute apart, by the broker's time.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import AsyncExitStack
from datetime import timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import pytest
from playwright.async_api import expect
from prometheus_client import CollectorRegistry

from agents import wallclock
from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from infra.local.process import free_port
from schemas.assessments import EpisodeState
from schemas.people import Role
from tests.browser.conftest import chromium
from tests.faults.workload import followed
from tests.stack.test_ladder import SERVICE, STEPS, WITHIN_S, Centre, episode, in_time

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from playwright.async_api import Page

    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(600)]
PATIENCE_MS = WITHIN_S * 1000


class Whole(Centre):
    """A service with every process of the product, on Kafka and InfluxDB."""

    names = ("gateway", "triage", "paging", "clock", "storing", "board")

    def __init__(self, bootstrap: str, influxdb: RunningInfluxDB, folder: Path) -> None:
        super().__init__(bootstrap, folder)
        self._influxdb = influxdb
        self._token = token_urlsafe(32)
        self._gateway = f"http://127.0.0.1:{free_port()}"

    def more(self) -> dict[str, str]:
        """The gateway's vendor, and the store."""
        known = {"vendor": [hashlib.sha256(self._token.encode()).hexdigest()]}
        (self.folder / "tokens.json").write_text(json.dumps(known))
        (self.folder / "influxdb.token").touch(mode=0o600)
        (self.folder / "influxdb.token").write_text(self._influxdb.token)
        return {
            "SONEVAKT_GATEWAY_PORT": self._gateway.rpartition(":")[2],
            "SONEVAKT_GATEWAY_TOKENS_FILE": str(self.folder / "tokens.json"),
            "SONEVAKT_STORE": self._influxdb.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_ORG": self._influxdb.org,
            "SONEVAKT_INFLUXDB_BUCKET": self._influxdb.bucket,
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(self.folder / "influxdb.token"),
        }

    async def follow(self, patient: str) -> None:
        """Enrol a patient, with a plan."""
        for event in followed(patient, wallclock.now() - timedelta(days=1), service=SERVICE):
            await self.feed.send(self.producer, event)

    async def measured(self, patient: str, spo2: float) -> None:
        """Hand a registration to the gateway, as a vendor's app does, once it answers."""
        reading = {"code": "2708-6", "value": spo2, "unit": "%", "measured_at": wallclock.now().isoformat()}
        session = {"submission_id": str(uuid4()), "patient": patient, "readings": [reading]}

        async def taken() -> bool:
            try:
                async with http.post(f"{self._gateway}/v1/submissions", json=session) as answer:
                    return answer.status == 202
            except aiohttp.ClientError:
                return False

        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"}) as http:
            await self.until_true(taken, "the gateway takes a registration")

    async def stored(self, patient: str, since: datetime) -> list[float]:
        """What InfluxDB has of a patient's measurements."""
        store = InfluxDBStore(
            self._influxdb.url,
            org=self._influxdb.org,
            bucket=self._influxdb.bucket,
            token=self._influxdb.token,
            metrics=Metrics(CollectorRegistry()),
        )
        try:
            stop = wallclock.now() + timedelta(minutes=1)
            found = await store.read("reading", start=since, stop=stop, tags={"patient": patient}, fields=("value",))
        finally:
            await store.close()
        return [] if found.empty else sorted(found["value"])

    async def signed_in(self, page: Page, role: Role) -> None:
        """Come in by the door, once there is a board."""

        async def there() -> bool:
            try:
                async with aiohttp.ClientSession() as http, http.get(f"{self.board}/login") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await self.until_true(there, "the board answers")
        await page.goto(f"{self.board}/?lang=en")
        login = next(one for one in self.logins if one.ref == role.value)
        await page.fill("#ref", login.ref)
        await page.fill("#password", login.password)
        await page.click("button[type=submit]")
        await expect(page.locator("#list")).to_be_visible()


async def test_a_red_from_the_gateway_appears_is_taken_over_in_the_browser_and_climbs_no_further(
    tmp_path: Path, kafka_bootstrap: str, influxdb: RunningInfluxDB
) -> None:
    began = wallclock.now()
    taken, climbs = (f"p-{name}-{uuid4().hex[:8]}" for name in ("taken", "climbs"))
    centre = Whole(kafka_bootstrap, influxdb, tmp_path)
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        await centre.start(stack)
        for patient in (taken, climbs):
            await centre.follow(patient)
            await centre.measured(patient, 95)
        page = await (await browser.new_context(locale="en-GB")).new_page()
        await centre.signed_in(page, Role.NURSE)
        rows = {patient: page.locator(f"#p-{patient}") for patient in (taken, climbs)}
        for row in rows.values():
            await expect(row.locator(".zone")).to_contain_text("green", timeout=PATIENCE_MS)
        await page.evaluate("window.untouched = true")

        await centre.measured(taken, 72)
        await expect(rows[taken].locator(".zone")).to_contain_text("red", timeout=PATIENCE_MS)
        await expect(page.locator("#announce")).to_contain_text(f"{taken} is now red")
        assert await page.locator("#rows > tr").first.get_attribute("id") == f"p-{taken}"
        assert await page.evaluate("window.untouched"), "the page was not loaded anew"
        await centre.measured(climbs, 72)
        await centre.until(lambda: centre.told(taken, "trigger"), "the nurse is paged")

        await rows[taken].locator("[data-ack]").click()
        await page.locator("#acknowledge input[value=true]").check()
        await page.locator("#acknowledge button").click()
        await expect(page.locator(".done")).to_be_visible()
        await expect(page.locator(".facts")).to_contain_text("Acknowledged by")
        await centre.until(lambda: centre.told(taken, "acknowledge"), "the nurse's receiver hears that it is taken")
        assert episode(centre, taken) == EpisodeState.ACKNOWLEDGED.value

        # The other one, which turned red later and which nobody took, comes to its next step: this one had its time.
        await centre.until(lambda: len(centre.told(climbs, "trigger")) >= 2, "the other climbs")
        assert centre.told(climbs, "trigger")[:2] == list(STEPS[:2])
        assert centre.told(taken, "trigger") == [STEPS[0]]
        in_time(centre, taken)

        async def both() -> bool:
            return await centre.stored(taken, began) == [72, 95]

        await centre.until_true(both, "InfluxDB has both measurements")
        await page.goto(f"{centre.board}/patients/{taken}?days=90&lang=en")
        await expect(page.locator("svg.l")).to_have_attribute("aria-label", re.compile("2 measurements from 72 to 95"))
        await expect(page.get_by_text("The store does not answer now.")).to_have_count(0)
