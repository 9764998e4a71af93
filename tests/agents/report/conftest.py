"""A store with some months of simulated patients, and the configuration of their services."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents.commands.main import main
from agents.metrics import Metrics
from agents.stores.sqlite import SQLiteStore
from benchmarks.service_year import fill
from pipeline.cohort.people import SERVICES

COUNCIL = Path(__file__).with_name("council.json")
PATIENTS, DAYS = 60, 120


def services(folder: Path) -> Path:
    """A services file that calls each service by a name."""
    contact = {"ways": {"hook": {"kind": "webhook", "url": "https://receiver.example", "secret_file": "secret"}}}
    ladder = {"red": [{"after_minutes": 0, "to": "nurse"}], "yellow_minutes": 240}
    found = {
        slug: {"name": f"Tjeneste {place}", "contacts": {"nurse": contact}, "ladder": ladder, "target_patients": 50}
        for place, slug in enumerate(SERVICES, start=1)
    }
    path = folder / "services.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the store."""
    folder = tmp_path_factory.mktemp("report")
    store = SQLiteStore(folder / "points.sqlite", metrics=Metrics(CollectorRegistry()))

    async def filling() -> None:
        assert await fill([store], PATIENTS, DAYS) > 0
        await store.close()

    asyncio.run(filling())
    services(folder)
    return folder


QUARTER = ("--from", "2025-10-01", "--to", "2026-01-01")
CENTRE = "simulated-joint-centre"


def environment(filled: Path) -> dict[str, str]:
    """What the commands read of the store that is filled."""
    return {
        "SONEVAKT_STORE": f"sqlite:///{filled / 'points.sqlite'}",
        "SONEVAKT_SERVICES_FILE": str(filled / "services.json"),
        "SONEVAKT_COUNCIL_FILE": str(COUNCIL),
    }


@pytest.fixture(scope="session")
def reports(filled: Path) -> Path:
    """A folder with the quarter as pages of both languages, a PDF, and the tables of all services and of one."""
    asked = (
        ("report", "--lang", "nb", "--out", str(filled / "out")),
        ("report", "--lang", "en", "--no-pdf", "--out", str(filled / "out")),
        ("export", "tables", "--out", str(filled / "every")),
        ("export", "tables", "--service", CENTRE, "--out", str(filled / "one")),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
            patch.delenv(name)
        for argv in asked:
            made = CliRunner().invoke(main, [*argv, *QUARTER], env=environment(filled))
            assert made.exit_code == 0, made.output
    return filled
