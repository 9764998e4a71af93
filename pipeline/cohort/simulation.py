"""Simulated patients, from enrolment to every registration; the same seed makes the same messages."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from math import exp
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pipeline.cohort.groups import GROUPS, Group, Usual
from schemas.care import Cadence, Enrolled, Limit, PhaseChanged, Plan, PlanSigned, SelfCare
from schemas.submissions import Answer, Context, Correction, CorrectionAction, EntryMode, Reading, Submission
from schemas.topics import CARE, SUBMISSIONS, Topic
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE: Final = ZoneInfo("Europe/Oslo")
SERVICES: Final = (
    "simulated-joint-centre",
    "simulated-hospital",
    "simulated-district-a",
    "simulated-district-b",
    "simulated-district-c",
)
_NAMES: Final = UUID("0c6f4b0e-9a57-4f0e-8f0e-3b8d3f0f5a11")
_DETERIORATE: Final = 0.35  # share of patients
_MISSED, _LATE, _REPEATED, _CORRECTED, _ODD = 0.07, 0.04, 0.005, 0.004, 0.006  # shares of sessions
_SEVERAL: Final = ("08:00", "12:00", "16:00", "20:00")
_IN_THE_WILD: Final = {"29463-7": ("g", 1000.0), "8867-4": ("beats/min", 1.0), "15074-8": ("mg/dL", 18.016)}


class Event(NamedTuple):
    """A message, its topic, and when it reaches us."""

    at: datetime
    topic: Topic
    message: Any  # a message of that topic


class Deterioration(NamedTuple):
    """What truly happened to a patient."""

    patient: str
    pathway: str
    kind: str
    onset_at: datetime
    peak_at: datetime
    slow: bool


class Patient(NamedTuple):
    """One simulated patient; `means` in the order of the group's vitals [their units]."""

    name: str
    group: Group
    means: tuple[float, ...]
    service: str
    enrolled_at: datetime
    ends_at: datetime | None
    deterioration: Deterioration | None


class Cohort(NamedTuple):
    """Everybody, everything that they send in order of arrival, and the truth."""

    seed: int
    patients: tuple[Patient, ...]
    events: list[Event]
    truth: tuple[Deterioration, ...]
    services: tuple[str, ...] = SERVICES


def simulate(seed: int, start: datetime, days: int, patients: int = 200) -> Cohort:
    """Simulate `patients` over `days` from `start` (with offset)."""
    people = tuple(_person(seed, number, start, days, patients) for number in range(1, patients + 1))
    events = [event for one in people for event in _of_patient(seed, one, start, days)]
    events.sort(key=lambda event: event.at)
    truth = tuple(one.deterioration for one in people if one.deterioration is not None)
    return Cohort(seed, people, events, truth)


def live(cohort: Cohort, number: int, now: datetime) -> Event:
    """The `number`th registration after the replay: of somebody of the cohort, at `now`."""
    random = Random(f"{cohort.seed}-live-{number}")  # noqa: S311 - a simulation
    followed = [one for one in cohort.patients if one.ends_at is None]
    one = random.choice(followed or list(cohort.patients))
    drift = [random.gauss(0, usual.within) for usual in one.group.usual]
    return Event(now, SUBMISSIONS, _submission(random, one, now, now, drift, f"live-{number}-{now.isoformat()}"))


def _person(seed: int, number: int, start: datetime, days: int, patients: int) -> Patient:
    random = Random(f"{seed}-{number}")  # noqa: S311 - a simulation
    place = (number - 1) * 200 // patients
    group, passed = GROUPS[0], 0
    for group in GROUPS:
        passed += group.share
        if place < passed:
            break
    name = f"sim-{number:04d}"
    begins = start + timedelta(days=random.uniform(0, 5))
    ends = None
    if group.several_a_day:
        begins = start + timedelta(days=random.uniform(0, max(1, days - 22)))
        ends = begins + timedelta(days=random.uniform(10, 20))
        if ends >= start + timedelta(days=days):
            ends = None
    means = tuple(random.gauss(usual.mean, usual.between) for usual in group.usual)
    service = SERVICES[1] if group.several_a_day else random.choice((SERVICES[0], SERVICES[0], *SERVICES[2:]))
    worse = None
    if random.random() < _DETERIORATE:
        slow = random.random() < group.slow_share
        length = random.uniform(10, 20) if slow else random.uniform(*group.acute_days)
        last = min(ends or start + timedelta(days=days), start + timedelta(days=days)) - timedelta(days=length + 1)
        first = begins + timedelta(days=3 if group.several_a_day else 16)
        if first < last:
            onset = first + (last - first) * random.random()
            worse = Deterioration(name, group.pathway, group.kind, onset, onset + timedelta(days=length), slow)
    return Patient(name, group, means, service, begins, ends, worse)


