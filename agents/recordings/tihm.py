"""TIHM: real home measurements of people with dementia, in the form in which it was published.

Palermo et al., "TIHM: An open dataset for remote healthcare monitoring in dementia", Scientific Data 10:606 (2023),
doi:10.1038/s41597-023-02519-y; Zenodo record 7622128, CC BY 4.0.
"""

from __future__ import annotations

import csv
from datetime import datetime, time, timedelta
from itertools import groupby
from math import isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from agents.recordings.events import Event, RecordingError
from schemas.care import Cadence, Enrolled, Limit, Plan, PlanSigned
from schemas.submissions import Reading, Submission
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

FILE: Final = "Physiology.csv"
COLUMNS: Final = ("patient_id", "date", "device_type", "value", "unit")
ZONE: Final = ZoneInfo("Europe/London")
SESSION: Final = timedelta(minutes=30)  # rows within this of the first are one session; our choice
FOLLOWED: Final = {
    "Systolic blood pressure": "8480-6",
    "Diastolic blood pressure": "8462-4",
    "Heart rate": "8867-4",
    "Body Temperature": "8310-5",
    "Body weight": "29463-7",
}
NOT_FOLLOWED: Final = frozenset({"O/E - muscle mass", "Total body water", "Skin Temperature"})
_NAMES: Final = uuid5(NAMESPACE_URL, "https://zenodo.org/records/7622128")

# Blood pressure: systolic <90 or >=160, diastolic <55 or >=100; pulse <=50 or >=100. Systolic 160 and diastolic 100 are
# where grade 2 hypertension begins, systolic below 90 is hypotension [1]; a diastolic below 55 to 60 goes with worse
# coronary perfusion in the old [2]; pulse 50 and 100 are the edges of what is called bradycardia and tachycardia.
# A value at a limit breaks it, and the pressures are whole numbers, so "<90" is a limit of 89.
# [1] Williams et al., Eur. Heart J. 39 (33), 2018, doi:10.1093/eurheartj/ehy339
# [2] Messerli et al., Ann. Intern. Med. 144 (12), 2006, doi:10.7326/0003-4819-144-12-200606200-00005
LIMITS: Final = (
    Limit(code="8480-6", unit="mm[Hg]", red_low=89, red_high=160),
    Limit(code="8462-4", unit="mm[Hg]", red_low=54, red_high=100),
    Limit(code="8867-4", unit="/min", yellow_low=50, yellow_high=100),
)


class Row(NamedTuple):
    """One measurement that is followed."""

    patient: str
    at: datetime
    kind: str
    value: float
    unit: str


class Tihm(NamedTuple):
    """A recording: its rows of the followed kinds, and how many are of the others."""

    rows: tuple[Row, ...]
    not_followed: int

    def events(self) -> list[Event]:
        """Everything in the order in which it reached us."""
        found: list[Event] = []
        for patient, rows in groupby(self.rows, key=attrgetter("patient")):
            found += _of_patient(patient, list(rows))
        return sorted(found, key=lambda event: event.at)


def read(folder: Path) -> Tihm:
    """Read the measurements in `folder`.

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
            rows, others = [], 0
            for number, line in enumerate(lines, start=2):
                row = _row(line, number)
                if row is None:
                    others += 1
                else:
                    rows.append(row)
    except OSError:
        raise RecordingError(f"{FILE}: there is no such file in the folder given") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{FILE}: is not UTF-8 text") from None
    return Tihm(tuple(sorted(rows)), others)


def pseudonym_of(patient: str) -> str:
    """What a recorded patient is called here."""
    return f"tihm-{patient}"


def _row(line: dict[str, str], number: int) -> Row | None:
    kind = line["device_type"]
    if kind in NOT_FOLLOWED:
        return None
    if kind not in FOLLOWED:
        raise RecordingError(f"{FILE}, row {number}, column device_type: is none of the published kinds")
    try:
        at = datetime.fromisoformat(line["date"])
    except ValueError:
        raise RecordingError(f"{FILE}, row {number}, column date: is no time") from None
    try:
        value = float(line["value"])
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise RecordingError(f"{FILE}, row {number}, column value: is no number")
    if not line["patient_id"].isalnum():
        raise RecordingError(f"{FILE}, row {number}, column patient_id: is no id")
    return Row(line["patient_id"], at.replace(tzinfo=ZONE), kind, value, line["unit"])


def _of_patient(patient: str, rows: list[Row]) -> Iterator[Event]:
    pseudonym = pseudonym_of(patient)
    start = datetime.combine(rows[0].at.date(), time(), ZONE)
    enrolled = Enrolled(
        event_id=_id(pseudonym, "enrolled"),
        patient=pseudonym,
        at=start,
        recorded_at=start,
        pathway="tihm",
        service="tihm-team",
        municipality="tihm",
        phase=Phase.FOLLOW_UP,
        time_zone=ZONE.key,
    )
    signed = PlanSigned(
        event_id=_id(pseudonym, "plan"),
        patient=pseudonym,
        at=start,
        recorded_at=start,
        signed_by="tihm-engine",
        plan=Plan(
            version=1,
            valid_from_at=start,
            limits=LIMITS,
            cadence=Cadence(times=("10:00",), daily_days=3650, every_days=1, grace_minutes=24 * 60),
        ),
    )
    yield Event(start, CARE, enrolled)
    yield Event(start, CARE, signed)
    session: list[Row] = []
    for row in rows:
        if session and row.at - session[0].at > SESSION:
            yield _submission(pseudonym, session)
            session = []
        session.append(row)
    yield _submission(pseudonym, session)


def _submission(pseudonym: str, rows: list[Row]) -> Event:
    attempts: dict[str, int] = {}
    readings = []
    for row in rows:
        attempts[row.kind] = attempts.get(row.kind, 0) + 1
        readings.append(
            Reading(
                code=FOLLOWED[row.kind],
                value=row.value,
                unit=row.unit,
                measured_at=row.at,
                attempt=min(attempts[row.kind], 20),
            )
        )
    received = rows[-1].at
    message = Submission(
        submission_id=_id(pseudonym, rows[0].at.isoformat()),
        patient=pseudonym,
        received_at=received,
        readings=tuple(readings),
    )
    return Event(received, SUBMISSIONS, message)


def _id(pseudonym: str, what: str) -> UUID:
    return uuid5(_NAMES, f"{pseudonym}\x1f{what}")
