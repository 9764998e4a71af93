"""The zones as the board shows them: worst first, a colour and always a word beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboards.board.listing import ATTENTION
from dashboards.board.words import zone_word
from dashboards.grafana.panels import Field
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.board.words import Lang

COLOURS: Final = {  # those of dashboards/board/board.css
    Zone.RED: "#b3261e",
    Zone.YELLOW: "#ffd54a",
    Zone.NO_DATA: "#1558a6",
    Zone.NOT_MONITORED: "#5a626d",
    Zone.GREEN: "#2f7d44",
}

RANKS: Final = {  # as the store tells them
    Zone.NOT_MONITORED: -1.0,
    Zone.GREEN: 0.0,
    Zone.NO_DATA: 1.0,
    Zone.YELLOW: 2.0,
    Zone.RED: 3.0,
}


def named(zone: Zone, lang: Lang) -> str:
    """Return the zone's word as a title."""
    return zone_word(zone, lang).capitalize()


def fields(lang: Lang) -> list[Field]:
    """Return how fields that are called as the zones are shown."""
    return [
        Field(zone.value, {"displayName": named(zone, lang), "color": {"mode": "fixed", "fixedColor": COLOURS[zone]}})
        for zone in ATTENTION
    ]


def mappings(lang: Lang, keys: Mapping[Zone, str] | None = None) -> list[dict[str, Any]]:
    """Return the value mapping of a field that holds zones, by their names or by other `keys`: word and colour."""
    told = {
        (keys or {}).get(zone, zone.value): {"text": named(zone, lang), "color": COLOURS[zone], "index": place}
        for place, zone in enumerate(ATTENTION)
    }
    return [{"type": "value", "options": told}]


def ranked(name: str, shown: str, lang: Lang) -> Field:
    """Return how a field of zones by their rank is shown over time: the axis names them, and each has its colour."""
    steps: list[dict[str, object]] = [{"value": None, "color": COLOURS[Zone.NOT_MONITORED]}]
    steps += [{"value": RANKS[zone], "color": COLOURS[zone]} for zone in sorted(RANKS, key=RANKS.__getitem__)[1:]]
    return Field(
        name,
        {
            "displayName": shown,
            "mappings": mappings(lang, {zone: f"{rank:g}" for zone, rank in RANKS.items()}),
            "thresholds": {"mode": "absolute", "steps": steps},
            "color": {"mode": "thresholds"},
            "custom.gradientMode": "scheme",
            "custom.fillOpacity": 40,
            "min": -1,
            "max": 3,
            "decimals": 0,
        },
    )
