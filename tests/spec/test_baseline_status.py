"""How well the patient's own normal of one vital is known, day by day, and what leads from one status to another.

Words: v a day with a value, . a day without one; a number before it so many of them, one after v so many days from each
value to the next. The status is that of the morning after.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.triage import RULES
from pipeline.triage.baseline import Series
from schemas.assessments import BaselineStatus
from schemas.care import Limit
from tests.histories import reading, submitted
from tests.pipeline.triage.test_decisions import judged
from tests.spec.test_signals import PULSE, days, planned

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD: Final = re.compile(r"(\d*)([v.])(\d*)")


def status(words: str) -> str:
    series, day = Series(), 0
    for word in words.split():
        found = WORD.fullmatch(word)
        assert found is not None
        for _ in range(int(found[1] or 1)):
            if found[2] == "v":
                series = series.push(day, 70)
            day += int(found[3] or 1)
    return series.status(day, RULES).value


LIMITS: Final = (Limit(code=PULSE, unit="/min", yellow_high=100, red_high=120),)
TRANSITIONS: Final = [
    ("", "v", "learning", "learning", ""),
    ("3v", "v", "learning", "learning", ""),
    ("4v", "v", "learning", "provisional", "5 values"),
    ("4v 40.", ".", "learning", "learning", ""),
    ("5v", "v", "provisional", "provisional", ""),
    ("12v", "v", "provisional", "provisional", ""),
    ("13v", "v", "provisional", "established", "10 values over 14 days"),
    ("8v 5.", "v", "provisional", "provisional", ""),
    ("9v 5.", "v", "provisional", "established", "10 values over 14 days"),
    ("9v 3. v", ".", "provisional", "established", "10 values over 14 days"),  # time alone
    ("14v", "v", "established", "established", ""),
    ("28v", "v", "established", "established", ""),
    ("5v 26.", ".", "provisional", "provisional", ""),
    ("5v 27.", ".", "provisional", "stale", "29 days since the newest value"),
    ("14v 26.", ".", "established", "established", ""),
    ("14v 27.", ".", "established", "stale", "29 days since the newest value"),
    ("14v 27.", "v", "established", "established", ""),
    ("5v 28.", "v", "stale", "provisional", "a value"),
    ("14v 28.", "v", "stale", "established", "a value"),
    ("14v 80.", "v", "stale", "established", "a value"),
    ("14v 81.", "v", "stale", "provisional", "a value"),  # 8 of the 14 lie within 90 days
    ("5v 84.", ".", "stale", "stale", ""),
    ("5v 85.", ".", "stale", "learning", "fewer than 5 values in 90 days"),
    ("10v9", ".", "established", "provisional", "fewer than 10 values in 90 days"),
    ("5v18", ".", "provisional", "learning", "fewer than 5 values in 90 days"),
]


def edges() -> Iterator[tuple[str, str, str]]:
    """Every way from one status to another."""
    yield "[*]", "learning", "no value yet"
    for _, _, before, after, on in TRANSITIONS:
        yield before, after, on


@pytest.mark.parametrize(("so_far", "then", "before", "after", "on"), TRANSITIONS)
def test_every_transition_of_the_own_normal(so_far: str, then: str, before: str, after: str, on: str) -> None:
    assert (status(so_far), status(f"{so_far} {then}")) == (before, after)
    assert bool(on) is (before != after)


@pytest.mark.parametrize(
    ("values", "span_days", "known"),
    [
        (9, 13, "provisional"), (9, 14, "provisional"), (9, 15, "provisional"),
        (10, 13, "provisional"), (10, 14, "established"), (10, 15, "established"),
        (11, 13, "provisional"), (11, 14, "established"), (11, 15, "established"),
    ],
)  # fmt: skip
def test_established_takes_values_and_days(values: int, span_days: int, known: str) -> None:
    assert status(f"{values - 1}v {span_days - values}. v") == known


@pytest.mark.parametrize(
    ("values", "known"),
    [
        (4, "learning"), (5, "provisional"),
        (13, "provisional"), (14, "established"),
    ],
)  # fmt: skip
def test_a_registration_says_how_well_the_own_normal_is_known(values: int, known: str) -> None:
    found = judged(*planned(limits=LIMITS), *days(PULSE, [70.0] * (values + 1))).readings[0]
    assert found.baseline_status == known


@pytest.mark.parametrize(("gap_days", "known"), [(28, "established"), (29, "stale")])
def test_an_own_normal_grows_stale(gap_days: int, known: str) -> None:
    hours = 24 * (19 + gap_days) + 10
    later = submitted("later", hours, reading(PULSE, 70, "/min", hours))
    found = judged(*planned(limits=LIMITS), *days(PULSE, [70.0] * 20), later).readings[0]
    assert found.baseline_status == BaselineStatus(known)
