"""`sonevakt pathways`: what is installed is told, and a file that is not valid is told by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner, Result

from agents.commands import main
from agents.commands.pathways import STARTER
from agents.pathways import load
from pipeline.pathways import read
from tests.pipeline.pathways.files import FILES, GONE, changed

if TYPE_CHECKING:
    from pathlib import Path


def pathways(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["pathways", *map(str, arguments)])


def test_list_has_a_line_for_every_pathway() -> None:
    told = pathways("list")
    assert told.exit_code == 0
    assert [line.split()[0] for line in told.stdout.splitlines()] == list(load())
    assert "KOLS / COPD: spo2, heart rate, systolic, diastolic, temperature" in told.stdout
    assert "centre: no vital signs" in told.stdout


@pytest.mark.parametrize("slug", load())
def test_show_says_that_values_are_starter_values(slug: str) -> None:
    told = pathways("show", slug)
    assert told.exit_code == 0
    assert STARTER in told.stdout.splitlines()


def test_show_has_all_of_a_pathway(tmp_path: Path) -> None:
    (tmp_path / "small.json").write_bytes(changed())
    assert pathways("show", "small", "--folder", tmp_path).stdout.splitlines() == [
        "small, version 1: Liten / Small",
        "tied to no diagnosis",
        "vital signs: spo2, heart rate, weight",
        "lent out: oximeter",
        "start-up: 14 days",
        "registrations: daily for 14 days, then every 7 days at 08:00, 20:00; overdue after 840 minutes",
        "participation: 2 sessions a week",
        "  eq-5d-5l at the start and every 12 weeks",
        "",
        STARTER,
        "  spo2 [%]: red at 88 or below, yellow at 90 or below",
        "  heart rate [/min]: yellow at 110 or above",
        "  spo2 [%]: yellow 3 below own normal",
        "  weight [kg]: yellow at a rise of 2, within 72 hours",
        "  heart rate [/min]: outside at 100 or above, yellow at 3 of 4 readings",
        "  the general rules on weight hold",
        "  NEWS2: scale 1",
        "",
        "questions: small-daily, version 1",
        "  breath (0 to 4): Pust? / Breath?",
        "    yellow at 2 or more",
        "    red at 4 or more",
        "  chills (yes or no): Frost? / Chills?",
        "    red at yes",
        "  help (none, some): Hjelp? / Help?",
        "    yellow at some",
        "",
        "self-care, in words to begin from",
        "  red: Ring nå. / Call now.",
    ]


def test_show_of_a_pathway_without_questions_has_none(tmp_path: Path) -> None:
    (tmp_path / "small.json").write_bytes(changed(("questionnaire", GONE)))
    told = pathways("show", "small", "--folder", tmp_path)
    assert told.exit_code == 0
    assert "questions:" not in told.stdout


def test_show_says_what_a_rehabilitation_centre_follows() -> None:
    told = pathways("show", "rehabilitation-centre").stdout
    assert "vital signs: none\n" in told
    assert "participation: 2 sessions a week\n  eq-5d-5l at the start and every 12 weeks\n" in told


@pytest.mark.parametrize("slug", load())
def test_show_as_json_is_a_file_to_begin_from(slug: str) -> None:
    raw = pathways("show", slug, "--json").stdout.encode()
    assert read(raw, "shown") == load()[slug]
    assert set(msgspec.json.decode(raw)["cadence"]) == set(load()[slug].cadence.__struct_fields__)


def test_show_of_an_unknown_pathway_is_wrong_use_and_names_the_known() -> None:
    told = pathways("show", "kols")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == f"sonevakt: there is no pathway of that name; there are {', '.join(load())}\n"


def test_a_folder_with_a_file_that_is_not_valid_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(changed(("version", 0)))
    told = pathways("list", "--folder", tmp_path)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "sonevakt: own.json: version: must be `int` >= 1\n"


def test_check_is_silent_on_valid_files() -> None:
    told = pathways("check", *FILES)
    assert (told.exit_code, told.output) == (0, "")


def test_check_tells_every_fault_of_every_file(tmp_path: Path) -> None:
    good, bad, worse = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "worse.json"
    good.write_bytes(changed())
    bad.write_bytes(changed(("equipment[1]", "oximeter"), ("starter_limits.limits[0].unit", "kPa")))
    worse.write_bytes(b"{")
    told = pathways("check", bad, good, worse)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.splitlines()[:2] == [
        f"{bad}: equipment[1]: must be another kind: this one stands before it",
        f"{bad}: starter_limits.limits[0].unit: must be %, as 2708-6 is spo2",
    ]
    assert told.stderr.splitlines()[2].startswith(f"{worse}: must be JSON: ")


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("check", "missing.json"), ("show",), ("list", "--folder", "missing"), ("teach",)],
    ids=" ".join,
)
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert pathways(*arguments).exit_code == 2
