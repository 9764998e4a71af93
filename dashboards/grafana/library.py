"""Panels' queries out of the Flux library (docs/flux.md), with what the reader chose above the dashboard.

A series is given to Grafana as a field of its own name: Grafana makes a series of whatever has a time and a `_value`,
and names it by `_field`.
"""

from __future__ import annotations

from typing import Final

from dashboards import flux
from dashboards.grafana.sources import Flux

CHOSEN: Final = {"services": "[${service:doublequote}]", "municipalities": "[${municipality:doublequote}]"}
PERIOD: Final = {"start": "v.timeRangeStart", "stop": "v.timeRangeStop"}
NOW: Final = {"at": "v.timeRangeStop"}
PATIENT: Final = {"patient": "${patient:doublequote}"}


def table(function: str, *then: str, ref_id: str = "A", **arguments: str) -> Flux:
    """Return the rows of `function`, and of what `then` makes of them, as one table."""
    return Flux(_text(function, then, arguments), ref_id)


def series(function: str, column: str, *then: str, ref_id: str = "A", **arguments: str) -> Flux:
    """Return the series of `function`, each named by its `column`."""
    return Flux(_text(function, (*then, f'rename(columns: {{{column}: "_field"}})'), arguments), ref_id)


def _text(function: str, then: tuple[str, ...], arguments: dict[str, str]) -> str:
    steps = "".join(f"\n    |> {step}" for step in then)
    return flux.panel(function, bucket="v.defaultBucket", **arguments).rstrip() + steps + "\n"
