"""What is open, in bounded memory."""

from __future__ import annotations

import pytest

from agents.dead_letters.letters import Letter, LetterId, Place
from agents.dead_letters.opened import Opened


def letter(number: int, *, at_ms: int = 0, reason: str = "invalid", lies: int | None = None) -> Letter:
    place = Place(0, number if lies is None else lies)
    return Letter(id=LetterId("submissions", 0, number), at_ms=at_ms, reason=reason, field=None, place=place)


def test_it_counts_by_reason_and_knows_the_oldest() -> None:
    opened = Opened()
    for one in (letter(1, at_ms=30), letter(2, at_ms=10), letter(3, at_ms=20, reason="future")):
        opened.letter(one)
    assert opened.by_reason() == {"invalid": 2, "future": 1}
    assert opened.oldest_ms() == 10
    opened.act(letter(2).id)
    assert opened.oldest_ms() == 20
    for number in (1, 3):
        opened.act(letter(number).id)
    assert opened.oldest_ms() is None
    assert not opened.by_reason()


def test_the_same_letter_twice_is_one_and_tells_of_its_first_writing() -> None:
    opened = Opened()
    opened.letter(letter(1, at_ms=20))
    opened.letter(letter(1, at_ms=30, reason="future", lies=9))
    assert opened.by_reason() == {"invalid": 1}
    assert opened.oldest_ms() == 20


@pytest.mark.parametrize("acts_first", [True, False])
def test_a_copy_that_comes_after_the_act_is_not_open(acts_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    opened = Opened()
    if not acts_first:
        opened.letter(letter(1))
    opened.act(letter(1).id)
    opened.letter(letter(1))
    assert not opened.by_reason()


def test_what_retention_took_is_forgotten_unless_a_copy_is_left() -> None:
    opened = Opened()
    opened.letter(letter(1))
    opened.letter(letter(2))
    opened.letter(letter(2, lies=8))
    opened.expire({0: 3, 1: 100})
    assert opened.by_reason() == {"invalid": 1}
    opened.expire({0: 9})
    assert not opened.by_reason()


def test_no_more_are_held_than_its_bound_and_room_makes_it_read_anew() -> None:
    opened = Opened(most=4)
    for number in range(100):
        opened.letter(letter(number, at_ms=number))
    assert opened.by_reason() == {"invalid": 4}
    assert opened.oldest_ms() == 0
    assert opened.left_out
    opened.act(letter(0).id)
    assert not opened.must_read_anew
    opened.act(letter(1).id)
    assert opened.must_read_anew


def test_of_too_many_acts_the_oldest_are_forgotten_and_the_figure_is_too_high_never_too_low() -> None:
    opened = Opened(most=4)
    for number in range(100):
        opened.act(letter(number).id)
    assert len(opened._acted) == 4
    for number in range(94, 100):
        opened.letter(letter(number))
    assert opened.by_reason() == {"invalid": 2}
