"""Metrics: what is declared is there, and no label can name a patient."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agents.metrics import DECLARED, Kind, Metrics, StreamMetrics, describe, reference
from schemas.dead_letters import DeadLetterReason

CLASS = {Kind.COUNTER: Counter, Kind.GAUGE: Gauge, Kind.HISTOGRAM: Histogram}


def test_every_declared_metric_is_an_attribute_of_its_type_and_nothing_else_is() -> None:
    assert {metric.name: CLASS[metric.kind] for metric in DECLARED} == get_type_hints(Metrics)
    metrics = Metrics(CollectorRegistry())
    for metric in DECLARED:
        assert isinstance(getattr(metrics, metric.name), CLASS[metric.kind])


def test_two_processes_in_one_interpreter_do_not_share_series() -> None:
    one, two = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    one.assessments.labels("red").inc()
    assert one.registry.get_sample_value("sonevakt_assessments_total", {"zone": "red"}) == 1
    assert two.registry.get_sample_value("sonevakt_assessments_total", {"zone": "red"}) is None


@pytest.mark.parametrize(
    ("name", "promise"), [("received_to_assessed", 0.3), ("received_to_paged", 1.0), ("state_bytes", 4096)]
)
def test_a_boundary_stands_at_each_promise(name: str, promise: float) -> None:
    (metric,) = [metric for metric in DECLARED if metric.name == name]
    assert promise in metric.buckets


def test_no_label_names_a_patient_a_device_or_a_message() -> None:
    allowed = {
        *("outcome", "status", "reason", "process"),
        *("zone", "from_zone", "to_zone", "vital", "quality"),
        *("measurement", "sink", "group", "topic"),
        *("version", "python", "faust"),
    }
    assert {label for metric in DECLARED for label in metric.labels} <= allowed


def test_histograms_have_rising_boundaries_and_others_none() -> None:
    for metric in DECLARED:
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_names_are_as_prometheus_wants_them() -> None:
    assert {row["series"] for row in describe() if row["type"] == "counter"} == {
        row["series"] for row in describe() if row["series"].endswith("_total")
    }
    assert not [row for row in describe() if "milli" in row["unit"]]
    shown = generate_latest(Metrics(CollectorRegistry()).registry).decode()
    for row in describe():
        assert f"# TYPE {row['series']} {row['type']}" in shown


def test_the_reference_names_every_series_once_in_the_table() -> None:
    text = reference().partition("## Boundaries")[0]
    for row in describe():
        assert text.count(f"| `{row['series']}` |") == 1


def test_the_build_is_shown() -> None:
    shown = generate_latest(Metrics(CollectorRegistry()).registry).decode()
    assert 'faust="0.15.3"' in shown


def told(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"sonevakt_{name}", {"process": "triage", **labels})


def test_a_worker_s_hooks_become_series_of_its_process() -> None:
    metrics = Metrics(CollectorRegistry())
    worker = StreamMetrics(metrics, "triage")
    worker.batch(40, 0.02)
    worker.offset_jump()
    worker.fenced()
    worker.commit_stall()
    worker.recovered(4.5)
    worker.loop_lag(0.01)
    worker.dead_letter(DeadLetterReason.OVERSIZE_OUTPUT)
    assert told(metrics, "batch_records_sum") == 40
    assert told(metrics, "batch_seconds_sum") == 0.02
    assert told(metrics, "offset_jumps_total") == 1
    assert told(metrics, "fenced_total") == 1
    assert told(metrics, "commit_stalls_total") == 1
    assert told(metrics, "recovery_seconds") == 4.5
    assert told(metrics, "event_loop_lag_seconds") == 0.01
    assert told(metrics, "dead_letters_total", reason="oversize_output") == 1


def test_the_share_of_dead_letters_is_of_the_latest_records_and_of_every_reason() -> None:
    metrics = Metrics(CollectorRegistry())
    worker = StreamMetrics(metrics, "triage", window=100)
    metrics.dead_letters.labels("triage", "invalid").inc(8)  # the handler's own
    metrics.dead_letters.labels("storing", "invalid").inc(50)  # another process's
    worker.dead_letter(DeadLetterReason.OVERSIZE_STATE)
    worker.dead_letter(DeadLetterReason.OVERSIZE_STATE)
    worker.batch(100, 0.1)
    assert told(metrics, "dead_letter_ratio") == 0.1
    worker.batch(60, 0.1)
    assert told(metrics, "dead_letter_ratio") == 10 / 160
    worker.batch(60, 0.1)
    assert told(metrics, "dead_letter_ratio") == 0
    worker.batch(0, 0.1)
    assert told(metrics, "dead_letter_ratio") == 0
