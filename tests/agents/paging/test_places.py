"""Which page is posted next, and which gives way: measured times decide."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from agents.paging.places import Places
from schemas.codec import encode
from schemas.paging import FailureReason, Outcome
from tests.agents.paging.conftest import NOW, held, page, receipt_in, record

if TYPE_CHECKING:
    from agents.streaming.records import Record
    from tests.agents.conftest import Eventually
    from tests.agents.paging.conftest import Ward


async def settled() -> None:
    """Let everybody come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Line:
    """Asks for places, one after the other, and what came of each."""

    def __init__(self, under_way: int, waiting: int) -> None:
        self.places = Places(under_way, waiting)
        self.has: list[int] = []
        self.gave_way: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, *minutes: int) -> None:
        """Each is about a measurement made at that minute."""
        for minute in minutes:
            self.tasks.append(asyncio.create_task(self._take(minute)))
            await settled()

    async def give_back(self, times: int) -> None:
        """So many places, one after the other."""
        for _ in range(times):
            self.places.give_back()
            await settled()

    async def _take(self, minute: int) -> None:
        has_place = await self.places.take(NOW + timedelta(minutes=minute))
        (self.has if has_place else self.gave_way).append(minute)


async def test_the_page_about_the_newest_measurement_is_next() -> None:
    line = Line(under_way=1, waiting=3)
    await line.ask(0, 2, 3, 1)
    await line.give_back(3)
    assert (line.has, line.gave_way) == ([0, 3, 2, 1], [])


async def test_where_all_places_are_used_the_oldest_measurement_gives_way_at_once() -> None:
    line = Line(under_way=1, waiting=2)
    await line.ask(0, 2, 1, 3)
    assert (line.has, line.gave_way) == ([0], [1])
    await line.ask(-5)
    assert line.gave_way == [1, -5]
    await line.give_back(2)
    assert line.has == [0, 3, 2]


async def test_of_equal_ones_the_first_comer_is_first_and_the_last_gives_way() -> None:
    places = Places(1, 2)
    assert await places.take(NOW)
    first, second, third = [asyncio.create_task(places.take(NOW)) for _ in range(3)]
    await settled()
    assert not await third
    places.give_back()
    await settled()
    assert (first.done(), second.done()) == (True, False)
    places.give_back()
    assert await second


@pytest.mark.parametrize("moment", ["while it waits", "as it is its turn", "before it hears of its end"])
async def test_who_does_not_want_it_any_more_takes_no_place_along(moment: str) -> None:
    line = Line(under_way=1, waiting=2)
    await line.ask(0, 5, 1)
    if moment == "as it is its turn":
        line.places.give_back()
        line.tasks[1].cancel()
    elif moment == "before it hears of its end":
        line.tasks[1].cancel()
        line.places.give_back()
    else:
        line.tasks[1].cancel()
        await settled()
        line.places.give_back()
    await settled()
    assert (line.has, line.gave_way) == ([0, 1], [])
    await line.give_back(1)
    await line.ask(2)
    assert line.has == [0, 1, 2]


def asked(number: int, minutes: int) -> Record:
    """A page about a measurement made at that minute."""
    request = msgspec.structs.replace(page(number), at=NOW + timedelta(minutes=minutes))
    return record(encode(request), request.patient.encode())


async def test_a_new_red_overtakes_the_pages_that_wait_for_a_slow_receiver(ward: Ward, eventually: Eventually) -> None:
    let_go = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", let_go, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=1, waiting=2)
    old = [asyncio.create_task(messenger.carry(asked(number, number))) for number in (1, 2, 3)]
    await eventually(lambda: entered)
    new = asyncio.create_task(messenger.carry(asked(9, 600)))

    gave_way = receipt_in(await old[1])
    let_go.set()

    assert (gave_way.outcome, gave_way.reason, gave_way.attempts) == (Outcome.FAILED, FailureReason.BUSY, 0)
    assert [receipt_in(await task).outcome for task in (old[0], new, old[2])] == [Outcome.DELIVERED] * 3
    assert list(receiver.taken) == [str(page(number).page_id) for number in (1, 9, 3)]
