"""A decision is a function of history: order, repetition and restarts change nothing, and nothing unknown is green."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import json, structs

from pipeline.triage import Refused, State, step
from pipeline.triage.phases import PHASES
from pipeline.triage.state import decode, encode
from pipeline.triage.zones import BY_SEVERITY
from schemas.assessments import Assessment, PatientStatus, Quality, ZoneChange
from schemas.care import Admitted, Cadence, ChangeLimit, Discharged, Enrolled, Limit, PhaseChanged
from schemas.submissions import Answer, Correction, CorrectionAction
from schemas.types import Phase, Zone
from tests.histories import (
    END,
    PATIENT,
    SPO2_LIMITS,
    acknowledged,
    at,
    enrolled,
    followed,
    history,
    named,
    phases,
    read,
    reading,
    signed,
    spo2,
    submitted,
    transferred,
)

RANDOM = st.integers(min_value=0, max_value=2**32).map(Random)
some = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


class Told:
    """What came of a stream of events."""

    def __init__(self, events: list[Any], *, restarts: Random | None = None) -> None:
        self.state: State | None = None
        self.assessments: dict[Any, Assessment] = {}
        self.changes: dict[Any, ZoneChange] = {}
        self.status: PatientStatus | None = None
        for event in [*events, END]:
            if restarts is not None and self.state is not None and restarts.random() < 0.3:
                self.state = decode(encode(self.state))
            self.state, outputs = step(self.state, event)
            for output in outputs:
                self._take(output)

    def _take(self, output: object) -> None:
        assert not isinstance(output, Refused)
        if isinstance(output, Assessment):
            known = self.assessments.get(output.assessment_id)
            assert known is None or known.revision <= output.revision
            self.assessments[output.assessment_id] = output
        elif isinstance(output, ZoneChange):
            self.changes[output.zone_change_id] = output
        elif isinstance(output, PatientStatus):
            self.status = output

    def zone(self) -> Zone:
        """The zone that the patient is in."""
        assert self.state is not None
        return BY_SEVERITY[self.state.marks[-1].zone if self.state.marks else self.state.base.zone]

    def told(self) -> tuple[object, ...]:
        """What must be the same in every order: all but pages, which are asked for when their ground is learnt."""
        assert self.state is not None
        standing = {key for key, change in self.changes.items() if not change.retracted}
        return structs.replace(self.state, open_pages={}, climb=None, taken_back={}), self.assessments, standing


@some
@given(RANDOM)
def test_any_order_with_repeats_ends_in_the_same_state_assessments_and_zone_changes(random: Random) -> None:
    events = history(random)
    in_turn = Told(events).told()
    for _ in range(2):
        shuffled = random.sample(events, len(events)) + random.sample(events, len(events) // 3)
        assert Told(shuffled).told() == in_turn


@some
@given(RANDOM)
def test_any_order_of_changes_of_phase_ends_the_same(random: Random) -> None:
    events = [*history(random), *(read(event) for event in phases(random))]
    in_turn = Told(events)
    for _ in range(2):
        shuffled = Told(random.sample(events, len(events)) + random.sample(events, len(events) // 3), restarts=random)
        assert shuffled.told() == in_turn.told()
        assert stands(shuffled) == stands(in_turn)


def stands(told: Told) -> object:
    """Where the patient stands at the end, but for pages and when the newest of them was due."""
    assert told.status is not None
    status = structs.replace(told.status, open_pages=0, step=None, at=None)
    return structs.replace(status, respond_by_at=None) if status.zone is Zone.RED else status


def in_order(events: list[Any]) -> list[Any]:
    """`events` without what is out of order: changes of phase left out, enrolments in the phase that holds."""
    phase: Phase | None = None
    meant = {id(event): event for event in events}
    moves = [event for event in events if isinstance(event, Enrolled | PhaseChanged)]
    for event in sorted(moves, key=lambda move: (move.at, move.recorded_at, move.event_id.bytes)):
        if isinstance(event, Enrolled):
            if phase is not None and PHASES[phase].monitored and not PHASES[event.phase].monitored:
                meant[id(event)] = structs.replace(event, phase=phase)
            phase = meant[id(event)].phase
        elif phase is not None and event.phase in {phase, *PHASES[phase].then}:
            phase = event.phase
        else:
            del meant[id(event)]
    return list(meant.values())


@some
@given(RANDOM)
def test_a_change_of_phase_out_of_order_changes_no_zone(random: Random) -> None:
    events = [*history(random), *(read(event) for event in phases(random))]
    everything, kept = Told(events), Told(in_order(events))
    assert {key: found.zone for key, found in everything.assessments.items()} == {
        key: found.zone for key, found in kept.assessments.items()
    }
    assert everything.told()[2] == kept.told()[2]
    assert everything.status is not None
    assert kept.status is not None
    assert (everything.status.zone, everything.status.phase) == (kept.status.zone, kept.status.phase)


def taken_over(random: Random, events: list[Any]) -> list[Any]:
    """`events`, acknowledgements of the alerts that they give in turn, and perhaps a stay in hospital."""
    more: list[Any] = []
    for change in Told(events).changes.values():
        if change.to_zone in {Zone.YELLOW, Zone.RED}:
            instant = change.at + timedelta(hours=random.choice([1, 5, 30]))
            late = timedelta(hours=random.choice([0, 0, 20]))
            reason = random.choice(["called", "exacerbation"])
            name = f"ack-{change.zone_change_id}"
            more.append(acknowledged(name, change.zone_change_id, instant, late=late, reason_code=reason))
    if random.random() < 0.3:
        into = at(random.randrange(400))
        out = into + timedelta(days=3)
        more.append(Admitted(event_id=named("in"), patient=PATIENT, at=into, recorded_at=into, acute=True))
        more.append(Discharged(event_id=named("out"), patient=PATIENT, at=out, recorded_at=out))
    return [*events, *(read(event) for event in more)]


@some
@given(RANDOM)
def test_any_order_of_what_staff_did_ends_the_same(random: Random) -> None:
    events = taken_over(random, history(random))
    in_turn = Told(events).told()
    for _ in range(2):
        shuffled = random.sample(events, len(events)) + random.sample(events, len(events) // 3)
        assert Told(shuffled, restarts=random).told() == in_turn


@some
@given(RANDOM)
def test_a_state_that_is_stored_and_read_again_goes_on_as_if_it_had_not_been(random: Random) -> None:
    events = history(random)
    assert Told(events, restarts=random).told() == Told(events).told()


@some
@given(RANDOM)
def test_a_repeated_event_gives_back_the_very_same_state_and_tells_nothing(random: Random) -> None:
    events = history(random)
    state: State | None = None
    for event in events:
        state, _ = step(state, event)
    for event in events:
        again, outputs = step(state, event)
        assert again is state
        assert outputs == ()


@some
@given(RANDOM)
def test_the_same_step_from_the_same_state_tells_the_same_bytes(random: Random) -> None:
    state: State | None = None
    for event in history(random):
        before = state
        state, outputs = step(before, event)
        assert step(before, event) == (state, outputs)


@settings(parent=some, max_examples=20)
@given(RANDOM)
def test_what_is_told_is_the_same_bytes_after_a_restart(random: Random) -> None:
    for long in (False, True):
        state: State | None = None
        for event in followed(random, long=long):
            state, outputs = step(state, event)
            for output in outputs:
                raw = json.encode(output)
                assert json.encode(json.decode(raw, type=type(output))) == raw
            # Told later out of the state that was read anew, it is what it was.
            assert state is None or encode(decode(encode(state))) == encode(state)


@some
@given(RANDOM)
def test_green_needs_a_plan_and_readings_that_could_all_be_judged(random: Random) -> None:
    for assessment in Told(history(random)).assessments.values():
        if assessment.zone is Zone.GREEN:
            judged = [reading for reading in assessment.readings if not reading.withdrawn]
            assert assessment.plan_version is not None
            assert judged
            assert all(reading.quality is Quality.VALID for reading in judged)


@pytest.mark.parametrize(("first", "second"), list(permutations("abcde", 2)))
def test_a_correction_that_moves_a_session_to_the_very_instant_of_another_takes_no_revision_back(
    first: str, second: str
) -> None:
    high = Limit(code="8867-4", unit="/min", red_high=200)
    rise = ChangeLimit(code="8867-4", unit="/min", hours=24, red_rise=20)
    earlier = submitted(first, 10, reading("8867-4", 80, "/min", 10))
    later = submitted(second, 10.1, reading("8867-4", 125, "/min", 10.1))
    corrected = Correction(
        correction_id=named("corrected"),
        submission_id=earlier.submission_id,
        patient=PATIENT,
        recorded_at=at(12),
        action=CorrectionAction.REPLACED,
        readings=(reading("8867-4", 124, "/min", 10.1),),
    )
    told = Told([read(one) for one in (enrolled(), signed(0, high, change_limits=(rise,)), earlier, later, corrected)])
    assert {one.zone for one in told.assessments.values() if one.submission_id is not None} == {Zone.GREEN}


def test_nor_does_one_that_moves_a_session_before_others_take_back_its_own() -> None:
    others = [submitted(f"o-{n}", 30 + n / 10, spo2(95, 30 + n / 10)) for n in range(4)]
    moved = submitted("moved", 31, spo2(95, 31))
    corrected = [
        Correction(
            correction_id=named(f"corrected-{number}"),
            submission_id=moved.submission_id,
            patient=PATIENT,
            recorded_at=at(40 + number),
            action=CorrectionAction.REPLACED,
            readings=(spo2(value, hours),),
        )
        for number, (value, hours) in enumerate([(84, 29), (83, 28), (95, 30.15)])
    ]
    events = [read(one) for one in (enrolled(), signed(0, SPO2_LIMITS), *others, moved, *corrected)]
    revisions, state = [], None
    for event in events:
        state, outputs = step(state, event)
        revisions += [
            one.revision for one in outputs if isinstance(one, Assessment) and one.submission_id == moved.submission_id
        ]
    assert len(revisions) == 4
    assert revisions == sorted(set(revisions))


def test_an_answer_is_told_by_its_own_question_when_older_ones_are_forgotten() -> None:
    def asked(day: int) -> Answer:
        return Answer(questionnaire=f"q{day // 50}", questionnaire_version=1, link_id=f"question-{day}", value=day)

    days = [submitted(f"d{day}", 24 * day + 10, spo2(95, 24 * day + 10), answers=(asked(day),)) for day in range(150)]
    told = Told([enrolled(), signed(0, SPO2_LIMITS), *days])
    assert told.state is not None
    assert told.state.base.from_day
    given = {one.submission_id: one.answers for one in told.assessments.values()}
    assert given == {session.submission_id: session.answers for session in days}


def test_an_open_episode_outlives_the_history_that_is_forgotten() -> None:
    days = [submitted(f"d{day}", 24 * day + 10, spo2(80 if day == 40 else 95, 24 * day + 10)) for day in range(100)]
    told = Told([enrolled(), signed(0, SPO2_LIMITS), *days, transferred(24 * 99 + 1, recorded=24 * 99 + 12)])
    assert told.state is not None
    assert told.state.base.from_day
    assert told.zone() is Zone.RED


def test_an_answer_is_told_by_its_own_question_also_where_the_questions_before_it_are_forgotten() -> None:
    def asked(day: int) -> Answer:
        link = "at-first" if day < 30 else "later"
        return Answer(questionnaire=f"{link}-daily", questionnaire_version=1, link_id=link, value=day % 3)

    days = [submitted(f"d{day}", 24 * day + 10, spo2(95, 24 * day + 10), answers=(asked(day),)) for day in range(150)]
    told = Told([enrolled(), signed(0, SPO2_LIMITS), *days])
    assert told.state is not None
    assert told.state.base.from_day
    found = sorted((one for one in told.assessments.values()), key=lambda one: one.at)
    assert [one.answers for one in found] == [(asked(day),) for day in range(150)]


def test_nor_is_a_zone_lost_that_came_with_silence_at_the_instant_from_which_history_is_kept() -> None:
    hours = [24 * day + (9 if day < 9 else 8) for day in range(100)]  # 10:00 in Oslo: what is awaited is overdue then
    days = [submitted(f"d{day}", hour, spo2(80 if day == 46 else 95, hour)) for day, hour in enumerate(hours)]
    told = Told(
        [enrolled(), signed(0, SPO2_LIMITS, cadence=Cadence(times=("10:00",), every_days=1, grace_minutes=0)), *days]
    )
    assert told.state is not None
    assert told.state.base.decided_ms == days[46].received_at.timestamp() * 1000
    assert told.zone() is Zone.RED
