"""docs/pictures: what the board looks like, made anew from simulated patients. Look before you commit them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from dashboards.board.listing import unacknowledged
from schemas.people import Role
from schemas.types import Zone
from tests.browser.conftest import ARGS
from tests.browser.stage import Access, desk, full, person, shown

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
PICTURES: Final = (
    ("list", "/", (1440, 900), "en"),
    ("list-phone", "/", (390, 844), "en"),
    ("list-wall", "/?wall=1", (1920, 1080), "nb"),
    ("patient", "/patients/{patient}", (1440, 900), "en"),
    ("patient-phone", "/patients/{patient}", (390, 844), "nb"),
    ("plan", "/patients/{patient}/plan", (1440, 900), "en"),
    ("meeting", "/meeting", (1440, 900), "nb"),
)


async def make() -> None:
    """Make every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = full(patients=60)
    reds = [status for status in model.all_statuses() if status.zone is Zone.RED]
    patient = max(reds, key=unacknowledged).patient
    people = {"doctor-1": person(Role.DOCTOR, ref="doctor-1", name="Doctor One")}
    path = shutil.which("chromium")
    async with shown(desk(model, Access()), people) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        for name, where, (width, height), lang in PICTURES:
            context = await browser.new_context(viewport={"width": width, "height": height}, locale="nb-NO")
            page = await context.new_page()
            address = url + where.format(patient=patient)
            await page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
            await page.screenshot(path=FOLDER / f"{name}.png")
            await context.close()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(make())
