"""The pages for analysts and for imports say what is so: their code runs, their tables are whole."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from agents.encounters import from_csv
from agents.encounters.encounter import Encounter, Reason
from agents.encounters.importing import rows_of
from agents.frames.catalogue import FRAMES
from agents.metrics import Metrics
from agents.stores.sqlite import SQLiteStore
from benchmarks.service_year import fill
from schemas.care import EMERGENCIES
from tests.agents.frames import told
from tests.agents.frames.contract import everything, tell

DOCS = Path(__file__).parents[2] / "docs"
ANALYSTS = (DOCS / "analysts.md").read_text(encoding="utf-8")
IMPORT = (DOCS / "import.md").read_text(encoding="utf-8")
READING, _, REST = ANALYSTS.partition("## Worked questions")
EXAMPLES = re.findall(r"```python\n(.*?)```", READING, re.DOTALL)
QUESTIONS = dict(re.findall(r"\n### ([^\n]+)\n.*?```python\n(.*?)```", REST, re.DOTALL))
# What an answer must hold, by a word of its question.
ANSWERS = {
    "municipality": r"simulated-municipality-3\s+\d+",
    "anyway": r"91 days before enrolment left out: \[\{'ratio': \d",
    "emergency": r"\*\s+\d+\.0\s+\d",
    "alarms": r"yellow\s+\d+\.0",
    "pathways": r"\*\s+\d+\.0\s+\d+\.0\s+0\.\d",
    "200 patients": r"found with 80 %: 0\.7",
}


@pytest.fixture
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill the store that the environment names with rows of every frame."""
    monkeypatch.setenv("SONEVAKT_STORE", f"sqlite:///{tmp_path / 'points.sqlite'}")

    async def fill() -> None:
        opened = SQLiteStore(tmp_path / "points.sqlite", metrics=Metrics(CollectorRegistry()))
        await tell(opened, *everything())
        await opened.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_for_analysts_runs(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}

    exec(example, names)  # noqa: S102 - our own page

    shown = capsys.readouterr().out
    assert "spo2" in shown or "2026-01" in shown


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with four months of simulated patients and what befell them."""
    path = tmp_path_factory.mktemp("questions") / "points.sqlite"

    async def filling() -> None:
        opened = SQLiteStore(path, metrics=Metrics(CollectorRegistry()))
        await fill([opened], 120, 120)
        await opened.close()

    asyncio.run(filling())
    return path


@pytest.mark.timeout(300)
@pytest.mark.parametrize("question", ANSWERS)
def test_a_worked_question_is_answered(
    question: str, patients: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONEVAKT_STORE", f"sqlite:///{patients}")
    (worked,) = (code for asked, code in QUESTIONS.items() if question in asked)
    names: dict[str, Any] = {}

    exec(worked, names)  # noqa: S102 - our own page

    assert re.search(ANSWERS[question], capsys.readouterr().out)


def test_every_worked_question_is_run() -> None:
    assert len(QUESTIONS) == len(ANSWERS) == 6


def test_the_page_has_examples_and_every_frame() -> None:
    assert len(EXAMPLES) == 2
    named = set(re.findall(r"`([a-z_]+)`", ANALYSTS.partition("## In Python")[0]))
    assert named == set(FRAMES)


def test_the_page_on_imports_has_every_column_contact_and_reason() -> None:
    told_of = set(re.findall(r"`([a-z_-]+)`", IMPORT))

    assert set(from_csv.COLUMNS) | set(EMERGENCIES) | {reason.value for reason in Reason} <= told_of


def test_its_example_of_a_file_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"```\n(encounter,.*?)```", IMPORT, re.DOTALL)
    (tmp_path / "example.csv").write_text(example, encoding="utf-8")

    rows = rows_of(tmp_path / "example.csv", told.day(400), "ambulance")

    assert [type(row) for row in rows] == [Encounter, Encounter]
