"""The zones as the board shows them: worst first, a colour and always a word beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboards.board.listing import ATTENTION
from dashboards.board.words import zone_word
from schemas.types import Zone

if TYPE_CHECKING:
    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Field

COLOURS: Final = {  # those of dashboards/board/board.css
    Zone.RED: "#b3261e",
    Zone.YELLOW: "#ffd54a",
    Zone.NO_DATA: "#1558a6",
    Zone.NOT_MONITORED: "#5a626d",
    Zone.GREEN: "#2f7d44",
}


def series(lang: Lang) -> list[Field]:
    """Return how fields that are called as the zones are shown: by name and colour."""
    from dashboards.grafana.panels import Field  # noqa: PLC0415

    return [
        Field(
            zone.value,
            {
                "displayName": zone_word(zone, lang).capitalize(),
                "color": {"mode": "fixed", "fixedColor": COLOURS[zone]},
            },
        )
        for zone in ATTENTION
    ]


def mapping(lang: Lang) -> list[dict[str, Any]]:
    """Return the value mapping of a field that holds a zone: its word, and its colour."""
    told = {
        zone.value: {"text": zone_word(zone, lang).capitalize(), "color": COLOURS[zone], "index": place}
        for place, zone in enumerate(ATTENTION)
    }
    return [{"type": "value", "options": told}]
