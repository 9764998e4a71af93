"""Random histories of one patient: everything that can happen, in every order that it can be told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from schemas.care import (
    Acknowledged,
    Admitted,
    AnswerRule,
    Cadence,
    CareEvent,
    ChangeLimit,
    Discharged,
    Enrolled,
    Limit,
    News2Scale,
    Paused,
    PhaseChanged,
    Plan,
    PlanSigned,
    RelativeLimit,
    SustainedLimit,
    Transferred,
)
from schemas.codec import Codec, encode
from schemas.paging import Tick
from schemas.submissions import Answer, Context, Correction, CorrectionAction, Reading, Submission, SubmissionEvent
from schemas.types import Phase, Weekday

if TYPE_CHECKING:
    from random import Random

START = datetime(2026, 3, 20, tzinfo=UTC)  # daylight saving begins in Europe/Oslo nine days later
END = Tick(at=START + timedelta(days=60))
PATIENT = "sim-0001"
NAMES = UUID("2b1f6a52-8c1e-4f3e-9a11-0d2c7b5e9f00")
SPO2_LIMITS = Limit(code="2708-6", unit="%", red_low=85, yellow_low=88)
CONTRADICTION = Limit(code="2708-6", unit="%", red_low=95, yellow_low=88)
_SUBMISSIONS: Codec[SubmissionEvent] = Codec(SubmissionEvent)
_CARE: Codec[CareEvent] = Codec(CareEvent)


def at(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def named(what: str) -> UUID:
    """An id."""
    return uuid5(NAMES, what)


def read(event: Any) -> Any:  # noqa: ANN401 - any message
    """The event as it is after it has been on a topic."""
    codec: Codec[Any] = _SUBMISSIONS if isinstance(event, Submission | Correction) else _CARE
    return codec.decode(encode(event))


def enrolled(
    hours: float = 0, phase: Phase = Phase.START_UP, *, recorded: float | None = None, zone: str = "Europe/Oslo"
) -> Enrolled:
    """Taken into a service."""
    return Enrolled(
        event_id=named(f"enrolled-{hours}-{phase}"),
        patient=PATIENT,
        at=at(hours),
        recorded_at=at(hours if recorded is None else recorded),
        pathway="copd",
        service="joint-centre",
        municipality="municipality-1",
        phase=phase,
        time_zone=zone,
    )


EVERY_SIGNAL: Final[dict[str, Any]] = {
    "relative_limits": (RelativeLimit(code="8867-4", unit="/min", yellow_above=10, red_above=40),),
    "change_limits": (ChangeLimit(code="8867-4", unit="/min", hours=100, yellow_rise=20, red_fall=60),),
    "sustained_limits": (SustainedLimit(code="8310-5", unit="Cel", high=38, count=2, of=4),),
    "answer_rules": (AnswerRule(link_id="breath", zone="yellow", at_least=1),),
    "weight_change": True,
    "news2": News2Scale.SCALE_1,
}


def signed(
    hours: float = 0,
    *limits: Limit,
    version: int = 1,
    recorded: float | None = None,
    cadence: Cadence = Cadence(),  # noqa: B008 - immutable
    **more: Any,  # noqa: ANN401 - other fields of a plan
) -> PlanSigned:
    """A plan in force from then on."""
    return PlanSigned(
        event_id=named(f"plan-{version}-{hours}"),
        patient=PATIENT,
        at=at(hours),
        recorded_at=at(hours if recorded is None else recorded),
        signed_by="doctor-1",
        plan=Plan(version=version, valid_from_at=at(hours), limits=limits, cadence=cadence, **more),
    )


def transferred(hours: float, *, recorded: float | None = None) -> Transferred:
    """Handed over to the hospital."""
    return Transferred(
        event_id=named(f"transferred-{hours}"),
        patient=PATIENT,
        at=at(hours),
        recorded_at=at(hours if recorded is None else recorded),
        service="hospital",
    )


def moved_on(hours: float, phase: Phase, *, recorded: float | None = None) -> PhaseChanged:
    """Said to be in another phase from then on."""
    return PhaseChanged(
        event_id=named(f"phase-{hours}-{phase}-{recorded}"),
        patient=PATIENT,
        at=at(hours),
        recorded_at=at(hours if recorded is None else recorded),
        phase=phase,
    )


def acknowledged(
    name: str, change: UUID, instant: datetime, *, late: timedelta = timedelta(0), reason_code: str = "called"
) -> Acknowledged:
    """A zone change that a nurse took over at an instant, written down so much later."""
    return Acknowledged(
        event_id=named(name),
        patient=PATIENT,
        at=instant,
        recorded_at=instant + late,
        zone_change_id=change,
        by="nurse-1",
        reason_code=reason_code,
    )


def reading(code: str, value: float, unit: str, hours: float, device: str | None = None) -> Reading:
    """One reading."""
    return Reading(code=code, value=value, unit=unit, measured_at=at(hours), device=device)


def spo2(value: float, hours: float) -> Reading:
    """Oxygen saturation [%]."""
    return reading("2708-6", value, "%", hours, "oximeter-1")


def submitted(
    name: str, hours: float, *readings: Reading, late: float = 0, answers: tuple[Answer, ...] = ()
) -> Submission:
    """A session received at `hours`, or so much later."""
    return Submission(
        submission_id=named(name), patient=PATIENT, received_at=at(hours + late), readings=readings, answers=answers
    )


def history(random: Random) -> list[Any]:
    """Some history."""
    zone = random.choice(["Europe/Oslo", "UTC", "America/New_York"])
    events: list[Any] = [enrolled(recorded=random.choice([0, 0, 50]), zone=zone)]
    for version in range(1, random.randrange(1, 4)):
        hours = random.choice([0, 0, 24, 100, 300]) + version
        cadence = Cadence(
            times=random.choice([("10:00",), ("08:00", "20:00")]),
            daily_days=random.choice([3, 14]),
            every_days=random.choice([1, 7]),
            grace_minutes=random.choice([0, 120, 840]),
        )
        limit = SPO2_LIMITS if random.random() < 0.9 else CONTRADICTION
        late = hours + random.choice([0, 0, 40])
        more = random.choice([{}, EVERY_SIGNAL])
        events.append(signed(hours, limit, version=version, recorded=late, cadence=cadence, **more))
    hours = random.randrange(400)
    common = {"patient": PATIENT, "at": at(hours), "recorded_at": at(hours + random.choice([0, 10]))}
    if random.random() < 0.3:
        events.append(Paused(event_id=named("paused"), ends_at=at(hours + random.choice([20, 100])), **common))
    if random.random() < 0.3:
        events.append(Transferred(event_id=named("transferred"), service="hospital", **common))
    if random.random() < 0.3:
        events += phases(random)
    for number in range(random.choice([1, 3, 8, 25])):
        events += _session(random, number)
    return [read(event) for event in events]


def phases(random: Random) -> list[Any]:
    """Changes of phase that anybody may have entered, few at instants of their own, and perhaps a further enrolment."""
    events: list[Any] = []
    for _ in range(random.choice([1, 2, 4, 8])):
        hours = random.choice([10, 200, 350, 400, random.randrange(500)])
        events.append(moved_on(hours, random.choice(list(Phase)), recorded=hours + random.choice([0, 0, 90])))
    if random.random() < 0.5:
        events.append(enrolled(random.choice([200, 350, random.randrange(1, 500)]), random.choice(list(Phase))))
    return events


def _session(random: Random, number: int) -> list[Any]:
    hours = random.randrange(500) + random.choice([0, 0.5])
    answer = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=1)
    session = submitted(
        f"session-{number}",
        hours,
        *_readings(random, hours),
        late=random.choice([0, 0, 0, 5, 60]),
        answers=(answer,) if random.random() < 0.3 else (),
    )
    events: list[Any] = [session]
    while random.random() < 0.12:
        replaced = random.random() < 0.5
        events.append(
            Correction(
                correction_id=named(f"correction-{number}-{len(events)}"),
                submission_id=session.submission_id,
                patient=PATIENT,
                recorded_at=session.received_at + timedelta(hours=random.randrange(1, 50)),
                action=CorrectionAction.REPLACED if replaced else CorrectionAction.ENTERED_IN_ERROR,
                readings=_readings(random, hours) if replaced else (),
            )
        )
    return events


def _readings(random: Random, hours: float) -> tuple[Reading, ...]:
    hours -= random.choice([0, 0, 1 / 60])
    every = [
        spo2(random.choice([96, 95, 94, 90, 88, 85, 101, 30]), hours),
        reading("8867-4", random.choice([70, 72, 75, 140]), "/min", hours),
        reading("99999-9", 1, "x", hours),
        reading("29463-7", 80_000 + random.randrange(9000), "g", hours, random.choice([None, "scale-1"])),
        reading("8310-5", 36 + random.randrange(40) / 10, "Cel", hours),
    ]
    return tuple(random.sample(every, random.randrange(1, 4)))


# What a patient is usually like, how much that varies from day to day, and the unit; by code.
USUAL: Final = {
    "8480-6": (132.0, 6.0, "mm[Hg]"),
    "8462-4": (78.0, 4.0, "mm[Hg]"),
    "8867-4": (72.0, 4.0, "/min"),
    "2708-6": (95.0, 1.0, "%"),
    "8310-5": (36.8, 0.2, "Cel"),
    "29463-7": (81.0, 0.4, "kg"),
    "9279-1": (16.0, 1.0, "/min"),
    "15074-8": (110.0, 9.0, "mg/dL"),
}
SPIROMETRY: Final = {"20150-9": (2.4, 0.1, "L"), "19935-6": (60.0, 3.0, "cL/s")}


def followed(random: Random, *, long: bool) -> list[Any]:
    """Someone followed for weeks who gets worse and better, under plans that ask for every signal.

    A `long` history is one in which everything comes in its turn; the other may tell late and correct, and has
    spirometry too.
    """
    zone = random.choice(["Europe/Oslo", "America/New_York", "UTC"])
    events: list[Any] = [enrolled(zone=zone), every_signal(random, 0, 1)]
    usual = USUAL if long else USUAL | SPIROMETRY
    codes = random.sample(sorted(usual), random.randrange(2, 6))
    away = dict.fromkeys(codes, 0.0)
    hours = 6.0
    for number in range(random.choice([40, 90, 150]) if long else random.choice([12, 20])):
        hours += random.choice([24, 24, 24, 24, 24, 24, 12, 6, 1, 48, 170 if long else 30])
        for code in codes:
            away[code] = random.choice([0.98] * 9 + [0.5]) * away[code] + random.gauss(0, 0.3)
            away[code] += 6.0 * random.choice([1, -1]) * (random.random() < 0.015)
        answer = Answer(
            questionnaire=random.choice(["q", "q", "other"]),
            questionnaire_version=1,
            link_id="breath",
            value=random.randrange(3),
        )
        confusion = Answer(
            questionnaire="q",
            questionnaire_version=1,
            link_id="confused",
            value=random.choice([True, False, False, "?"]),
        )
        readings = _of_session(random, hours, {code: (*usual[code], away[code]) for code in codes}, late=not long)
        answered = tuple(told for told in (answer, confusion) if random.random() < 0.05)
        one = reading(codes[0], usual[codes[0]][0], usual[codes[0]][2], hours)
        session = submitted(
            f"s-{number}",
            hours,
            *(() if answered and random.random() < 0.5 else readings or (one,)),
            late=random.choice([0, 0.2]) if long else random.choice([0, 0, 5, 60]),
            answers=answered,
        )
        events.append(session)
        if random.random() < 0.02:
            events.append(every_signal(random, hours + 1, len(events)))
        common = {
            "event_id": named(f"e-{number}"),
            "patient": PATIENT,
            "at": at(hours + 1),
            "recorded_at": at(hours + 1),
        }
        if random.random() < 0.02:
            events.append(random.choice([Admitted(acute=True, **common), Discharged(**common)]))
        if random.random() < 0.02:
            events.append(Paused(**common | {"event_id": named(f"p-{number}")}, ends_at=at(hours + 60)))
        if not long and random.random() < 0.1:
            replaced = len(session.readings) > 1 and random.random() < 0.6
            events.append(
                Correction(
                    correction_id=named(f"c-{number}"),
                    submission_id=session.submission_id,
                    patient=PATIENT,
                    recorded_at=session.received_at + timedelta(hours=2),
                    action=CorrectionAction.REPLACED if replaced else CorrectionAction.ENTERED_IN_ERROR,
                    readings=session.readings[1:] if replaced else (),
                )
            )
    return [read(event) for event in events]


def every_signal(random: Random, hours: float, version: int) -> PlanSigned:
    """A plan that asks for much."""
    limits = (
        Limit(code="8480-6", unit="mm[Hg]", red_low=90, yellow_low=100, yellow_high=150, red_high=170),
        Limit(code="8462-4", unit="mm[Hg]", yellow_high=90),
        Limit(code="8867-4", unit="/min", red_low=45, red_high=110),
        Limit(code="29463-7", unit="kg", yellow_high=90),
        SPO2_LIMITS,
    )
    if random.random() < 0.4:
        return signed(hours, random.choice(limits), version=version, weight_change=True)
    return signed(
        hours,
        *random.sample(limits, random.randrange(1, 5)),
        version=version,
        cadence=Cadence(
            times=random.choice([("10:00",), ("08:00", "20:00")]),
            grace_minutes=600,
            weekdays=random.choice([(), (), (Weekday.MONDAY, Weekday.THURSDAY)]),
        ),
        relative_limits=(
            RelativeLimit(code="8867-4", unit="/min", yellow_above=14, red_above=18, yellow_below=13),
            RelativeLimit(code="15074-8", unit="mmol/L", red_below=1.5, yellow_above=1.4),
        ),
        change_limits=(
            ChangeLimit(code="8480-6", unit="mm[Hg]", hours=72, yellow_rise=20, red_fall=30),
            ChangeLimit(code="8310-5", unit="Cel", hours=30, yellow_fall=0.8, red_rise=1),
        ),
        sustained_limits=(
            SustainedLimit(code="8867-4", unit="/min", high=80, low=62, count=3, of=4),
            SustainedLimit(code="9279-1", unit="/min", high=18, count=3, of=3, zone="red"),
        ),
        answer_rules=(
            AnswerRule(link_id="breath", zone="yellow", at_least=1),
            AnswerRule(link_id="breath", zone="red", at_least=2),
        ),
        vitals=random.choice([(), (), ("8867-4",), ("8480-6", "8867-4", "59408-5")]),
        answers_due=random.random() < 0.3,
        questionnaire=random.choice([None, "q"]),
        weight_change=random.random() < 0.8,
        news2=random.choice([None, News2Scale.SCALE_1, News2Scale.SCALE_2]),
    )


def _of_session(
    random: Random, hours: float, codes: dict[str, tuple[float, float, str, float]], *, late: bool
) -> tuple[Reading, ...]:
    """Readings of vitals by code: usual value, its spread, unit, and how many spreads away the patient is by now."""
    readings = []
    for code, (value, spread, unit, away) in codes.items():
        for _ in range(random.choice([0, 1, 1, 1, 1, 2])):
            told = round(value + spread * (away + random.gauss(0, 1)), 1)
            oxygen = Context(oxygen_l_min=random.choice([0, 2])) if random.random() < 0.1 else None
            ago = random.choice([0, 0, 0, 0.2, 3] if late else [0, 0, 0.1])
            readings.append(
                Reading(
                    code=code,
                    value=random.choice([told] * 60 + [float(round(told)), value * 1.1, 7.0]),
                    unit=unit,
                    measured_at=at(hours - ago),
                    device="cuff-1" if code in {"8480-6", "8462-4"} else None,
                    context=oxygen,
                )
            )
    return tuple(random.sample(readings, len(readings)))
