"""Batches, writes and states: what the work is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits
from dashboards.grafana.bounds import BAD, GOOD, Bounds, NoBounds, Step
from dashboards.grafana.operators import PART, QUARTER, THIRD, asked, mean, quantile, rate
from dashboards.grafana.panels import lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import BYTES, LONG, PER_SECOND, SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield lines(
        asked(
            "batch_seconds",
            "A batch, 95 % within",
            "From the poll to the acknowledgement of a batch of messages.",
            SECONDS,
            PART,
            promql(quantile(0.95, "sonevakt_batch_seconds", "process"), "{{process}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "batch_records",
            "Messages in a batch",
            "Mean of a batch; it grows with a backlog.",
            WHOLE,
            NoBounds("large batches are how a backlog is worked off"),
            promql(mean("sonevakt_batch_records", "process"), "{{process}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "sink_seconds",
            "A write to the store, 95 % within",
            "By sink, and by whether it was answered.",
            SECONDS,
            PART,
            promql(quantile(0.95, "sonevakt_sink_seconds", "sink, outcome"), "{{sink}} {{outcome}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "retries",
            "Writes to the store that were asked again",
            "Attempts that were not answered as wanted, by why. Each is asked again for ever, ever more slowly.",
            PER_SECOND,
            NoBounds("an outage shows as lag and as the time since the last write, which have theirs"),
            promql(rate('sonevakt_sink_seconds_count{outcome!="answered"}', "sink, outcome"), "{{sink}} {{outcome}}"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "page_attempts",
            "Attempts to deliver a page",
            "Single attempts, by outcome; an ask is made of several.",
            PER_SECOND,
            NoBounds("what counts is whether the ask is delivered in the end"),
            promql(rate("sonevakt_page_attempts_total", "outcome"), "{{outcome}}"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "store_reachable",
            "The store answers",
            "1 while it answers and takes what is written to it.",
            WHOLE,
            Bounds((Step(1.0, GOOD),), "alert StoreAway, dashboards/alerts: 1 is well", base=BAD),
            promql("min by (process) (sonevakt_store_reachable)", "{{process}}"),
            size=QUARTER,
        ),
        steps=True,
    )
    yield lines(
        asked(
            "last_store_write",
            "Since the last confirmed points",
            "It grows also while nothing comes in.",
            LONG,
            NoBounds("silence of patients is no fault of the store; what waits for it has one"),
            promql("time() - max(sonevakt_last_store_write_timestamp_seconds > 0)", "since"),
            size=QUARTER,
        )
    )
    yield lines(
        asked(
            "state_bytes",
            "A patient's state",
            "Size as it is written to the changelog at every session: the price of speed.",
            BYTES,
            limits.STATE,
            promql(quantile(0.5, "sonevakt_state_bytes"), "half below"),
            promql(quantile(0.99, "sonevakt_state_bytes"), "99 % below", "B"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "recovery",
            "Restore of state",
            "How long the last restore of a process's state took, and for how long one has been going on.",
            SECONDS,
            limits.of_alert("RecoverySlow"),
            promql("max by (process) (sonevakt_recovery_seconds)", "{{process}}, the last"),
            promql("max by (process) (sonevakt_restoring_seconds)", "{{process}}, going on", "B"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "ticks",
            "Ticks",
            "What the clock tried to write, a tick for each partition.",
            PER_SECOND,
            NoBounds("the age of the last confirmed round has one"),
            promql(rate("sonevakt_ticks_total", "outcome"), "{{outcome}}"),
            size=THIRD,
        )
    )
