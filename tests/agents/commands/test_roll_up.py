"""`sonevakt store roll-up`: which days it takes."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from agents import wallclock
from agents.commands.main import main

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
REFUSED = "--to must lie before today"
NEXT = "SONEVAKT_INFLUXDB_TOKEN_FILE: "


@pytest.mark.parametrize(
    ("zone", "to", "said"),
    [
        ("Europe/Oslo", "2026-11-29", NEXT),  # it has ended there, half an hour ago
        ("Europe/Oslo", "2026-11-30", REFUSED),
        ("UTC", "2026-11-28", NEXT),
        ("UTC", "2026-11-29", REFUSED),
    ],
)
def test_a_day_is_over_where_the_rollups_days_are(
    zone: str, to: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(wallclock, "now", lambda: datetime(2026, 11, 29, 23, 30, tzinfo=UTC))
    env = {
        "SONEVAKT_STORE": "influxdb://127.0.0.1:1",
        "SONEVAKT_INFLUXDB_TIME_ZONE": zone,
        "SONEVAKT_INFLUXDB_TOKEN_FILE": "nowhere/influxdb.token",
    }
    found = CliRunner().invoke(main, ["store", "roll-up", "--from", "2026-11-20", "--to", to], env=env)
    assert found.exit_code != 0
    assert said in found.output
