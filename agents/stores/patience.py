"""Asking a store again for ever: ever more slowly, never twice alike, and told once instead of at every attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

if TYPE_CHECKING:
    from agents.metrics import Metrics

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]
FIRST_S: Final = 0.2  # the first wait is up to this, each next up to twice as long [s]
MOST_S: Final = 15.0  # and up to this at most: how late a store's return may be noticed [s]; our choice
MOST_ASKED_S: Final = 120.0  # a store may ask for a longer wait, up to this [s]; our choice

_log = structlog.get_logger(__name__)


class NotYetError(Exception):
    """The store did not confirm, and may do so later.

    Parameters
    ----------
    outcome
        Label of the attempt in `sink_seconds`, out of a closed set.
    problem
        One line that says what to do. Never the store's own text, which may hold a patient's.
    wait_s
        How long the store itself asked us to wait [s].
    """

    def __init__(self, outcome: str, problem: str, *, wait_s: float = 0.0) -> None:
        super().__init__(problem)
        self.outcome = outcome
        self.problem = problem
        self.wait_s = wait_s


class Patience:
    """Repeats what a store did not confirm, until it does or the task is cancelled.

    Attributes
    ----------
    reachable
        Whether the last attempt was answered; None before the first.
    """

    def __init__(
        self,
        sink: str,
        metrics: Metrics,
        *,
        first_s: float = FIRST_S,
        most_s: float = MOST_S,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.reachable: bool | None = None
        self._sink = sink
        self._metrics = metrics
        self._backoff = wait_random_exponential(multiplier=first_s, max=most_s)
        self._pause = pause
        self.told: str | None = None

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await `attempt()` until it does not raise NotYetError; every other error is passed on."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(NotYetError),
            wait=self._wait,
            sleep=self._pause,
            before_sleep=self._tell,
        )
        return await retrying(self._timed, attempt)

    async def _timed(self, attempt: Callable[[], Awaitable[T]]) -> T:
        began = perf_counter()
        outcome = "abandoned"
        try:
            result = await attempt()
            outcome = "answered"
        except NotYetError as not_yet:
            outcome = not_yet.outcome
            raise
        finally:
            self._metrics.sink_seconds.labels(self._sink, outcome).observe(perf_counter() - began)
        self._recovered()
        return result

    def _wait(self, attempts: RetryCallState) -> float:
        error = attempts.outcome.exception() if attempts.outcome else None
        asked = error.wait_s if isinstance(error, NotYetError) else 0.0
        return min(asked, MOST_ASKED_S) + self._backoff(attempts)

    def _tell(self, attempts: RetryCallState) -> None:
        error = attempts.outcome.exception() if attempts.outcome else None
        self.reachable = False
        if isinstance(error, NotYetError) and error.problem != self.told:
            self.told = error.problem
            _log.warning("store_not_confirming", sink=self._sink, problem=error.problem, outcome=error.outcome)

    def _recovered(self) -> None:
        self.reachable = True
        if self.told is not None:
            self.told = None
            _log.info("store_confirming_again", sink=self._sink)
