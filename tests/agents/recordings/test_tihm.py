"""Reading TIHM: every followed measurement comes through, and a spoilt file is named by row and column."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from agents.recordings import tihm
from agents.recordings.events import RecordingError
from schemas.submissions import Submission

HEADER = "patient_id,date,device_type,value,unit\n"
ROW = "0efe8,2019-05-14 14:38:48,Heart rate,78,beats/min\n"
SHARED = Path(os.environ.get("SONEVAKT_TIHM", Path(__file__).parents[4] / "shared" / "data" / "tihm"))


def folder(path: Path, text: str) -> Path:
    (path / tihm.FILE).write_text(text)
    return path


def test_rows_within_half_an_hour_are_one_session(tmp_path: Path) -> None:
    rows = [ROW, ROW.replace("14:38:48", "15:08:48"), ROW.replace("14:38:48", "15:08:49")]
    events = tihm.read(folder(tmp_path, HEADER + "".join(rows))).events()
    sessions = [event.message for event in events if isinstance(event.message, Submission)]
    assert [len(session.readings) for session in sessions] == [2, 1]
    assert [reading.attempt for reading in sessions[0].readings] == [1, 2]


def test_times_are_british_summer_time(tmp_path: Path) -> None:
    (row,) = tihm.read(folder(tmp_path, HEADER + ROW)).rows
    assert row.at.isoformat() == "2019-05-14T14:38:48+01:00"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient_id,date,value,unit\n", "column device_type is missing"),
        (HEADER + ROW.replace("78", "high"), "row 2, column value"),
        (HEADER + ROW + ROW.replace("78", "nan"), "row 3, column value"),
        (HEADER + ROW.replace("2019-05-14 14:38:48", "soon"), "row 2, column date"),
        (HEADER + ROW.replace("Heart rate", "Mood"), "row 2, column device_type"),
    ],
)
def test_a_spoilt_file_is_named_by_row_and_column(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        tihm.read(folder(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"Physiology\.csv"):
        tihm.read(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="TIHM is not part of the project: set SONEVAKT_TIHM to its folder")
def test_every_followed_measurement_of_the_real_data_is_in_one_submission() -> None:
    recording = tihm.read(SHARED)
    sessions = [event.message for event in recording.events() if isinstance(event.message, Submission)]
    read = Counter(
        (session.patient, reading.code, reading.measured_at, reading.value)
        for session in sessions
        for reading in session.readings
    )
    wanted = Counter((f"tihm-{row.patient}", tihm.FOLLOWED[row.kind], row.at, row.value) for row in recording.rows)
    assert read == wanted
    assert len({session.submission_id for session in sessions}) == len(sessions)
