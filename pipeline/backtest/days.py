"""The unit of the evaluation: a patient-day on which the vitals of a label class were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.triage.vitals import DIASTOLIC, HEART_RATE, SYSTOLIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.triage.vitals import Vital

EPISODE_GAP_DAYS: Final = 7  # days at most this far apart are one episode [d]


class PatientDay(NamedTuple):
    """A patient, and a day of the patient's own calendar."""

    patient: str
    day: int  # days since 2000-01-01, as in pipeline.triage.instants


class LabelClass(NamedTuple):
    """What a clinical team's alerts are called, and the vitals that they are about."""

    key: str
    label: str
    vitals: tuple[Vital, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The vitals' canonical codes."""
        return frozenset(vital.codes[0] for vital in self.vitals)


BLOOD_PRESSURE: Final = LabelClass("blood_pressure", "Blood pressure", (SYSTOLIC, DIASTOLIC))
PULSE: Final = LabelClass("pulse", "Pulse", (HEART_RATE,))
CLASSES: Final = (BLOOD_PRESSURE, PULSE)


class Episode(NamedTuple):
    """Days of one patient of which none lies more than `EPISODE_GAP_DAYS` after the one before."""

    patient: str
    days: tuple[int, ...]


def by_patient(days: Iterable[PatientDay]) -> dict[str, list[int]]:
    """Each patient's days, in order and once each."""
    found: dict[str, list[int]] = {}
    for patient, day in sorted(set(days)):
        found.setdefault(patient, []).append(day)
    return found


def episodes(days: Iterable[PatientDay]) -> list[Episode]:
    """The episodes that `days` make, by patient and time."""
    found = []
    for patient, ordered in by_patient(days).items():
        start = 0
        for place in range(1, len(ordered) + 1):
            if place == len(ordered) or ordered[place] - ordered[place - 1] > EPISODE_GAP_DAYS:
                found.append(Episode(patient, tuple(ordered[start:place])))
                start = place
    return found
