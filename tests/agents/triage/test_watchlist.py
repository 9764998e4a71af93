"""Whose turn it is, and how much it takes to know."""

from __future__ import annotations

from random import Random

from agents.triage import watchlist as lists
from agents.triage.watchlist import Watchlist


def test_the_longest_waiting_are_due_first_and_stay_due_until_they_are_put_anew() -> None:
    watching = Watchlist()
    for key, at_ms in ((b"later", 9), (b"first", 1), (b"second", 2)):
        watching.put(0, key, at_ms)
    assert watching.due(0, 5, 10) == [b"first", b"second"]
    assert watching.due(0, 5, 1) == [b"first"]
    watching.put(0, b"first", None)
    watching.put(0, b"second", 7)
    assert watching.due(0, 5, 10) == []
    assert watching.due(0, 9, 10) == [b"second", b"later"]
    assert watching.due(1, 9, 10) == []


def test_it_holds_no_more_than_twice_its_patients_however_often_their_instants_move() -> None:
    watching, random = Watchlist(), Random(7)  # noqa: S311 - no secret
    newest: dict[bytes, int] = {}
    for number in range(20_000):
        key = b"sim-%d" % random.randrange(50)
        newest[key] = number
        watching.put(0, key, number)
        assert len(watching._queues[0]) <= 2 * 50 + lists.SPARE
    assert watching.due(0, 20_000, 100) == sorted(newest, key=newest.__getitem__)
