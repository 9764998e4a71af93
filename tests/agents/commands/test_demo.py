"""The demo and a replay of JSON lines, as a stranger starts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from schemas.topics import CARE, SUBMISSIONS
from tests.histories import SPO2_LIMITS, enrolled, signed, spo2, submitted

pytestmark = pytest.mark.timeout(180)
LONG_AGO = -24 * 2181  # hours: 2020-03-30
ROOT = Path(__file__).parents[3]


def sonevakt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", "from agents.commands import main; main()", *arguments],
        cwd=folder,
        env=ours | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def number(told: str, line: str) -> int:
    return next(int(one.removeprefix(line).split()[0]) for one in told.splitlines() if one.startswith(line))


def test_the_demo_ends_with_numbers_that_add_up(tmp_path: Path) -> None:
    done = sonevakt(tmp_path, "demo", "--once", "--patients", "5", "--days", "15")
    assert done.returncode == 0, done.stdout + done.stderr
    sent = number(done.stdout, "submissions in")
    assert sent > 30
    assert number(done.stdout, "  assessed") == number(done.stdout, "  stored") == sent
    assert number(done.stdout, "  dead letters") == 0
    assert "  adds up       yes" in done.stdout
    assert "deteriorations " in done.stdout
    assert "received to assessed: half within" in done.stdout


def test_json_lines_are_replayed_and_their_assessments_written(tmp_path: Path) -> None:
    events = [
        (CARE.name, enrolled(LONG_AGO)),
        (CARE.name, signed(LONG_AGO, SPO2_LIMITS)),
        (SUBMISSIONS.name, submitted("10", LONG_AGO + 10, spo2(95, LONG_AGO + 10))),
        (SUBMISSIONS.name, submitted("34", LONG_AGO + 34, spo2(84, LONG_AGO + 34))),
    ]
    lines = [msgspec.json.encode({"topic": topic, "message": message}) for topic, message in events]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    done = sonevakt(tmp_path, "replay", "events.jsonl", "--once", "--assessments", "found.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    found = [msgspec.json.decode(line) for line in (tmp_path / "found.jsonl").read_bytes().splitlines()]
    assert sorted((one["at"], one["zone"]) for one in found) == [
        ("2020-03-30T10:00:00Z", "green"),
        ("2020-03-31T10:00:00Z", "red"),
    ]
    # Nobody acknowledges it, so it has climbed its whole ladder by the end of that day.
    numbers = re.search(r"pages asked for (\d+), delivered (\d+), taken by the receiver (\d+)", done.stdout)
    assert numbers is not None, done.stdout
    assert len(set(numbers.groups())) == 1
    assert int(numbers[1]) >= 5


def test_a_replay_of_tihm_tells_what_it_skips_and_loses_nothing_else(tmp_path: Path) -> None:
    rows = [
        "P 1,2019-05-14 14:38:48,Heart rate,78,beats/min",
        "P 1,2019-05-14 14:38:48,Systolic blood pressure,120,mmHg",
        "P 1,2019-05-15 14:38:48,Heart rate,,beats/min",
        "P 1,2019-05-16 14:38:48,Heart rate,77,beats/min",
    ]
    folder = tmp_path / "tihm"
    folder.mkdir()
    (folder / "Physiology.csv").write_text("\n".join(["\ufeffpatient_id,date,device_type,value,unit", *rows]))
    done = sonevakt(tmp_path, "replay", "tihm", "--once", "--assessments", "found.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = "Physiology.csv: 1 rows skipped (no_value 1), the first is row 4, column value\n"
    unknown = "Physiology.csv: 1 readings have a unit that is not known and are judged as no data, the first is row 3"
    for told in (done.stdout, done.stderr):
        assert skipped in told
        assert unknown in told
    assert number(done.stdout, "submissions in") == number(done.stdout, "  assessed") == 2
    assert number(done.stdout, "  dead letters") == 0
    found = [msgspec.json.decode(line) for line in (tmp_path / "found.jsonl").read_bytes().splitlines()]
    assert sorted(one["zone"] for one in found) == ["green", "no_data"]
