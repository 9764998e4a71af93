"""What the alerts ask of the staff: how many there are in a patient-week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from pipeline.backtest.days import by_patient
from pipeline.backtest.engine import ALERTS
from pipeline.triage.instants import local_day, to_ms
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from pipeline.backtest.days import PatientDay
    from pipeline.backtest.engine import Run

WEEK_DAYS: Final = 7
MANY: Final = 4  # weeks with this many or more are counted together


class Load(Struct, frozen=True, kw_only=True):
    """One kind of work over the patient-weeks."""

    what: str
    total: int
    per_week: float | None  # mean over patient-weeks; None without any
    most: int  # in one patient's one week
    weeks: tuple[int, ...]  # patient-weeks with 0, 1, 2 and 3 of them, and with `MANY` or more


def loads(run: Run, followed: Iterable[PatientDay], zone: tzinfo) -> tuple[Load, ...]:
    """The load over patient-weeks: a patient's own weeks, from the first day of `followed` through the last.

    A week in which nothing was measured between two in which something was is a week too.
    """
    spans = {patient: (days[0], days[-1]) for patient, days in by_patient(followed).items()}
    alerting = [assessment for assessment in run.assessments if assessment.zone in ALERTS]
    changes = [change for change in run.zone_changes if change.to_zone in ALERTS]
    told = {
        "days with a yellow or red": {(found.patient, _day(found.at, zone)) for found in alerting},
        "registrations in yellow or red": [(found.patient, _day(found.at, zone)) for found in alerting],
        "registrations in red": [(found.patient, _day(found.at, zone)) for found in alerting if found.zone is Zone.RED],
        "changes to yellow or red": [(change.patient, _day(change.at, zone)) for change in changes],
        "pages": [(page.patient, _day(page.at, zone)) for page in run.pages],
    }
    return tuple(load(what, happened, spans) for what, happened in told.items())


def load(what: str, happened: Iterable[tuple[str, int]], spans: dict[str, tuple[int, int]]) -> Load:
    """How the (patient, day) in `happened` fall on the weeks of each patient's (first, last) day in `spans`."""
    counts = {patient: np.zeros((last - first) // WEEK_DAYS + 1, np.int64) for patient, (first, last) in spans.items()}
    for patient, day in happened:
        if patient in spans and spans[patient][0] <= day <= spans[patient][1]:
            counts[patient][(day - spans[patient][0]) // WEEK_DAYS] += 1
    weeks = np.concatenate([np.empty(0, np.int64), *counts.values()])
    shown = np.bincount(np.minimum(weeks, MANY), minlength=MANY + 1)
    return Load(
        what=what,
        total=int(weeks.sum()),
        per_week=float(weeks.mean()) if len(weeks) else None,
        most=int(weeks.max(initial=0)),
        weeks=tuple(map(int, shown)),
    )


def _day(at: datetime, zone: tzinfo) -> int:
    return local_day(to_ms(at), zone)
