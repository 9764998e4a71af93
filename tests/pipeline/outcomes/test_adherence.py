"""Registrations due, done, late and missed, and who takes part: by hand, and patient by patient."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.adherence import adherence, due, participation
from pipeline.outcomes.awaited import adherence_by_day, awaited_days
from pipeline.outcomes.frames import ASSESSMENTS, STATUSES
from pipeline.outcomes.time_at_risk import Scope, scope
from tests.pipeline.outcomes.made import START, at, enrolled, frame, moved

if TYPE_CHECKING:
    from tests.oracles.outcomes import Event

DAY = 24
HOURS = 20 * DAY
GRACE = 14  # [h]


def scoped(hours: int = HOURS, *more: Event) -> Scope:
    return scope(frame([enrolled(0), *more]), START, at(hours), "all", zone="UTC")


@lru_cache
def whole() -> Scope:
    return scoped()


def statuses(told: list[tuple[float, float | None]], patient: str = "sim-1") -> pd.DataFrame:
    """What was due (hour; None: nothing), from which hour on."""
    rows = [
        {"time": at(hour), "patient": patient, "due": -1.0 if asked is None else at(asked).timestamp() * 1000}
        for hour, asked in told
    ]
    return pd.DataFrame(rows).reindex(columns=list(STATUSES.columns))


def assessments(hours: list[float], zone: str = "green", patient: str = "sim-1") -> pd.DataFrame:
    rows = [
        {
            "time": at(hour),
            "at": at(hour).timestamp() * 1000,
            "patient": patient,
            "zone": zone,
            "submission_id": f"{patient}-{hour}",
            "revision": 1.0,
            "entered_in_error": 0.0,
        }
        for hour in hours
    ]
    return pd.DataFrame(rows).reindex(columns=list(ASSESSMENTS.columns))


def outcomes(told: pd.DataFrame) -> list[tuple[float, str]]:
    return [
        ((time - at(0)).total_seconds() / 3600, outcome)
        for time, outcome in zip(told["time"], told["outcome"], strict=True)
    ]


def test_done_early_on_its_day_done_late_and_missed() -> None:
    told = statuses(
        [
            (0, 10),  # registers at 8, before it is due
            (8, DAY + 10),  # at 8 the next day and a half: late
            (2 * DAY + 8, 3 * DAY + 10),  # the plan changes two days later, nothing came
            (5 * DAY + 12, 6 * DAY + 10),  # an extra registration on the day before puts it off: not asked for
            (5 * DAY + 20, 12 * DAY + 10),  # paused before it came
            (10 * DAY, None),
            (14 * DAY, 15 * DAY + 10),  # open to the end
        ]
    )
    made = assessments([8, 2 * DAY + 8, 5 * DAY + 20])
    found = due(told, made, scoped())
    assert outcomes(found) == [
        (10, "done"),
        (DAY + 10, "late"),
        (3 * DAY + 10, "missed"),
        (15 * DAY + 10, "missed"),
    ]
    assert np.allclose(found["late_days"].iloc[:2], [-2 / 24, 22 / 24])
    row = adherence(found, by=()).iloc[0]
    assert row[["due", "done", "late", "missed", "share", "patients"]].tolist() == [4, 1, 1, 2, 0.25, 1]


def test_what_could_not_be_judged_and_what_was_entered_in_error_is_no_registration() -> None:
    told = statuses([(0, 10), (9, 10), (3 * DAY, None)])
    nothing = assessments([8.0], zone="no_data")
    wrong = assessments([9.0]).assign(entered_in_error=1.0)
    assert outcomes(due(told, pd.concat([nothing, wrong]), scoped())) == [(10, "missed")]


def test_what_is_not_yet_over_is_not_counted() -> None:
    told = statuses([(0, HOURS - 5)])
    assert due(told, assessments([]), scoped()).empty


def test_only_what_was_due_in_follow_up_counts() -> None:
    told = statuses([(0, 10), (8, 3 * DAY + 10)])
    assert outcomes(due(told, assessments([8]), scoped(HOURS, moved(2 * DAY, "ended")))) == [(10, "done")]


DUES = st.lists(
    st.tuples(st.integers(0, HOURS - 1), st.none() | st.integers(0, HOURS - 1)),
    max_size=12,
    unique_by=lambda one: one[0],
).map(lambda told: sorted(told, key=lambda one: one[0]))


@given(DUES, st.lists(st.integers(0, HOURS - 1), max_size=12, unique=True))
@settings(deadline=None, max_examples=25)
def test_what_became_of_what_was_due_is_as_one_status_after_the_other(
    told: list[tuple[int, int | None]], made: list[int]
) -> None:
    slow = []
    runs: list[tuple[int, int | None]] = []
    for hour, asked in told:
        if not runs or runs[-1][1] != asked:
            runs.append((hour, asked))
    for number, (begun, asked) in enumerate(runs):
        if asked is None:
            continue
        ends = runs[number + 1][0] if number + 1 < len(runs) else HOURS + 0.001
        answers = [hour for hour in sorted(made) if begun < hour <= ends and hour >= asked // DAY * DAY]
        if answers:
            slow.append((float(asked), "done" if answers[0] <= asked + GRACE else "late"))
        elif asked + GRACE < ends:
            slow.append((float(asked), "missed"))
    assert (
        outcomes(due(statuses([(float(a), b) for a, b in told]), assessments([float(h) for h in made]), whole()))
        == slow
    )


def test_a_weekly_patient_who_is_three_days_late_was_awaited_on_four_days() -> None:
    told = statuses([(0, 2 * DAY + 10), (5 * DAY + 9, 12 * DAY + 10)])
    found = awaited_days(told, assessments([5 * DAY + 8]), scoped(10 * DAY))
    days = [(time - at(0)) // timedelta(days=1) for time in found["time"]]
    assert days == [2, 3, 4, 5]
    assert found[["due", "done", "late"]].to_numpy().tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1]]
    row = adherence_by_day(found, by=()).iloc[0]
    assert row[["awaited", "done", "late", "share"]].tolist() == [4, 1, 1, 0.25]


@given(DUES, st.lists(st.integers(0, HOURS - 1), max_size=12, unique=True))
@settings(deadline=None, max_examples=25)
def test_days_awaited_are_as_one_day_after_the_other(told: list[tuple[int, int | None]], made: list[int]) -> None:
    slow: dict[int, tuple[int, int, int]] = {}
    for day in range(HOURS // DAY):
        begins, ends = day * DAY, (day + 1) * DAY
        standing = [asked for hour, asked in told if hour < begins][-1:]  # at the beginning of the day
        coming = [asked for hour, asked in told if begins <= hour < ends]
        today = {asked for asked in (*standing, *coming) if asked is not None and begins <= asked < ends}
        before = {
            asked
            for asked in standing
            if asked is not None and asked < begins and not any(asked // DAY * DAY <= hour < begins for hour in made)
        }
        if today or before:
            done = any(begins <= hour < ends for hour in made)
            slow[day] = (len(today), int(done), int(done and not today))
    found = awaited_days(
        statuses([(float(a), b) for a, b in told]), assessments([float(hour) for hour in made]), whole()
    )
    ours = {
        (row.time - at(0)) // timedelta(days=1): (row.due, row.done, row.late) for row in found.itertuples(index=False)
    }
    assert ours == slow


def test_who_was_followed_for_two_weeks_and_registered_took_part() -> None:
    events = [enrolled(0, "sim-1"), enrolled(0, "sim-2"), enrolled(10 * DAY, "sim-3")]
    here = scope(frame(events), START, at(HOURS), "all", zone="UTC")
    made = pd.concat([assessments([30.0, 60.0]), assessments([250.0], patient="sim-3")])
    row = participation(made, here, by=()).iloc[0]
    assert row[["patients", "took_part", "share", "registrations"]].tolist() == [2, 1, 0.5, 2]
    assert row["per_patient_week"] == 7 * 2 / 40


PATIENTS = ("sim-1", "sim-2", "sim-3")


@given(
    st.dictionaries(st.sampled_from(PATIENTS), st.tuples(st.integers(0, 10), st.integers(11, 19)), min_size=1),
    st.lists(st.tuples(st.sampled_from(PATIENTS), st.integers(0, HOURS - 1)), max_size=10),
)
@settings(deadline=None, max_examples=25)
def test_taking_part_is_as_patient_by_patient(days: dict[str, tuple[int, int]], made: list[tuple[str, int]]) -> None:
    events = [
        event
        for patient, (first, last) in days.items()
        for event in (enrolled(first * DAY, patient), moved(last * DAY, "ended", patient))
    ]
    here = scope(frame(events), START, at(HOURS), "all", zone="UTC")
    told = participation(
        pd.concat([assessments([float(hour)], patient=who) for who, hour in made] or [assessments([])]),
        here,
        by=(),
        least_days=10,
    )
    asked = {patient: (first, last) for patient, (first, last) in days.items() if last - first >= 10}
    took = {who for who, hour in made if who in asked and asked[who][0] * DAY <= hour < asked[who][1] * DAY}
    found = told[["patients", "took_part"]].to_numpy().tolist()
    assert found == ([[len(asked), len(took)]] if asked else [])
