"""Who may own its partitions no longer must not write.

A worker that was stopped for longer than its session (a virtual machine moved, SIGSTOP) has lost its partitions and
does not know: on waking it writes on, and 99 of 200 patients' states went back in the changelog. Nothing at the broker
stops it short of transactions, in which upstream has open faults (#136, #177, #323, #440, #517). So it measures its own
pulse: where the loop has not ticked for most of a session, it ends itself.

One whose loop ticks and whose heartbeats do not come through has lost them too, a little later: what the broker last
confirmed is a lease, and without it nothing is written until there is a new one.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SHARE_OF_SESSION: Final = 0.6
LEASE_OF_SESSION: Final = 0.8  # the rest is for what is on its way
TICK_S: Final = 0.25


class Fence:
    """Measures the loop's pulse, and knows how long the broker surely takes this member for alive.

    Parameters
    ----------
    session_timeout_s
        After so long without a heartbeat the broker gives the partitions away [s].
    end
        Called where too much of that has gone by unnoticed; must not return in production.
    """

    def __init__(
        self, session_timeout_s: float, end: Callable[[], None], clock: Callable[[], float] = monotonic
    ) -> None:
        self._most_s = SHARE_OF_SESSION * session_timeout_s
        self._lease_s = LEASE_OF_SESSION * session_timeout_s
        self._end = end
        self._clock = clock
        self._ticked = clock()
        self._leased = clock()

    @property
    def lag_s(self) -> float:
        """How late the loop's tick is [s]."""
        return max(0.0, self._clock() - self._ticked - TICK_S)

    @property
    def leased(self) -> bool:
        """Whether the broker heard of this member so lately that it gave nothing away."""
        return self._clock() - self._leased < self._lease_s

    def alive(self, sent: float) -> None:
        """The broker answered a heartbeat that was sent then [s, by the clock]."""
        self._leased = max(self._leased, sent)

    def check(self) -> None:
        """End the process unless the loop ticked lately."""
        if self._clock() - self._ticked > self._most_s:
            self._end()

    async def beat(self) -> None:
        """Tick for ever."""
        while True:
            self.check()
            self._ticked = self._clock()
            await asyncio.sleep(TICK_S)
