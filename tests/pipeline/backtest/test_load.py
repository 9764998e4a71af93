"""The load falls on each patient's own weeks."""

from __future__ import annotations

from datetime import UTC

from pipeline.backtest import engine
from pipeline.backtest.load import load, loads
from schemas.care import Limit
from tests.histories import enrolled, signed
from tests.pipeline.backtest.recordings import SYSTOLIC, days, session

SPANS = {"a": (100, 113), "b": (50, 50)}


def test_weeks_begin_on_the_patients_first_day_and_count_when_quiet() -> None:
    found = load("alerts", [("a", 100), ("a", 106), ("a", 107)], SPANS)
    assert (found.total, found.per_week, found.most, found.weeks) == (3, 1.0, 2, (1, 1, 1, 0, 0))


def test_what_lies_outside_the_followed_days_is_no_load() -> None:
    assert load("alerts", [("a", 99), ("a", 114), ("c", 100)], SPANS).total == 0


def test_weeks_with_four_and_more_stand_together() -> None:
    assert load("alerts", [("a", 101)] * 4 + [("a", 108)] * 9, SPANS).weeks == (1, 0, 0, 0, 2)


def test_without_patients_there_is_no_week() -> None:
    found = load("alerts", [], {})
    assert (found.total, found.per_week, found.most, found.weeks) == (0, None, 0, (0, 0, 0, 0, 0))


def test_every_kind_of_work_is_counted() -> None:
    limits = Limit(code=SYSTOLIC, unit="mm[Hg]", red_high=160, yellow_high=150)
    care = [enrolled(-24 * 18), signed(-24 * 18, limits)]
    sessions = [session(0, [(SYSTOLIC, 120)])]
    sessions += [session(1, [(SYSTOLIC, 165)]), session(1, [(SYSTOLIC, 155)], hour=20), session(9, [(SYSTOLIC, 120)])]
    run = engine.run([*care, *sessions])
    told = {found.what: found.total for found in loads(run, days(0, 1, 9), UTC)}
    assert told == {
        "days with a yellow or red": 1,
        "registrations in yellow or red": 2,
        "registrations in red": 1,
        "changes to yellow or red": 1,  # the yellow after the red is no way out of it
        "pages": 1,
    }
