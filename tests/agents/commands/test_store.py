"""`sonevakt store` where there is no InfluxDB, and what it says of wrong settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from agents.commands import store as storing
from agents.commands.main import main
from agents.store_setup import tokens

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
NOWHERE = {"SONEVAKT_STORE": "influxdb://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SONEVAKT_")]:
        monkeypatch.delenv(name)


def store(*arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(main, ["store", *arguments], env=settings)


@pytest.mark.parametrize("command", [["apply"], ["roll-up", "--from", "2026-03-01", "--to", "2026-03-02"]])
def test_sqlite_needs_nothing_and_that_is_said_in_one_line(tmp_path: Path, command: list[str]) -> None:
    done = store(*command)
    assert (done.exit_code, done.output) == (0, f"{storing.SQLITE}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "SONEVAKT_INFLUXDB_TOKEN_FILE must be set"),
        ({"SONEVAKT_INFLUXDB_TOKEN_FILE": "t"}, "SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE must be set"),
        ({"SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": "t"}, "SONEVAKT_INFLUXDB_TOKENS_FOLDER must be set"),
        (
            {"SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": "t", "SONEVAKT_INFLUXDB_TOKENS_FOLDER": "f"},
            "SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE: the file cannot be read",
        ),
    ],
)
def test_what_is_missing_is_named(settings: dict[str, str], says: str) -> None:
    done = store("apply", **NOWHERE, **settings)
    assert done.exit_code == 2
    assert says in done.output
    assert done.output.count("\n") == 1


def test_an_influxdb_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("secret")
    settings = {"SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": "t", "SONEVAKT_INFLUXDB_TOKENS_FOLDER": "f"}
    done = store("apply", **NOWHERE, **settings)
    assert done.exit_code == 1
    assert done.output.startswith("sonevakt: InfluxDB does not answer")
    assert "secret" not in done.output
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("days", [("2026-03-02", "2026-03-01"), ("2026-03-01", "2999-01-01")])
def test_a_period_that_is_none_or_not_over_is_refused(tmp_path: Path, days: tuple[str, str]) -> None:
    (tmp_path / "t").write_text("secret")
    settings = {**NOWHERE, "SONEVAKT_INFLUXDB_TOKEN_FILE": "t"}
    done = store("roll-up", "--from", days[0], "--to", days[1], **settings)
    assert done.exit_code == 2
    assert "--to must lie before today" in done.output


def test_the_roles_that_the_command_names_are_those_that_there_are() -> None:
    assert tuple(role.name for role in tokens.ROLES) == storing.ROLES
