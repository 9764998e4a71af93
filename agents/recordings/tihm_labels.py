"""TIHM's labels: the alerts that the clinical team verified. See `agents.recordings.tihm` for the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents.recordings import rows, tihm
from agents.recordings.rows import OddRowError, Skipped
from pipeline.backtest import VerifiedAlert

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "Labels.csv"
COLUMNS: Final = ("patient_id", "date", "type")
TYPES: Final = frozenset({"Agitation", "Blood pressure", "Body temperature", "Body water", "Pulse", "Weight"})
_OF_LABELS: Final = "label_"  # before a reason, since what labels and measurements lack is told together


class Labels(NamedTuple):
    """Every verified alert, those of types that nothing here judges among them."""

    alerts: tuple[VerifiedAlert, ...]
    skipped: Skipped


def read(folder: Path) -> Labels:
    """Read every verified alert in `folder`.

    Raises
    ------
    RecordingError
        The file or a column of it is missing, or it holds rows and none of them can be read.
    """
    alerts, skipped = rows.read(folder / FILE, COLUMNS, _alert)
    return Labels(tuple(alerts), skipped)


def _alert(line: dict[str, str], _: int) -> VerifiedAlert:
    try:
        tihm.checked_patient(line["patient_id"])
        at = tihm.instant(line["date"])
    except OddRowError as error:
        raise OddRowError(_OF_LABELS + error.reason, error.column) from None
    if line["type"] not in TYPES:
        raise OddRowError(f"{_OF_LABELS}unknown_type", "type")
    return VerifiedAlert(tihm.pseudonym_of(line["patient_id"]), at, line["type"])
