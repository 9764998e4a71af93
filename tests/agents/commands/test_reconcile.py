"""`sonevakt reconcile` on what `make demo` runs on, and the sentence that a mistake in use ends with."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from agents import processes
from agents.broker.embedded import EmbeddedBroker
from agents.commands import main
from agents.settings import Settings
from agents.storing.points import at_ms
from tests.reconciled import asked, reconciled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)


@pytest.mark.timeout(180)
async def test_a_run_is_whole_and_a_hole_made_on_purpose_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    settings = Settings(partitions=3, store=f"sqlite:///{path}", commit_interval_s=0.1, session_timeout_s=6.0)

    async def take_out(patient: str, at: datetime) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            first_ns = at_ms(at) * 1_000_000
            gone = connection.execute(
                "DELETE FROM point WHERE at_ns BETWEEN ? AND ? AND series IN"
                " (SELECT id FROM series WHERE measurement = 'assessment' AND json_extract(tags, '$.patient') = ?)",
                (first_ns, first_ns + 999_999, patient),
            )
            assert gone.rowcount == 1

    with EmbeddedBroker(partitions=3, changelogs=(processes.changelog(settings),)) as broker:
        env = {
            "SONEVAKT_BROKER": f"kafka://{broker.bootstrap}",
            "SONEVAKT_PARTITIONS": "3",
            "SONEVAKT_STORE": f"sqlite:///{path}",
        }
        await reconciled(settings, broker.bootstrap, env, take_out)
        code, said = await asked({**env, "SONEVAKT_PARTITIONS": "2"}, datetime(2026, 3, 1, tzinfo=UTC))
        assert code == 2
        assert said.startswith("sonevakt: topic submissions has 3 partitions and not 2: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "2026-03-01"), "--from takes a time with an offset"),
        (("--from", "2026-03-01T00:00:00Z", "--to", "yesterday"), "--to takes a time with an offset"),
        (("--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z"), "--from must lie before --to"),
        (("--from", "2999-01-01T00:00:00Z"), "--from must lie before --to"),
    ],
)
def test_a_period_that_is_none_is_wrong_use(options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["reconcile", *options], env={"SONEVAKT_BROKER": "kafka://127.0.0.1:1"})
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.splitlines()) == 1