def _of_patient(seed: int, one: Patient, start: datetime, days: int) -> Iterator[Event]:
    yield from _care(one)
    random = Random(f"{seed}-{one.name}-sessions")  # noqa: S311 - a simulation
    drift = [0.0] * len(one.group.usual)
    end = one.ends_at or start + timedelta(days=days)
    first = one.enrolled_at.astimezone(ZONE).date()
    for day in range((end - one.enrolled_at).days + 1):
        drift = [
            0.6 * was + 0.8 * random.gauss(0, usual.within) for was, usual in zip(drift, one.group.usual, strict=True)
        ]
        for number, wall in enumerate(_times(random, one, day)):
            at = datetime.combine(first + timedelta(days=day), wall, ZONE) + timedelta(minutes=random.gauss(0, 20))
            if one.enrolled_at < at < end and random.random() >= _MISSED:
                yield from _session(random, one, at, drift, f"{day}-{number}")


def _times(random: Random, one: Patient, day: int) -> list[time]:
    if one.group.several_a_day:
        return [time.fromisoformat(wall) for wall in _SEVERAL]
    at = datetime.combine(one.enrolled_at.date() + timedelta(days=day), time(9, 15), ZONE)
    worse = one.deterioration
    unwell = worse is not None and worse.onset_at <= at <= worse.peak_at + timedelta(days=2)
    extra = random.random() < (0.8 if unwell else 0.05)
    return [time(9, 15)] if day < 14 or (day - 13) % 7 == 0 or extra else []  # noqa: PLR2004 - daily, then weekly


def _session(random: Random, one: Patient, at: datetime, drift: list[float], what: str) -> Iterator[Event]:
    received = at + timedelta(minutes=random.uniform(1, 10))
    if random.random() < _LATE:
        received += timedelta(hours=random.uniform(3, 72))
    message = _submission(random, one, at, received, drift, what)
    yield Event(received, SUBMISSIONS, message)
    if random.random() < _REPEATED:
        yield Event(received + timedelta(minutes=5), SUBMISSIONS, message)
    if random.random() < _CORRECTED:
        yield _correction(random, message, received + timedelta(hours=random.uniform(1, 20)))


def _correction(random: Random, message: Submission, recorded: datetime) -> Event:
    replaced = random.random() < 0.5  # noqa: PLR2004 - as often one as the other
    correction = Correction(
        correction_id=uuid5(_NAMES, f"correction-{message.submission_id}"),
        submission_id=message.submission_id,
        patient=message.patient,
        recorded_at=recorded,
        action=CorrectionAction.REPLACED if replaced else CorrectionAction.ENTERED_IN_ERROR,
        readings=message.readings if replaced else (),
        answers=message.answers if replaced else (),
    )
    return Event(recorded, SUBMISSIONS, correction)


def _submission(  # noqa: PLR0913, PLR0917 - whose, when, and with what
    random: Random, one: Patient, at: datetime, received: datetime, drift: list[float], what: str
) -> Submission:
    worse = _worse(one, at)
    readings = []
    for place, usual in enumerate(one.group.usual):
        value = one.means[place] + drift[place] + 0.4 * random.gauss(0, usual.within) + worse * usual.worst
        readings.append(_reading(random, one, usual, value, at + timedelta(seconds=15 * place)))
    feels = min(4, round(4 * worse + random.uniform(0, 0.8)))
    answers = tuple(
        Answer(
            questionnaire=f"{one.group.pathway}-daily",
            questionnaire_version=1,
            link_id=link,
            value=max(0, min(4, feels + random.choice((-1, 0, 0, 0)))),
        )
        for link in ("breath", "energy", "sleep", "worry")
    )
    return Submission(
        submission_id=uuid5(_NAMES, f"{one.name}-{one.enrolled_at.isoformat()}-{what}"),
        patient=one.name,
        received_at=received,
        readings=tuple(readings),
        answers=answers,
        plan_version_seen=1,
    )


