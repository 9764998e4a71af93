"""Whether a process lives and whether it does its work, each as named checks that are true or false.

Alive: its event loop turns. Ready: every check that the process itself gave holds, for example that it has partitions,
that its state is restored, that commits move or nothing is behind, that its sink answers, that it was not fenced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agents.metrics import Metrics

LOOP_BOUND: Final = 2.0  # a loop later than this cannot keep its promises of 0.3 and 1 s [s]
BEAT: Final = 0.25  # how often the loop's lag is looked at [s]
WORST_OF: Final = 60  # beats, of which the worst is shown: whoever scrapes every 10 s would miss a single one
_log = structlog.get_logger()


class Health:
    """What `/livez` and `/readyz` answer for one process.

    Parameters
    ----------
    process
        Its name, as in the metrics.
    metrics
        Where the lag of the event loop is shown.
    checks
        What must hold for the process to do its work, by name. A check that raises does not hold.
    bound
        How late the event loop may be and still count as alive [s].
    """

    def __init__(
        self, process: str, metrics: Metrics, checks: Mapping[str, Callable[[], bool]], *, bound: float = LOOP_BOUND
    ) -> None:
        self._process = process
        self._lag = metrics.event_loop_lag.labels(process)
        self._checks = dict(checks)
        self._bound = bound
        self._beat_at: float | None = None  # the loop's own clock [s]

    async def beat(self) -> None:
        """Watch the event loop, for ever; run it as a task."""
        loop = asyncio.get_running_loop()
        late: deque[float] = deque(maxlen=WORST_OF)
        while True:
            self._beat_at = loop.time()
            await asyncio.sleep(BEAT)
            late.append(max(0.0, loop.time() - self._beat_at - BEAT))
            self._lag.set(max(late))

    def live(self) -> dict[str, bool]:
        """Return whether the event loop turns: a beat not long ago."""
        if self._beat_at is None:
            return {"event_loop": False}
        return {"event_loop": asyncio.get_running_loop().time() - self._beat_at < self._bound + BEAT}

    def ready(self) -> dict[str, bool]:
        """Return every check by name, the loop's among them."""
        return {**self.live(), **{name: self._holds(name) for name in self._checks}}

    def _holds(self, name: str) -> bool:
        try:
            return bool(self._checks[name]())
        except Exception as error:  # noqa: BLE001 - whatever it is, the process cannot be said to be ready
            _log.warning("check_raised", process=self._process, reason=name, error=type(error).__name__)
            return False
