"""Reading TIHM: every followed measurement comes through, and what cannot be read is told by row and column."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from agents.recordings import tihm
from agents.recordings.events import RecordingError
from schemas.submissions import Submission
from schemas.types import Pseudonym

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
    ("date", "at"),
    [
        ("2019-05-14T14:38:48+02:00", "2019-05-14T13:38:48+01:00"),
        ("2019-05-14 14:38:48Z", "2019-05-14T15:38:48+01:00"),
        ("2019-01-14 23:38:48-05:00", "2019-01-15T04:38:48+00:00"),
    ],
)
def test_an_offset_is_taken_at_its_word(tmp_path: Path, date: str, at: str) -> None:
    (row,) = tihm.read(folder(tmp_path, HEADER + ROW.replace("2019-05-14 14:38:48", date))).rows
    assert row.at.isoformat() == at


def test_rows_are_in_the_order_of_time_though_the_clock_was_put_back_between_them(tmp_path: Path) -> None:
    dates = ("2019-10-27T01:10:00+00:00", "2019-10-27T01:50:00+01:00")
    read = tihm.read(folder(tmp_path, HEADER + "".join(ROW.replace("2019-05-14 14:38:48", date) for date in dates)))
    assert [row.at.isoformat() for row in read.rows] == ["2019-10-27T01:50:00+01:00", "2019-10-27T01:10:00+00:00"]
    (session,) = [event.message for event in read.events() if isinstance(event.message, Submission)]
    assert len(session.readings) == 2


SPOILT = [
    (ROW.replace(",78,", ",high,"), "no_value", "value"),
    (ROW.replace(",78,", ",,"), "no_value", "value"),
    (ROW.replace(",78,", ",nan,"), "no_value", "value"),
    (ROW.replace("2019-05-14 14:38:48", "soon"), "no_date", "date"),
    (ROW.replace("2019-05-14 14:38:48", ""), "no_date", "date"),
    (ROW.replace("2019", "0001"), "no_date", "date"),
    (ROW.replace("2019", "1970"), "no_date", "date"),
    (ROW.replace("2019-05-14", "9999-12-31").replace("48,", "48-10:00,", 1), "no_date", "date"),
    (ROW.replace("Heart rate", "Mood"), "unknown_device_type", "device_type"),
    (ROW.replace("beats/min", ""), "no_unit", "unit"),
    (ROW.replace("0efe8", ""), "no_patient_id", "patient_id"),
    (ROW.replace("0efe8", "01019012345"), "no_patient_id", "patient_id"),
    (ROW.replace("0efe8", "010190-12345"), "no_patient_id", "patient_id"),
    (ROW.replace("78", "36,978"), "not_its_columns", "unit"),
    (ROW.replace("0efe8", '"0efe8'), "not_its_columns", "unit"),
    ("0efe8,2019-05-14 14:38:48\n", "unknown_device_type", "device_type"),
]


@pytest.mark.parametrize(("row", "reason", "column"), SPOILT)
def test_a_row_that_cannot_be_read_is_skipped_and_told_without_its_value(
    tmp_path: Path, row: str, reason: str, column: str
) -> None:
    read = tihm.read(folder(tmp_path, HEADER + ROW + "\n" + row + ROW.replace("14:38", "18:38")))
    assert len(read.rows) == 2
    assert read.warnings() == [f"Physiology.csv: 1 rows skipped ({reason} 1), the first is row 4, column {column}"]


def test_rows_that_are_skipped_are_counted_by_reason(tmp_path: Path) -> None:
    read = tihm.read(folder(tmp_path, HEADER + "".join(row for row, _, _ in SPOILT) + ROW))
    assert read.skipped.reasons == {
        "no_value": 3,
        "no_date": 5,
        "unknown_device_type": 2,
        "no_unit": 1,
        "no_patient_id": 3,
        "not_its_columns": 2,
    }
    assert (read.skipped.row, read.skipped.column) == (2, "value")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient_id,date,value,unit\n", "column device_type is missing"),
        ("", "column patient_id is missing"),
        (HEADER, "holds no measurement that is followed"),
        (HEADER + ROW.replace("Heart rate", "Total body water"), "that is followed: 1 rows are of kinds that are not"),
        (
            HEADER + ROW.replace("78", "high"),
            r"no row can be read of Physiology\.csv: 1 rows skipped \(no_value 1\), the first is row 2, column value",
        ),
    ],
)
def test_a_file_without_anything_to_follow_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        tihm.read(folder(tmp_path, text))


def test_a_mark_of_byte_order_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert tihm.read(folder(tmp_path, "\ufeff" + HEADER + ROW)) == tihm.read(folder(tmp_path, HEADER + ROW))


def test_a_reading_whose_unit_is_not_known_stays_a_reading_and_is_told(tmp_path: Path) -> None:
    read = tihm.read(folder(tmp_path, HEADER + ROW + ROW.replace("beats/min", "bpm") * 2))
    assert ([row.unit for row in read.rows].count("bpm"), read.unknown_units) == (2, (3, 4))
    assert read.warnings() == [
        (
            "Physiology.csv: 2 readings have a unit that is not known and are judged as no data,"
            " the first is row 3, column unit"
        )
    ]


@pytest.mark.parametrize(
    "patient", ["0efe8", "P-001", "a.b", "Åse 7", "x" * 80, "0001112223334", "7a3ff5f0-5c1b-4a39-8f0e-000000000011"]
)
def test_every_id_makes_a_pseudonym_that_is_one(tmp_path: Path, patient: str) -> None:
    read = tihm.read(folder(tmp_path, HEADER + ROW + ROW.replace("0efe8", patient)))
    named = {event.message.patient for event in read.events()}
    assert tihm.pseudonym_of(patient) in named
    assert len(named) == len({"0efe8", patient})
    assert all(msgspec.convert(name, Pseudonym) for name in named)


def test_a_pseudonym_holds_the_id_where_it_can() -> None:
    assert [tihm.pseudonym_of(patient) for patient in ("0efe8", "P-001")] == ["tihm-0efe8", "tihm-P-001"]


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
