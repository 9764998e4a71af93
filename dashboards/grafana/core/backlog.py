"""What waits, in messages and in seconds, and what is done while it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import HALF, QUARTER, asked, more
from dashboards.grafana.panels import lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import LONG, SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield lines(
        asked(
            "lag_seconds",
            "Oldest message that waits",
            "By group and topic, as the broker last told the group's own workers. A group whose workers are down has "
            "no line (alert ProcessDown); while the broker does not answer, its last value stands (alert LagUnknown).",
            SECONDS,
            limits.of_alert("MessagesWait"),
            promql("max by (group, topic) (sonevakt_consumer_lag_seconds)", "{{group}} {{topic}}"),
            size=HALF,
        )
    )
    yield lines(
        asked(
            "lag_messages",
            "Messages that wait",
            "By group and topic; not yet committed.",
            WHOLE,
            NoBounds("how long something waits matters, and that has one"),
            promql("max by (group, topic) (sonevakt_consumer_lag_messages)", "{{group}} {{topic}}"),
            size=HALF,
        )
    )
    yield lines(
        asked(
            "lag_age",
            "Age of the lag itself",
            "How long ago the broker last told each process its lag; a process that never asked has none.",
            LONG,
            limits.of_alert("LagUnknown"),
            promql("time() - (sonevakt_lag_measured_timestamp_seconds > 0)", "{{role}}"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "partitions_ahead",
            "Partitions looked at ahead",
            "Partitions with a backlog whose newest submissions are looked at for pages before their turn.",
            WHOLE,
            NoBounds("it follows from a backlog, which has one"),
            promql("sum(sonevakt_partitions_ahead)", "partitions"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "pages_ahead",
            "Pages asked ahead",
            "Pages asked during a backlog before their submission's turn.",
            WHOLE,
            NoBounds("it follows from a backlog, which has one"),
            promql(more("sonevakt_pages_ahead_total", "role"), "{{role}}"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "ahead_failures",
            "Failures to look ahead",
            "What could not be looked at ahead is worked at its turn.",
            WHOLE,
            NoBounds("what fails here is left to its turn, whose lateness has one"),
            promql(more("sonevakt_ahead_failures_total", "role"), "{{role}}"),
            size=QUARTER,
        )
    )
