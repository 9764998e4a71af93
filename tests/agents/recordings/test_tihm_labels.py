"""Reading TIHM's labels: every verified alert comes through, and what cannot be read is told by row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.recordings import tihm, tihm_labels
from agents.recordings.events import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "patient_id,date,type\n"
ROW = "0efe8,2019-05-14 14:38:48,Pulse\n"


def folder(path: Path, text: str) -> Path:
    (path / tihm_labels.FILE).write_text(text)
    return path


def test_alerts_have_the_pseudonym_of_the_measurements_and_british_time(tmp_path: Path) -> None:
    (alert,) = tihm_labels.read(folder(tmp_path, HEADER + ROW)).alerts
    assert (alert.patient, alert.at.isoformat(), alert.label) == ("tihm-0efe8", "2019-05-14T14:38:48+01:00", "Pulse")


def test_kinds_that_nothing_judges_are_read_too(tmp_path: Path) -> None:
    alerts = tihm_labels.read(folder(tmp_path, HEADER + ROW + ROW.replace("Pulse", "Agitation"))).alerts
    assert [alert.label for alert in alerts] == ["Pulse", "Agitation"]


SPOILT = [
    (ROW.replace("2019-05-14 14:38:48", "soon"), "label_no_date", "date"),
    (ROW.replace("2019-05-14 14:38:48", ""), "label_no_date", "date"),
    (ROW.replace("Pulse", ""), "label_unknown_type", "type"),
    (ROW.replace("Pulse", "Blood presure"), "label_unknown_type", "type"),
    ("0efe8,2019-05-14 14:38:48\n", "label_unknown_type", "type"),
    (ROW.replace("0efe8", ""), "label_no_patient_id", "patient_id"),
]


@pytest.mark.parametrize(("row", "reason", "column"), SPOILT)
def test_a_row_that_cannot_be_read_is_skipped_and_told(tmp_path: Path, row: str, reason: str, column: str) -> None:
    read = tihm_labels.read(folder(tmp_path, HEADER + ROW + row))
    assert len(read.alerts) == 1
    assert str(read.skipped) == f"Labels.csv: 1 rows skipped ({reason} 1), the first is row 3, column {column}"


def test_a_file_without_any_alert_is_read(tmp_path: Path) -> None:
    assert tihm_labels.read(folder(tmp_path, HEADER)).alerts == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient_id,type\n", "Labels.csv: column date is missing"),
        ("", "Labels.csv: column patient_id is missing"),
        (HEADER + ROW.replace("2019-05-14 14:38:48", "soon"), "no row can be read of Labels.csv: 1 rows skipped"),
    ],
)
def test_a_file_that_tells_nothing_is_an_error(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        tihm_labels.read(folder(tmp_path, text))


@pytest.mark.parametrize("patient", ["P-001", "0 efe", "Åse 7"])
def test_alerts_and_measurements_of_one_id_are_of_one_pseudonym(tmp_path: Path, patient: str) -> None:
    (alert,) = tihm_labels.read(folder(tmp_path, "\ufeff" + HEADER + ROW.replace("0efe8", patient))).alerts
    assert alert.patient == tihm.pseudonym_of(patient)


def test_an_offset_is_taken_at_its_word(tmp_path: Path) -> None:
    (alert,) = tihm_labels.read(folder(tmp_path, HEADER + ROW.replace("14:38:48", "14:38:48+03:00"))).alerts
    assert alert.at.isoformat() == "2019-05-14T12:38:48+01:00"


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / tihm_labels.FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(RecordingError, match="is not UTF-8 text"):
        tihm_labels.read(tmp_path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"Labels\.csv"):
        tihm_labels.read(tmp_path)
