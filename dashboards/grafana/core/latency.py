"""How long a session takes to its assessment, to the store and to a nurse, against what is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import limits
from dashboards.grafana.operators import THIRD, asked, quantile
from dashboards.grafana.panels import lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.bounds import Bounds
    from dashboards.grafana.panels import Tile


def tiles() -> Iterator[Tile]:
    """Return one panel for each way, from the gateway's receipt on."""
    yield _way("to_assessed", "assessed", "its assessment was confirmed by the broker", limits.ASSESSED)
    yield _way("to_paged", "paged", "its page was with the receiver", limits.PAGED)
    yield _way("to_stored", "stored", "the store confirmed its points", limits.of_alert("StoringLate"))


def _way(name: str, end: str, until: str, bounds: Bounds) -> Tile:
    histogram = f"sonevakt_received_to_{end}_seconds"
    shares = ((0.5, "half within", "A"), (0.95, "95 % within", "B"), (0.99, "99 % within", "C"))
    return lines(
        asked(
            f"received_{name}",
            f"Received to {end}",
            f"From the gateway's receipt of a session until {until}.",
            SECONDS,
            bounds,
            *(promql(quantile(share, histogram), said, ref) for share, said, ref in shares),
            size=THIRD,
        ),
        calcs=("lastNotNull", "max"),
    )
