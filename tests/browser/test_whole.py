"""From a registration to a nurse's acknowledgement, in real browsers before the whole path up to the board."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from msgspec import structs
from playwright.async_api import expect

from agents import wallclock
from agents.recordings.events import Event
from schemas.care import Enrolled
from schemas.submissions import EntryMode, OnBehalf, Reading, Submission
from schemas.topics import SUBMISSIONS
from schemas.types import Zone
from tests.browser.test_reach import RULES
from tests.main_path import PLAN, care_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.browser.conftest import Whole
    from tests.browser.stage import Entry

pytestmark = pytest.mark.timeout(120)


def session(patient: str, spo2: float, pulse: float) -> Event:
    at = now = wallclock.now()
    readings = (
        Reading(code="2708-6", value=spo2, unit="%", measured_at=at),
        Reading(code="8867-4", value=pulse, unit="/min", measured_at=at),
    )
    return Event(
        now, SUBMISSIONS, Submission(submission_id=uuid4(), patient=patient, received_at=now, readings=readings)
    )


async def followed(whole: Whole, *patients: str) -> None:
    """Patients with a plan, who have measured themselves well."""
    for patient in patients:
        await whole.send(*care_of(patient, PLAN, wallclock.now()))
        await whole.send(session(patient, 95, 70))


def zone(page: Page, patient: str, said: str):  # noqa: ANN201 - an assertion of Playwright's
    return expect(page.locator(f"#p-{patient} .zone")).to_contain_text(said, timeout=30_000)


async def test_a_red_appears_live_is_read_and_acknowledged_and_leaves_the_other_nurse_s_worklist(
    whole: Whole, browser: Browser
) -> None:
    await followed(whole, "patient-a", "patient-b")
    first = await whole.opened(browser, "nurse-1")
    await zone(first, "patient-a", "green")
    second = await whole.opened(browser, "nurse-2", "/?zone=unacknowledged")
    await expect(second.locator("#empty")).to_be_visible()

    await whole.send(session("patient-b", 84, 118))
    await zone(first, "patient-b", "red")
    assert await first.locator("#rows > tr").first.get_attribute("id") == "p-patient-b"
    await expect(first.locator("#announce")).to_contain_text(
        "patient-b is now red: Oxygen saturation 84% is at or below"
    )
    await expect(second.locator("#p-patient-b")).to_be_visible()

    await first.locator("#p-patient-b [data-ack]").click()
    await first.locator("#acknowledge input[value=true]").check()
    await first.locator("#acknowledge textarea").fill("<script>document.title='in'</script> called back")
    await first.locator("#acknowledge button").click()
    await expect(first.locator(".done")).to_be_visible()
    await expect(second.locator("#p-patient-b")).to_have_count(0)
    await expect(second.locator("#empty")).to_be_visible()

    await first.reload()
    await expect(first.locator(".events q")).to_have_text("<script>document.title='in'</script> called back")
    assert await first.title() == "patient-b - Sonevakt"
    told = [entry for entry in whole.access.entries if entry.action == "acknowledge"]
    assert [(entry.person, entry.patient, entry.outcome) for entry in told] == [
        ("nurse-1", "patient-b", "begun"),
        ("nurse-1", "patient-b", "done"),
    ]


async def test_a_red_is_found_opened_and_acknowledged_without_a_mouse(whole: Whole, browser: Browser) -> None:
    await followed(whole, "patient-a", "patient-b")
    await whole.send(session("patient-b", 84, 118))
    page = await whole.opened(browser, "nurse-1")
    await zone(page, "patient-b", "red")
    await zone(page, "patient-a", "green")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.locator("#p-patient-a .c-id a")).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.locator("#p-patient-b .c-id a")).to_be_focused()
    await page.keyboard.press("a")
    await page.wait_for_url("**/patients/patient-b#acknowledge")
    await expect(page.locator("#acknowledge input[type=radio]").first).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.type("By keys alone.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_be_visible()
    await expect(page.locator(".events q").first).to_have_text("By keys alone.")


async def test_rows_change_in_place_and_what_is_focused_and_open_stays_so(whole: Whole, browser: Browser) -> None:
    await followed(whole, "patient-a", "patient-b")
    await whole.send(session("patient-b", 84, 118))
    page = await whole.opened(browser, "nurse-1")
    await zone(page, "patient-b", "red")
    await zone(page, "patient-a", "green")
    await page.locator("#p-patient-a .c-id a").focus()
    await page.evaluate("window.untouched = true")
    await whole.send(session("patient-a", 87, 70))
    await zone(page, "patient-a", "yellow")
    await expect(page.locator("#p-patient-a .c-id a")).to_be_focused()
    assert await page.evaluate("window.untouched")


async def test_a_doctor_tries_a_plan_and_signs_it_and_a_nurse_cannot(whole: Whole, browser: Browser) -> None:
    await followed(whole, "patient-a")
    page = await whole.opened(browser, "doctor-1")
    await zone(page, "patient-a", "green")
    await page.goto(f"{whole.url}/patients/patient-a/plan")
    await page.locator("[name='limits.2708-6.yellow_low']").fill("80")
    await page.locator("button[value=sign]").click()
    fault = page.locator("#faults")
    await expect(fault).to_be_focused()
    await expect(fault).to_contain_text("SpO₂, Red low: The limits contradict each other")
    assert await page.locator("[name='limits.2708-6.yellow_low']").input_value() == "80"

    await page.locator("[name='limits.2708-6.yellow_low']").fill("97")
    await page.locator("button[value=try]").click()
    tried = page.locator("#tried-result")
    await expect(tried).to_contain_text("yellow registrations")
    old, new = await tried.locator("tbody tr").first.locator("td").all_inner_texts()
    assert (old, new[-1]) == ("0", "↑")
    assert whole.desk.model.patient("patient-a").course.newest_plan().plan.version == 1  # type: ignore[union-attr] # one is signed

    await page.locator("button[value=sign]").click()
    await expect(page.locator(".done")).to_be_visible()
    await page.reload()
    await expect(page.locator("details", has_text="version 2")).to_contain_text("in force")
    await whole.send(session("patient-a", 95, 70))
    await page.goto(whole.url)
    await zone(page, "patient-a", "yellow")

    nurse = await whole.opened(browser, "nurse-1", "/patients/patient-a/plan")
    await expect(nurse.locator("button[value=try]")).to_be_visible()
    await expect(nurse.locator("button[value=sign]")).to_have_count(0)
    await nurse.evaluate("document.querySelector('button[value=try]').value = 'sign'")
    async with nurse.expect_response("**/plan") as answered:
        await nurse.locator("button[value=sign]").click()
    assert (await answered.value).status == 403
    assert (await refused(whole))[-1][:3] == ("nurse-1", "sign_plan", "patient-a")


async def test_of_two_doctors_who_sign_the_second_sees_what_the_first_signed_and_loses_nothing(
    whole: Whole, browser: Browser
) -> None:
    await followed(whole, "patient-a")
    low, high = "limits.2708-6.red_low", "limits.8867-4.red_high"
    first = await whole.opened(browser, "doctor-1")
    await zone(first, "patient-a", "green")
    await first.goto(f"{whole.url}/patients/patient-a/plan")
    second = await whole.opened(browser, "doctor-2", "/patients/patient-a/plan")
    await first.locator(f"[name='{low}']").fill("82")
    await first.locator("button[value=sign]").click()
    await expect(first.locator(".done")).to_be_visible()
    await second.locator(f"[name='{high}']").fill("125")
    await second.locator("[name='self_care.red']").fill("Ring oss.")
    await second.locator("button[value=sign]").click()
    await expect(second.locator("#faults")).to_be_focused()
    await expect(second.locator("#faults")).to_contain_text("Not signed: a newer plan was signed meanwhile.")
    row = second.locator("table.newer tr", has_text="SpO₂, Red low")
    assert await row.locator("td").all_inner_texts() == ["85", "82 changed", "85"]
    await expect(second.locator("table.newer")).to_contain_text("Ring oss.")
    await expect(second.locator(f"td:has([name='{low}'])")).to_contain_text("version 2: 82")
    assert await second.locator(f"[name='{high}']").input_value() == "125"
    results = await Axe().run(second, options=RULES)
    assert [violation["id"] for violation in results.response["violations"]] == []
    await row.locator("a").click()
    await expect(second.locator(f"[name='{low}']")).to_be_focused()
    await second.locator(f"[name='{low}']").fill("82")
    await second.locator("button[value=sign]").click()
    await expect(second.locator(".done")).to_be_visible()
    plans = whole.desk.model.patient("patient-a").course.plans()
    assert [(one.plan.version, one.signed_by) for one in plans] == [(1, "doctor-1"), (2, "doctor-1"), (3, "doctor-2")]
    assert plans[-1].plan.self_care.red == ("Ring oss.",)
    assert {limit.code: limit.red_low for limit in plans[-1].plan.limits} == {"2708-6": 82, "8867-4": 40}


async def test_a_nurse_hands_a_patient_over_is_told_so_and_sees_the_patient_no_more(
    whole: Whole, browser: Browser
) -> None:
    await followed(whole, "patient-a", "patient-b")
    elsewhere = [
        event._replace(message=structs.replace(event.message, service="simulated-hospital"))
        for event in care_of("patient-c", PLAN, wallclock.now())
        if isinstance(event.message, Enrolled)
    ]
    await whole.send(*elsewhere)
    page = await whole.opened(browser, "nurse-1")
    await zone(page, "patient-a", "green")
    stranger = await whole.opened(browser, "stranger-1")
    await expect(stranger.locator("#p-patient-c")).to_be_visible()
    await page.locator("#p-patient-a .c-id a").click()
    await page.locator("#transfer > summary").click()
    await page.locator("#transfer select").select_option("simulated-hospital")
    await page.locator("#transfer button").click()
    await page.wait_for_url("**/transferred/patient-a/*")
    await expect(page.locator(".done")).to_have_text("Transferred.")
    await expect(page.locator("main")).to_contain_text("patient-a")
    await expect(stranger.locator("#p-patient-a")).to_be_visible(timeout=20_000)
    await page.reload()
    await expect(page.locator(".done")).to_be_visible()
    await page.locator("main a", has_text="Back to the list").click()
    await expect(page.locator("#p-patient-b")).to_be_visible()
    await expect(page.locator("#p-patient-a")).to_have_count(0)
    assert [entry for entry in whole.access.entries if entry.outcome == "refused"] == []
    answer = await page.goto(f"{whole.url}/patients/patient-a")
    assert answer is not None
    assert answer.status == 404


async def refused(whole: Whole, least: int = 1) -> list[Entry]:
    """Refusals in the access log, once there are so many: they are written within a second."""
    async with asyncio.timeout(20):
        while len(found := [entry for entry in whole.access.entries if entry.outcome == "refused"]) < least:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the disk has no event to tell of it
    return found


async def test_another_service_s_patient_is_not_there_and_who_asked_is_written_down(
    whole: Whole, browser: Browser
) -> None:
    await followed(whole, "patient-a")
    own = await whole.opened(browser, "nurse-1")
    await zone(own, "patient-a", "green")
    page = await whole.opened(browser, "stranger-1")
    await expect(page.locator("#p-patient-a")).to_have_count(0)
    for path, status in (("patient-a", 404), ("nobody", 404), ("..%2Fpatient-a", 400)):
        answer = await page.goto(f"{whole.url}/patients/{path}")
        assert answer is not None
        assert answer.status == status
        assert "patient-a" not in await page.locator("main").inner_text()
    assert [entry[:3] for entry in await refused(whole, 2)][:2] == [
        ("stranger-1", "see_patient", "patient-a"),
        ("stranger-1", "see_patient", "nobody"),
    ]
    answer = await (await whole.opened(browser, "analyst-1")).goto(whole.url)
    assert answer is not None
    assert answer.status == 403


async def test_a_registration_on_behalf_is_judged_like_the_patient_s_own(whole: Whole, browser: Browser) -> None:
    await followed(whole, "patient-a")
    page = await whole.opened(browser, "nurse-1")
    await zone(page, "patient-a", "green")
    await page.goto(f"{whole.url}/patients/patient-a/registration")
    await page.locator("[name='value.2708-6']").fill("8400")
    await page.locator("[name=how][value=phone]").check()
    await page.locator("form.whole button").click()
    await expect(page.locator("#faults")).to_contain_text("SpO₂: The value is impossible")
    await page.locator("[name='value.2708-6']").fill("84")
    await page.locator("form.whole button").click()
    await expect(page.locator(".done")).to_be_visible()
    await page.goto(whole.url)
    await zone(page, "patient-a", "red")
    assert whole.desk.log is not None
    sent = await whole.desk.log.read("patient-a", wallclock.now() - timedelta(hours=1))
    entered = sent[-1]
    assert isinstance(entered, Submission)
    assert (entered.on_behalf, entered.entered_by) == (OnBehalf.PHONE, "nurse-1")
    assert [(one.code, one.value, one.entry_mode) for one in entered.readings] == [("2708-6", 84, EntryMode.MANUAL)]


async def test_a_new_patient_is_taken_in_and_not_monitored_until_a_plan_is_signed(
    whole: Whole, browser: Browser
) -> None:
    await followed(whole, "patient-a")
    page = await whole.opened(browser, "nurse-1")
    await zone(page, "patient-a", "green")
    await page.goto(f"{whole.url}/enrol")
    await page.locator("[name=pathway]").select_option("copd")
    await page.locator("[name=service]").select_option("joint-centre")
    await page.locator("[name=municipality]").fill("municipality-1")
    await page.locator("[name=pseudonym]").fill("01019912345")
    await page.locator("form.whole button").click()
    await expect(page.locator("#faults")).to_contain_text("never 11 digits in a row")
    await page.locator("[name=pseudonym]").fill("")
    await page.locator("form.whole button").click()
    await page.wait_for_url("**/patients/p-*")
    patient = page.url.rpartition("/")[2].partition("?")[0]
    await expect(page.locator(".head .zone")).to_contain_text("not monitored")
    status = whole.desk.model.status(patient)
    assert status is not None
    assert (status.zone, status.pathway, status.municipality) == (Zone.NOT_MONITORED, "copd", "municipality-1")


async def test_a_page_that_hears_nothing_for_half_a_minute_says_that_it_is_old(whole: Whole, browser: Browser) -> None:
    await followed(whole, "patient-a")
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.clock.install()
    await whole.sign_in(page, "nurse-1")
    await zone(page, "patient-a", "green")
    await expect(page.locator("#gone")).to_be_hidden()
    await page.route("**/events*", lambda route: route.abort())
    await context.set_offline(offline=True)
    await page.clock.fast_forward(10_000)
    await expect(page.locator("#gone")).to_be_hidden()
    await page.clock.fast_forward(40_000)
    await expect(page.locator("#gone")).to_contain_text("The page is not up to date")
