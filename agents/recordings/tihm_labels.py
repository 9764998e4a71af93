"""TIHM's labels: the alerts that the clinical team verified. See `agents.recordings.tihm` for the source."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TYPE_CHECKING, Final

from agents.recordings.events import RecordingError
from agents.recordings.tihm import ZONE, pseudonym_of
from pipeline.backtest import VerifiedAlert

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "Labels.csv"
COLUMNS: Final = ("patient_id", "date", "type")


def read(folder: Path) -> tuple[VerifiedAlert, ...]:
    """Read every verified alert in `folder`, those of kinds that nothing here judges among them.

    Raises
    ------
    RecordingError
        The file is missing, or a row of it is not as published.
    """
    path = folder / FILE
    try:
        with path.open(newline="", encoding="utf-8") as source:
            lines = csv.DictReader(source)
            if missing := [name for name in COLUMNS if name not in (lines.fieldnames or ())]:
                raise RecordingError(f"{FILE}: column {missing[0]} is missing")
            return tuple(_alert(line, number) for number, line in enumerate(lines, start=2))
    except OSError:
        raise RecordingError(f"{FILE}: there is no such file in the folder given") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{FILE}: is not UTF-8 text") from None


def _alert(line: dict[str, str | None], number: int) -> VerifiedAlert:
    patient, date, kind = (line[name] or "" for name in COLUMNS)
    if not patient.isalnum():
        raise RecordingError(f"{FILE}, row {number}, column patient_id: is no id")
    try:
        at = datetime.fromisoformat(date)
    except ValueError:
        raise RecordingError(f"{FILE}, row {number}, column date: is no time") from None
    if not kind:
        raise RecordingError(f"{FILE}, row {number}, column type: is empty")
    return VerifiedAlert(pseudonym_of(patient), at.replace(tzinfo=ZONE), kind)
