"""Metrics: what is declared is there, and no label can name a patient."""

from __future__ import annotations

import sys
from typing import get_type_hints

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agents.metrics import DECLARED, Kind, Metrics, describe, reference

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
        *("version", "python", "faust", "step", "leg"),
        *("service", "way", "by"),  # as a service's configuration names them
        "of",  # a setting, or what is kept in a file
        "url",  # the board's own address
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


@pytest.mark.skipif(sys.platform != "linux", reason="the process collector reads /proc")
def test_a_process_shows_its_memory() -> None:
    held = Metrics(CollectorRegistry()).registry.get_sample_value("process_resident_memory_bytes")
    assert held is not None
    assert held > 10_000_000
