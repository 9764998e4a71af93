"""Every metric that a Sonevakt process shows to Prometheus, declared once as data.

Seconds, never milliseconds. No label names a patient, a device or a message: the label values of one metric are a
closed and small set, so that a series can be neither a leak nor a flood.
"""

from __future__ import annotations

import platform
from enum import StrEnum
from importlib import metadata
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from agents import wallclock
from schemas.promises import ASSESSED_P99_S, PAGED_P99_S, STATE_MOST_BYTES, STATE_WANTED_BYTES

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase


PREFIX: Final = "sonevakt_"


class Kind(StrEnum):
    """What a series may do: only rise, move freely, or count into buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric: `name` is the attribute of `Metrics` and, with prefix and unit, the name in Prometheus."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()  # upper bounds [unit]; histograms only
    unseen: str = ""  # why no panel of a dashboard and no alert looks at it; empty: one does

    @property
    def series(self) -> str:
        """The name that Prometheus knows."""
        suffix = f"_{self.unit}" if self.unit and not self.name.endswith(f"_{self.unit}") else ""
        total = "_total" if self.kind is Kind.COUNTER else ""
        return f"{PREFIX}{self.name}{suffix}{total}"


_counter, _gauge, _histogram = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM
# A boundary stands at each promise, or a quantile there would be interpolated across it.
TO_ASSESSED: Final = (0.01, 0.025, 0.05, 0.1, 0.2, ASSESSED_P99_S, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0)
TO_STORED: Final = (0.05, 0.1, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0)
TO_PAGED: Final = (0.05, 0.1, 0.3, 0.5, 0.75, PAGED_P99_S, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0)
# The default ladder asks at 0, 5, 15 and 30 minutes, and again after 45 (schemas/services.py).
TO_ACKNOWLEDGED: Final = (15, 30, 60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 86_400)
WORK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
ROUND_TRIP: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
RECORDS: Final = (1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000)
STATE: Final = (512, 1024, 2048, STATE_WANTED_BYTES, 8192, 12_288, STATE_MOST_BYTES, 65_536, 262_144)

DECLARED: Final = (
    Metric("submissions_received", _counter, "Sessions that reached the gateway.", labels=("outcome",)),
    Metric(
        "sessions",
        _counter,
        "Patients' sessions that triage judged for the first time, without the pathway `canary`.",
        labels=("service",),
    ),
    Metric("readings", _counter, "Readings judged, by what they may be used for.", labels=("vital", "quality")),
    Metric("assessments", _counter, "Registrations judged, by the zone they fell in.", labels=("zone",)),
    Metric("zone_changes", _counter, "Patients moving between zones.", labels=("from_zone", "to_zone")),
    Metric(
        "pages",
        _counter,
        "Asked pages, by way and what became of them, without those that only try a way.",
        labels=("way", "outcome"),
    ),
    Metric("grouped_pages", _counter, "Pages told together with others in one notice.", labels=("way",)),
    Metric(
        "undeliverable_pages",
        _gauge,
        "Pages that nobody has taken for longer than a minute; one that takes the place of another is the same page.",
        labels=("service",),
    ),
    Metric(
        "acknowledgements",
        _counter,
        "Acknowledgements by the link in a page and by PagerDuty, by what became of them.",
        labels=("by", "outcome"),
    ),
    Metric(
        "paged_to_acknowledged",
        _histogram,
        "From the asking of a red's first page until staff acknowledged it, by the service whose ladder it climbed.",
        "seconds",
        ("service",),
        TO_ACKNOWLEDGED,
    ),
    Metric(
        "oldest_unacknowledged_red",
        _gauge,
        "Unix time at which the first page was asked for the red that has waited the longest to be acknowledged; "
        "0: none waits. A red that was learnt of too late to page anybody is not among them.",
        "timestamp_seconds",
        ("service",),
    ),
    Metric(
        "ladder",
        _gauge,
        "From a red's first page until the last step of the service's ladder has been asked a second time.",
        "seconds",
        ("service",),
    ),
    Metric("pages_ahead", _counter, "Pages asked during a backlog before their submission's turn."),
    Metric("partitions_ahead", _gauge, "Partitions with a backlog whose new submissions are looked at for pages."),
    Metric("ahead_failures", _counter, "Failures to look ahead of a backlog; what failed is left to its turn."),
    Metric("page_attempts", _counter, "Single attempts to deliver a page.", labels=("outcome",)),
    Metric("dead_letters", _counter, "Messages that could not be worked with.", labels=("process", "reason")),
    Metric("open_dead_letters", _gauge, "Dead letters that nobody has dealt with.", labels=("reason",)),
    Metric(
        "oldest_open_dead_letter",
        _gauge,
        "Age of the dead letter that has waited for the longest to be dealt with; 0: none is open.",
        "seconds",
    ),
    Metric("dead_letters_read", _gauge, "Unix time at which the dead letters were last read.", "timestamp_seconds"),
    Metric("points_written", _counter, "Points that the store confirmed.", labels=("measurement",)),
    Metric(
        "last_store_write", _gauge, "Unix time at which the store last confirmed points; 0: never.", "timestamp_seconds"
    ),
    Metric(
        "store_reachable",
        _gauge,
        "1 while the store answers and takes what is written to it, 0 while it does not.",
        labels=("process",),
    ),
    Metric("gateway_requests", _counter, "Requests answered by the gateway.", labels=("status",)),
    Metric("ticks", _counter, "Ticks that the clock tried to write.", labels=("outcome",)),
    Metric("last_tick", _gauge, "Unix time of the last round of ticks that the broker confirmed.", "timestamp_seconds"),
    Metric(
        "received_to_assessed",
        _histogram,
        "From the gateway's receipt of a session to its assessment's confirmation by the broker. "
        f"Promise: p99 {ASSESSED_P99_S:g} s.",
        "seconds",
        buckets=TO_ASSESSED,
    ),
    Metric(
        "received_to_stored",
        _histogram,
        "From the gateway's receipt of a session to the store's confirmation of its points.",
        "seconds",
        buckets=TO_STORED,
    ),
    Metric(
        "received_to_paged",
        _histogram,
        "From the gateway's receipt of a session to the receiver's acceptance of its page. "
        f"Promise: p99 {PAGED_P99_S:g} s.",
        "seconds",
        buckets=TO_PAGED,
    ),
    Metric("batch_seconds", _histogram, "Working one batch of messages.", "seconds", ("process",), WORK),
    Metric("batch_records", _histogram, "Messages in one batch.", "", ("process",), RECORDS),
    Metric("sink_seconds", _histogram, "One write to a sink.", "seconds", ("sink", "outcome"), WORK),
    Metric("state_bytes", _histogram, "One patient's state as written to the changelog.", "bytes", buckets=STATE),
    Metric(
        "consumer_lag_messages",
        _gauge,
        "Messages of a topic that a group has not yet committed, as the broker tells it.",
        "messages",
        ("group", "topic"),
    ),
    Metric(
        "consumer_lag_seconds",
        _gauge,
        "Age of the oldest message of a topic that a group has not yet committed; 0: none waits.",
        "seconds",
        ("group", "topic"),
    ),
    Metric("lag_measured", _gauge, "Unix time at which the broker last told the lag.", "timestamp_seconds"),
    Metric("offset_jumps", _counter, "Times that a consumer was handed an offset out of turn.", labels=("process",)),
    Metric("still", _gauge, "For how long nothing moved with messages waiting.", "seconds", ("process",)),
    Metric("uncommitted", _gauge, "For how long what was done was not committed.", "seconds", ("process",)),
    Metric("commit_stalls", _counter, "Times that a process ended itself for standing still.", labels=("process",)),
    Metric("fenced", _counter, "Times that a process ended itself, too late to be sure to own.", labels=("process",)),
    Metric("recovery_seconds", _gauge, "How long the last restore of state took.", "seconds", ("process",)),
    Metric(
        "restoring",
        _gauge,
        "For how long partitions are held whose state is not restored yet; 0: all of it is.",
        "seconds",
        ("process",),
    ),
    Metric(
        "event_loop_lag",
        _gauge,
        "How late the process's event loop has run at the worst of the last 15 s.",
        "seconds",
        ("process",),
    ),
    Metric(
        "patients",
        _gauge,
        "Patients that this worker follows, by the zone they stand in now; without those of the pathway `canary`.",
        labels=("zone",),
    ),
    Metric("unreadable_states", _gauge, "Patients of this worker whose state cannot be read: nobody watches them."),
    Metric("overdue_patients", _gauge, "Followed patients whose next registration is past due."),
    Metric(
        "due_patients",
        _gauge,
        "Patients of this worker whose next registration is due and has not come, without the pathway `canary`.",
        labels=("service",),
    ),
    Metric(
        "unaccounted",
        _gauge,
        "Messages older than the settle time that did not come to a step and have no dead letter.",
        labels=("step",),
    ),
    Metric(
        "accounted_until",
        _gauge,
        "Unix time up to which everything received is accounted for.",
        "timestamp_seconds",
    ),
    Metric("reconciled", _gauge, "Unix time at which the last round of reconciliation ended.", "timestamp_seconds"),
    Metric("canary_rounds", _counter, "Rounds of a service's canary.", labels=("service", "outcome")),
    Metric(
        "canary_round_trip",
        _histogram,
        "From the sending of a canary's red until it was paged, acknowledged and green again.",
        "seconds",
        ("service",),
        ROUND_TRIP,
    ),
    Metric("canary_leg", _histogram, "One leg of a canary's round.", "seconds", ("leg",), ROUND_TRIP),
    Metric(
        "canary_last_success",
        _gauge,
        "Unix time at which a service's canary last came through.",
        "timestamp_seconds",
        ("service",),
    ),
    Metric(
        "canary_due",
        _gauge,
        "Unix time by which a service's canary must have come through again.",
        "timestamp_seconds",
        ("service",),
    ),
    Metric("heartbeats", _counter, "Heartbeats to the outside address.", labels=("outcome",)),
    Metric(
        "last_heartbeat",
        _gauge,
        "Unix time of the last heartbeat that the outside took, or of the process's start; 0: there is no address.",
        "timestamp_seconds",
    ),
    Metric("sign_ins", _counter, "Attempts to sign in on the board, by what came of them.", labels=("outcome",)),
    Metric("access_log_entries", _counter, "Entries written to the access log.", labels=("outcome",)),
    Metric(
        "access_log_last",
        _gauge,
        "Number of the access log's last entry: it never falls, so a fall tells that the log was set back.",
    ),
    Metric(
        "certificate_expires",
        _gauge,
        "Unix time until which the certificate is valid that was last shown at the address of this setting.",
        "timestamp_seconds",
        ("of",),
    ),
    Metric("disk_free", _gauge, "Free space where this process keeps its files.", "bytes", ("of",)),
    Metric("disk_size", _gauge, "All the space there.", "bytes", ("of",)),
    Metric("started", _gauge, "Unix time at which the process started.", "timestamp_seconds"),
    Metric(
        "board_info",
        _gauge,
        "Always 1; the label says where browsers reach the board, so that dashboards can link there.",
        labels=("url",),
    ),
    Metric("build_info", _gauge, "Always 1; the labels say what runs.", labels=("version", "python", "faust")),
)


class Metrics:
    """All metrics of one process, in a registry of its own.

    Parameters
    ----------
    registry
        Where the series live. Tests give a fresh one and read samples from it.
    """

    submissions_received: Counter
    sessions: Counter
    readings: Counter
    assessments: Counter
    zone_changes: Counter
    pages: Counter
    grouped_pages: Counter
    undeliverable_pages: Gauge
    acknowledgements: Counter
    paged_to_acknowledged: Histogram
    oldest_unacknowledged_red: Gauge
    ladder: Gauge
    pages_ahead: Counter
    partitions_ahead: Gauge
    ahead_failures: Counter
    page_attempts: Counter
    dead_letters: Counter
    open_dead_letters: Gauge
    oldest_open_dead_letter: Gauge
    dead_letters_read: Gauge
    points_written: Counter
    last_store_write: Gauge
    store_reachable: Gauge
    gateway_requests: Counter
    ticks: Counter
    last_tick: Gauge
    received_to_assessed: Histogram
    received_to_stored: Histogram
    received_to_paged: Histogram
    batch_seconds: Histogram
    batch_records: Histogram
    sink_seconds: Histogram
    state_bytes: Histogram
    consumer_lag_messages: Gauge
    consumer_lag_seconds: Gauge
    lag_measured: Gauge
    offset_jumps: Counter
    still: Gauge
    uncommitted: Gauge
    commit_stalls: Counter
    fenced: Counter
    recovery_seconds: Gauge
    restoring: Gauge
    event_loop_lag: Gauge
    patients: Gauge
    unreadable_states: Gauge
    overdue_patients: Gauge
    due_patients: Gauge
    unaccounted: Gauge
    accounted_until: Gauge
    reconciled: Gauge
    canary_rounds: Counter
    canary_round_trip: Histogram
    canary_leg: Histogram
    canary_last_success: Gauge
    canary_due: Gauge
    heartbeats: Counter
    last_heartbeat: Gauge
    sign_ins: Counter
    access_log_entries: Counter
    access_log_last: Gauge
    certificate_expires: Gauge
    disk_free: Gauge
    disk_size: Gauge
    started: Gauge
    board_info: Gauge
    build_info: Gauge

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        for metric in DECLARED:
            setattr(self, metric.name, _declare(metric, registry))
        ProcessCollector(registry=registry)
        self.started.set(wallclock.now().timestamp())
        self.build_info.labels(_version("sonevakt"), platform.python_version(), _version("faust-streaming")).set(1)


def _declare(metric: Metric, registry: CollectorRegistry) -> MetricWrapperBase:
    name = metric.series
    if metric.kind is Kind.COUNTER:
        return Counter(name, metric.meaning, metric.labels, registry=registry)
    if metric.kind is Kind.GAUGE:
        return Gauge(name, metric.meaning, metric.labels, registry=registry)
    return Histogram(name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def describe() -> list[dict[str, str]]:
    """Return one row per metric, for the reference."""
    return [
        {
            "series": metric.series,
            "type": metric.kind.value,
            "unit": metric.unit,
            "labels": ", ".join(metric.labels),
            "buckets": ", ".join(f"{bound:g}" for bound in metric.buckets),
            "meaning": metric.meaning,
        }
        for metric in DECLARED
    ]


def reference() -> str:
    """Return docs/reference/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Made from `agents/metrics.py`. Every process shows its own at `/metrics`. Times are in seconds. On Linux each",
        "has also `process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds` and what else comes",
        "from prometheus_client's process collector.",
        "",
        "| series | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{row['series']}` | {row['type']} | {row['labels']} | {row['meaning']} |" for row in describe()]
    lines += ["", "## Boundaries of the histograms", "", "| series | upper bounds |", "|---|---|"]
    lines += [f"| `{row['series']}` | {row['buckets']} |" for row in describe() if row["buckets"]]
    return "\n".join(lines) + "\n"
