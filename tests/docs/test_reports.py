"""The page on reports says what is so: its council file is taken, its measures are all, its timer runs the command."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest

from agents.commands.main import main
from agents.council import load_council
from schemas.council import Council, Followed, Measure

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
UNITS: Final = ROOT / "infra" / "systemd"


def unit(name: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign] # names of settings are told apart by case
    found.read(UNITS / name)
    return found


def parsed(words: list[str]) -> click.Context:
    """What click makes of a command line; raises UsageError for one that it does not take."""
    command, arguments = main, words[1:]
    while isinstance(command, click.Group):
        name, arguments = arguments[0], arguments[1:]
        command = command.commands[name]
    return command.make_context(name, arguments)


def test_its_example_of_a_council_file_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "council.json").write_text(example, encoding="utf-8")
    council = load_council(tmp_path / "council.json", {"lungs": None})
    assert council.indicators
    told = set(re.findall(r"\| `(\w+)` \|", TEXT))
    assert told == set(Council.__struct_fields__)
    assert council.services["lungs"] != Followed()


def test_every_measure_is_told() -> None:
    measures = TEXT.partition("\nMeasures: ")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", measures)) == set(Measure.__args__)


def commands() -> list[str]:
    found = [line for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    return [line for line in found if line.startswith("sonevakt ")]


@pytest.mark.parametrize("line", commands())
def test_its_commands_are_taken(line: str) -> None:
    assert parsed(shlex.split(line)).params["out"] == Path("reports")


def test_the_timer_runs_the_report_of_the_last_quarter_and_catches_up() -> None:
    service, timer = unit("sonevakt-report.service"), unit("sonevakt-report.timer")
    path, *words = shlex.split(service["Service"]["ExecStart"])
    assert path == "/opt/sonevakt/bin/sonevakt"
    told = parsed(["sonevakt", *words]).params
    assert (told["last"], told["lang"], told["pdf"]) == ("quarter", "nb", True)
    # The one folder that the unit may write to.
    assert str(told["out"]).startswith(f"/var/lib/{service['Service']['StateDirectory']}/")
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["Persistent"] == "true"
    days, months = re.fullmatch(r"\*-([\d,]+)-(\d+\.\.\d+) \d\d:\d\d:\d\d", timer["Timer"]["OnCalendar"]).group(2, 1)  # type: ignore[union-attr] # no match fails the test
    assert months == "01,04,07,10"
    assert int(days.partition("..")[0]) > 14
    assert all(f"sonevakt-report.{kind}" in TEXT for kind in ("service", "timer"))


def test_the_line_of_cron_is_the_same_command_on_the_same_days() -> None:
    (line,) = re.findall(r"`(\d+ \d+ [^`]*sonevakt report[^`]*)`", TEXT)
    _, _, days, months, _, *words = line.split()
    assert (days, months) == ("15-28", "1,4,7,10")
    assert parsed(words).params["last"] == "quarter"
