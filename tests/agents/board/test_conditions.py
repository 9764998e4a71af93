"""What comes and goes is not told, and what is told stays until it has been well for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.board.conditions import CLEAR_S, HOLD_S, Condition

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
STEP_S = 2


def after(seen: str) -> Condition:
    """A condition that was looked at every 2 s: + well, - amiss, ? not to be known."""
    condition = Condition()
    for number, one in enumerate(seen):
        loop_s, now = 1000.0 + STEP_S * number, START + timedelta(seconds=STEP_S * number)
        if one == "?":
            condition.unknown(loop_s=loop_s, now=now)
        else:
            condition.seen(well=one == "+", loop_s=loop_s, now=now)
    return condition


HELD, CLEARED = int(HOLD_S) // STEP_S, int(CLEAR_S) // STEP_S


@pytest.mark.parametrize(
    "seen",
    [
        "",
        "+++",
        "-",
        "+" + "-" * (HELD - 1),
        "+" + "-" * 8 + "+",  # a rolling restart of 15 s
        ("+" + "-" * 8) * 4 + "+",
        "+---????????????---",  # of a broker that was away nothing is known, and its return gives everybody time
        "+" + "-" * HELD + "+" * (CLEARED + 1),
    ],
)
def test_what_does_not_last_is_no_trouble(seen: str) -> None:
    assert after(seen).since is None


@pytest.mark.parametrize(
    "seen",
    [
        "+" + "-" * HELD,
        "+" + "-" * HELD + "+" * CLEARED,  # well again, but not for long
        "+" + "-" * HELD + "+-" * 20,  # it comes and goes: one trouble
        "+" + "-" * HELD + "?" * 30,
        "+" + "-" * HELD + "?" * 30 + "+",
    ],
)
def test_what_lasts_is_trouble_since_it_was_last_well(seen: str) -> None:
    assert after(seen).since == START


def test_what_was_never_well_is_trouble_since_it_was_first_looked_at() -> None:
    assert after("-" * (HELD + 1)).since == START
