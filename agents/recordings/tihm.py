"""TIHM: real home measurements of people with dementia, in the form in which it was published.

Palermo et al., "TIHM: An open dataset for remote healthcare monitoring in dementia", Scientific Data 10:606 (2023),
doi:10.1038/s41597-023-02519-y; Zenodo record 7622128, CC BY 4.0.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import groupby
from math import isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec

from agents.encounters.encounter import RefusedRowError
from agents.encounters.fields import without_national_numbers
from agents.recordings import rows as csv_rows
from agents.recordings.events import Event, RecordingError
from agents.recordings.rows import OddRowError, Skipped
from pipeline.triage.vitals import BY_CODE, factor
from schemas.care import Cadence, Enrolled, Limit, Plan, PlanSigned
from schemas.submissions import Reading, Submission
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Phase, Pseudonym, Ucum

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
YEARS: Final = (2000, 2199)  # our choice: nobody was followed at home before, and a time outside is a slip
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")  # a name of letters alone is no number of anybody
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


class NoPseudonymError(ValueError):
    """No pseudonym can be made of a patient's id: why, and never the id."""


class Row(NamedTuple):
    """One measurement that is followed."""

    patient: str  # as the source calls them
    at: datetime
    kind: str
    value: float
    unit: str


class Tihm(NamedTuple):
    """A recording: its rows of the followed kinds, and what became of the others."""

    rows: tuple[Row, ...]
    not_followed: int  # rows of other kinds
    skipped: Skipped
    unknown_units: tuple[int, ...]  # numbers of the rows whose unit nobody knows: kept, and judged as no data

    def events(self) -> list[Event]:
        """Everything in the order in which it reached us."""
        found: list[Event] = []
        for patient, rows in groupby(self.rows, key=attrgetter("patient")):
            found += _of_patient(patient, list(rows))
        return sorted(found, key=lambda event: event.at.timestamp())

    def warnings(self) -> list[str]:
        """What whoever reads the recording must be told of it, a line each."""
        found = [str(self.skipped)] if self.skipped else []
        if self.unknown_units:
            found.append(
                f"{FILE}: {len(self.unknown_units)} readings have a unit that is not known and are judged as no data,"
                f" the first is row {self.unknown_units[0]}, column unit"
            )
        return found


def read(folder: Path) -> Tihm:
    """Read the measurements in `folder`.

    Raises
    ------
    RecordingError
        The file or a column of it is missing, or it holds nothing that is followed.
    """
    unknown_units: list[int] = []

    def of(line: dict[str, str], number: int) -> Row | None:
        row = _row(line)
        if row is not None and factor(BY_CODE[FOLLOWED[row.kind]], row.unit) is None:
            unknown_units.append(number)
        return row

    found, skipped = csv_rows.read(folder / FILE, COLUMNS, of)
    followed = [row for row in found if row is not None]
    if not followed:
        others = f": {len(found)} rows are of kinds that are not" if found else ""
        raise RecordingError(f"{FILE}: holds no measurement that is followed{others}")
    return Tihm(tuple(sorted(followed, key=_order)), len(found) - len(followed), skipped, tuple(unknown_units))


def pseudonym_of(patient: str) -> str:
    """What a recorded patient is called here: by the source's own id, or by a name made from it where that cannot be.

    Raises
    ------
    NoPseudonymError
        There is no id, or it looks like a national identity number, which a name made from it would give away.
    """
    try:
        without_national_numbers(patient)
    except RefusedRowError:
        raise NoPseudonymError("looks like a national identity number") from None
    if not patient:
        raise NoPseudonymError("is empty")
    name = f"tihm-{patient}"
    try:
        return msgspec.convert(name, Pseudonym)
    except msgspec.ValidationError:
        return f"tihm-{_id('patient', patient).hex.translate(_LETTERS)}"


def instant(text: str) -> datetime:
    """A time of the recording, in British time; one with an offset is taken at its word.

    Raises
    ------
    OddRowError
        It is none, or one of another century.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise OddRowError("no_date", "date") from None
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise OddRowError("no_date", "date")
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at.astimezone(ZONE)


def _row(line: dict[str, str]) -> Row | None:
    """The measurement in a row, None for one of a kind that is not followed; raises OddRowError."""
    kind = line["device_type"]
    if kind in NOT_FOLLOWED:
        return None
    if kind not in FOLLOWED:
        raise OddRowError("unknown_device_type", "device_type")
    at = instant(line["date"])
    try:
        value = float(line["value"])
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise OddRowError("no_value", "value")
    try:
        unit = msgspec.convert(line["unit"], Ucum)
    except msgspec.ValidationError:
        raise OddRowError("no_unit", "unit") from None
    checked_patient(line["patient_id"])
    return Row(line["patient_id"], at, kind, value, unit)


def checked_patient(patient: str) -> None:
    """Raise OddRowError where no pseudonym can be made of a patient's id."""
    try:
        pseudonym_of(patient)
    except NoPseudonymError:
        raise OddRowError("no_patient_id", "patient_id") from None


def _order(row: Row) -> tuple[str, float, str, float, str]:
    return row.patient, row.at.timestamp(), row.kind, row.value, row.unit


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
        if session and row.at.timestamp() - session[0].at.timestamp() > SESSION.total_seconds():
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
