"""`sonevakt what-if`: lines, JSON, and a plan that cannot be used named by its field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from agents.commands import main
from schemas.topics import CARE, SUBMISSIONS
from tests.pipeline.backtest.test_what_if import PULSE, TIGHTER, recording

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        msgspec.json.encode({"topic": SUBMISSIONS.name if hasattr(one, "readings") else CARE.name, "message": one})
        for one in recording()
    ]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    return tmp_path


def compared(folder: Path, plan: Any, *arguments: str) -> Result:  # noqa: ANN401 - any JSON
    (folder / "plan.json").write_bytes(msgspec.json.encode(plan))
    command = ["what-if", str(folder / "events.jsonl"), "--plan", str(folder / "plan.json"), *arguments]
    return CliRunner().invoke(main, command)


def test_lines_tell_old_and_new(folder: Path) -> None:
    told = compared(folder, {"limits": [TIGHTER]}, "--days", "30")
    assert told.exit_code == 0, told.output
    assert told.output.startswith("the last 30 days of 1 patients")
    assert "+ 2 days in yellow or red; " in told.output
    assert "limit_high 8867-4 2" in told.output


def test_json_has_the_days(folder: Path) -> None:
    found = json.loads(compared(folder, {"limits": [TIGHTER]}, "--json", "--patient", "sim-0001").output)
    assert len(found["patients"][0]["added"]) == 2
    assert found["old"]["red"] == 0


def test_the_same_plan_says_that_nothing_changes(folder: Path) -> None:
    assert len(compared(folder, {"limits": [PULSE]}).output.splitlines()) == 2


@pytest.mark.parametrize(
    ("plan", "arguments", "said"),
    [
        ([], (), "give a plan as one JSON object"),
        ({"limits": [{"code": "8867-4"}]}, (), "plan.json: limits[0]: Object missing required field `unit`"),
        ({"limits": [{"code": "8867-4", "unit": "kg", "red_low": 3}]}, (), "plan.json: limits[0].unit contradicts"),
        ({"limits": [PULSE]}, ("--patient", "nobody"), "no such patient"),
        ({"limit": [PULSE]}, (), "plan.json: limit: is not known; known here: version, valid_from_at, vitals, limits,"),
        ({"limits": [], "cadance": {"every_days": 1}}, (), "plan.json: cadance: is not known; known here: version,"),
        (
            {"limits": [{"code": "8867-4", "unit": "/min", "red_high": 120, "yelow_high": 100}]},
            (),
            "plan.json: limits[0].yelow_high: is not known; known here: code, unit, red_low, yellow_low, yellow_high,",
        ),
        (
            {"limits": [PULSE], "cadence": {"every_day": 3}},
            (),
            "plan.json: cadence.every_day: is not known; known here: times, daily_days, every_days,",
        ),
        ({"limits": [], "limt": [], "self_care": {"rd": []}}, (), "; self_care.rd: is not known"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(folder: Path, plan: Any, arguments: tuple[str, ...], said: str) -> None:  # noqa: ANN401 - any JSON
    told = compared(folder, plan, *arguments)
    assert told.exit_code == 2
    assert said in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"limits": [], "limits": []}', "plan.json: limits: must stand once in its object"),
        ('{"limits": [}', "plan.json: must be JSON: Expecting value in line 1, column 13"),
        ('{"limits": [{"code": "8867-4", "unit": "/min", "red_high": NaN}]}', "plan.json: "),
        ('"a plan"', "plan.json: give a plan as one JSON object"),
    ],
)
def test_a_file_that_is_no_plan_is_one_sentence(folder: Path, text: str, said: str) -> None:
    (folder / "plan.json").write_text(text)
    command = ["what-if", str(folder / "events.jsonl"), "--plan", str(folder / "plan.json")]
    told = CliRunner().invoke(main, command)
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert told.stderr.startswith(f"sonevakt: {said}")


def test_a_message_may_hold_what_is_not_known_here(folder: Path) -> None:
    lines = (folder / "events.jsonl").read_text().splitlines()
    (at,) = [place for place, line in enumerate(lines) if '"plan_signed"' in line]
    lines[at] = lines[at].replace('"limits":', '"limts":[],"limits":')
    (folder / "events.jsonl").write_text("\n".join(lines))
    assert compared(folder, {"limits": [PULSE]}).exit_code == 0


def test_a_patient_of_tihm_goes_by_the_id_of_the_source_too(tmp_path: Path) -> None:
    rows = "".join(f"0efe8,2019-05-{day} 14:38:48,Heart rate,78,beats/min\n" for day in range(10, 20))
    (tmp_path / "Physiology.csv").write_text("patient_id,date,device_type,value,unit\n" + rows + "0efe8,,Mood,1,\n")
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode({"limits": [PULSE]}))
    command = ["what-if", str(tmp_path), "--plan", str(tmp_path / "plan.json"), "--json", "--patient", "0efe8"]
    told = CliRunner().invoke(main, command)
    assert [one["patient"] for one in json.loads(told.stdout)["patients"]] == ["tihm-0efe8"]
    assert told.stderr == (
        "sonevakt: Physiology.csv: 1 rows skipped (unknown_device_type 1), the first is row 12, column device_type\n"
    )
