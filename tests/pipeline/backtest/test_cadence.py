"""Which registrations a rhythm keeps, and which episodes are still found among them."""

from __future__ import annotations

from datetime import UTC
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from pipeline.backtest.cadence import (
    EVERY_SUBMISSION,
    TURNING_DAILY,
    WEEKLY,
    Rhythm,
    adapted_days,
    keep,
    kept_days,
    planned,
)
from pipeline.backtest.nearness import near_days
from pipeline.backtest.readings import Readings
from pipeline.triage import RULES
from pipeline.triage.plans import Bounds
from pipeline.triage.vitals import DIASTOLIC, SYSTOLIC
from schemas.care import Cadence
from tests.pipeline.backtest.recordings import DIASTOLIC as DIASTOLIC_CODE
from tests.pipeline.backtest.recordings import SYSTOLIC as SYSTOLIC_CODE
from tests.pipeline.backtest.recordings import days, session

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY_DAY = range(60)
FIRST_DAYS = [*range(14)]


@pytest.mark.parametrize(
    ("rhythm", "asking", "after_day_13"),
    [
        (EVERY_SUBMISSION, (), [*range(14, 60)]),
        (WEEKLY, (), [14, 21, 28, 35, 42, 49, 56]),
        (WEEKLY, (3, 30), [14, 21, 28, 35, 42, 49, 56]),
        (planned(14, 7), (), [14, 21, 28, 35, 42, 49, 56]),
        (planned(14, 30), (), [14, 44]),
        (TURNING_DAILY, (), [20, 27, 34, 41, 48, 55]),
        (TURNING_DAILY, (27,), [20, *range(27, 35), 41, 48, 55]),
        (TURNING_DAILY, (28,), [20, 27, 34, 41, 48, 55]),  # nobody saw day 28
        (TURNING_DAILY, (27, 30), [20, *range(27, 38), 44, 51, 58]),
        (TURNING_DAILY, (13,), [*range(14, 21), 27, 34, 41, 48, 55]),
    ],
)
def test_a_rhythm_keeps_the_days_on_which_it_is_due(
    rhythm: Rhythm, asking: tuple[int, ...], after_day_13: list[int]
) -> None:
    assert kept_days(EVERY_DAY, set(asking), rhythm) == FIRST_DAYS + after_day_13


def test_what_is_due_is_answered_on_the_next_recorded_day() -> None:
    assert kept_days([100, 101, 113, 116, 122, 123, 131], set(), WEEKLY) == [100, 101, 113, 116, 123, 131]


def test_a_plan_without_daily_days_starts_with_the_first_registration() -> None:
    assert kept_days(EVERY_DAY, set(), planned(0, 20)) == [0, 20, 40]


@pytest.mark.parametrize(("labelled", "episodes"), [((13,), 0), ((14,), 1), ((10, 14), 1), ((14, 21, 29), 2)])
def test_episodes_count_from_day_14_on(labelled: tuple[int, ...], episodes: int) -> None:
    found = keep(EVERY_SUBMISSION, measured=days(*EVERY_DAY), labelled=days(*labelled), alerts=frozenset())
    assert (found.episodes, found.episodes_found) == (episodes, 0)


@pytest.mark.parametrize(
    ("alerts", "found"),
    [((21,), 1), ((20,), 0), ((20, 21), 1), ((22,), 0), ((28,), 1)],
)
def test_an_episode_is_found_on_a_kept_labelled_alert_day(alerts: tuple[int, ...], found: int) -> None:
    told = keep(WEEKLY, measured=days(*EVERY_DAY), labelled=days(20, 21, 28), alerts=days(*alerts))
    assert (told.episodes, told.episodes_found) == (1, found)


def test_labels_without_a_measurement_are_no_episode() -> None:
    told = keep(EVERY_SUBMISSION, measured=days(0, 1), labelled=days(20), alerts=days(20))
    assert (told.episodes, told.submission_days_share) == (0, 1.0)


def test_the_share_counts_the_first_days_too() -> None:
    told = keep(WEEKLY, measured=days(*range(28)), labelled=frozenset(), alerts=frozenset())
    assert told.submission_days_share == 16 / 28
    assert keep(WEEKLY, measured=frozenset(), labelled=days(1), alerts=days(1)).submission_days_share is None


def test_what_one_patient_asks_for_another_does_not_get() -> None:
    other = days(*EVERY_DAY, patient="sim-0002")
    told = keep(
        TURNING_DAILY,
        measured=days(*EVERY_DAY) | other,
        labelled=days(22) | days(22, patient="sim-0002"),
        alerts=days(22) | days(22, patient="sim-0002"),
        asking=days(20),
    )
    assert (told.episodes, told.episodes_found) == (2, 1)


@pytest.mark.parametrize(
    ("alerting", "near", "after_day_13"),
    [
        ((), (), [20, 27, 34, 41, 48, 55]),
        ((20,), (20,), [*range(20, 27), *range(28, 42, 2), 47, 54]),  # a week daily, then every second day
        ((), (20,), [*range(20, 42, 2), 47, 54]),
        ((), (21,), [20, 27, 34, 41, 48, 55]),  # nobody saw day 21
        ((), range(60), [*range(15, 60, 2)]),
        (range(60), range(60), [*range(14, 60)]),
    ],
)
def test_the_engines_cadence_keeps_the_days_on_which_it_is_due(
    alerting: Sequence[int], near: Sequence[int], after_day_13: list[int]
) -> None:
    assert adapted_days(EVERY_DAY, set(alerting), set(near), Cadence(), RULES) == FIRST_DAYS + after_day_13


# Systolic floor 4 and diastolic floor 3: three of them are 12 and 9 mm[Hg].
BOUNDS = {
    SYSTOLIC.index: Bounds(80, 89, None, 160),
    DIASTOLIC.index: Bounds(54, None, 95, 100),
}


@pytest.mark.parametrize(
    ("code", "value", "near"),
    [
        (SYSTOLIC_CODE, 148, True),
        (SYSTOLIC_CODE, 147, False),
        (SYSTOLIC_CODE, 200, True),
        (SYSTOLIC_CODE, 101, True),
        (SYSTOLIC_CODE, 102, False),
        (DIASTOLIC_CODE, 63, True),
        (DIASTOLIC_CODE, 64, False),
        (DIASTOLIC_CODE, 86, True),
        (DIASTOLIC_CODE, 85, False),
    ],
)
def test_near_is_within_so_many_least_spreads_of_the_innermost_limit(code: str, value: float, *, near: bool) -> None:
    readings = Readings([session(0, [(code, value)])], UTC)
    found = near_days(readings, (SYSTOLIC, DIASTOLIC), {"sim-0001": BOUNDS}, 3)
    assert found == (days(0) if near else frozenset())


def test_each_patients_own_limits_hold_and_without_limits_nothing_is_near() -> None:
    readings = Readings([session(0, [(SYSTOLIC_CODE, 150)], patient=name) for name in ("a", "b", "c")], UTC)
    high = {SYSTOLIC.index: Bounds(None, None, None, 180)}
    found = near_days(readings, (SYSTOLIC,), {"a": BOUNDS, "b": MappingProxyType(high)}, 3)
    assert found == days(0, patient="a")
