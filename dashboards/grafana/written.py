"""All dashboards, and where their files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards.board.words import LANGUAGES
from dashboards.grafana import centre, core, equipment, operations, outcomes, patient

if TYPE_CHECKING:
    from dashboards.grafana.made import Made

FOLDER: Final = Path(__file__).parent / "json"


def dashboards() -> tuple[Made, ...]:
    """Return every dashboard."""
    clinical = (one.build(lang) for one in (centre, patient, outcomes, equipment, operations) for lang in LANGUAGES)
    return (*clinical, core.build())
