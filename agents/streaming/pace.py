"""Whether a worker gets on: standing still is the one fault that shows by nothing happening.

Answers, on faust-streaming 0.15.3:

- messages wait and nothing is handed over any more (upstream #596, where records are fetched and thrown away): the
  offset guard sees only what comes, so nothing would ever end it;
- work is done and its commits do not come through (upstream #318, #596, #611): lag grows without end, and a restart
  does all of it again.

Either ends the process, which reads on from its last commit. While the broker is away neither does: nothing is handed
over and nothing is delivered, so there is nothing that a restart would mend.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """When the worker last moved, did something, and had everything committed.

    Parameters
    ----------
    most_s
        Standing still for longer ends the process [s].
    """

    def __init__(self, most_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._most_s = most_s
        self._clock = clock
        self._moved = self._done = self._committed = clock()

    @property
    def still_s(self) -> float:
        """Since the worker last moved [s]."""
        return self._clock() - self._moved

    @property
    def uncommitted_s(self) -> float:
        """Since everything that was done was last seen to be committed [s]."""
        return self._clock() - self._committed

    def moved(self) -> None:
        """The worker goes on, or nothing waits for it."""
        self._moved = self._clock()

    def done(self) -> None:
        """Something was done that may be committed."""
        self._moved = self._done = self._clock()

    def committed(self) -> None:
        """Everything that was done a while ago is committed."""
        self._committed = self._clock()

    def stalled(self, *, waits: bool) -> str | None:
        """Why the process must end, if it must; `waits` where messages wait and none is at work."""
        if waits and self.still_s > self._most_s:
            return "messages wait and nothing moves"
        if self.uncommitted_s > self._most_s and self._clock() - self._done < self._most_s / 2:
            return "work is done and no commit comes through"
        return None
