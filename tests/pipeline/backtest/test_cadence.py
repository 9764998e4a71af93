"""Which registrations a rhythm keeps, and which episodes are still found among them."""

from __future__ import annotations

import pytest

from pipeline.backtest.cadence import (
    EVERY_SUBMISSION,
    TURNING_DAILY,
    WEEKLY,
    Rhythm,
    keep,
    kept_days,
    planned,
)
from pipeline.backtest.days import PatientDay
from tests.pipeline.backtest.recordings import days

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


def test_the_intervals_are_over_patients() -> None:
    names = [f"sim-{number:04}" for number in range(8)]
    measured = frozenset[PatientDay]().union(*(days(*range(28), patient=name) for name in names))
    labelled = frozenset[PatientDay]().union(*(days(15, 21, patient=name) for name in names[:4]))
    alerts = frozenset[PatientDay]().union(*(days(21, patient=name) for name in names[:2]))
    told = keep(WEEKLY, measured=measured, labelled=labelled, alerts=alerts)
    assert (told.episodes, told.episodes_found) == (4, 2)
    assert told.intervals.found_share == (0, 1)
    assert told.intervals.submission_days_share == (16 / 28, 16 / 28)  # all patients measured alike


def test_without_patients_there_are_no_intervals() -> None:
    nothing = frozenset[PatientDay]()
    told = keep(WEEKLY, measured=nothing, labelled=nothing, alerts=nothing)
    assert (told.intervals.found_share, told.intervals.submission_days_share) == (None, None)
