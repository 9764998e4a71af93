"""One service's line: how many of its pages are under way, how many wait, and whether its receiver is believed well.

Every service has its own. A receiver that is slow or dead fills its own line and nobody else's. Of those that wait the
one about the newest measurement is next; what does not fit, the one about the oldest, is reported `busy` at once, and
the fold asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from agents.paging.places import Places
from schemas.paging import FailureReason

if TYPE_CHECKING:
    from datetime import datetime

    from agents.paging.attempts import Attempt
    from agents.paging.settings import PagingSettings

Post = Callable[[float], Awaitable["Attempt"]]  # one post, with a timeout [s]
Sleep = Callable[[float], Awaitable[None]]


class Verdict(NamedTuple):
    """What became of one ask."""

    reason: FailureReason | None  # None: delivered
    attempts: int


class Line:
    """The way to one receiver.

    Parameters
    ----------
    settings
        Bounds.
    timeout_s
        Of one attempt at this receiver [s].
    sleep
        How to pause between attempts.
    """

    def __init__(self, settings: PagingSettings, timeout_s: float, sleep: Sleep = asyncio.sleep) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._places = Places(settings.under_way, settings.waiting)
        self._failed_in_a_row = 0
        self._probing = False

    @property
    def broken(self) -> bool:
        """Whether the last asks failed one after the other, so that each gets one attempt only.

        One ask at a time is given the receiver's whole time, or one that is well again and slow would never be
        believed; the others make it quick.
        """
        return self._failed_in_a_row >= self._settings.failures_to_break

    @property
    def room(self) -> int:
        """How many asks fit, under way and waiting."""
        return self._settings.under_way + self._settings.waiting

    async def deliver(self, post: Post, at: datetime) -> Verdict:
        """Post until it is delivered, refused, or the attempts or the time are used up.

        Parameters
        ----------
        post
            One attempt.
        at
            Of the measurement that the page is about: the newest are posted first.
        """
        tried: list[FailureReason] = []
        try:
            async with asyncio.timeout(self._settings.total_s):
                if not await self._places.take(at):
                    return Verdict(FailureReason.BUSY, 0)
                try:
                    verdict = await self._ask(post, tried)
                finally:
                    self._places.give_back()
        except TimeoutError:
            # Never got a place: busy. Else the bound fell into the last attempt, or the pause after it.
            verdict = Verdict(tried[-1] if tried else FailureReason.BUSY, len(tried))
        self._remember(verdict)
        return verdict

    async def _ask(self, post: Post, tried: list[FailureReason]) -> Verdict:
        broken = self.broken
        probes = broken and not self._probing
        quick_s = min(self._settings.quick_timeout_s, self._timeout_s)
        timeout_s = quick_s if broken and not probes else self._timeout_s
        self._probing = self._probing or probes
        try:
            return await self._attempt(post, tried, timeout_s, 1 if broken else self._settings.attempts)
        finally:
            self._probing = self._probing and not probes

    async def _attempt(self, post: Post, tried: list[FailureReason], timeout_s: float, attempts: int) -> Verdict:
        async def once() -> Attempt:
            tried.append(FailureReason.TIMEOUT)  # until it is known better: the total bound may end it
            attempt = await post(timeout_s)
            if attempt.reason is not None:
                tried[-1] = attempt.reason
            return attempt

        last: Attempt = await AsyncRetrying(
            stop=stop_after_attempt(attempts),
            retry=retry_if_result(_again),
            wait=self._pause,
            sleep=self._sleep,
            retry_error_callback=_last,
        )(once)
        return Verdict(last.reason, len(tried))

    def _pause(self, state: RetryCallState) -> float:
        most = self._settings.backoff_most_s
        least = self._settings.backoff_s
        own = (wait_exponential(multiplier=least, max=most) + wait_random(0, least))(state)
        return max(own, min(_last(state).wait_s, most))

    def _remember(self, verdict: Verdict) -> None:
        if verdict.reason is None:
            self._failed_in_a_row = 0
        elif verdict.reason not in (FailureReason.REFUSED, FailureReason.BUSY):
            # A receiver that refuses answers quickly; one page that it will not have says nothing of the next.
            self._failed_in_a_row += 1


def _again(attempt: Attempt) -> bool:
    return attempt.again


def _last(state: RetryCallState) -> Attempt:
    if state.outcome is None:
        raise RuntimeError("asked for the outcome of an attempt before it ended")
    attempt: Attempt = state.outcome.result()
    return attempt
