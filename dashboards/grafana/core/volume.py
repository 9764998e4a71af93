"""How much comes in, is judged, stored and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits, zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import HALF, NOTHING, THIRD, VOLUME, asked, happened, more, rate
from dashboards.grafana.panels import bars, lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import PER_SECOND, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile


def tiles() -> Iterator[Tile]:
    """Return what comes in, then what comes of it."""
    yield lines(
        asked(
            "sessions_received",
            "Sessions at the gateway",
            "What apps handed in, by the gateway's answer. Accepted ones are on the topic.",
            PER_SECOND,
            VOLUME,
            promql(rate("sonevakt_submissions_received_total", "outcome"), "{{outcome}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "gateway_requests",
            "Requests to the gateway",
            "By HTTP status; a request may hold several sessions.",
            PER_SECOND,
            NoBounds("what a status means is its app's affair: 4xx is the sender's fault, and 5xx is asked again"),
            promql(rate("sonevakt_gateway_requests_total", "status"), "{{status}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "sessions_by_service",
            "Sessions by service",
            "Patients' sessions judged for the first time, without canaries. An alert tells of a silent service.",
            PER_SECOND,
            VOLUME,
            promql(rate("sonevakt_sessions_total", "service"), "{{service}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "assessed",
            "Registrations assessed",
            "By the zone that they fell in.",
            PER_SECOND,
            VOLUME,
            promql(rate("sonevakt_assessments_total", "zone"), "{{zone}}"),
            size=THIRD,
            fields=zones.fields("en"),
        )
    )
    yield lines(
        asked(
            "readings",
            "Readings by quality",
            "What they may be used for: valid, implausible (judged, and measured again), quarantined (not judged).",
            PER_SECOND,
            VOLUME,
            promql(rate("sonevakt_readings_total", "quality"), "{{quality}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "points_written",
            "Points stored",
            "Points that the store confirmed, by measurement.",
            PER_SECOND,
            VOLUME,
            promql(rate("sonevakt_points_written_total", "measurement"), "{{measurement}}"),
            size=THIRD,
        )
    )
    yield bars(
        asked(
            "zone_changes",
            "Zone changes",
            "Patients who came from one zone into another, by the zone that they came into.",
            WHOLE,
            VOLUME,
            promql(more("sonevakt_zone_changes_total", "to_zone"), "{{to_zone}}"),
            size=HALF,
            fields=zones.fields("en"),
        )
    )
    yield bars(
        asked(
            "pages",
            "Pages",
            "Asks by way and by what became of them. Whatever is not delivered is asked again.",
            WHOLE,
            limits.none_delivered(),
            promql(happened("sonevakt_pages_total", "way, outcome"), "{{way}} {{outcome}}"),
            size=HALF,
            no_value=NOTHING,
        )
    )
