"""The main path on what `make demo` runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents import processes
from agents.broker.embedded import EmbeddedBroker
from agents.settings import Settings
from tests.main_path import main_path

if TYPE_CHECKING:
    from pathlib import Path


def folders_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_dir()]


@pytest.mark.timeout(180)
async def test_a_session_posted_to_the_gateway_is_judged_stored_and_paged_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        partitions=3,
        store=f"sqlite:///{tmp_path / 'store.sqlite'}",
        commit_interval_s=0.1,
        session_timeout_s=6.0,
        tick_seconds=0.5,
    )
    with EmbeddedBroker(partitions=3, changelogs=(processes.changelog(settings),)) as broker:
        await main_path(settings, broker.bootstrap, tmp_path)
    assert not folders_in(tmp_path), "a worker keeps nothing on disk"
