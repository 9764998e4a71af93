"""Every page can be reached and read by everybody: axe-core finds nothing to mend, in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from msgspec import structs

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


OUTSIDE = """() => [...document.querySelectorAll("#list thead th, #rows > tr > *")].flatMap(cell => {
    const ends = cell.getBoundingClientRect().right + 0.5, found = [], range = document.createRange();
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        const unseen = text.parentElement.closest(".hidden, svg, details:not([open]) > :not(summary)");
        if (unseen || !text.data.trim()) continue;
        range.selectNodeContents(text);
        if (range.getBoundingClientRect().right > ends) found.push(text.data);
    }
    const cut = [...cell.querySelectorAll("*:not(.hidden):not(.care):not(svg *)")].filter(
        one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "hidden");
    return [...found, ...cut.map(one => one.textContent)];
})"""


@pytest.mark.parametrize(
    ("path", "width"), [("/", 1440), ("/", 1280), ("/", 1024), ("/", 800), ("/", 390), ("/", 320), ("/?wall=1", 1920)]
)
@pytest.mark.parametrize("lang", ["nb", "en"])
async def test_nothing_on_the_list_is_cut_off_or_runs_into_its_neighbour(  # noqa: PLR0913, PLR0917 - how it is looked at
    url: str, browser: Browser, model: Model, path: str, width: int, lang: str
) -> None:
    seen = list(model.all_statuses())
    waiting = next(one for one in seen if one.zone is Zone.RED and one.episode is not None)
    worse = [
        structs.replace(waiting, patient="p-as-long-as-a-pseudonym-may-be-0123-45678-and-then-some-more-x"),
        structs.replace(next(one for one in seen if one.zone is Zone.GREEN), patient="p-out", zone=Zone.NOT_MONITORED),
        structs.replace(next(one for one in seen if one.zone is Zone.GREEN), patient="p-gone", zone=Zone.NO_DATA),
    ]
    for one in worse:
        tell(model, one)
    context = await browser.new_context(viewport={"width": width, "height": 900})
    page = await context.new_page()
    await page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={lang}")
    assert await page.locator("#rows > tr").count() > 10
    assert await page.evaluate(OUTSIDE) == []


async def test_a_red_is_told_from_every_other_row_without_colour(url: str, browser: Browser, model: Model) -> None:
    del model
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{url}/?lang=en")
    looks = await page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#rows > tr")].map(row => {
            const style = getComputedStyle(row.firstElementChild);
            return [row.className, [style.borderLeftWidth, style.borderLeftStyle, style.borderTopWidth].join(" ")];
        }))"""
    )
    reds = {look for name, look in looks.items() if name.startswith("red")}
    others = {look for name, look in looks.items() if not name.startswith("red")}
    assert looks["red waits"] not in others
    assert looks["red waits"] != looks.get("red")
    assert not reds & others
    for name, symbol in (("red waits", "▲"), ("yellow", "◆"), ("no_data", "○"), ("green", "●")):
        row = page.locator(f"#rows > tr[class='{name}']").first
        assert (await row.locator(".zone").inner_text()).split()[0] == symbol


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
