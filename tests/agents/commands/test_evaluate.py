"""`sonevakt evaluate tihm`: JSON and tables say the same, and a folder that cannot be read is named in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from agents.commands import evaluate as command
from agents.commands import main
from pipeline import backtest
from pipeline.backtest import CAVEAT, Evaluation

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


def spoil(folder: Path, **rows: str) -> None:
    for name, text in rows.items():
        with (folder / f"{name}.csv").open("a") as file:
            file.write(text)


def test_rows_that_cannot_be_read_are_counted_and_change_no_figure(folder: Path) -> None:
    before = json.loads(evaluated(str(folder), "--json").stdout)
    assert (before["rows_skipped"], before["readings_not_judged"]) == ({}, {})
    spoil(
        folder,
        Physiology=row(40, "Heart rate", 1, "beats/min") + row(4, "Mood", 977, "beats/min") * 2,
        Labels="0efe8,,Pulse\n0efe8,2019-05-02 09:00:00,Puls\n",
    )
    told = evaluated(str(folder), "--json")
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert found.pop("rows_skipped") == {
        "label_no_date": 1,
        "label_unknown_type": 1,
        "no_date": 1,
        "unknown_device_type": 2,
    }
    assert found == {key: value for key, value in before.items() if key != "rows_skipped"}
    assert told.stderr == (
        "sonevakt: Physiology.csv: 3 rows skipped (no_date 1, unknown_device_type 2), the first is row 92, column date;"
        " Labels.csv: 2 rows skipped (label_no_date 1, label_unknown_type 1), the first is row 3, column date\n"
    )
    assert "977" not in told.output


def test_readings_in_a_unit_that_is_not_known_are_counted(folder: Path) -> None:
    text = (folder / "Physiology.csv").read_text()
    (folder / "Physiology.csv").write_text(text.replace("beats/min", "bpm"))
    spoil(folder, Physiology=row(29, "Systolic blood pressure", 977, "mm[Hg]"))
    told = evaluated(str(folder), "--json")
    found = json.loads(told.stdout)
    assert (told.exit_code, found["pulse"]["measured_days"], found["blood_pressure"]["measured_days"]) == (0, 0, 30)
    assert found["readings_not_judged"] == {"impossible": 1, "unknown_unit": 30}
    assert told.stderr == (
        "sonevakt: 31 readings could not be judged (impossible 1, unknown_unit 30);"
        " the first unknown unit is in row 4 of Physiology.csv\n"
    )


def test_what_the_decisions_refuse_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*given: Any, **options: Any) -> Evaluation:  # noqa: ANN401 - whatever the evaluation takes
        return msgspec.structs.replace(backtest.evaluate(*given, **options), refused=2)

    monkeypatch.setattr(command, "evaluate", refusing)
    told = evaluated(str(folder), "--json")
    assert told.stderr == "sonevakt: 2 registrations or care events were refused, and nothing was decided by them\n"


def test_a_folder_in_which_nothing_can_be_judged_is_an_error(folder: Path) -> None:
    text = (folder / "Physiology.csv").read_text()
    (folder / "Physiology.csv").write_text(text.replace("mm[Hg]", "mmHg").replace("beats/min", "bpm"))
    told = evaluated(str(folder), "--json")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == (
        "sonevakt: nothing can be judged: there is no blood pressure and no pulse in a unit that is known;"
        " Physiology.csv: 90 readings have a unit that is not known and are judged as no data, the first is row 2,"
        " column unit\n"
    )


def test_the_plans_own_rhythm_can_be_given(folder: Path) -> None:
    plain, given = (
        json.loads(evaluated(str(folder), "--json", *options).stdout)["cadence"]
        for options in ((), ("--daily-days", "0", "--every-days", "3"))
    )
    assert plain["plan"] == plain["weekly"] | {"name": "daily for 14 days, then every 7 days"}
    assert given["plan"]["name"] == "daily for 0 days, then every 3 days"
    assert given["plan"]["submission_days_share"] == 10 / 30
    assert given["adaptive"]["name"].startswith("daily for 0 days, then every 3 days; daily for 7 days after")
    unchanged = ("weekly", "every_submission", "turning_daily")
    assert [given[key] for key in unchanged] == [plain[key] for key in unchanged]


@pytest.mark.parametrize("option", ["--every-days=0", "--daily-days=-1"])
def test_a_rhythm_that_no_plan_may_have_is_wrong_use(folder: Path, option: str) -> None:
    assert evaluated(str(folder), option).exit_code == 2


def test_a_seed_that_is_given_twice_is_refused() -> None:
    told = CliRunner().invoke(main, ["evaluate", "cohort", "--seed", "301", "--seed", "301"])
    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (2, "", 1)
    assert "each seed once" in told.stderr
