"""docs/reference/dashboards.md: every panel, its unit, and whence its thresholds are or why it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana.bounds import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dashboards.grafana.bounds import NoBounds
    from dashboards.grafana.made import Made


def page(every: Sequence[Made]) -> str:
    """Return the page, with the English of each dashboard."""
    lines = [
        "# Dashboards",
        "",
        "Made from `dashboards/grafana` by `make dashboards`. What nurses and analysts read is there in bokmål and in",
        "English, under the same panels. [dashboards.md](../dashboards.md) says how to read and to change them.",
    ]
    for made in every:
        if not made.path.endswith(".nb.json"):
            lines += _dashboard(made)
    return "\n".join(lines) + "\n"


def _dashboard(made: Made) -> Iterator[str]:
    yield from ("", f"## {made.dashboard.title}", "", f"`{made.path}`. {made.dashboard.description}", "")
    yield "| panel | unit | thresholds, or why there are none |"
    yield "|---|---|---|"
    for tile in made.tiles:
        yield f"| {tile.said.title} | {tile.unit.code} | {_told(tile.bounds)} |"


def _told(bounds: Bounds | NoBounds) -> str:
    if isinstance(bounds, Bounds):
        return ", ".join(f"{step.value:g}" for step in bounds.steps) + f": {bounds.source}"
    return f"none: {bounds.reason}"
