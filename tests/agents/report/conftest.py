"""A store with some months of simulated patients, and the configuration of their services."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.sqlite import SQLiteStore
from benchmarks.year import fill
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
