"""Who comes in, and the log of who saw whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import THIRD, asked, more
from dashboards.grafana.panels import bars, lines
from dashboards.grafana.sources import promql
from dashboards.grafana.units import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield bars(
        asked(
            "sign_ins",
            "Attempts to sign in",
            "By what came of them.",
            WHOLE,
            NoBounds("how many are too many is for each installation to know; each is bounded by the board itself"),
            promql(more("sonevakt_sign_ins_total", "outcome"), "{{outcome}}"),
            size=THIRD,
        )
    )
    yield bars(
        asked(
            "access_entries",
            "Entries of the access log",
            "Who saw or changed a patient, or was refused.",
            WHOLE,
            NoBounds("looking is work"),
            promql(more("sonevakt_access_log_entries_total", "outcome"), "{{outcome}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "access_last",
            "Number of the access log's last entry",
            "It never falls: a fall tells that the log was set back.",
            WHOLE,
            NoBounds("only its fall says anything"),
            promql("max(sonevakt_access_log_last)", "last"),
            size=THIRD,
        ),
        steps=True,
    )
