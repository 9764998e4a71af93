"""What a stream worker shows of itself: metrics, and the checks behind /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agents.metrics import Metrics
    from agents.streaming import StreamWorker
    from schemas.dead_letters import DeadLetterReason

LATE_S: Final = 2.0  # a loop later than this does not keep its promises
STILL_S: Final = 30.0  # with messages waiting and nothing done or committed for so long, the worker does not work


class WorkerMetrics:
    """A `agents.streaming.StreamMetrics` of one process."""

    def __init__(self, process: str, metrics: Metrics) -> None:
        self._process = process
        self._metrics = metrics
        self._seconds = metrics.batch_seconds.labels(process)
        self._records = metrics.batch_records.labels(process)
        self._lag = metrics.event_loop_lag.labels(process)

    def batch(self, records: int, seconds: float) -> None:
        """A batch is done."""
        self._records.observe(records)
        self._seconds.observe(seconds)

    def offset_jump(self) -> None:
        """Messages were handed over out of turn."""
        self._metrics.offset_jumps.labels(self._process).inc()

    def fenced(self) -> None:
        """The process was paused for too long."""
        self._metrics.fenced.labels(self._process).inc()

    def commit_stall(self) -> None:
        """Work waits and nothing moves."""
        self._metrics.commit_stalls.labels(self._process).inc()

    def recovered(self, seconds: float) -> None:
        """State is restored."""
        self._metrics.recovery_seconds.labels(self._process).set(seconds)

    def loop_lag(self, seconds: float) -> None:
        """How late the event loop runs."""
        self._lag.set(seconds)

    def dead_letter(self, reason: DeadLetterReason) -> None:
        """The worker itself made a dead letter."""
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
