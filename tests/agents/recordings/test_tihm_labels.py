"""Reading TIHM's labels: every verified alert comes through, and a spoilt file is named by row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.recordings import tihm_labels
from agents.recordings.events import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "patient_id,date,type\n"
ROW = "0efe8,2019-05-14 14:38:48,Pulse\n"


def folder(path: Path, text: str) -> Path:
    (path / tihm_labels.FILE).write_text(text)
    return path


def test_alerts_have_the_pseudonym_of_the_measurements_and_british_time(tmp_path: Path) -> None:
    (alert,) = tihm_labels.read(folder(tmp_path, HEADER + ROW))
    assert (alert.patient, alert.at.isoformat(), alert.label) == ("tihm-0efe8", "2019-05-14T14:38:48+01:00", "Pulse")


def test_kinds_that_nothing_judges_are_read_too(tmp_path: Path) -> None:
    alerts = tihm_labels.read(folder(tmp_path, HEADER + ROW + ROW.replace("Pulse", "Agitation")))
    assert [alert.label for alert in alerts] == ["Pulse", "Agitation"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient_id,type\n", "column date is missing"),
        ("", "column patient_id is missing"),
        (HEADER + ROW.replace("2019-05-14 14:38:48", "soon"), "row 2, column date: is no time"),
        (HEADER + ROW + ROW.replace("Pulse", ""), "row 3, column type: is empty"),
        (HEADER + "0efe8,2019-05-14 14:38:48\n", "row 2, column type: is empty"),
        (HEADER + ROW.replace("0efe8", "0 efe"), "row 2, column patient_id: is no id"),
    ],
)
def test_a_spoilt_file_is_named_by_row_and_column(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecordingError, match=rf"Labels\.csv.*{told}"):
        tihm_labels.read(folder(tmp_path, text))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / tihm_labels.FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(RecordingError, match="is not UTF-8 text"):
        tihm_labels.read(tmp_path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"Labels\.csv"):
        tihm_labels.read(tmp_path)
