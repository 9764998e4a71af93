"""Every page can be reached and read by everybody: axe-core finds nothing to mend, in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe

from agents import wallclock
from schemas.care import ContactKind, ContactMade, EquipmentHandedOut, EquipmentReturned
from schemas.people import Role
from schemas.types import Zone
from tests.browser.stage import Access, desk, full, person, shown, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from agents.board.model import Model

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def model() -> Model:
    model = full(patients=30)
    patient = next(status.patient for status in model.all_statuses() if status.zone is Zone.RED)
    now = wallclock.now() - timedelta(hours=1)
    common = {"patient": patient, "at": now, "recorded_at": now}
    tell(
        model,
        ContactMade(
            **common, event_id=uuid4(), kind=ContactKind.CALL, reached=True, by="nurse-1", note="Is the cuff right?"
        ),
        "care",
    )
    tell(model, EquipmentHandedOut(**common, event_id=uuid4(), device="cuff-1", kind="cuff"), "care")
    tell(model, EquipmentHandedOut(**common, event_id=uuid4(), device="oximeter-1", kind="oximeter"), "care")
    returned = now + timedelta(minutes=1)
    tell(
        model,
        EquipmentReturned(event_id=uuid4(), patient=patient, at=returned, recorded_at=returned, device="cuff-1"),
        "care",
    )
    return model


@pytest.fixture
async def url(model: Model) -> AsyncIterator[str]:
    people = {"doctor-1": person(Role.DOCTOR, Role.NURSE, ref="doctor-1", name="Doctor One")}
    async with shown(desk(model, Access()), people) as address:
        yield address


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["nb", "en"])
async def test_axe_finds_no_violation(url: str, browser: Browser, model: Model, lang: str, size: str) -> None:
    patient = next(status.patient for status in model.all_statuses() if status.zone is Zone.RED)
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    found = []
    for path in (
        "/",
        "/?wall=1",
        "/?q=no-such-patient",
        f"/patients/{patient}",
        f"/patients/{patient}/plan",
        f"/patients/{patient}/registration",
        f"/patients/{patient}/identity",
        "/enrol",
        "/meeting",
        "/equipment",
        "/search",
        "/patients/nobody",
    ):
        await page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
        for summary in await page.locator("details.form > summary").all():
            await summary.click()
        results = await Axe().run(page, options=RULES)
        found += [
            (path, violation["id"], node["html"][:160])
            for violation in results.response["violations"]
            for node in violation["nodes"]
        ]
        sideways = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (path, sideways) == (path, 0), "the page must not scroll sideways"
    assert found == []


@pytest.mark.parametrize("path", ["/patients/{patient}/acknowledge", "/enrol"])
async def test_a_form_that_is_sent_with_faults_can_be_read_by_everybody(
    url: str, browser: Browser, model: Model, path: str
) -> None:
    patient = next(status.patient for status in model.all_statuses() if status.zone is Zone.RED)
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{url}/patients/{patient}" if "patients" in path else f"{url}/enrol")
    form = page.locator("#pause form") if "patients" in path else page.locator("form.whole")
    if "patients" in path:
        await page.locator("#pause > summary").click()
    await form.locator("button").click()
    assert await page.locator("[aria-invalid=true]").count() > 0
    results = await Axe().run(page, options=RULES)
    assert [violation["id"] for violation in results.response["violations"]] == []


async def test_a_page_without_a_stream_says_from_when_it_is_once_it_is_old(
    url: str, browser: Browser, model: Model
) -> None:
    patient = next(status.patient for status in model.all_statuses() if status.zone is Zone.RED)
    for path in (f"/patients/{patient}", "/meeting"):
        page = await (await browser.new_context()).new_page()
        await page.clock.install()
        await page.goto(f"{url}{path}?lang=en")
        await page.clock.run_for(29_000)
        assert not await page.locator("#gone").is_visible()
        await page.clock.run_for(3_000)
        assert await page.locator("#gone").is_visible()
        assert (await page.locator("#gone").inner_text()).startswith("This page is from ")


async def test_a_page_without_script_works_and_loads_itself_again(url: str, browser: Browser, model: Model) -> None:
    patient = next(status.patient for status in model.all_statuses() if status.zone is Zone.RED)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(url)
    assert await page.locator("noscript meta[http-equiv=refresh]").get_attribute("content") == "15"
    await page.locator(f"#p-{patient} .c-id a").click()
    await page.locator("#contact > summary").click()
    assert await page.locator("#contact form").is_visible()
