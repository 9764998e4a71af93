"""All dashboards, and where their files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards.grafana import core

if TYPE_CHECKING:
    from dashboards.grafana.made import Made

FOLDER: Final = Path(__file__).parent / "json"


def dashboards() -> tuple[Made, ...]:
    """Return every dashboard."""
    return (core.build(),)
