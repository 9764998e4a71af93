"""Panels for operators: in English, with whence their thresholds are at the end of what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana.bounds import Bounds, NoBounds
from dashboards.grafana.panels import Asked, Said, Size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.grafana.panels import Field, Query
    from dashboards.grafana.units import Unit

HALF: Final[Size] = (12, 8)
THIRD: Final[Size] = (8, 8)
QUARTER: Final[Size] = (6, 6)
VOLUME: Final = NoBounds("how much comes in is for patients to decide, and silence has alerts of its own")
NOTHING: Final = "nothing in this time"
PART: Final = NoBounds("it is a part of the way whose whole is promised")


def asked(  # noqa: PLR0913 - what a panel is made of
    name: str,
    title: str,
    says: str,
    unit: Unit,
    bounds: Bounds | NoBounds,
    *queries: Query,
    size: Size = HALF,
    fields: Sequence[Field] = (),
    no_value: str = "no figure",
) -> Asked:
    """Return what a panel for operators is made of."""
    whence = f"Thresholds: {bounds.source}." if isinstance(bounds, Bounds) else f"No thresholds: {bounds.reason}."
    return Asked(name, Said(title, f"{says} {whence}"), unit, bounds, queries, size, fields, no_value=no_value)


def rate(series: str, by: str) -> str:
    """Return how many a second, by the labels `by`."""
    return f"sum by ({by}) (rate({series}[$__rate_interval]))"


def more(series: str, by: str, window: str = "$__rate_interval") -> str:
    """Return how many more within the window, by the labels `by`."""
    return f"sum by ({by}) (increase({series}[{window}]))"


def happened(series: str, by: str) -> str:
    """Return the same without what did not happen, which would fill the legend; `NOTHING` stands where nothing did."""
    return f"{more(series, by)} > 0"


def quantile(share: float, histogram: str, by: str = "", window: str = "$__rate_interval") -> str:
    """Return the value within which `share` of what was observed in the window lies, by the labels `by`."""
    kept = f"le, {by}" if by else "le"
    return f"histogram_quantile({share:g}, sum by ({kept}) (rate({histogram}_bucket[{window}])))"


def mean(histogram: str, by: str) -> str:
    """Return the mean of what was observed, by the labels `by`."""
    return f"{rate(f'{histogram}_sum', by)} / {rate(f'{histogram}_count', by)}"
