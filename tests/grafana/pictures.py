"""`python -m tests.grafana.pictures ANSWERS PICTURES [light]`: a picture of each dashboard that `tests.grafana` wrote.

The page is that of infra/preview, built before. Looking at the pictures is the reader's; what a browser can tell alone
is told here: what could not be drawn, what is empty, which texts are cut off, and which
columns stand beyond a table's edge.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.async_api import async_playwright

from tests.browser.conftest import ARGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser, ConsoleMessage, Page, Route, ViewportSize

BUILT: Final = Path(__file__).parents[2] / "infra" / "preview" / "dist"
PAGE: Final = "http://preview.invalid"
LOCALES: Final = {"nb": "nb-NO", "en": "en-GB"}
WINDOW: Final[ViewportSize] = {"width": 1440, "height": 900}
WITHIN_MS: Final = 180_000
_FAILED: Final = "all => all.map(one => one.closest('[data-panel]').dataset.title + ': ' + one.textContent)"
_EMPTY: Final = "all => all.map(one => one.closest('[data-panel]').dataset.title)"
_BLANK: Final = """panels => panels
    .filter(panel => !panel.querySelector('[role=gridcell], [data-empty], [data-failed]'))
    .map(panel => panel.dataset.title + ': no cell')"""
_CUT_OFF: Final = """panels => panels.flatMap(panel => [...panel.querySelectorAll('*')]
    .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
    .filter(one => [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
    .map(one => panel.dataset.title + ': ' + one.textContent.trim()))"""
_OUT_OF_SIGHT: Final = """grids => grids.flatMap(grid => [...grid.querySelectorAll('[role=columnheader]')]
    .filter(one => one.getBoundingClientRect().right > grid.getBoundingClientRect().right + 1)
    .map(one => grid.closest('[data-panel]').dataset.title + ': column ' + one.textContent.trim()))"""


@dataclass
class Seen:
    """What the browser tells of a dashboard, each with its panel's title."""

    uid: str
    failed: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    out_of_sight: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return it for a reader."""
        told = {
            "not drawn": self.failed,
            "empty": self.empty,
            "cut off": self.cut_off,
            "out of sight": self.out_of_sight,
        }
        return [f"{self.uid}: {what}: {one}" for what, every in told.items() for one in dict.fromkeys(every)]


async def draw(dashboards: Mapping[Path, str], pictures: Path, theme: str = "dark") -> list[Seen]:
    """Draw every dashboard, a file and its uid, into a file of its uid in `pictures`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        found = [await _drawn(browser, path, uid, pictures, theme) for path, uid in dashboards.items()]
        await browser.close()
    return found


async def _drawn(browser: Browser, path: Path, uid: str, pictures: Path, theme: str) -> Seen:
    seen = Seen(uid)
    locale = LOCALES.get(uid.rpartition("-")[2], "en-GB")
    context = await browser.new_context(locale=locale, timezone_id="Europe/Oslo", viewport=WINDOW)
    page = await context.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.on("pageerror", lambda error: seen.failed.append(str(error)))
    page.on("console", lambda message: _hear(message, seen))
    await page.route(f"{PAGE}/**", lambda route: _serve(route, path))
    await page.goto(f"{PAGE}/?theme={theme}")
    await _look(page, seen, pictures / f"{uid}.png")
    await context.close()
    return seen


async def _look(page: Page, seen: Seen, picture: Path) -> None:
    await page.wait_for_selector("body[data-ready]", state="attached")
    drawn = page.locator("[data-dashboard]")
    if not await drawn.count():
        seen.failed.append("the page is empty")
        return
    tall = int(await drawn.evaluate("one => Math.ceil(one.getBoundingClientRect().bottom)"))
    await page.set_viewport_size({"width": WINDOW["width"], "height": tall})  # a table out of the window is not painted
    await drawn.screenshot(path=picture)
    seen.failed += await page.locator("[data-failed]").evaluate_all(_FAILED)
    seen.failed += await page.locator("[data-panel=table]").evaluate_all(_BLANK)
    seen.empty += await page.locator("[data-empty]").evaluate_all(_EMPTY)
    seen.cut_off += await page.locator("[data-panel]").evaluate_all(_CUT_OFF)
    seen.out_of_sight += await page.locator("[data-panel] [role=grid]").evaluate_all(_OUT_OF_SIGHT)


def _hear(message: ConsoleMessage, seen: Seen) -> None:
    if message.type == "error":
        seen.failed.append(message.text)


async def _serve(route: Route, dashboard: Path) -> None:
    """Give the built page's files, without a port."""
    wanted = route.request.url.removeprefix(PAGE).partition("?")[0]
    path = dashboard if wanted == "/dashboard.json" else BUILT / (wanted.strip("/") or "index.html")
    await (route.fulfill(path=path) if path.is_file() else route.fulfill(status=404))


def main(answers: Path, pictures: Path, theme: str = "dark") -> int:
    """Return 0 where there was something to draw, and all of it was drawn and no column is out of sight.

    Raises FileNotFoundError unless the page is built.
    """
    if not (BUILT / "index.html").is_file():
        raise FileNotFoundError(f"{BUILT} is not there: make dashboards-preview builds it")
    pictures.mkdir(parents=True, exist_ok=True)
    dashboards = {
        path: json.loads(path.read_text("utf-8"))["dashboard"]["uid"] for path in sorted(answers.glob("*.json"))
    }
    found = asyncio.run(draw(dashboards, pictures, theme))
    print("\n".join([f"{len(found)} pictures in {pictures}", *(line for seen in found for line in seen.lines())]))  # noqa: T201
    return 0 if found and not any(seen.failed or seen.empty or seen.out_of_sight for seen in found) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
