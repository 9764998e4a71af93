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
from schemas.care import EMERGENCIES
from tests.agents.frames import told
from tests.agents.frames.contract import everything, tell

DOCS = Path(__file__).parents[2] / "docs"
ANALYSTS = (DOCS / "analysts.md").read_text(encoding="utf-8")
IMPORT = (DOCS / "import.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", ANALYSTS, re.DOTALL)


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
