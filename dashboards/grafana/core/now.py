"""Is all well? Six numbers that a look answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits
from dashboards.grafana.bounds import BAD, GOOD, Bounds, Step
from dashboards.grafana.operators import asked, quantile
from dashboards.grafana.panels import numbers
from dashboards.grafana.sources import promql_now
from dashboards.grafana.units import SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile

_SIZE = (4, 4)


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield numbers(
        asked(
            "silent_processes",
            "Processes that do not answer",
            "How many of our processes Prometheus does not reach, of those that it is told of.",
            WHOLE,
            limits.any_at_all("ProcessDown"),
            promql_now('count(up{job="sonevakt"}) - sum(up{job="sonevakt"})'),
            size=_SIZE,
        ),
        ground=True,
    )
    yield numbers(
        asked(
            "oldest_waiting",
            "Oldest message that waits",
            "Age of the oldest message that a group has not yet committed, as the broker tells it.",
            SECONDS,
            limits.of_alert("MessagesWait"),
            promql_now("max(sonevakt_consumer_lag_seconds)"),
            size=_SIZE,
        ),
        ground=True,
    )
    yield numbers(
        asked(
            "assessed_p99",
            "Received to assessed, p99",
            "Within this time 99 of 100 sessions of the time range were assessed.",
            SECONDS,
            limits.ASSESSED,
            promql_now(quantile(0.99, "sonevakt_received_to_assessed_seconds", window="$__range")),
            size=_SIZE,
        )
    )
    yield numbers(
        asked(
            "paged_p99",
            "Received to paged, p99",
            "Within this time 99 of 100 pages of the time range were with their receiver.",
            SECONDS,
            limits.PAGED,
            promql_now(quantile(0.99, "sonevakt_received_to_paged_seconds", window="$__range")),
            size=_SIZE,
        )
    )
    yield numbers(
        asked(
            "open_dead_letters_now",
            "Open dead letters",
            "Messages that could not be worked with and that nobody has dealt with yet.",
            WHOLE,
            limits.any_at_all("DeadLetter"),
            promql_now("sum(max by (reason) (sonevakt_open_dead_letters))"),
            size=_SIZE,
        ),
        ground=True,
    )
    yield numbers(
        asked(
            "canary_late_by",
            "Canary late by",
            "How long ago a canary should have come through; below zero, how long there still is.",
            SECONDS,
            Bounds((Step(0.0, BAD),), "alert CanaryLate, dashboards/alerts", base=GOOD),
            promql_now("max(time() - sonevakt_canary_due_timestamp_seconds)"),
            size=_SIZE,
        ),
        ground=True,
    )
