"""Nothing unknown, missing, doubtful or broken is ever green: neither a registration nor the patient."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.triage import RULES, State, step, unreadable
from pipeline.triage.instants import from_ms
from pipeline.triage.vitals import BY_CODE, factor
from schemas.assessments import Assessment, BaselineStatus, PatientStatus, Quality
from schemas.care import Acknowledged, Limit, Plan, PlanSigned
from schemas.paging import Tick
from schemas.types import Zone
from tests.histories import END, acknowledged, at, followed, history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.triage.state import Episode

Told = tuple[Any, Assessment | PatientStatus]
some = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
RANDOM = st.integers(min_value=0, max_value=2**32).map(Random)


def lived(random: Random) -> Iterator[Told]:
    """A history in any order with time passing and messages that nobody can read, and what is told after each event."""
    events: list[Any] = followed(random, long=random.random() < 0.5) if random.random() < 0.6 else history(random)
    if random.random() < 0.3:
        events = random.sample(events, len(events))
    state: State | None = None
    for number, event in enumerate([*events, END]):
        outputs: list[Any] = []
        if state is not None and state.episode is not None and random.random() < 0.15:
            state, told = step(state, taken_over(state.episode, number, state.clock_ms, random))
            outputs += told
        if state is not None and random.random() < 0.05:
            state, told = unreadable(state, at(random.randrange(500)))
            outputs += told
        if state is not None and random.random() < 0.2:
            state, told = step(state, Tick(at=at(random.randrange(2_000))))
            outputs += told
        state, told = step(state, event)
        for output in (*outputs, *told):
            if isinstance(output, Assessment | PatientStatus):
                yield event, output


def taken_over(episode: Episode, number: int, now_ms: int, random: Random) -> Acknowledged:
    """Staff take an episode over, at once or only after days."""
    instant = from_ms(max(now_ms, 0)) + timedelta(hours=random.choice([0, 1, 30, 200, 600]))
    return acknowledged(f"taken-over-{number}", UUID(bytes=episode.change), instant)


def plans(random: Random) -> dict[int, Plan]:
    """By version; where two have the same, none."""
    state = random.getstate()
    events: list[Any] = followed(random, long=random.random() < 0.5) if random.random() < 0.6 else history(random)
    random.setstate(state)
    found: dict[int, list[Plan]] = {}
    for event in events:
        if isinstance(event, PlanSigned):
            found.setdefault(event.plan.version, []).append(event.plan)
    return {version: every[0] for version, every in found.items() if len(every) == 1}


def breaks(limit: Limit, value: float) -> bool:
    """By hand: at a limit or beyond it, in the limit's own unit turned into the vital's."""
    scale = factor(BY_CODE[limit.code], limit.unit) or 1.0
    lows = [edge * scale for edge in (limit.red_low, limit.yellow_low) if edge is not None]
    highs = [edge * scale for edge in (limit.red_high, limit.yellow_high) if edge is not None]
    return any(value <= edge for edge in lows) or any(value >= edge for edge in highs)


@some
@given(RANDOM)
def test_a_green_registration_has_a_plan_that_all_of_it_keeps_to(random: Random) -> None:
    signed = plans(random)
    told: dict[Any, Assessment] = {}
    for _, found in lived(random):
        if isinstance(found, Assessment):
            told[found.assessment_id] = found
        if not isinstance(found, Assessment) or found.zone is not Zone.GREEN:
            continue
        assert found.plan_version is not None
        readings = [reading for reading in found.readings if not reading.withdrawn]
        assert readings or found.answers
        assert all(reading.quality is Quality.VALID for reading in readings)
        plan = signed.get(found.plan_version)
        if plan is None:
            continue
        for limit in plan.limits:
            vital = BY_CODE[limit.code]
            assert [one.value for one in readings if one.vital == vital.name and breaks(limit, one.value)] == []
        measures = plan.limits or plan.relative_limits or plan.change_limits or plan.sustained_limits
        since = found.at - timedelta(milliseconds=RULES.joined_ms)
        beside = [other for other in told.values() if since <= other.at <= found.at]
        seen = {one.vital for other in beside for one in other.readings if not one.withdrawn}
        due = {BY_CODE[code].name for code in plan.vitals}
        joins = due or plan.answers_due  # what came shortly before is part of it
        assert (seen if joins else readings) or not (measures or plan.weight_change or plan.news2)
        missing = [reason for reason in found.reasons if reason.rule == "vitals_missing"]
        assert missing or due <= seen
        assert not missing or not due <= {one.vital for one in readings}


@some
@given(RANDOM)
def test_a_green_patient_is_followed_heard_of_in_time_and_has_no_open_episode(random: Random) -> None:
    for _, found in lived(random):
        if not isinstance(found, PatientStatus) or found.zone is not Zone.GREEN:
            continue
        assert found.plan_version is not None
        assert found.last_submission_at is not None
        assert found.episode is None
        assert {reason.zone for reason in found.reasons} == {Zone.GREEN}
        assert found.due_at is not None
        assert found.at is not None
        longest_grace = timedelta(minutes=840)
        assert found.at <= found.due_at + longest_grace


@some
@given(RANDOM)
def test_no_green_registration_ends_an_episode_that_could_not_be_read_for_a_while(random: Random) -> None:
    state: State | None = None
    for event in followed(random, long=True):
        before = state
        state, _ = step(state, event)
        if before is None or before.episode is None or random.random() < 0.7:
            continue
        doubted, _ = unreadable(before, at(random.randrange(4_000)))
        after, outputs = step(doubted, event)
        closed = after is not None and after.episode is None
        if closed and any(isinstance(one, Assessment) and one.zone is Zone.GREEN for one in outputs):
            assert state is not None
            assert state.episode is None  # it would have ended it anyway


@pytest.mark.parametrize("status", list(BaselineStatus))
def test_every_status_of_the_own_normal_occurs_in_the_histories(status: BaselineStatus) -> None:
    """Or the properties would hold for want of anything to hold for: learning with a limit broken, above all."""
    seen = {
        (one.baseline_status, found.zone in {Zone.YELLOW, Zone.RED})
        for number in range(40)
        for _, found in lived(Random(number))  # noqa: S311 - no secret
        if isinstance(found, Assessment)
        for one in found.readings
    }
    assert (status, True) in seen or status is BaselineStatus.STALE
