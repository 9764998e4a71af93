"""Is all well? Six numbers that a look answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits
from dashboards.grafana.bounds import BAD, Bounds, Step
from dashboards.grafana.operators import asked, quantile
from dashboards.grafana.panels import numbers
from dashboards.grafana.sources import promql_now
from dashboards.grafana.units import SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile

_SIZE = (4, 4)
_RECENT = "15m"  # over the whole range a bad minute would stay red for an hour


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield numbers(
        asked(
            "silent_processes",
            "Silent processes",
            "How many of our processes Prometheus does not reach, of those that it is told of: they do not answer.",
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
            "Oldest waiting message",
            "Age of the oldest message that a group has not yet committed, as the broker last told its workers. A "
            "group whose workers are down is not in it: see the silent processes beside it.",
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
            "Assessed, p99 of 15 min",
            "Within this time of their receipt 99 of 100 sessions of the last 15 minutes were assessed.",
            SECONDS,
            limits.ASSESSED,
            promql_now(quantile(0.99, "sonevakt_received_to_assessed_seconds", window=_RECENT)),
            size=_SIZE,
        )
    )
    yield numbers(
        asked(
            "paged_p99",
            "Paged, p99 of 15 min",
            "Within this time of their receipt 99 of 100 reds of the last 15 minutes were with a receiver of pages.",
            SECONDS,
            limits.PAGED,
            promql_now(quantile(0.99, "sonevakt_received_to_paged_seconds", window=_RECENT)),
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
            "How long ago a canary should have come through; 0: none is late.",
            SECONDS,
            Bounds((Step(1.0, BAD),), "alert CanaryLate, dashboards/alerts: late at all is too late"),
            promql_now("max(clamp_min(time() - (sonevakt_canary_due_timestamp_seconds > 0), 0))"),
            size=_SIZE,
        ),
        ground=True,
    )
