"""Whether a red reaches somebody: pages, acknowledgements, canaries, the heartbeat to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import limits
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import NOTHING, THIRD, asked, happened, more, quantile
from dashboards.grafana.panels import bars, lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import LONG, SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile

_LOW: Final = (8, 6)
_TAKEN: Final = "sonevakt_paged_to_acknowledged_seconds"


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield lines(
        asked(
            "oldest_red",
            "Oldest red that nobody has acknowledged",
            "Since its first page was asked, by service; 0: none waits.",
            LONG,
            limits.ladder(),
            promql(
                "max by (service) ((time() - sonevakt_oldest_unacknowledged_red_timestamp_seconds)"
                " * (sonevakt_oldest_unacknowledged_red_timestamp_seconds > bool 0))",
                "{{service}}",
            ),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "undeliverable",
            "Pages that nobody has taken",
            "For longer than a minute, each further ask included.",
            WHOLE,
            limits.any_at_all("PagesUndeliverable"),
            promql("sum by (service) (sonevakt_undeliverable_pages)", "{{service}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "acknowledged",
            "Paged to acknowledged",
            "From the asking of a red's first page until staff acknowledged it.",
            LONG,
            limits.ladder(),
            promql(f"{quantile(0.5, _TAKEN, 'service')} >= 0", "{{service}}, half within"),
            promql(f"{quantile(0.9, _TAKEN, 'service')} >= 0", "{{service}}, 90 % within", "B"),
            size=THIRD,
            no_value=NOTHING,
        )
    )
    yield lines(
        asked(
            "canary_since",
            "Since a canary came through",
            "By service. By when it must come through again is what the alert looks at.",
            LONG,
            limits.of_setting("canary_seconds", limits.CANARY_EVERY_S),
            promql("time() - max by (service) (sonevakt_canary_last_success_timestamp_seconds > 0)", "{{service}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "canary_round_trip",
            "Round trip of the canaries",
            "From the sending of a canary's red until it was paged, acknowledged and green again; 95 % within.",
            SECONDS,
            limits.of_setting("canary_within_seconds", limits.CANARY_WITHIN_S),
            promql(quantile(0.95, "sonevakt_canary_round_trip_seconds", "service"), "{{service}}"),
            size=THIRD,
        )
    )
    yield bars(
        asked(
            "canary_rounds",
            "Rounds of the canaries",
            "By service and outcome.",
            WHOLE,
            NoBounds("the time since the last that came through has one"),
            promql(happened("sonevakt_canary_rounds_total", "service, outcome"), "{{service}} {{outcome}}"),
            size=THIRD,
            no_value=NOTHING,
        )
    )
    yield lines(
        asked(
            "last_heartbeat",
            "Since the last heartbeat",
            "That the outside took. When it stops, the outside alarms.",
            LONG,
            limits.of_alert("HeartbeatNotSent"),
            promql("time() - max(sonevakt_last_heartbeat_timestamp_seconds > 0)", "since"),
            size=_LOW,
        )
    )
    yield bars(
        asked(
            "heartbeats",
            "Heartbeats to the outside",
            "Sent, failed, or withheld because a canary did not come through.",
            WHOLE,
            NoBounds("the time since the last has one"),
            promql(more("sonevakt_heartbeats_total", "outcome"), "{{outcome}}"),
            size=_LOW,
        )
    )
    yield lines(
        asked(
            "canary_legs",
            "Legs of the canaries' rounds",
            "Where a round stops shows here; 95 % within.",
            SECONDS,
            NoBounds("the whole round has one"),
            promql(quantile(0.95, "sonevakt_canary_leg_seconds", "leg"), "{{leg}}"),
            size=_LOW,
        )
    )
    yield lines(
        asked(
            "last_tick",
            "Since the last tick",
            "Without ticks nobody becomes overdue and no page is asked for again.",
            LONG,
            limits.of_alert("ClockStopped"),
            promql("time() - max(sonevakt_last_tick_timestamp_seconds > 0)", "since"),
            size=_LOW,
        )
    )
    yield bars(
        asked(
            "acknowledgements",
            "Acknowledgements from elsewhere",
            "By the link in a page and by PagerDuty, and what became of them; those on the board are not among them.",
            WHOLE,
            NoBounds("what is wrong with one has its own alerts, by what became of it"),
            promql(happened("sonevakt_acknowledgements_total", "by, outcome"), "{{by}} {{outcome}}"),
            size=_LOW,
            no_value=NOTHING,
        )
    )
    yield bars(
        asked(
            "grouped_pages",
            "Pages told together",
            "Pages that waited together and were told in one notice, by way.",
            WHOLE,
            NoBounds("that many are told at once is meant to be"),
            promql(more("sonevakt_grouped_pages_total", "way"), "{{way}}"),
            size=_LOW,
        )
    )
    yield lines(
        asked(
            "ladder",
            "Length of the ladder",
            "From a red's first page until its last step has been asked a second time, by service.",
            LONG,
            NoBounds("it is a setting of the service's own"),
            promql("max by (service) (sonevakt_ladder_seconds)", "{{service}}"),
            size=(24, 5),
        ),
        steps=True,
    )
