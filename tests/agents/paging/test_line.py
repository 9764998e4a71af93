"""Which page is posted next to one contact, which go together, which gives way, and what is tried how often."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from agents.paging.attempts import Attempt
from agents.paging.line import Line, Verdict
from agents.paging.notice import group_id
from agents.paging.settings import PagingSettings
from schemas.paging import FailureReason, Outcome, PageAction
from tests.agents.paging.conftest import NOW, held, page, posted, receipt_in

if TYPE_CHECKING:
    from agents.paging.line import Pages
    from tests.agents.conftest import Eventually
    from tests.agents.paging.conftest import Ward

DELIVERED = Attempt(None)


async def settled() -> None:
    """Let everybody come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Closed:
    """A rate limit that is used up until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    def has_capacity(self, amount: float = 1) -> bool:
        del amount
        return self.open.is_set()

    async def acquire(self, amount: float = 1) -> None:
        del amount
        await self.open.wait()


class Contact:
    """Somebody who takes a notice when the test says so; pages are known by the minute of their measurement."""

    def __init__(self, limiter: Any = None, timeout_s: float = 60, **changed: Any) -> None:  # noqa: ANN401 - any setting, any limiter
        self.posts: list[list[int]] = []
        self._answers: list[asyncio.Future[Attempt]] = []
        self.tasks: dict[int, asyncio.Task[Verdict]] = {}
        settings = PagingSettings(**{"under_way": 1, "waiting": 50, "total_s": 60, "attempts": 1, **changed})
        self.line = Line(self._post, settings, timeout_s=timeout_s, a_minute=1e6, limiter=limiter)

    async def _post(self, pages: Pages, timeout_s: float) -> Attempt:
        del timeout_s
        self.posts.append([(one.at - NOW) // timedelta(minutes=1) for one in pages])
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    async def ask(self, *minutes: int, **changed: Any) -> None:  # noqa: ANN401 - any field of a page
        """One after the other, each about a measurement made at that minute."""
        for minute in minutes:
            request = page(500 + minute, at=NOW + timedelta(minutes=minute), **changed)
            self.tasks[minute] = asyncio.create_task(self.line.deliver(request))
            await settled()

    async def answer(self, attempt: Attempt = DELIVERED) -> None:
        """To the oldest post that has none."""
        next(one for one in self._answers if not one.done()).set_result(attempt)
        await settled()


async def test_the_page_about_the_newest_measurement_is_next() -> None:
    contact = Contact()
    await contact.ask(0, 2, 3, 1)
    for _ in range(4):
        await contact.answer()
    assert contact.posts == [[0], [3], [2], [1]]


async def test_where_all_places_are_used_the_oldest_measurement_gives_way_at_once() -> None:
    contact = Contact(waiting=2)
    await contact.ask(0, 2, 1, 3)
    assert await contact.tasks[1] == Verdict(FailureReason.BUSY, 0)
    await contact.ask(-5)
    assert await contact.tasks[-5] == Verdict(FailureReason.BUSY, 0)
    for _ in range(3):
        await contact.answer()
    assert contact.posts == [[0], [3], [2]]


async def test_of_equal_ones_the_first_comer_is_first_and_the_last_gives_way() -> None:
    contact = Contact(waiting=2)
    await contact.ask(9)
    same = [asyncio.create_task(contact.line.deliver(page(number))) for number in (1, 2, 3)]
    await settled()
    assert (await same[2]).reason is FailureReason.BUSY
    await contact.answer()
    await contact.answer()
    assert (same[0].done(), same[1].done()) == (True, False)
    await contact.answer()
    assert (await same[1]).reason is None


async def test_who_does_not_want_it_any_more_takes_no_place_along() -> None:
    contact = Contact()
    await contact.ask(0, 5, 1)
    contact.tasks[5].cancel()
    await contact.answer()
    assert contact.posts == [[0], [1]]
    contact.tasks[1].cancel()  # in the middle of its post
    await settled()
    await contact.ask(7)
    assert contact.posts == [[0], [1], [7]]
    await contact.line.close()


async def test_where_more_than_a_few_wait_they_are_told_in_one_notice() -> None:
    contact = Contact(group_from=4)
    await contact.ask(0, 2, 3, 1, 4)
    await contact.answer()
    await contact.answer()
    verdicts = [await contact.tasks[minute] for minute in (1, 2, 3, 4)]
    group = group_id(tuple(page(500 + minute) for minute in (4, 1, 2, 3)))
    assert contact.posts == [[0], [4, 3, 2, 1]]
    assert verdicts == [Verdict(None, 1, group)] * 4
    assert await contact.tasks[0] == Verdict(None, 1)


async def test_a_group_has_the_same_id_whenever_it_is_of_the_same_pages() -> None:
    pages = tuple(page(number) for number in (3, 1, 2))
    assert group_id(pages) == group_id(pages[::-1])
    assert group_id(pages) != group_id(pages[:2])


async def test_beyond_the_rate_all_that_wait_are_told_in_one_notice() -> None:
    limiter = Closed()
    contact = Contact(limiter, under_way=8, group_from=4)
    await contact.ask(1, 2)
    assert contact.posts == []
    limiter.open.set()
    await settled()
    assert contact.posts == [[2, 1]]
    await contact.answer()
    assert (await contact.tasks[1]).reason is None


async def test_a_test_page_and_what_is_over_are_told_alone() -> None:
    contact = Contact(group_from=2)
    await contact.ask(0)
    await contact.ask(1, test=True)
    await contact.ask(2, action=PageAction.RESOLVE)
    await contact.ask(3, 4)
    for _ in range(4):
        await contact.answer()
    assert contact.posts == [[0], [4, 3], [1], [2]]


async def test_that_an_episode_is_over_never_overtakes_that_it_began() -> None:
    contact = Contact(under_way=8)
    await contact.ask(0, episode_id=UUID(int=1))
    await contact.ask(1, action=PageAction.ACKNOWLEDGE, episode_id=UUID(int=1))
    await contact.ask(2, action=PageAction.ACKNOWLEDGE, episode_id=UUID(int=2))
    assert contact.posts == [[0], [2]]
    await contact.answer()
    assert contact.posts == [[0], [2], [1]]
    await contact.answer()
    await contact.answer()
    assert [(await task).reason for task in contact.tasks.values()] == [None] * 3


async def test_a_receiver_that_refuses_a_group_is_told_of_each_page_by_itself() -> None:
    contact = Contact(group_from=2)
    await contact.ask(0, 1, 2, 3)
    await contact.answer()
    await contact.answer(Attempt(FailureReason.REFUSED))
    for _ in range(3):
        await contact.answer()
    assert contact.posts == [[0], [3, 2, 1], [3], [2], [1]]
    assert [(await task).reason for task in contact.tasks.values()] == [None] * 4


async def test_a_group_that_fails_fails_each_of_its_pages() -> None:
    contact = Contact(group_from=2)
    await contact.ask(0, 1, 2)
    await contact.answer()
    await contact.answer(Attempt(FailureReason.SERVER_ERROR, again=True))
    assert [(await contact.tasks[minute]).reason for minute in (1, 2)] == [FailureReason.SERVER_ERROR] * 2


BRIEF: Any = {"timeout_s": 0.02, "attempt_timeout_s": 0.02, "total_s": 0.02}  # after which one that waits is given up


async def test_a_page_that_has_no_turn_in_its_whole_time_is_busy() -> None:
    contact = Contact(Closed(), **BRIEF)
    await contact.ask(1)
    assert await contact.tasks[1] == Verdict(FailureReason.BUSY, 0)
    assert contact.posts == []
    await contact.line.close()


@pytest.mark.parametrize("failure", [FailureReason.CONNECTION, FailureReason.TIMEOUT, FailureReason.SERVER_ERROR])
async def test_a_page_that_has_no_turn_where_the_way_fails_is_silence_and_not_busy(failure: FailureReason) -> None:
    contact = Contact(limiter := Closed(), **BRIEF)
    limiter.open.set()
    await contact.ask(1)
    await contact.answer(Attempt(failure, again=True))
    limiter.open.clear()
    await contact.ask(2)
    assert [await contact.tasks[minute] for minute in (1, 2)] == [Verdict(failure, 1), Verdict(failure, 0)]

    limiter.open.set()
    await contact.ask(3)
    await contact.answer()
    limiter.open.clear()
    await contact.ask(4)
    assert await contact.tasks[3] == Verdict(None, 1)
    assert await contact.tasks[4] == Verdict(FailureReason.BUSY, 0)  # it is well again: others are only told first
    await contact.line.close()


async def test_a_page_that_waits_for_one_that_hangs_is_silence_and_not_busy() -> None:
    never = asyncio.Event()

    async def hangs(pages: Pages, timeout_s: float) -> Attempt:
        del pages, timeout_s
        await never.wait()
        return Attempt(None)

    line = line_to(hangs, timeout_s=0.05, attempt_timeout_s=0.01, total_s=0.01, under_way=1)
    first, second = (asyncio.create_task(line.deliver(page(number))) for number in (1, 2))
    assert [await first, await second] == [Verdict(FailureReason.TIMEOUT, 1), Verdict(FailureReason.TIMEOUT, 0)]
    await line.close()


async def test_a_page_waits_as_long_as_the_way_itself_may_take() -> None:
    contact = Contact(attempt_timeout_s=0.01, total_s=0.01)  # the way has a minute
    await contact.ask(1, 2)
    await asyncio.sleep(0.05)
    for _ in range(2):
        await contact.answer()
    assert [await contact.tasks[minute] for minute in (1, 2)] == [Verdict(None, 1)] * 2


async def test_beyond_the_places_of_a_way_that_fails_a_page_is_silence_and_not_busy() -> None:
    contact = Contact(waiting=1)
    await contact.ask(1)
    await contact.answer(Attempt(FailureReason.CONNECTION, again=True))
    await contact.ask(5, 6, 4)
    assert await contact.tasks[4] == Verdict(FailureReason.CONNECTION, 0)
    for _ in range(2):
        await contact.answer()
    assert contact.posts == [[1], [5], [6]]


def test_settings_by_which_an_attempt_would_outlast_its_ask_are_refused() -> None:
    with pytest.raises(ValueError, match="total_s must not be below attempt_timeout_s"):
        PagingSettings(total_s=1.9, attempt_timeout_s=2)


def line_to(post: Any, sleep: Any = asyncio.sleep, *, timeout_s: float = 2, **changed: Any) -> Line:  # noqa: ANN401 - any setting
    return Line(post, PagingSettings(**changed), timeout_s=timeout_s, a_minute=1e6, sleep=sleep)


async def test_pauses_grow_have_jitter_a_bound_and_heed_the_receiver() -> None:
    pauses: list[float] = []
    asked_s = [0.0, 0.0, 0.0, 0.7, 3600.0]

    async def post(pages: Pages, timeout_s: float) -> Attempt:
        del pages, timeout_s
        return Attempt(FailureReason.SERVER_ERROR, again=True, wait_s=asked_s[len(pauses)])

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    line = line_to(post, sleep, attempts=5, backoff_s=0.1, backoff_most_s=0.75)
    verdict = await line.deliver(page())

    assert verdict == Verdict(FailureReason.SERVER_ERROR, 5)
    bounds = [(0.1, 0.2), (0.2, 0.3), (0.4, 0.5), (0.7, 0.85)]
    assert [low <= pause <= high for pause, (low, high) in zip(pauses, bounds, strict=True)] == [True] * 4


async def test_the_total_bound_ends_an_ask_with_its_last_reason() -> None:
    async def post(pages: Pages, timeout_s: float) -> Attempt:
        del pages, timeout_s
        return Attempt(FailureReason.CONNECTION, again=True)

    async def sleep(_: float) -> None:
        await asyncio.Event().wait()

    line = line_to(post, sleep, timeout_s=0.02, attempt_timeout_s=0.02, total_s=0.02)

    assert await line.deliver(page()) == Verdict(FailureReason.CONNECTION, 1)


async def test_a_receiver_that_is_well_again_and_slow_is_believed_again() -> None:
    slow = False

    async def post(pages: Pages, timeout_s: float) -> Attempt:
        del pages
        if not slow:
            return Attempt(FailureReason.CONNECTION, again=True)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(0.1)
        except TimeoutError:
            return Attempt(FailureReason.TIMEOUT, again=True)
        return Attempt(None)

    line = line_to(post, timeout_s=5, quick_timeout_s=0.02, failures_to_break=2, attempts=1, group_from=50)
    for _ in range(3):
        await line.deliver(page())
    assert line.broken
    slow = True
    verdicts = await asyncio.gather(*(line.deliver(page(number)) for number in range(1, 5)))
    assert [verdict.reason for verdict in verdicts] == [None, *[FailureReason.TIMEOUT] * 3]
    assert (await line.deliver(page())).reason is None


async def test_a_defect_of_ours_ends_the_process_and_is_no_failure_of_the_receiver() -> None:
    async def post(pages: Pages, timeout_s: float) -> Attempt:
        raise RuntimeError(f"{len(pages)} {timeout_s}")

    with pytest.raises(RuntimeError, match="1 2"):
        await line_to(post).deliver(page())


async def test_a_new_red_overtakes_the_pages_that_wait_for_a_slow_receiver(ward: Ward, eventually: Eventually) -> None:
    let_go = asyncio.Event()
    entered: list[None] = []
    receiver = await ward.receiver(before=held("lungs", let_go, lambda: entered.append(None)))
    messenger = await ward.messenger(attempt_timeout_s=60, total_s=60, under_way=1, waiting=2)

    def carried(number: int, minutes: int) -> asyncio.Task[Any]:
        return asyncio.create_task(messenger.carry(posted(number, at=NOW + timedelta(minutes=minutes))))

    old = [carried(1, 1)]
    await eventually(lambda: entered)
    old += [carried(2, 2), carried(3, 3)]
    new = carried(9, 600)

    gave_way = receipt_in(await old[1])
    let_go.set()

    assert (gave_way.outcome, gave_way.reason, gave_way.attempts) == (Outcome.FAILED, FailureReason.BUSY, 0)
    assert [receipt_in(await task).outcome for task in (old[0], new, old[2])] == [Outcome.DELIVERED] * 3
    assert list(receiver.taken) == [str(page(number).page_id) for number in (1, 9, 3)]
