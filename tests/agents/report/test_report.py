"""`sonevakt report` and `sonevakt export tables`, as an operator calls them: whole, in two languages, of nobody."""

from __future__ import annotations

import os
import re
import zlib
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner

from agents.commands.main import main
from agents.commands.report import last_whole
from pipeline.outcomes.disclosure.outputs import OUTPUTS
from tests.agents.report.conftest import CENTRE, QUARTER, environment

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = [pytest.mark.usefixtures("logs_as_they_were"), pytest.mark.timeout(900)]


@pytest.fixture(autouse=True)
def folder(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own over the store that is filled."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    for name, value in environment(filled).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def inflated(stream: bytes) -> bytes:
    """What a stream of a PDF holds; nothing where it is not compressed so."""
    with suppress(zlib.error):
        return zlib.decompress(stream)
    return b""


def run(*argv: str) -> Result:
    return CliRunner().invoke(main, argv)


@pytest.mark.parametrize(("lang", "heading"), [("nb", "Kvartalsrapport"), ("en", "Quarterly report")])
def test_a_quarter_is_a_page_that_needs_nothing_else(reports: Path, lang: str, heading: str) -> None:
    page = (reports / "out" / f"council-2025-Q4.{lang}.html").read_text(encoding="utf-8")
    assert f"<h1>{heading}" in page
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#|%23)(\w+:|//|/)""", page) == []
    assert len(re.findall(r"<svg role=\"img\" aria-label=\"[^\"]{30,}\"", page)) >= 8
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "sim-0" not in page


def test_the_pdf_is_tagged_and_stands_beside_the_page(reports: Path) -> None:
    pdf = (reports / "out" / "council-2025-Q4.nb.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    held = b"".join(map(inflated, re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)))
    assert b"/StructTreeRoot" in pdf + held
    assert b"pdfuaid:part" in pdf + held
    assert b"/Lang (nb)" in pdf + held
    assert {path.name for path in (reports / "out").iterdir()} == {
        "council-2025-Q4.nb.html",
        "council-2025-Q4.nb.pdf",
        "council-2025-Q4.en.html",
    }


def test_a_report_that_is_there_is_left_as_it_is(reports: Path) -> None:
    page = reports / "out" / "council-2025-Q4.nb.html"
    before = page.stat().st_mtime_ns
    again = run("report", *QUARTER, "--out", str(reports / "out"))
    assert (again.exit_code, again.output) == (0, "council-2025-Q4.nb is there already\n")
    assert page.stat().st_mtime_ns == before


def test_no_small_number_stands_on_the_page(reports: Path) -> None:
    page = (reports / "out" / "council-2025-Q4.en.html").read_text(encoding="utf-8")
    counts = {"number", "patients", "alarms", "users", "due", "missed", "readmitted", "acknowledged", "hand-overs"}
    seen = 0
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        heads = [re.sub(r"<[^>]+>", "", head) for head in re.findall(r"<th scope=\"col\".*?</th>", table)]
        for row in re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL):
            cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
            for head, cell in zip(heads, cells, strict=False):
                if head in counts:
                    seen += 1
                    assert cell not in {"1", "2", "3", "4"}, (heads, cells)
    assert seen > 100


def test_one_service_is_told_the_same_as_among_all(reports: Path) -> None:
    one, every = reports / "one", reports / "every"
    assert {path.name for path in one.iterdir()} == {path.name for path in every.iterdir()}
    told, among = pd.read_csv(one / "rates.csv"), pd.read_csv(every / "rates.csv")
    pd.testing.assert_frame_equal(told, among[among["service"] == CENTRE].reset_index(drop=True))
    assert len(told)


def test_every_table_that_is_exported_has_passed_disclosure_control(reports: Path) -> None:
    hidden = 0
    for path in (reports / "every").iterdir():
        told = pd.read_csv(path)
        assert "patient" not in told
        output = {"moves": "caseload"}.get(path.stem, path.stem.partition("-")[0])
        for group in OUTPUTS[output].groups if output in OUTPUTS else ():
            hidden += int(told[f"{group.name}_hidden"].sum())
            for count in group.counts:
                assert not told[count].between(1, 4).any(), (path.name, count)
    assert hidden > 100


def test_the_page_tells_what_the_tables_tell(reports: Path) -> None:
    """The key figure of users is the number of the table, in the form of the language."""
    told = pd.read_csv(reports / "every" / "caseload.csv")
    (users,) = told.loc[(told["service"] == "*") & (told["period"] == "2025-12"), "users"]
    page = (reports / "out" / "council-2025-Q4.en.html").read_text(encoding="utf-8")
    assert re.search(rf"Users at the end</dt><dd><strong>{users:.0f}</strong>", page)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--from", "2025-10-01"), "give --from and --to, or --last"),
        (("--from", "2025-10-01", "--to", "1 Jan"), "--to takes a day"),
        (("--from", "2025-10-01", "--to", "2025-10-01"), "--from must lie before --to"),
        (("--from", "2025-10-01", "--to", "9999-01-01"), "--to must not lie ahead"),
        (("--from", "2010-10-01", "--to", "2025-01-01"), "three years at the most"),
        ((*QUARTER, "--last", "year"), "--last stands in place"),
        ((*QUARTER, "--service", "nowhere"), "no service nowhere ever had a patient"),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_line(folder: Path, asked: tuple[str, ...], said: str) -> None:
    found = run("report", *asked, "--no-pdf", "--out", "out")
    assert found.exit_code == 2
    assert said in found.output
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("every", "today", "first", "after"),
    [
        ("quarter", date(2026, 1, 3), date(2025, 10, 1), date(2026, 1, 1)),
        ("quarter", date(2026, 6, 30), date(2026, 1, 1), date(2026, 4, 1)),
        ("year", date(2026, 1, 1), date(2025, 1, 1), date(2026, 1, 1)),
        ("month", date(2026, 3, 31), date(2026, 2, 1), date(2026, 3, 1)),
    ],
)
def test_the_last_period_is_the_newest_that_is_over(every: str, today: date, first: date, after: date) -> None:
    assert last_whole(every, today) == (first, after)  # type: ignore[arg-type] # one of the three
