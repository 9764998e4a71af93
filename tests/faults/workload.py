"""What is fed: simulated patients over months, acute ones of the last two days, and those whose turn the clock brings.

The gateway says itself when it received what, so what must come of it all is known only from what lies on the topics
(`clean.py`). Here it is seen to that it is known then: nothing falls due for the first two while the faults go on, and
what the clock decides for the others happens at instants that are written down beforehand.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from agents.recordings.events import Event
from pipeline import cohort
from pipeline.cohort.people import ZONE
from pipeline.cohort.staff import with_staff
from schemas.care import (
    Acknowledged,
    Cadence,
    ContactKind,
    ContactMade,
    Enrolled,
    EquipmentHandedOut,
    Limit,
    Paused,
    PhaseChanged,
    Plan,
    PlanSigned,
    SelfCare,
)
from schemas.submissions import Answer, Reading, Submission
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

START: Final = datetime(2025, 10, 27, tzinfo=UTC)  # the simulation's own; no clock changes within DAYS of it
DAYS: Final = 130  # longer than the history that a state keeps
A_DAY: Final = 0.29  # about so many registrations of a patient [1/d]
ACUTE_SHARE: Final = 0.2  # of all sessions
ACUTE_EACH: Final = 8
ACUTE_WITHIN: Final = timedelta(hours=48)  # all measured within; a red is paged within 72 h
RED_SHARE: Final = 0.25
ACUTE_SERVICES: Final = ("acute-one", "acute-two", "acute-three")
QUIET_HOUR: Final = 1  # of the patients' wall clock: nothing of the simulated plans falls due from here until 9
NEVER_DUE: Final = Cadence(daily_days=0, every_days=92, grace_minutes=10_080)
BYTES_6: Final = "\x01"  # a character that takes six bytes in JSON and one in a state
BYTES_4: Final = "\U0001d7d8"  # one that takes four in both
NEAR_LIMIT: Final = "large-session"
FULL: Final = "large-history"
OUTPUT: Final = "large-output"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Events in the order in which they are fed.

    Attributes
    ----------
    care
        All worked off before the sessions begin, so that the order in which triage sees them is one.
    submissions
        Sessions and corrections, by the gateway.
    beside
        Care events on which no decision rests; they come while the faults go on.
    services
        Who is paged.
    """

    care: list[Event]
    submissions: list[Event]
    beside: list[Event] = field(default_factory=list)
    services: frozenset[str] = frozenset()


