"""Whole histories at once come to what the fold comes to, event by event."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from pipeline.backtest import engine, vectors
from pipeline.backtest.histories import OutOfScopeError, gather
from pipeline.triage import RULES, Rules, State, step
from pipeline.triage.instants import to_ms
from pipeline.triage.state import NEVER
from pipeline.triage.zones import BY_SEVERITY
from schemas.assessments import Assessment, ZoneChange
from schemas.care import Acknowledged, Limit, News2Scale
from schemas.paging import Tick
from schemas.submissions import Answer, Correction, CorrectionAction, Reading, Submission
from schemas.types import Zone
from tests.edges import at_the_edges
from tests.histories import END, PATIENT, enrolled, followed, history, named, reading, signed, submitted
from tests.pipeline.triage.test_history import taken_over
from tests.spec import test_signals as care

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

RANDOM = st.integers(min_value=0, max_value=2**32).map(Random)
some = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
few = settings(some, max_examples=25)
LAST = Tick(at=END.at + timedelta(days=400))
DAYS_FORGOTTEN = structs.replace(RULES, history_days=15)
BYTES_FORGOTTEN = structs.replace(RULES, history_bytes=1_000, most_bytes=5_000)
Decided = tuple[dict[bytes, object], list[object]]


def by_the_fold(
    events: list[Any], random: Random | None = None, rules: Rules = RULES, *, last: Tick | None = LAST
) -> tuple[Decided, list[Any]]:
    """What the fold comes to, and the events; with `random` a nurse takes many alerts over an hour later."""
    state: State | None = None
    assessments: dict[bytes, Assessment] = {}
    changes: dict[Any, ZoneChange] = {}
    waiting = list(events)
    seen = []
    while waiting:
        event = waiting.pop(0)
        seen.append(event)
        state, told = step(state, event, rules)
        for one in told:
            if isinstance(one, Assessment):
                assessments[one.submission_id.bytes] = one
            elif isinstance(one, ZoneChange):
                changes[one.zone_change_id] = one
                if random is not None and one.to_zone in engine.ALERTS and random.random() < 0.6:
                    waiting.insert(0, took_over(one, event, random))
    _, told = (state, ()) if last is None else step(state, last, rules)
    changes |= {one.zone_change_id: one for one in told if isinstance(one, ZoneChange)}
    reasons = {
        key: (to_ms(one.at), one.zone, frozenset((reason.rule, reason.code, reason.zone) for reason in one.reasons))
        for key, one in assessments.items()
    }
    standing = [(to_ms(one.at), one.from_zone, one.to_zone) for one in changes.values() if not one.retracted]
    return (reasons, sorted(standing)), seen


def took_over(change: ZoneChange, event: Any, random: Random) -> Acknowledged:  # noqa: ANN401 - any message
    at = (getattr(event, "received_at", None) or event.recorded_at) + timedelta(hours=1.1)
    return Acknowledged(
        event_id=named(f"ack {change.zone_change_id}"),
        patient=PATIENT,
        at=at,
        recorded_at=at,
        zone_change_id=change.zone_change_id,
        by="nurse-1",
        reason_code=random.choice(["called", "called", "called", "called", "exacerbation"]),
    )


def by_vectors(events: list[Any], rules: Rules = RULES, *, last: Tick | None = LAST) -> Decided:
    (found,) = vectors.run(events, rules, until_ms=None if last is None else to_ms(last.at))
    reasons = {one.session: (one.at_ms, one.zone, frozenset(map(tuple, one.reasons))) for one in found.outcomes}
    return reasons, sorted((one.mark.at_ms, BY_SEVERITY[one.left], BY_SEVERITY[one.mark.zone]) for one in found.changes)


@some
@given(RANDOM)
def test_any_history_comes_to_what_the_fold_comes_to(random: Random) -> None:
    events = history(random)
    if random.random() < 0.5:
        events = taken_over(random, events)
    assert by_vectors(events) == by_the_fold(events)[0]


@some
@given(RANDOM)
def test_so_does_one_in_which_every_signal_is_asked_for(random: Random) -> None:
    events = followed(random, long=False)
    if random.random() < 0.5:
        events = taken_over(random, events)
    assert by_vectors(events) == by_the_fold(events)[0]


@few
@given(RANDOM)
def test_so_does_one_of_months_in_which_everything_came_in_its_turn(random: Random) -> None:
    decided, events = by_the_fold(followed(random, long=True), random)
    assert by_vectors(events) == decided


@pytest.mark.parametrize(
    ("rules", "in_turn", "many", "least"),
    [
        (RULES, True, 250, 190),
        (RULES, False, 250, 190),
        (DAYS_FORGOTTEN, True, 100, 65),
        (DAYS_FORGOTTEN, False, 200, 30),
        (BYTES_FORGOTTEN, True, 110, 50),
        (BYTES_FORGOTTEN, False, 100, 3),
    ],
)
def test_so_does_one_in_which_all_lies_at_an_edge(rules: Rules, many: int, least: int, *, in_turn: bool) -> None:
    compared = 0
    for seed in range(many):
        random = Random(seed)  # noqa: S311 - no secret
        nurse, last = random.choice([None, random]), random.choice([None, LAST])
        decided, events = by_the_fold(at_the_edges(random, in_turn=in_turn), nurse, rules, last=last)
        with suppress(OutOfScopeError):
            assert by_vectors(events, rules, last=last) == decided, seed
            compared += 1
    assert compared >= least


def test_news2_is_a_second_signal_beside_weight() -> None:
    events = [
        *care.planned(weight_change=True, news2=News2Scale.SCALE_1),
        *care.days(care.WEIGHT, [80.0, 80.7, 81.4]),
        care.submitted("s", 82, care.reading(care.WEIGHT, 82.0, "kg", 82), care.reading(care.PULSE, 135, "/min", 82)),
    ]
    decided = by_the_fold(events)[0]
    assert Zone.RED in {zone for _, zone, _ in decided[0].values()}
    assert by_vectors(events) == decided


def test_a_gain_of_weight_is_a_second_signal_beside_a_deviation() -> None:
    weights = [None] * 7 + [80.0, 80.7, 81.4, 82.1]  # of too few days to have a normal, and never much in a day
    pulses = [70.0] * 10 + [90.0]
    events = [
        *care.planned(weight_change=True),
        *(
            submitted(
                f"s{day}",
                24 * day + 10,
                reading(care.PULSE, pulse, "/min", 24 * day + 10),
                *(() if weight is None else (reading(care.WEIGHT, weight, "kg", 24 * day + 10),)),
            )
            for day, (pulse, weight) in enumerate(zip(pulses, weights, strict=True))
        ),
    ]
    decided = by_the_fold(events)[0]
    told = {rule for _, _, reasons in decided[0].values() for rule, _, zone in reasons if zone is Zone.RED}
    assert told == {"deviation_with_symptom", "weight_rise_days"}
    assert by_vectors(events) == decided


@pytest.mark.parametrize("seed", range(10))
def test_slow_change_starts_anew_after_a_long_episode_has_made_the_normal_stale(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    ends = 20 + RULES.stale_after_days + random.randrange(1, 12)
    events = daily(random, ends + 20, rises_from=20, alerting=range(20, ends))
    assert by_vectors(events) == by_the_fold(events)[0]


@pytest.mark.parametrize("seed", range(20))
def test_slow_change_is_followed_from_the_day_on_which_the_normal_is_established(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    events = daily(random, 30, rises_from=random.randrange(7, RULES.established_span_days))
    assert by_vectors(events) == by_the_fold(events)[0]


def daily(random: Random, days: int, *, rises_from: int, alerting: Container[int] = ()) -> list[Any]:
    """A pulse that is a little higher from a day on, beside a blood pressure that is beyond its limit on some days."""
    events = [*care.planned(limits=(Limit(code=care.SYSTOLIC, unit="mm[Hg]", yellow_high=150),))]
    rise = random.randrange(3, 6)
    for day in range(days):
        hours = 24 * day + 10
        pulse = 70 + random.randrange(5) + (rise if day >= rises_from else 0)
        events.append(
            submitted(
                f"s{day}",
                hours,
                reading(care.SYSTOLIC, 151 if day in alerting else 149, "mm[Hg]", hours),
                reading(care.PULSE, pulse, "/min", hours),
            )
        )
    return events


@pytest.mark.parametrize(
    ("whose", "field"),
    [
        *(("normal", field) for field in ("established", "center", "spread")),
        *(("newest", field) for field in ("score", "passed_over", "low", "high")),
    ],
)
@pytest.mark.parametrize("slope", [0.2, -0.2])
def test_whatever_slow_change_rests_on_is_followed_again_when_it_alone_is_new(
    whose: str, field: str, slope: float
) -> None:
    events = [*care.planned(), *care.days(care.PULSE, [70.0 + 3 * (day % 3) + slope * day for day in range(40)])]
    again, anew = (vectors._Signals(gather(events, RULES), RULES) for _ in range(2))
    learns = again.guess()
    again.judge(learns, np.ones(len(learns), bool), again.missing(learns, np.full(len(learns), NEVER)))
    assert again._scanned is not None
    known = dict(zip(("normal", "newest"), again._scanned, strict=True))
    for place in np.flatnonzero(known["normal"].established).tolist():
        column = getattr(known[whose], field).copy()
        column[place] = ~column[place] if column.dtype == bool else column[place] + 2.5
        changed = known | {whose: known[whose]._replace(**{field: column})}
        again._scan(**known)
        again._scan(**changed)
        anew._scanned = None
        anew._scan(**changed)
        assert again._tracks == anew._tracks
        assert np.array_equal(again._sides, anew._sides)


def test_many_patients_at_once_come_to_what_each_comes_to_alone() -> None:
    histories = [
        [structs.replace(event, patient=f"sim-{seed:04}") for event in followed(Random(seed), long=bool(seed % 2))]  # noqa: S311 - no secret
        for seed in range(6)
    ]
    together = vectors.run([event for events in histories for event in events])
    assert together == tuple(one for events in histories for one in vectors.run(events))
    assert vectors.run([]) == ()


def test_a_session_that_bears_on_what_may_be_forgotten_is_not_judged() -> None:
    days = [submitted(f"d{day}", 24 * day, reading("8867-4", 70, "/min", 24 * day)) for day in [*range(1, 120), 10.5]]
    assert vectors.run([enrolled(), signed(0), *days[:-1]])
    with pytest.raises(OutOfScopeError):
        vectors.run([enrolled(), signed(0), *days])


NOW, YEAR_AGO = 40.0, 40.0 - 24 * 360  # [h]


@pytest.mark.parametrize(("others", "sent", "told"), [(NOW, YEAR_AGO, NOW), (YEAR_AGO, NOW, YEAR_AGO)])
def test_nor_is_one_whose_correction_bears_on_what_was_forgotten_before_it(
    others: float, sent: float, told: float
) -> None:
    pulse = [
        submitted(f"s{hours}", hours, reading("8867-4", 70, "/min", hours)) for hours in (others - 50, others - 10)
    ]
    session = submitted("s", sent, reading("8867-4", 70, "/min", sent), late=NOW - sent)
    before = [enrolled(-24 * 400), signed(-24 * 400), *pulse]
    moved = replacing(session, (reading("8867-4", 130, "/min", told),))
    with pytest.raises(OutOfScopeError):
        vectors.run([*before, session, moved])
    stays = replacing(session, (reading("8867-4", 130, "/min", sent),))
    if sent == others:
        assert by_vectors([*before, session, stays]) == by_the_fold([*before, session, stays])[0]


def replacing(session: Submission, readings: tuple[Reading, ...]) -> Correction:
    return Correction(
        correction_id=named(f"correction of {session.submission_id}"),
        submission_id=session.submission_id,
        patient=PATIENT,
        recorded_at=session.received_at + timedelta(hours=2),
        action=CorrectionAction.REPLACED,
        readings=readings,
    )


def test_nor_is_spirometry_beside_a_best_that_may_be_forgotten() -> None:
    days = [submitted(f"d{day}", 24 * day, reading("20150-9", 2, "L", 24 * day)) for day in range(1, 120)]
    with pytest.raises(OutOfScopeError):
        vectors.run([enrolled(), signed(0), *days])


def on_days(*days: float, many: int = 12) -> list[Any]:
    """So many sessions with much text on each of some days, minutes apart; they come in their turn."""
    hours = [24 * day + 0.2 * number for day in days for number in range(many)]
    told = (Answer(questionnaire="q", questionnaire_version=1, link_id="how", value="a" * 190),)
    return [submitted(f"s{hour}", hour, reading("8867-4", 70, "/min", hour), answers=told) for hour in hours]


def planned(day: int) -> list[Any]:
    """Just before a day the plan is signed again, so that something is decided then."""
    return [signed(24 * day - 0.1, version=day)]


def corrected(sessions: Iterable[Submission], many: int) -> list[Any]:
    """So many corrections of each of some sessions."""
    return [
        Correction(
            correction_id=named(f"c{number} {session.submission_id}"),
            submission_id=session.submission_id,
            patient=PATIENT,
            recorded_at=session.received_at + timedelta(hours=number),
            action=CorrectionAction.ENTERED_IN_ERROR,
        )
        for session in sessions
        for number in range(many)
    ]


@pytest.mark.parametrize(
    ("limit", "events", "spared"),
    [
        ("care_events", on_days(1), 1),
        ("care_bytes", on_days(1), 1),
        ("corrections_of_one", [*on_days(1, many=2), *corrected(on_days(1, many=2), 3)], 1),
        ("pending_corrections", [*corrected(on_days(1, many=4), 1), *on_days(1, many=4)], 1),
        ("pending_bytes", [*corrected(on_days(1, many=4), 1), *on_days(1, many=4)], 3),
        ("most_name_bytes", on_days(1, many=2), 1.5),
        ("most_bytes", on_days(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 1.6),
        ("most_bytes", on_days(1, 11, 21, 31, 33, 41), 3),
        ("most_bytes", [*on_days(1), *planned(10), *on_days(10, 12.9, 20), *planned(30), *on_days(30, 32.9)], 1.6),
    ],
)  # fmt: skip
def test_nor_is_any_of_which_the_fold_refuses_something(limit: str, events: list[Any], spared: float) -> None:
    """As soon as the fold takes all there is `spared` times the room, it is judged."""
    events = [enrolled(), signed(0), *events]
    rooms = range(40_000) if limit.endswith("bytes") else range(20)
    taken = bisect_left(rooms, True, key=lambda room: not refuses(events, little(limit, room)))  # noqa: FBT003 - what is sought
    judged = bisect_left(rooms, True, key=lambda room: not out_of_scope(events, little(limit, room)))  # noqa: FBT003
    assert 0 < taken <= judged <= spared * taken < len(rooms)


def little(limit: str, room: int) -> Rules:
    """Rules by which hardly any history is kept beyond its turn, and of one thing so much."""
    kept = {"history_bytes": 100} if limit == "most_bytes" else {}
    return structs.replace(RULES, **kept, **{limit: room})


def refuses(events: list[Any], rules: Rules) -> bool:
    """Whether the fold refuses any of the events."""
    return engine.run(events, rules).refused > 0


def out_of_scope(events: list[Any], rules: Rules) -> bool:
    """Whether the fold has to be asked."""
    try:
        vectors.run(events, rules)
    except OutOfScopeError:
        return True
    return False
