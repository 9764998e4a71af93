"""What a simulated patient sends: registrations with their noise, gaps, delays, repeats, mistakes and corrections."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import cos, pi
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.cohort.enrolment import SEVERAL
from pipeline.cohort.events import Event, named
from pipeline.cohort.people import ZONE
from schemas.submissions import Answer, Context, Correction, CorrectionAction, EntryMode, Reading, Submission
from schemas.topics import SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pipeline.cohort.groups import Usual
    from pipeline.cohort.people import Patient

_MISSED, _LATE, _REPEATED, _CORRECTED = 0.07, 0.04, 0.005, 0.004  # shares of sessions
_OTHER_UNIT, _IMPOSSIBLE, _IMPLAUSIBLE = 0.006, 0.002, 0.002  # shares of readings
_EXTRA, _EXTRA_UNWELL = 0.05, 0.8  # shares of days on which a patient sends though nothing is due
_HABIT: Final = time(9, 15)
_DAILY_DAYS, _EVERY_DAYS = 14, 7  # as the plan's cadence has it
_LASTS: Final = timedelta(minutes=2)  # no session takes longer: four vitals and the questions
_WARMEST_HOUR: Final = 17  # of the day's rhythm; our choice
_CARRIED: Final = 0.6  # of a day's deviation into the next: AR(1)
_IN_THE_WILD: Final = {"29463-7": ("g", 1000.0), "8867-4": ("beats/min", 1.0), "15074-8": ("mg/dL", 18.016)}


def sessions(seed: int, one: Patient, until: datetime) -> Iterator[Event]:
    """Everything that `one` sends of what was measured before `until`; not in order of arrival."""
    random = Random(f"{seed}-{one.name}-sessions")  # noqa: S311 - a simulation
    drift = [0.0] * len(one.group.usual)
    end = one.ends_at or until
    first = one.enrolled_at.astimezone(ZONE).date()
    for day in range((end - one.enrolled_at).days + 2):
        drift = [
            _CARRIED * was + 0.8 * random.gauss(0, usual.within)
            for was, usual in zip(drift, one.group.usual, strict=True)
        ]
        for number, at in enumerate(_times(random, one, first, day)):
            if one.enrolled_at < at < end - _LASTS and random.random() >= _MISSED:
                yield from _session(random, one, at, drift, f"{day}-{number}")


def registration(random: Random, one: Patient, at: datetime, received: datetime, what: str) -> Submission:
    """One registration outside the series, on a day as any other."""
    drift = [random.gauss(0, usual.within) for usual in one.group.usual]
    return _submission(random, one, at, received, drift, what)


def _times(random: Random, one: Patient, first: date, day: int) -> list[datetime]:
    """When `one` measures on that day: a habit of the wall clock, so daylight saving moves it."""
    today = first + timedelta(days=day)
    if one.group.several_a_day:
        habits = [time.fromisoformat(wall) for wall in SEVERAL]
    else:
        worse = one.deterioration
        usually = datetime.combine(today, _HABIT, ZONE)
        unwell = worse is not None and worse.felt_at <= usually <= worse.peak_at + timedelta(days=2)
        due = day < _DAILY_DAYS or (day - _DAILY_DAYS + 1) % _EVERY_DAYS == 0
        extra = random.random() < (_EXTRA_UNWELL if unwell else _EXTRA)
        habits = [_HABIT] if due or extra else []
    return [
        datetime.combine(today, wall, ZONE).astimezone(UTC) + timedelta(minutes=random.gauss(0, 20)) for wall in habits
    ]


def _session(random: Random, one: Patient, at: datetime, drift: list[float], what: str) -> Iterator[Event]:
    received = at + _LASTS + timedelta(minutes=random.uniform(0, 8))
    if random.random() < _LATE:
        received += timedelta(hours=random.uniform(3, 72))
    message = _submission(random, one, at, received, drift, what)
    yield Event(received, SUBMISSIONS, message)
    if random.random() < _REPEATED:
        yield Event(received + timedelta(minutes=5), SUBMISSIONS, message)
    if random.random() < _CORRECTED:
        yield _correction(random, one, message, received + timedelta(hours=random.uniform(1, 20)))


def _correction(random: Random, one: Patient, message: Submission, recorded: datetime) -> Event:
    """Half of them withdraw the session, half put another figure in its first reading."""
    readings, answers = message.readings, message.answers
    replaced = random.random() < 0.5  # noqa: PLR2004 - as often one as the other
    if replaced:
        digits = one.group.usual[0].digits
        other = round(readings[0].value - 10**-digits, digits)
        readings = (msgspec.structs.replace(readings[0], value=other), *readings[1:])
    correction = Correction(
        correction_id=named(f"correction-{message.submission_id}"),
        submission_id=message.submission_id,
        patient=message.patient,
        recorded_at=recorded,
        action=CorrectionAction.REPLACED if replaced else CorrectionAction.ENTERED_IN_ERROR,
        readings=readings if replaced else (),
        answers=answers if replaced else (),
    )
    return Event(recorded, SUBMISSIONS, correction)


def _submission(  # noqa: PLR0913, PLR0917 - whose, when, and with what
    random: Random, one: Patient, at: datetime, received: datetime, drift: list[float], what: str
) -> Submission:
    worse = one.worse(at)
    local = at.astimezone(ZONE)
    rhythm = cos(2 * pi * (local.hour + local.minute / 60 - _WARMEST_HOUR) / 24)
    readings = []
    for place, usual in enumerate(one.group.usual):
        value = one.means[place] + drift[place] + 0.4 * random.gauss(0, usual.within)
        value += rhythm * usual.swing + one.shift(usual, at)
        readings.append(_reading(random, one, usual, value, local + timedelta(seconds=15 * place)))
    feels = round(4 * worse + random.uniform(0, 0.8))
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
        submission_id=named(f"{one.name}-{one.enrolled_at.isoformat()}-{what}"),
        patient=one.name,
        received_at=received,
        readings=tuple(readings),
        answers=answers,
        plan_version_seen=1,
    )


def _reading(random: Random, one: Patient, usual: Usual, value: float, at: datetime) -> Reading:
    vital = usual.vital
    unit, factor = vital.unit, 1.0
    odd = random.random()
    if vital.name == "spo2":
        value = min(value, 100)
    if odd < _OTHER_UNIT:
        unit, factor = _IN_THE_WILD.get(vital.codes[0], (unit, factor))
    elif odd < _OTHER_UNIT + _IMPOSSIBLE:
        value *= 10  # a decimal point forgotten, a digit typed twice
    elif odd < _OTHER_UNIT + _IMPOSSIBLE + _IMPLAUSIBLE:
        value *= 0.75  # a cold finger, a loose cuff, leaning on something
    return Reading(
        code=vital.codes[0],
        value=round(value * factor, usual.digits),
        unit=unit,
        measured_at=at,
        device=f"sim-{vital.group.split()[0]}-{one.name.removeprefix('sim-')}",
        entry_mode=EntryMode.MANUAL if vital.name in {"weight", "temperature"} else EntryMode.DEVICE,
        context=Context(at_rest=True) if vital.name in {"spo2", "heart_rate"} else None,
    )