def workload(seed: int, sessions: int, now: datetime, days: int = DAYS) -> Workload:
    """About so many `sessions`, measured in the `days` before `now`, numbered by `seed`."""
    acute = max(3, round(ACUTE_SHARE * sessions / ACUTE_EACH))
    patients = max(2, round((1 - ACUTE_SHARE) * sessions / days / A_DAY))
    events = [*_simulated(seed, patients, now, days), *_acute(seed, acute, now), *_large(seed, now)]
    care = [event for event in events if event.topic is CARE]
    # Each patient's sessions in their order; whose they are is mixed, or the acute would all come last.
    random = Random(f"{seed}-order")  # noqa: S311 - not a secret
    queues: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.topic is not CARE:
            queues[event.message.patient].append(event)
    turns = [patient for patient, queue in queues.items() for _ in queue]
    random.shuffle(turns)
    waiting = {patient: iter(queue) for patient, queue in queues.items()}
    submissions = [next(waiting[patient]) for patient in turns]
    names = sorted(queues)
    beside = [_beside(seed, number, random.choice(names), now) for number in range(max(10, sessions // 50))]
    services = {event.message.service for event in care if isinstance(event.message, Enrolled)}
    return Workload(care=care, submissions=submissions, beside=beside, services=frozenset(services))


def _id(*parts: object) -> UUID:
    return uuid5(NAMESPACE_OID, "-".join(map(str, parts)))


# Months of many.


def _simulated(seed: int, patients: int, now: datetime, days: int) -> Iterator[Event]:
    """The cohort, moved to where `now` is the quiet hour of its last night, in a time zone where it is that hour."""
    ahead = (QUIET_HOUR - now.hour + 11) % 24 - 11  # hours ahead of UTC
    local = now + timedelta(hours=ahead)
    start = START + timedelta(days=DAYS - days)
    night = datetime.combine((START + timedelta(days=DAYS)).date(), local.time(), ZONE).astimezone(UTC)
    moved = now - night
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    of: defaultdict[str, list[Event]] = defaultdict(list)
    for at, topic, message in cohort.simulate(seed, start, days, patients).events:
        if not isinstance(message, Acknowledged):  # it names a change of zone by its time: made anew below
            of[message.patient].append(Event(at + moved, topic, _moved(message, moved, zone)))
    again = [Event(*event) for events in of.values() for event in with_staff(seed, events)]  # type: ignore[arg-type]
    yield from sorted((event for event in again if event.at < now or event.topic is not CARE), key=lambda e: e.at)


def _moved(message: Struct, by: timedelta, zone: str) -> Any:  # noqa: ANN401 - of any type
    """The message as if everything in it had happened so much later."""
    changed: dict[str, Any] = {}
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if isinstance(value, datetime):
            changed[name] = value.astimezone(UTC) + by  # not by the wall's clock, which has turns of its own
        elif isinstance(value, Plan):
            changed[name] = msgspec.structs.replace(value, valid_from_at=value.valid_from_at + by)
        elif name == "readings":
            changed[name] = tuple(
                msgspec.structs.replace(one, measured_at=one.measured_at.astimezone(UTC) + by) for one in value
            )
    if isinstance(message, Enrolled):
        changed["time_zone"] = zone
    return msgspec.structs.replace(message, **changed)


# Two days of some, with reds that are paged.


def _acute(seed: int, patients: int, now: datetime) -> Iterator[Event]:
    random = Random(f"{seed}-acute")  # noqa: S311 - not a secret
    for number in range(patients):
        name = f"acute-{number:05d}"
        yield from followed(name, now - timedelta(days=20), service=ACUTE_SERVICES[number % len(ACUTE_SERVICES)])
        for place in range(ACUTE_EACH):
            at = now - ACUTE_WITHIN * (ACUTE_EACH - place) / (ACUTE_EACH + 1)
            yield session(name, at, place, red=random.random() < RED_SHARE)


def followed(
    name: str, since: datetime, *, service: str = ACUTE_SERVICES[0], cadence: Cadence = NEVER_DUE, words: int = 0
) -> Iterator[Event]:
    """Enrolment and plan; `words` are characters of self-care in all."""
    plan = Plan(
        version=1,
        valid_from_at=since,
        limits=(Limit(code="2708-6", unit="%", red_low=80.0, yellow_low=84.0),),
        cadence=cadence,
        self_care=SelfCare(green=(BYTES_6 * 500,) * (words // 500)),
    )
    about = {"patient": name, "at": since, "recorded_at": since}
    enrolled = Enrolled(
        event_id=_id(name, since, "enrolled"),
        pathway="copd",
        service=service,
        municipality="municipality-one",
        time_zone="Etc/UTC",
        **about,  # type: ignore[arg-type]
    )
    yield Event(since, CARE, enrolled)
    signed = PlanSigned(event_id=_id(name, since, "plan"), plan=plan, signed_by="doctor-one", **about)  # type: ignore[arg-type]
    yield Event(since, CARE, signed)


def session(  # noqa: PLR0913 - whose, when, and with what
    name: str, at: datetime, number: int, *, red: bool, answers: tuple[Answer, ...] = (), readings: int = 1
) -> Event:
    """One registration of oxygen saturation and pulse, each measured so often."""
    measured = tuple(
        reading
        for place in range(readings)
        for device in [f"meter-{place:058d}" if place else "meter-one"]
        for reading in (
            Reading(code="2708-6", value=72.0 if red else 93.0, unit="%", measured_at=at, device=device),
            Reading(code="8867-4", value=70.0 + number % 20, unit="/min", measured_at=at, device=device),
        )
    )
    usual = (Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=int(red)),)
    message = Submission(
        submission_id=_id(name, at, number), patient=name, received_at=at, readings=measured, answers=answers or usual
    )
    return Event(at, SUBMISSIONS, message)


# Large ones.


def _large(seed: int, now: datetime) -> Iterator[Event]:
    """Sessions as large as the vocabulary lets them be: for a message, for a state, and for what comes of them.

    200 answers of 500 characters that take six bytes each, to questions with names of 250 bytes, are 0.66 MB of JSON,
    about the largest session there is: no session that can be read is over the limit of a message. A state holds it
    in 0.15 MB. Its assessment says the patient's self-care too: with 62,500 characters of that, which is about as much
    as a state keeps of care, it is over the limit. Of characters that take four bytes everywhere 200 answers are more
    than the 400,000 bytes of sessions that a state may hold.
    """
    at = now - timedelta(hours=1)
    for name, words in ((NEAR_LIMIT, 0), (FULL, 0), (OUTPUT, 62_500)):
        yield from followed(name, now - timedelta(days=20), words=words)
        fill = BYTES_4 if name == FULL else BYTES_6
        yield session(name, at, seed, red=False, answers=answers(fill), readings=49)


def answers(fill: str, number: int = 200, size: int = 500) -> tuple[Answer, ...]:
    """So many answers of so many of one character each, to questions with long names."""
    return tuple(
        Answer(
            questionnaire="copd-daily",
            questionnaire_version=1,
            link_id=f"{place:03d}" + BYTES_4 * 60,
            value=fill * size,
        )
        for place in range(number)
    )


# What no decision rests on.


def _beside(seed: int, number: int, patient: str, now: datetime) -> Event:
    at = now - timedelta(hours=2, seconds=number)
    about = {"event_id": _id(seed, "beside", number), "patient": patient, "at": at, "recorded_at": at}
    made: Any = (
        ContactMade(kind=next(iter(ContactKind)), by="nurse-one", reached=True, **about)  # type: ignore[arg-type]
        if number % 2
        else EquipmentHandedOut(device=f"meter-{number}", kind="oximeter", **about)  # type: ignore[arg-type]
    )
    return Event(at, CARE, made)


# Whose turn the clock brings.


def clockwork(seed: int, patients: int, now: datetime, seconds: float) -> tuple[list[Event], list[Event], datetime]:
    """Patients of whom only time decides something, at instants in the `seconds` from `now` on.

    Every third becomes overdue, every third is paused and comes back (some of them red before), and every third leaves.

    Returns
    -------
    Their care events, the one session of each, and the last of those instants.
    """
    random = Random(f"{seed}-clockwork")  # noqa: S311 - not a secret
    care: list[Event] = []
    sessions: list[Event] = []
    last = now
    for number in range(patients):
        name = f"clock-{number:04d}"
        minute = (now + timedelta(seconds=random.uniform(0, max(0.0, seconds - 60)))).replace(second=0, microsecond=0)
        minute += timedelta(minutes=1)
        cadence = NEVER_DUE if number % 3 else Cadence(times=(f"{minute:%H:%M}",), daily_days=3650, grace_minutes=0)
        care += followed(name, now - timedelta(days=3), cadence=cadence)
        first = now + timedelta(seconds=random.uniform(0, seconds * 0.6))
        then = first + timedelta(seconds=random.uniform(0.5, seconds * 0.3))
        about = {"event_id": _id(seed, name, now), "patient": name, "at": first, "recorded_at": now}
        if number % 3 == 1:
            care.append(Event(now, CARE, Paused(ends_at=then, **about)))  # type: ignore[arg-type]
        elif number % 3 == 2:
            care.append(Event(now, CARE, PhaseChanged(phase=Phase.ENDED, **about)))  # type: ignore[arg-type]
        last = max(last, then, minute)
        # Due on the day after the registration, at that minute.
        at = now - timedelta(minutes=5) if number % 3 else minute - timedelta(days=1)
        sessions.append(session(name, at, 0, red=number % 3 == 1 and number % 2 == 0))
    return care, sessions, last
