"""A search by name on an open list: its patients change live, and nobody is hidden once the search is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from msgspec import structs
from playwright.async_api import expect

from agents.board.around import NoDirectory
from agents.directory.identity import Identity
from dashboards.board import listing
from schemas.assessments import Episode, EpisodeState
from schemas.types import Zone
from tests.browser.stage import Access, desk, full, person, shown, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import Browser

    from agents.board.model import Model
    from schemas.assessments import PatientStatus

pytestmark = pytest.mark.timeout(120)


class Names(NoDirectory):
    """Everybody is called by their pseudonym, backwards."""

    async def many(self, pseudonyms: Iterable[str]) -> Any:  # noqa: ANN401 - a mapping
        return {one: Identity(name=one[::-1]) for one in pseudonyms}

    async def search(self, words: str, among: Iterable[str]) -> list[str]:
        return [one for one in among if words in one[::-1]]


def turns(model: Model, status: PatientStatus, zone: Zone) -> None:
    """Have a patient come into a zone."""
    at = status.since_at
    episode = Episode(state=EpisodeState.OPENED, opened_at=at, worsened_at=at, zone_change_id=uuid4())
    now = model.status(status.patient)
    assert now is not None
    tell(model, structs.replace(now, zone=zone, revision=now.revision + 1, episode=episode))


async def test_after_the_board_was_started_anew_an_open_search_hides_nobody_who_turns_red(browser: Browser) -> None:
    model = full(patients=12, days=20)
    green = sorted(
        (one for one in model.all_statuses() if one.zone is Zone.GREEN and listing.listed(one)),
        key=lambda one: one.patient,
    )
    sought, other = green[:2]
    people = {"nurse-1": person()}
    page = await (await browser.new_context(locale="en-GB")).new_page()
    async with shown(desk(model, Access(), directory=Names()), people) as url:
        await page.goto(f"{url}/search?lang=en")
        await page.fill("#search-words", sought.patient[::-1])
        await page.click("form.whole button")
        row, another = (page.locator(f"#p-{one.patient}") for one in (sought, other))
        await expect(row.locator(".zone")).to_contain_text("green")
        await expect(page.locator("#rows > tr")).to_have_count(1)
        await expect(page.locator("#forgotten")).to_be_hidden()
        turns(model, other, Zone.YELLOW)
        turns(model, sought, Zone.YELLOW)
        await expect(row.locator(".zone")).to_contain_text("yellow")
        await expect(another).to_have_count(0)  # it was told of in the same message, and is not of the search
    port = int(url.rpartition(":")[2])
    async with shown(desk(model, Access(), directory=Names()), people, port):
        await expect(page.locator("#forgotten")).to_contain_text("so everybody is shown", timeout=30_000)
        await expect(another.locator(".zone")).to_contain_text("yellow")
        turns(model, other, Zone.RED)
        await expect(another.locator(".zone")).to_contain_text("red", timeout=15_000)
        await expect(page.locator("#announce")).to_contain_text(f"{other.patient} is now red")
        turns(model, sought, Zone.RED)
        await expect(row.locator(".zone")).to_contain_text("red", timeout=15_000)
