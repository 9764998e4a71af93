"""The processing core for its operators: what comes in, how fast it is worked, what waits, and what went wrong."""

from __future__ import annotations

from dashboards.grafana import links, variables
from dashboards.grafana.core import alarm_path, backlog, board, latency, letters, now, processes, volume, work
from dashboards.grafana.made import About, Made, Row, make


def build() -> Made:
    """Return the dashboard."""
    about = About(
        path="operations/core.json",
        uid=links.CORE,
        title="Sonevakt: processing core",
        description="Volume, latency, backlog and faults of every process. The platform's health, never a patient's.",
        tags=("sonevakt", "operations"),
        time=("now-1h", "now"),
        refresh="10s",
        variables=(variables.process(),),
        links=links.from_core(),
    )
    return make(
        about,
        [
            *now.tiles(),
            Row("The alarm path"),
            *alarm_path.tiles(),
            Row("Latency"),
            *latency.tiles(),
            Row("Backlog"),
            *backlog.tiles(),
            Row("Volume"),
            *volume.tiles(),
            Row("Work"),
            *work.tiles(),
            Row("Dead letters and reconciliation"),
            *letters.tiles(),
            Row("Processes"),
            *processes.tiles(),
            Row("Board and access"),
            *board.tiles(),
        ],
    )
