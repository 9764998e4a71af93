"""Episodes, and how long before the verified alert the first yellow or red came."""

from __future__ import annotations

import pytest

from pipeline.backtest.days import episodes
from pipeline.backtest.lead import lead, leads
from tests.pipeline.backtest.recordings import FIRST, days


def test_days_at_most_seven_apart_are_one_episode() -> None:
    found = [[day - FIRST for day in episode.days] for episode in episodes(days(0, 7, 14, 22, 30))]
    assert found == [[0, 7, 14], [22], [30]]


def test_two_patients_days_are_two_episodes() -> None:
    assert len(episodes(days(1) | days(1, patient="sim-0002"))) == 2
    assert episodes(()) == []


@pytest.mark.parametrize(
    ("alerts", "told"),
    [
        ((18,), 2),
        ((20,), 0),
        ((13,), 7),
        ((12,), None),
        ((12, 19), 1),
        ((25,), -5),
        ((26,), None),
        ((), None),
    ],
)
def test_the_first_alert_within_a_week_before_to_the_last_label_counts(
    alerts: tuple[int, ...], told: int | None
) -> None:
    assert leads(days(*alerts), days(20, 25)) == [told]


def test_another_patients_alert_leads_nothing() -> None:
    assert leads(days(18, patient="sim-0002"), days(20)) == [None]


def test_quartiles_are_those_of_the_found() -> None:
    everything = days(*range(200))
    found = lead(days(9, 28, 47), days(10, 30, 50, 70), everything)
    assert (found.episodes, found.found) == (4, 3)
    assert (found.lower_quartile, found.median, found.upper_quartile) == (1.5, 2, 2.5)


def test_without_a_find_there_is_no_lead() -> None:
    found = lead(days(9), days(10), days(9))
    assert (found.episodes, found.found, found.median) == (0, 0, None)
