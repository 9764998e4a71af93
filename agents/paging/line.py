"""The line to one contact by one way: what is under way, what waits, and whether the far side is believed well.

Every contact has its own for each way. One that is slow or dead fills its own line and nobody else's. What does not fit
is reported at once, and the fold asks again: as `busy` where only others are told first, and else as what the far side
failed with, for then nobody is told, and the fold goes on to the next person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from agents.paging.notice import group_id
from agents.paging.queue import Queue, Waiting
from schemas.paging import FailureReason

if TYPE_CHECKING:
    from uuid import UUID

    from agents.paging.attempts import Attempt
    from agents.paging.settings import PagingSettings
    from schemas.paging import PageRequest

Pages = tuple["PageRequest", ...]
Post = Callable[[Pages, float], Awaitable["Attempt"]]  # one post of pages, with a timeout [s]
Sleep = Callable[[float], Awaitable[None]]


class Verdict(NamedTuple):
    """What became of one ask."""

    reason: FailureReason | None  # None: delivered
    attempts: int
    group: UUID | None = None  # in which it was told


class Limiter(Protocol):
    """How many notices may go in a time: what of AsyncLimiter we use."""

    def has_capacity(self, amount: float = 1) -> bool:
        """Whether one may go at once."""

    async def acquire(self, amount: float = 1) -> None:
        """Wait until one may go."""


class Line:
    """The line to one contact by one way.

    Parameters
    ----------
    post
        One attempt.
    settings
        Bounds.
    timeout_s
        Of one attempt here [s].
    a_minute
        So many notices.
    at_once
        No more under way than these, whatever the settings say.
    hurried
        Whether attempts are cut short while the far side keeps failing.
    limiter, sleep
        How to keep to the limit, and to pause between attempts; tests give their own.
    """

    def __init__(  # noqa: PLR0913 - each is one bound
        self,
        post: Post,
        settings: PagingSettings,
        *,
        timeout_s: float,
        a_minute: float,
        at_once: int | None = None,
        hurried: bool = True,
        limiter: Limiter | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._post = post
        self._settings = settings
        self._timeout_s = timeout_s
        self._total_s = max(settings.total_s, timeout_s)  # who waits sees how the one before it ended
        self._quick_s = min(settings.quick_timeout_s, timeout_s) if hurried else timeout_s
        self._limiter: Limiter = limiter or AsyncLimiter(a_minute, 60)
        self._sleep = sleep
        self._most = min(settings.under_way, at_once or settings.under_way)
        self._queue = Queue(settings.waiting, settings.group_from)
        self._under_way: dict[asyncio.Task[None], list[Waiting]] = {}
        self._changed = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._failed_in_a_row = 0
        self._failure: FailureReason | None = None  # the last one, if nobody was told since
        self._delivered = 0
        self._probing = False

    @property
    def broken(self) -> bool:
        """Whether the last asks failed one after the other, so that each gets one attempt only.

        One ask at a time is given its whole time, or a receiver that is well again and slow would never be believed;
        the others make it quick.
        """
        return self._failed_in_a_row >= self._settings.failures_to_break

    @property
    def room(self) -> int:
        """How many asks fit, waiting and under way: each notice under way may tell of as many as can wait."""
        return self._settings.waiting + self._most * max(1, self._settings.waiting)

    async def deliver(self, page: PageRequest) -> Verdict:
        """Post until it is delivered, refused, or the attempts or the time are used up."""
        own: Waiting | None = None
        delivered = self._delivered
        try:
            async with asyncio.timeout(self._total_s) as bound:
                own = Waiting(page, asyncio.get_running_loop().create_future(), bound)
                self._enqueue(own)
                return await own.verdict
        except TimeoutError:
            # It never had its turn: others are told first, or where nobody was told in all that time, it hangs.
            hangs = bool(self._under_way) and self._delivered == delivered
            return Verdict(self._failure or (FailureReason.TIMEOUT if hangs else FailureReason.BUSY), 0)
        finally:
            if own is not None:
                self._give_up(own)

    async def close(self) -> None:
        """End what is under way."""
        tasks = [*self._under_way, *([self._sending] if self._sending is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _enqueue(self, own: Waiting) -> None:
        least = self._queue.put(own, self._most - len(self._under_way))
        if least is not None and least.wants:
            least.verdict.set_result(Verdict(self._failure or FailureReason.BUSY, 0))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        self._changed.set()

    def _give_up(self, own: Waiting) -> None:
        own.verdict.cancel()
        self._queue.drop(own)
        for task, group in self._under_way.items():
            if own in group and not any(one.wants for one in group):
                task.cancel()
        self._changed.set()

    async def _send(self) -> None:
        """Begin one notice after the other while any page waits."""
        while len(self._queue):
            episodes = {one.page.episode_id for group in self._under_way.values() for one in group}
            if len(self._under_way) >= self._most or not self._queue.ready(episodes):
                self._changed.clear()
                await self._changed.wait()
                continue
            late = not self._limiter.has_capacity()
            await self._limiter.acquire()
            group = self._queue.next(episodes, late=late)
            if group:
                self._begin(group)

    def _begin(self, group: list[Waiting]) -> None:
        for one in group:
            one.bound.reschedule(None)  # from here on its attempts have bounds of their own
        task = asyncio.create_task(self._carry(group))
        self._under_way[task] = group
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        group = self._under_way.pop(task)
        error = None if task.cancelled() else task.exception()
        for one in group:
            if error is not None and one.wants:
                one.verdict.set_exception(error)
        self._changed.set()

    async def _carry(self, group: list[Waiting]) -> None:
        verdict = await self._ask(tuple(one.page for one in group))
        for one in group:
            if not one.wants:
                continue
            if len(group) > 1 and verdict.reason is FailureReason.REFUSED:
                # It may be that groups are what it does not take: then each is told by itself.
                one.alone = True
                one.bound.reschedule(asyncio.get_running_loop().time() + self._total_s)
                self._enqueue(one)
            else:
                one.verdict.set_result(verdict)

    async def _ask(self, pages: Pages) -> Verdict:
        tried: list[FailureReason] = []
        broken = self.broken
        probes = broken and not self._probing
        self._probing = self._probing or probes
        timeout_s = self._quick_s if broken and not probes else self._timeout_s
        group = group_id(pages) if len(pages) > 1 else None
        try:
            async with asyncio.timeout(self._total_s):
                last = await self._attempt(pages, tried, timeout_s, 1 if broken else self._settings.attempts)
            verdict = Verdict(last.reason, len(tried), group)
        except TimeoutError:  # the bound fell into the last attempt, or the pause after it
            verdict = Verdict(tried[-1], len(tried), group)
        finally:
            self._probing = self._probing and not probes
        self._remember(verdict)
        return verdict

    async def _attempt(self, pages: Pages, tried: list[FailureReason], timeout_s: float, attempts: int) -> Attempt:
        async def once() -> Attempt:
            tried.append(FailureReason.TIMEOUT)  # until it is known better: the total bound may end it
            attempt = await self._post(pages, timeout_s)
            if attempt.reason is not None:
                tried[-1] = attempt.reason
            return attempt

        return await AsyncRetrying(
            stop=stop_after_attempt(attempts),
            retry=retry_if_result(_again),
            wait=self._pause,
            sleep=self._sleep,
            retry_error_callback=_last,
        )(once)

    def _pause(self, state: RetryCallState) -> float:
        most = self._settings.backoff_most_s
        least = self._settings.backoff_s
        own = (wait_exponential(multiplier=least, max=most) + wait_random(0, least))(state)
        return max(own, min(_last(state).wait_s, most))

    def _remember(self, verdict: Verdict) -> None:
        if verdict.reason is None:
            self._failed_in_a_row = 0
            self._failure = None
            self._delivered += 1
        elif verdict.reason not in (FailureReason.REFUSED, FailureReason.BUSY):
            # A receiver that refuses answers quickly; one page that it will not have says nothing of the next.
            self._failed_in_a_row += 1
            self._failure = verdict.reason


def _again(attempt: Attempt) -> bool:
    return attempt.again


def _last(state: RetryCallState) -> Attempt:
    if state.outcome is None:
        raise RuntimeError("asked for the outcome of an attempt before it ended")
    attempt: Attempt = state.outcome.result()
    return attempt
