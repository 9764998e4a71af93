"""`sonevakt report` and `sonevakt export tables`, as an operator calls them: whole, in two languages, of nobody."""

from __future__ import annotations

import os
import re
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner

from agents.commands.main import main
from agents.commands.report import last_whole
from pipeline.outcomes.disclosure.outputs import OUTPUTS
from tests.agents.report.conftest import COUNCIL

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = [pytest.mark.usefixtures("logs_as_they_were"), pytest.mark.timeout(600)]
QUARTER = ("--from", "2025-10-01", "--to", "2026-01-01")


@pytest.fixture(autouse=True)
def folder(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own over the store that is filled."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SONEVAKT_STORE", f"sqlite:///{filled / 'points.sqlite'}")
    monkeypatch.setenv("SONEVAKT_SERVICES_FILE", str(filled / "services.json"))
    monkeypatch.setenv("SONEVAKT_COUNCIL_FILE", str(COUNCIL))
    return tmp_path


def run(*argv: str) -> Result:
    return CliRunner().invoke(main, argv)


def test_a_quarter_is_a_page_that_needs_nothing_else_and_a_pdf(folder: Path) -> None:
    for lang, heading in (("nb", "Kvartalsrapport"), ("en", "Quarterly report")):
        made = run("report", *QUARTER, "--lang", lang, "--out", "out")
        assert made.exit_code == 0, made.output
        page = (folder / "out" / f"council-2025-Q4.{lang}.html").read_text(encoding="utf-8")
        assert f"<h1>{heading}" in page
        assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#|%23)(\w+:|//|/)""", page) == []
        assert len(re.findall(r"<svg role=\"img\" aria-label=\"[^\"]{30,}\"", page)) >= 8
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert "sim-0" not in page
        assert (folder / "out" / f"council-2025-Q4.{lang}.pdf").read_bytes().startswith(b"%PDF-")
        assert not list((folder / "out").glob(".*"))
    assert "is there already" in run("report", *QUARTER, "--out", "out").output


def test_no_small_number_stands_on_the_page(folder: Path) -> None:
    assert run("report", *QUARTER, "--lang", "en", "--no-pdf", "--out", "out").exit_code == 0
    page = (folder / "out" / "council-2025-Q4.en.html").read_text(encoding="utf-8")
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


def test_one_service_is_told_the_same_as_among_all(folder: Path) -> None:
    every, one = folder / "every", folder / "one"
    assert run("export", "tables", *QUARTER, "--out", str(every)).exit_code == 0
    made = run("export", "tables", *QUARTER, "--service", "simulated-joint-centre", "--out", str(one))
    assert made.exit_code == 0, made.output
    assert {path.name for path in one.iterdir()} == {path.name for path in every.iterdir()}
    told = pd.read_csv(one / "rates.csv")
    among = pd.read_csv(every / "rates.csv")
    mine = among[among["service"] == "simulated-joint-centre"].reset_index(drop=True)
    pd.testing.assert_frame_equal(told, mine)
    assert len(told)


def test_every_table_that_is_exported_has_passed_disclosure_control(folder: Path) -> None:
    assert run("export", "tables", *QUARTER, "--out", "tables").exit_code == 0
    hidden = 0
    for path in (folder / "tables").iterdir():
        told = pd.read_csv(path)
        assert "patient" not in told
        output = path.stem.partition("-")[0]
        for group in OUTPUTS[output].groups if output in OUTPUTS else ():
            hidden += int(told[f"{group.name}_hidden"].sum())
            for count in group.counts:
                assert not told[count].between(1, 4).any(), (path.name, count)
    assert hidden > 100


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
