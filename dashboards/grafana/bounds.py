"""From which value on a panel changes colour, whence that value is, or why a panel has none."""

from __future__ import annotations

from typing import Final, NamedTuple

from dashboards.grafana.sdk import dashboard, model

# Each can be told from either theme's ground, and white from each, by 3 to 1 at least, as WCAG asks of large text.
GOOD: Final = "dark-green"
WARN: Final = "#e55400"
BAD: Final = "semi-dark-red"
PLAIN: Final = "text"  # Grafana's colour of ordinary text in either theme


class Step(NamedTuple):
    """From `value` on [the panel's unit] it has `color`."""

    value: float
    color: str = BAD


class Bounds(NamedTuple):
    """Thresholds.

    Attributes
    ----------
    source
        Where each value stands in the code, for whoever asks why it is that one.
    base
        The colour below the first step.
    """

    steps: tuple[Step, ...]
    source: str
    base: str = GOOD


class NoBounds(NamedTuple):
    """A panel without thresholds, and why."""

    reason: str


def thresholds(bounds: Bounds | NoBounds) -> dashboard.ThresholdsConfig:
    """Return what Grafana is told; where nothing is, it would turn red from 80 on."""
    base = PLAIN if isinstance(bounds, NoBounds) else bounds.base
    steps = () if isinstance(bounds, NoBounds) else bounds.steps
    told = [model.Threshold(None, base), *(model.Threshold(step.value, step.color) for step in steps)]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(told)
