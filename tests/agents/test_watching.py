"""What a worker shows of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.watching import WorkerMetrics
from schemas.dead_letters import DeadLetterReason


def told(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"sonevakt_{name}", {"process": "triage", **labels})


def test_a_worker_s_hooks_become_series_of_its_process() -> None:
    metrics = Metrics(CollectorRegistry())
    worker = WorkerMetrics("triage", metrics)
    worker.batch(40, 0.02)
    worker.offset_jump()
    worker.fenced()
    worker.commit_stall()
    worker.recovered(4.5)
    worker.restoring(3.5)
    worker.dead_letter(DeadLetterReason.OVERSIZE_OUTPUT)
    assert told(metrics, "batch_records_sum") == 40
    assert told(metrics, "batch_seconds_sum") == 0.02
    assert told(metrics, "offset_jumps_total") == 1
    assert told(metrics, "fenced_total") == 1
    assert told(metrics, "commit_stalls_total") == 1
    assert told(metrics, "recovery_seconds") == 4.5
    assert told(metrics, "restoring_seconds") == 3.5
    assert told(metrics, "dead_letters_total", reason="oversize_output") == 1
