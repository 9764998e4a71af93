"""The council's report in a browser: nothing for axe-core to mend, nothing on the console, and it can be printed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.async_playwright import Axe
from prometheus_client import CollectorRegistry

from agents.council import load_council
from agents.metrics import Metrics
from agents.report.making import Configured, Wanted, made
from agents.stores.sqlite import SQLiteStore
from benchmarks.service_year import fill
from dashboards.report import page as pages
from dashboards.report.voice import LANGUAGES
from tests.agents.report.conftest import COUNCIL
from tests.browser.test_reach import RULES, SIZES

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from dashboards.report.views import Document

OSLO = ZoneInfo("Europe/Oslo")
QUARTER = Wanted(datetime(2025, 10, 1, tzinfo=OSLO), datetime(2026, 1, 1, tzinfo=OSLO))
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page in both languages, as files."""
    place = tmp_path_factory.mktemp("page")

    async def making() -> Document:
        store = SQLiteStore(place / "points.sqlite", metrics=Metrics(CollectorRegistry()))
        await fill([store], 120, 100)
        told = await made(store, Configured({}, load_council(COUNCIL)), QUARTER, datetime(2026, 1, 3, tzinfo=OSLO))
        await store.close()
        return told

    told = asyncio.run(making())
    for lang in LANGUAGES:
        (place / f"{lang}.html").write_text(pages.html(told, lang), encoding="utf-8")
    return place


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_to_mend(browser: Browser, folder: Path, lang: str, size: str) -> None:
    width, height = SIZES[size]
    page = await browser.new_page(viewport={"width": width, "height": height})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto((folder / f"{lang}.html").as_uri())
    assert len(asked) == 1
    assert said == []
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    found = await Axe().run(page, options=RULES)
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]] == []
    assert await page.locator("svg[role=img]").count() >= 8


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_it_prints_on_pages_with_nothing_cut_off(browser: Browser, folder: Path, lang: str) -> None:
    page = await browser.new_page(viewport={"width": 680, "height": 960})  # A4 less its margins, at 96 to the inch
    await page.goto((folder / f"{lang}.html").as_uri())
    await page.emulate_media(media="print")
    wide = await page.evaluate(
        """[...document.querySelectorAll('table, svg')]
        .filter(one => one.getBoundingClientRect().right > 690).map(one => one.id)"""
    )
    assert wide == []
    assert (await page.pdf(format="A4", prefer_css_page_size=True)).startswith(b"%PDF-")
