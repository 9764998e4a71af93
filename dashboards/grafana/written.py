"""All dashboards, and where their files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards.board.words import LANGUAGES
from dashboards.grafana import centre, core, equipment, operations, outcomes, patient, reference

if TYPE_CHECKING:
    from dashboards.grafana.made import Made

FOLDER: Final = Path(__file__).parent / "json"
REFERENCE: Final = Path(__file__).parents[2] / "docs" / "reference" / "dashboards.md"


def dashboards() -> tuple[Made, ...]:
    """Return every dashboard."""
    clinical = (one.build(lang) for one in (centre, patient, outcomes, equipment, operations) for lang in LANGUAGES)
    return (*clinical, core.build())


def files() -> dict[Path, str]:
    """Return every file that is made: the dashboards, and the page that lists their panels."""
    every = dashboards()
    return {FOLDER / made.path: made.json() for made in every} | {REFERENCE: reference.page(every)}
