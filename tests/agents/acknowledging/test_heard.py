"""What is known of alerts does not hang on the order of what is heard, nor on repeats, and stays small."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from agents.acknowledging import heard
from agents.acknowledging.deciding import acknowledged
from agents.acknowledging.heard import Heard
from agents.acknowledging.known import Asked, Worsening
from agents.acknowledging.links import Link
from schemas.paging import PageAction
from tests.agents.acknowledging.conftest import NOW

if TYPE_CHECKING:
    import pytest

    from tests.agents.acknowledging.conftest import Board


def test_of_several_acknowledgements_the_first_by_its_own_time_holds(board: Board) -> None:
    asked = Asked(board.page(), NOW)
    events = [
        msgspec.structs.replace(
            acknowledged(Link(asked.page.page_id, f"nurse-{minute}"), asked, NOW, "true", None),
            event_id=UUID(int=minute),
            at=NOW + timedelta(minutes=minute),
        )
        for minute in (1, 2, 3)
    ]
    for order in permutations([*events, events[0]]):
        known = Heard(lambda: True)
        for event in order:
            known.take_care(event)
        assert known.taken_over(asked.page.zone_change_id) == events[0]


def test_a_status_of_a_lower_revision_is_older_whenever_it_comes(board: Board) -> None:
    page = board.alert()
    board.stands(page, change=UUID(int=5), at=NOW)
    board._revision = 0
    board.stands(page)
    assert board.heard.worsening("p-1") == Worsening(UUID(int=5), NOW)
    assert board.heard.worsening("p-2") is None


def test_a_page_was_asked_for_when_it_was_first(board: Board) -> None:
    page = board.page(at=NOW + timedelta(minutes=3))
    board.page(at=NOW)
    board.page(at=NOW + timedelta(minutes=9))
    assert board.heard.page(page.page_id) == Asked(page, NOW)


def test_that_an_episode_is_over_is_no_page_to_acknowledge(board: Board) -> None:
    page = board.page(action=PageAction.RESOLVE)
    assert board.heard.page(page.page_id) is None


def test_an_episode_is_known_by_all_of_its_pages(board: Board) -> None:
    first = board.page(1)
    second = board.page(2, patient="p-1", episode_id=first.episode_id, step=1)
    assert [asked.page for asked in board.heard.told_in(UUID(int=2001))] == [first, second]
    assert board.heard.told_in(UUID(int=42)) == ()


def test_it_stays_small(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "MOST", 10)
    for number in range(1, 101):
        page = board.page(number)
        board.retracted(page)
    held = board.heard
    assert [len(one) for one in (held._pages, held._retracted)] == [10, 10]
    assert len(held._notices) <= 10