def _reading(random: Random, one: Patient, usual: Usual, value: float, at: datetime) -> Reading:
    unit, factor = usual.vital.unit, 1.0
    odd = random.random()
    if odd < _ODD and usual.vital.codes[0] in _IN_THE_WILD:
        unit, factor = _IN_THE_WILD[usual.vital.codes[0]]
    elif odd > 1 - _ODD / 3:
        value *= 10  # a decimal point forgotten
    if usual.vital.name == "spo2":
        value = min(value, 100)
    number = one.name.removeprefix("sim-").lstrip("0")
    return Reading(
        code=usual.vital.codes[0],
        value=round(value * factor, usual.digits),
        unit=unit,
        measured_at=at,
        device=f"sim-{usual.vital.group.split()[0]}-{number}",
        entry_mode=EntryMode.MANUAL if usual.vital.name in {"weight", "temperature"} else EntryMode.DEVICE,
        context=Context(at_rest=True) if usual.vital.name in {"spo2", "heart_rate"} else None,
    )


def _worse(one: Patient, at: datetime) -> float:
    """How far a deterioration has come at `at`: 0 before it, 1 at its worst."""
    worse = one.deterioration
    if worse is None or at < worse.onset_at:
        return 0.0
    if at <= worse.peak_at:
        return (at - worse.onset_at) / (worse.peak_at - worse.onset_at)
    return exp(-((at - worse.peak_at) / timedelta(days=3)))


def _care(one: Patient) -> Iterator[Event]:
    at = one.enrolled_at
    yield Event(
        at,
        CARE,
        Enrolled(
            event_id=uuid5(_NAMES, f"{one.name}-{at.isoformat()}-enrolled"),
            patient=one.name,
            at=at,
            recorded_at=at,
            pathway=one.group.pathway,
            service=one.service,
            municipality=f"simulated-municipality-{int(one.name[4:]) % 10 + 1}",
            phase=Phase.START_UP,
        ),
    )
    yield Event(
        at,
        CARE,
        PlanSigned(
            event_id=uuid5(_NAMES, f"{one.name}-{at.isoformat()}-plan"),
            patient=one.name,
            at=at,
            recorded_at=at,
            signed_by="simulated-doctor",
            plan=_plan(one),
        ),
    )
    if one.ends_at is not None:
        ended = PhaseChanged(
            event_id=uuid5(_NAMES, f"{one.name}-{at.isoformat()}-ended"),
            patient=one.name,
            at=one.ends_at,
            recorded_at=one.ends_at,
            phase=Phase.ENDED,
        )
        yield Event(one.ends_at, CARE, ended)


def _plan(one: Patient) -> Plan:
    def edge(mean: float, distance: float | None, digits: int) -> float | None:
        return None if distance is None else round(mean + distance, digits)

    limits = tuple(
        Limit(
            code=usual.vital.codes[0],
            unit=usual.vital.unit,
            red_low=edge(mean, usual.red[0], usual.digits),
            yellow_low=edge(mean, usual.yellow[0], usual.digits),
            yellow_high=edge(mean, usual.yellow[1], usual.digits),
            red_high=edge(mean, usual.red[1], usual.digits),
        )
        for usual, mean in zip(one.group.usual, one.means, strict=True)
    )
    several = Cadence(times=_SEVERAL, daily_days=3650, every_days=1, grace_minutes=150)
    return Plan(
        version=1,
        valid_from_at=one.enrolled_at,
        limits=limits,
        cadence=several if one.group.several_a_day else Cadence(),
        questionnaire=f"{one.group.pathway}-daily",
        questionnaire_version=1,
        self_care=SelfCare(
            green=("Fortsett som vanlig.",),
            yellow=("Mål på nytt etter en halv time, og følg tiltakene i planen.",),
            red=("Ring oppfølgingssenteret nå.",),
        ),
    )
