"""Who is simulated: each patient's own normal, when they are followed, and what truly happens to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import exp
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pipeline.cohort.groups import GROUPS, Group, Usual

ZONE: Final = ZoneInfo("Europe/Oslo")
SERVICES: Final = (
    "simulated-joint-centre",
    "simulated-hospital",
    "simulated-district-a",
    "simulated-district-b",
    "simulated-district-c",
)
_DETERIORATE: Final = 0.35  # share of patients who do, where they are followed for long enough
_SEVERITY: Final = (0.7, 1.1)
_INSIDE: Final = 0.5  # share of the slow ones that are at their worst before any limit of the plan is crossed
_INSIDE_SEVERITY: Final = (0.3, 0.5)
_FELT_FROM: Final = 0.5  # of the way to the worst: from here on a patient feels what comes slowly
_EASES: Final = timedelta(days=3)  # after the worst, what is left falls to 1/e in this
_GROUPED: Final = sum(group.share for group in GROUPS)


class Deterioration(NamedTuple):
    """What truly happened to a patient, and where it shows."""

    patient: str
    pathway: str
    kind: str
    onset_at: datetime
    peak_at: datetime
    slow: bool
    severity: float  # of what is usual in the group at the worst
    vitals: tuple[str, ...]
    inside: bool = False  # at its worst every vital is, but for its noise, within the plan's limits

    @property
    def felt_at(self) -> datetime:
        """From when the patient feels unwell, and sends more often."""
        return self.onset_at + (self.peak_at - self.onset_at) * (_FELT_FROM if self.slow else 0)

    def shift(self, usual: Usual, at: datetime) -> float:
        """How far it has moved one vital from what is usual [the vital's unit]."""
        progress = self.progress(at)
        if not self.slow:
            return progress * usual.worst
        if at >= self.peak_at:
            return progress * usual.slowly
        moved: float = (progress / self.severity) ** usual.shape
        return self.severity * moved * usual.slowly

    def progress(self, at: datetime) -> float:
        """How far it has come at `at`: 0 before it, its severity at its worst."""
        if at < self.onset_at:
            return 0.0
        if at <= self.peak_at:
            return self.severity * ((at - self.onset_at) / (self.peak_at - self.onset_at))
        return self.severity * exp(-((at - self.peak_at) / _EASES))


class Patient(NamedTuple):
    """One simulated patient; `means` in the order of the group's vitals [their units]."""

    name: str
    group: Group
    means: tuple[float, ...]
    service: str
    enrolled_at: datetime
    ends_at: datetime | None
    deterioration: Deterioration | None

    def worse(self, at: datetime) -> float:
        """How unwell the patient is at `at`: 0 as usual, about 1 at the worst."""
        return self.deterioration.progress(at) if self.deterioration else 0.0

    def shift(self, usual: Usual, at: datetime) -> float:
        """How far a vital has moved from the patient's own usual value at `at` [the vital's unit]."""
        return self.deterioration.shift(usual, at) if self.deterioration else 0.0


def person(seed: int, number: int, start: datetime, days: int, patients: int) -> Patient:
    """The `number`th of so many `patients`, followed within `days` from `start`."""
    random = Random(f"{seed}-{number}")  # noqa: S311 - a simulation
    group = _group(number, patients)
    end = start + timedelta(days=days)
    begins = start + timedelta(days=random.uniform(0, min(5, days / 2)))
    ends: datetime | None = None
    if group.several_a_day:
        begins = start + timedelta(days=random.uniform(0, max(1, days - 22)))
        leaves = begins + timedelta(days=random.uniform(10, 20))
        ends = leaves if leaves < end else None
    means = tuple(random.gauss(usual.mean, usual.between) for usual in group.usual)
    service = SERVICES[1] if group.several_a_day else random.choice((SERVICES[0], SERVICES[0], *SERVICES[2:]))
    name = f"sim-{number:04d}"
    worse = _deterioration(random, name, group, begins, ends or end)
    return Patient(name, group, means, service, begins, ends, worse)


def _group(number: int, patients: int) -> Group:
    """Patients stand group by group, each group with its share."""
    place = (number - 1) * _GROUPED // patients
    passed = 0
    for group in GROUPS:
        passed += group.share
        if place < passed:
            return group
    raise ValueError(f"there is no patient {number} among {patients}")


def _deterioration(random: Random, name: str, group: Group, begins: datetime, until: datetime) -> Deterioration | None:
    """A deterioration after the patient's normal is known and over its worst before `until`; None for most patients."""
    if random.random() >= _DETERIORATE:
        return None
    slow = random.random() < group.slow_share
    length = timedelta(days=random.uniform(*(group.slow_days if slow else group.acute_days)))
    first = begins + timedelta(days=3 if group.several_a_day else 16)
    last = until - length - timedelta(days=1)
    if first >= last:
        return None
    onset = first + (last - first) * random.random()
    vitals = tuple(usual.vital.name for usual in group.usual if (usual.slowly if slow else usual.worst))
    severity = random.uniform(*_SEVERITY)
    inside = slow and random.random() < _INSIDE
    if inside:
        severity = random.uniform(*_INSIDE_SEVERITY)
    kind = group.slow_kind if slow and group.slow_kind else group.kind
    return Deterioration(name, group.pathway, kind, onset, onset + length, slow, severity, vitals, inside)
