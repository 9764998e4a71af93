"""What a stream worker shows of itself: metrics, and the checks behind /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.dead_letters import DeadLetterReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agents.metrics import Metrics
    from agents.streaming import StreamWorker

LATE_S: Final = 2.0  # a loop later than this does not keep its promises
STILL_S: Final = 30.0  # with messages waiting and nothing done or committed for so long, the worker does not work


class WorkerMetrics:
    """What a worker tells of itself (the hooks of agents/streaming), as series of one process.

    Parameters
    ----------
    process, metrics
        Whose series.
    """

    def __init__(self, process: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._process = process
        # A counter that begins with its first event shows no increase for it.
        for reason in DeadLetterReason:
            metrics.dead_letters.labels(process, reason.value)
        for ends in (metrics.offset_jumps, metrics.fenced, metrics.commit_stalls):
            ends.labels(process)

    def batch(self, records: int, seconds: float) -> None:
        """Count a batch that is done."""
        self._metrics.batch_records.labels(self._process).observe(records)
        self._metrics.batch_seconds.labels(self._process).observe(seconds)

    def offset_jump(self) -> None:
        """Count messages handed over out of turn."""
        self._metrics.offset_jumps.labels(self._process).inc()

    def fenced(self) -> None:
        """Count an end by the fence."""
        self._metrics.fenced.labels(self._process).inc()

    def pace(self, still_s: float, uncommitted_s: float) -> None:
        """Show for how long nothing moved with work waiting, and nothing that was done was committed."""
        self._metrics.still.labels(self._process).set(still_s)
        self._metrics.uncommitted.labels(self._process).set(uncommitted_s)

    def commit_stall(self) -> None:
        """Count ends for standing still."""
        self._metrics.commit_stalls.labels(self._process).inc()

    def recovered(self, seconds: float) -> None:
        """Show how long the restore of state took."""
        self._metrics.recovery_seconds.labels(self._process).set(seconds)

    def restoring(self, seconds: float) -> None:
        """Show for how long state has been waited for."""
        self._metrics.restoring.labels(self._process).set(seconds)

    def dead_letter(self, reason: DeadLetterReason) -> None:
        """Count a dead letter that the worker itself made."""
        self._metrics.dead_letters.labels(self._process, reason.value).inc()


def worker_checks(worker: StreamWorker) -> Mapping[str, Callable[[], bool]]:
    """What must hold for a worker to be ready."""
    return {
        "loop": lambda: worker.health().loop_lag_s < LATE_S,
        "assigned": lambda: worker.health().assigned > 0,
        "recovered": lambda: worker.health().recovered,
        "moving": lambda: worker.health().still_s < STILL_S,
        "committing": lambda: worker.health().uncommitted_s < STILL_S,
    }
