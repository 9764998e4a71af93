"""Random histories in which as much as can be lies at an edge: where something is decided, or the least step beside it.

Values lie at a limit and one step of the device to either side of it, times at a tolerance and a millisecond to either
side of it, and days at the end of what counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import structs

from pipeline.backtest.walks import TAKEN_OVER_MS
from pipeline.triage import RULES
from pipeline.triage.quality import FALL_WITHIN_DAYS, LEAST_PULSE_PRESSURE
from pipeline.triage.rules import HOUR_MS
from pipeline.triage.vitals import BY_CODE
from schemas.care import (
    Admitted,
    AnswerRule,
    Cadence,
    ChangeLimit,
    Discharged,
    Limit,
    News2Scale,
    Paused,
    Plan,
    PlanSigned,
    RelativeLimit,
    SustainedLimit,
)
from schemas.submissions import Answer, Context, Correction, CorrectionAction, Reading, Submission
from tests.histories import PATIENT, START, enrolled, named, read, signed

if TYPE_CHECKING:
    from random import Random

SYSTOLIC, DIASTOLIC, SPO2, WEIGHT, FEV1 = "8480-6", "8462-4", "2708-6", "29463-7", "20150-9"
CUFF: Final = "cuff-1"
WINDOW_H: Final = 30  # of the plan's own changes
STAY: Final = timedelta(days=40)  # a history in which not everything comes in its turn is no longer


class Device(NamedTuple):
    """What measures a vital at home [all in `unit`]."""

    unit: str
    step: float  # the least that it tells apart
    usual: float  # what it mostly shows
    limits: tuple[float, float, float, float]  # that a plan may have: red low, yellow low, yellow high, red high
    distance: tuple[float, float]  # the same of relative limits and of change: yellow, red


DEVICES: Final = {
    SYSTOLIC: Device("mm[Hg]", 1, 132, (90, 100, 150, 170), (20, 30)),
    DIASTOLIC: Device("mm[Hg]", 1, 78, (50, 55, 90, 100), (12, 18)),
    "8867-4": Device("/min", 1, 72, (45, 50, 100, 120), (14, 18)),
    SPO2: Device("%", 1, 94, (85, 88, 98, 99), (3, 5)),
    "8310-5": Device("Cel", 0.1, 36.8, (35, 35.5, 38, 39), (0.8, 1)),
    WEIGHT: Device("kg", 0.01, 81, (75, 78, 85, 90), (1.5, 3)),
    "9279-1": Device("/min", 1, 16, (9, 11, 20, 25), (4, 6)),
    "15074-8": Device("mmol/L", 0.1, 6, (3.5, 4, 10, 15), (1.5, 2)),
    FEV1: Device("L", 0.01, 2.4, (1.5, 1.8, 3.5, 4), (0.3, 0.5)),
}


def at_the_edges(random: Random, *, in_turn: bool) -> list[Any]:
    """Some history.

    Where not everything comes `in_turn`, sessions come late and are corrected too, and there is spirometry, of which
    the fold forgets the best.
    """
    codes = random.sample(sorted(DEVICES.keys() - {FEV1} if in_turn else DEVICES), random.randrange(2, 5))
    if SYSTOLIC in codes and DIASTOLIC not in codes and random.random() < 0.8:
        codes.append(DIASTOLIC)
    plan = asked(random, codes)
    events: list[Any] = [enrolled(zone=random.choice(["UTC", "UTC", "Europe/Oslo"])), plan]
    now = START + timedelta(hours=10)
    number = random.choice([8, 25, 25, 40] if in_turn else [8, 16, 24])
    learnt, moves = random.choice([6, RULES.established_values, 15]), random.choice([0, 0, 1, -1]) * random.random()
    for place in range(number):
        calm = 0.9 if moves or place < learnt else 0.5
        moved = moves * max(0, min(place - learnt, 5))
        session = _session(random, f"s-{place}", now, _values(random, codes, plan.plan, calm, moved), in_turn=in_turn)
        about = [session] if in_turn else _corrected(random, session)
        if random.random() < 0.05:
            about.insert(random.choice([0, len(about)]), _care(random, place, now, codes))
        events += about
        now += timedelta(days=1) if place < learnt else _pause(random, now, in_turn=in_turn)
        if not in_turn and now > START + STAY:
            break
    return [read(event) for event in events]


def beside(random: Random, edge: timedelta) -> timedelta:
    """At an edge of time, or a millisecond to either side of it."""
    return edge + timedelta(milliseconds=random.choice([-1, 0, 1]))


# What is asked for, and where it lies.


def asked(random: Random, codes: list[str], *, version: int = 1, after: timedelta = timedelta()) -> PlanSigned:
    """A plan with limits of many kinds, few of each; in force so long after the start."""
    some = [code for code in codes if random.random() < 0.8]
    relative = [code for code in codes if random.random() < 0.3]
    changing = [code for code in codes if random.random() < 0.3]
    sustained = [code for code in codes if random.random() < 0.2]
    plan = signed(
        0,
        *(_limit(random, code) for code in some),
        version=version,
        cadence=Cadence(
            times=random.choice([("10:00",), ("08:00", "20:00")]),
            daily_days=random.choice([0, 3]),
            every_days=random.choice([1, 7]),
            grace_minutes=random.choice([0, 240]),
            alert_days=random.choice([0, 2]),
        ),
        relative_limits=tuple(_relative(code) for code in relative),
        change_limits=tuple(_change(code) for code in changing),
        sustained_limits=tuple(_sustained(code) for code in sustained),
        answer_rules=random.choice([(), (AnswerRule(link_id="breath", zone="yellow", at_least=1),)]),
        vitals=tuple(random.sample(codes, random.randrange(1, 3))) if random.random() < 0.3 else (),
        answers_due=random.random() < 0.2,
        weight_change=random.random() < 0.6,
        news2=random.choice([None, None, News2Scale.SCALE_1, News2Scale.SCALE_2]),
    )
    from_at = START + after
    return structs.replace(
        plan,
        event_id=named(f"plan-{version}"),
        at=from_at,
        recorded_at=from_at,
        plan=structs.replace(plan.plan, valid_from_at=from_at),
    )


def _limit(random: Random, code: str) -> Limit:
    limits = DEVICES[code].limits
    kept = [edge if random.random() < 0.7 else None for edge in limits]
    if kept == [None] * len(kept):
        kept = list(limits)
    red_low, yellow_low, yellow_high, red_high = kept
    unit = DEVICES[code].unit
    return Limit(
        code=code, unit=unit, red_low=red_low, yellow_low=yellow_low, yellow_high=yellow_high, red_high=red_high
    )


def _relative(code: str) -> RelativeLimit:
    near, far = DEVICES[code].distance
    unit = DEVICES[code].unit
    return RelativeLimit(code=code, unit=unit, yellow_below=near, red_below=far, yellow_above=near, red_above=far)


def _change(code: str) -> ChangeLimit:
    near, far = DEVICES[code].distance
    return ChangeLimit(
        code=code,
        unit=DEVICES[code].unit,
        hours=WINDOW_H,
        yellow_fall=near,
        red_fall=far,
        yellow_rise=near,
        red_rise=far,
    )


def _sustained(code: str) -> SustainedLimit:
    device = DEVICES[code]
    near, _ = device.distance
    return SustainedLimit(code=code, unit=device.unit, low=device.usual - near, high=device.usual + near, count=2, of=3)


def edges(code: str, plan: Plan) -> list[float]:
    """Where something is decided on a vital [the device's unit], by its limits and by what it mostly shows."""
    vital, device = BY_CODE[code], DEVICES[code]
    reach = [floors * vital.floor for floors in (RULES.near_floors, RULES.asking_floors)]
    found: list[float | None] = [*vital.impossible, *vital.implausible]
    for limit in plan.limits:
        if limit.code == code:
            lows, highs = (limit.red_low, limit.yellow_low), (limit.yellow_high, limit.red_high)
            found += [*lows, *highs]
            found += [edge + near for edge in lows if edge is not None for near in reach]
            found += [edge - near for edge in highs if edge is not None for near in reach]
    away: list[float | None] = [*device.distance, vital.fall, vital.step]
    away += [z * vital.floor for z in (1, RULES.repeated_z + 0.3, (RULES.repeated_z + RULES.single_z) / 2, 4)]
    if vital.share_of_best is not None:
        away.append(device.usual * (1 - vital.share_of_best))
    if code == SPO2:
        found.append(RULES.oxygen_red)
        away += [RULES.oxygen_yellow_fall, RULES.oxygen_red_fall]
    if code == WEIGHT:
        away += [RULES.weight_day_kg, RULES.weight_days_kg, RULES.weight_over_normal_kg]
        away.append(device.usual * RULES.weight_month_share)
    found += [device.usual + side * one for one in away if one is not None for side in (-1, 1)]
    return [edge for edge in found if edge is not None]


# Sessions.


def _values(random: Random, codes: list[str], plan: Plan, calm: float, moved: float) -> dict[str, list[float]]:
    """What is measured in one session: with a chance `calm` what is usual, else at an edge or a step beside it.

    What is usual has `moved` so many least spreads since the beginning.
    """
    found = {}
    for code in codes:
        device = DEVICES[code]
        at_edge = [edge + random.choice([-1, 0, 1]) * device.step for edge in edges(code, plan)]
        usual = device.usual + moved * BY_CODE[code].floor
        many = random.choice([0, 1, 1, 1, 1, 2, 3])
        found[code] = [round(usual if random.random() < calm else random.choice(at_edge), 2) for _ in range(many)]
        if many > 1 and random.random() < 1 - calm:  # one beside another that agrees with it, or hardly
            agrees = RULES.confirmed_floors * BY_CODE[code].floor
            found[code][0] = round(found[code][1] + agrees + random.choice([-1, 0, 1]) * device.step, 2)
    if found.get(SYSTOLIC) and DIASTOLIC in codes and random.random() < 1 - calm:
        found[DIASTOLIC] = [upper - LEAST_PULSE_PRESSURE + random.choice([-1, 0, 1]) for upper in found[SYSTOLIC]]
    return found


def _session(random: Random, name: str, now: datetime, values: dict[str, list[float]], *, in_turn: bool) -> Submission:
    """A session measured at `now`, one time of few of its readings being at the edge of what is believed."""
    late = timedelta(0)
    if not in_turn and random.random() < 0.2:
        late = random.choice([timedelta(hours=5), beside(random, timedelta(milliseconds=RULES.page_within_ms))])
    received = now + late
    readings = [
        Reading(
            code=code,
            value=value,
            unit=DEVICES[code].unit,
            measured_at=now,
            device=CUFF if code in {SYSTOLIC, DIASTOLIC} else None,
            attempt=attempt,
            context=Context(oxygen_l_min=random.choice([0, 2])) if code == SPO2 and random.random() < 0.2 else None,
        )
        for code, every in values.items()
        for attempt, value in enumerate(every, 1)
    ]
    if readings and random.random() < 0.15:
        place = random.randrange(len(readings)) if len(readings) > 1 and random.random() < 0.95 else 0
        readings[place] = structs.replace(readings[place], measured_at=_at_tolerance(random, now, received))
    answers = tuple(
        Answer(questionnaire="q", questionnaire_version=1, link_id=link, value=value)
        for link, value in (("breath", random.randrange(3)), ("confused", random.choice([True, False, "?"])))
        if not readings or random.random() < 0.1
    )
    return Submission(
        submission_id=named(name),
        patient=PATIENT,
        received_at=received,
        readings=tuple(random.sample(readings, len(readings))),
        answers=answers,
    )


def _at_tolerance(random: Random, now: datetime, received: datetime) -> datetime:
    """The latest or the earliest time that is believed, the earliest of what is due, or a millisecond beside it."""
    if random.random() < 0.3:
        return now - beside(random, timedelta(milliseconds=RULES.due_within_ms))
    if random.random() < 0.5:
        return received + beside(random, timedelta(milliseconds=RULES.future_tolerance_ms))
    return received - beside(random, timedelta(milliseconds=RULES.oldest_reading_ms))


def _pause(random: Random, now: datetime, *, in_turn: bool) -> timedelta:
    """How long until the next session: mostly a day, and else the ends of what is joined by time or by days."""
    hours = [WINDOW_H, RULES.joined_ms // HOUR_MS, *(24 * days + RULES.weight_slack_h for days in (1, 3, 7))]
    days = [0, RULES.in_a_row_days + 1, RULES.near_every_days + 1, FALL_WITHIN_DAYS, FALL_WITHIN_DAYS + 1]
    if in_turn:
        hours.append(24 * 30 + RULES.weight_slack_h)
        days += [RULES.stale_after_days, RULES.stale_after_days + 1]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=random.choice([1, 2]))
    if random.random() < 0.6:
        return timedelta(days=1)
    return beside(
        random,
        random.choice(
            [
                timedelta(milliseconds=TAKEN_OVER_MS),
                midnight - now,
                timedelta(days=random.choice(days)) + timedelta(hours=1) * (random.random() < 0.3),
                timedelta(milliseconds=random.choice(hours) * HOUR_MS),
            ]
        ),
    )


# What else happens.


def _corrected(random: Random, session: Submission) -> list[Any]:
    """A session and its corrections, of which two may be recorded at once and one may come before it."""
    events: list[Any] = [session]
    recorded = session.received_at
    while random.random() < 0.15:
        recorded += random.choice([timedelta(), timedelta(hours=2), beside(random, timedelta(hours=72))])
        replaced = bool(session.readings) and random.random() < 0.7
        correction = Correction(
            correction_id=named(f"{session.submission_id} {len(events)} {random.random()}"),
            submission_id=session.submission_id,
            patient=PATIENT,
            recorded_at=recorded,
            action=CorrectionAction.REPLACED if replaced else CorrectionAction.ENTERED_IN_ERROR,
            readings=_moved(random, session) if replaced else (),
        )
        events.insert(random.choice([0, len(events), len(events)]), correction)
    return events


def _moved(random: Random, session: Submission) -> tuple[Reading, ...]:
    """A session's readings at another time, or all but one."""
    if random.random() < 0.4:
        return session.readings[1:] or session.readings
    tolerance = timedelta(milliseconds=RULES.future_tolerance_ms)
    moved = [timedelta(0), tolerance, timedelta(hours=-1), timedelta(days=-3), timedelta(days=-20)]
    at = session.received_at + random.choice(moved)
    return tuple(structs.replace(one, measured_at=at) for one in session.readings)


def _care(random: Random, place: int, now: datetime, codes: list[str]) -> Any:  # noqa: ANN401 - any care event
    """Something that staff enter, from the instant of a session, or from as long before it as a page may be late."""
    ago = random.choice([timedelta(0), timedelta(0), timedelta(milliseconds=RULES.page_within_ms)])
    instant = now - beside(random, ago)
    common = {
        "event_id": named(f"care-{place}"),
        "patient": PATIENT,
        "at": instant,
        "recorded_at": max(instant, now),
    }
    match random.randrange(4):
        case 0:
            return Paused(**common, ends_at=instant + beside(random, timedelta(days=1)))
        case 1:
            return Admitted(acute=True, **common)
        case 2:
            return Discharged(**common)
        case _:
            return asked(random, codes, version=place + 2, after=instant - START)
