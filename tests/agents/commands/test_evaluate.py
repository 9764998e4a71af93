"""`sonevakt evaluate tihm`: JSON and tables say the same, and a folder that cannot be read is named in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from agents.commands import main
from pipeline.backtest import CAVEAT

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = "patient_id,date,device_type,value,unit\n"
VERIFIED = "patient_id,date,type\n"


def row(day: int, kind: str, value: float, unit: str) -> str:
    return f"0efe8,2019-05-{day:02} 08:00:00,{kind},{value},{unit}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(
        row(day, "Systolic blood pressure", 170 if day in {20, 21} else 120, "mm[Hg]")
        + row(day, "Diastolic blood pressure", 80, "mm[Hg]")
        + row(day, "Heart rate", 70, "beats/min")
        for day in range(1, 31)
    )
    (tmp_path / "Physiology.csv").write_text(MEASURED + rows)
    (tmp_path / "Labels.csv").write_text(VERIFIED + "0efe8,2019-05-20 09:00:00,Blood pressure\n")
    return tmp_path


def evaluated(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", "tihm", *arguments])


def test_json_has_every_figure(folder: Path) -> None:
    told = evaluated(str(folder), "--json")
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    pressure = found["blood_pressure"]
    assert (pressure["sensitivity"], pressure["ppv"], pressure["false_alert_days_per_30"]) == (1, 0.5, 1)
    assert (pressure["labelled_days"], pressure["measured_days"]) == (1, 30)
    assert pressure["intervals"] == {
        "sensitivity": [1, 1],
        "ppv": [0.5, 0.5],
        "false_alert_days_per_30": [1, 1],
    }
    assert (found["pulse"]["sensitivity"], found["pulse"]["intervals"]["sensitivity"]) == (None, None)
    assert [rule["row"] for rule in found["fixed_rules"]] == [1, 2, 3, 4, 4, 5, 6, 7]
    assert {"plan", "weekly", "every_submission", "adaptive"} <= set(found["cadence"])
    assert found["cadence"]["every_submission"] == {
        "name": "all recorded days",
        "episodes": 1,
        "episodes_found": 1,
        "submission_days_share": 1,
        "intervals": {"found_share": [1, 1], "submission_days_share": [1, 1]},
    }
    assert found["alert_rules"]["pulse"] == []
    by_rule = {rule["rule"]: rule for rule in found["alert_rules"]["blood_pressure"]}
    assert (by_rule["limit_high"]["alert_days"], by_rule["limit_high"]["without_label"]) == (2, 1)
    assert found["lead_days"]["blood_pressure"]["median"] == 0
    assert found["load"][0]["total"] == 2
    assert found["caveat"] == CAVEAT


def test_tables_tell_the_same_and_close_with_the_caveat(folder: Path) -> None:
    told = evaluated(str(folder))
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    (engine,) = [line for line in lines if line.startswith("engine, blood pressure")]
    assert engine.endswith("1.000 [1.000, 1.000]  0.500 [0.500, 0.500]      1.00 [1.00, 1.00]         1        30")
    (pulse,) = [line for line in lines if line.startswith("engine, pulse")]
    assert pulse.split()[2] == "-"
    assert lines[-1] == CAVEAT


def test_a_table_has_columns_of_one_width(folder: Path) -> None:
    lines = evaluated(str(folder)).stdout.splitlines()
    start = lines.index(next(line for line in lines if line.startswith("found by")))
    assert len({len(line) for line in lines[start : start + 11]}) == 1


def test_a_folder_without_labels_is_told_in_one_line(folder: Path) -> None:
    (folder / "Labels.csv").unlink()
    told = evaluated(str(folder))
    assert told.exit_code == 2
    assert told.stderr == "sonevakt: Labels.csv: there is no such file in the folder given\n"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert evaluated(str(tmp_path / "nowhere")).exit_code == 2
