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

CHARTED: Final = (
    COLOURS
    | {  # lighter, as lines and areas must be told from a dark ground too, by 3 to 1 (WCAG 2.2, 1.4.11)
        Zone.RED: "#d6372d",
        Zone.NO_DATA: "#2f78d0",
        Zone.NOT_MONITORED: "#7a838f",
        Zone.GREEN: "#3a9a54",
    }
)

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


def fields(lang: Lang, colors: Mapping[Zone, str] = CHARTED) -> list[Field]:
    """Return how fields that are called as the zones are shown: in charts, or in other `colors`."""
    return [
        Field(zone.value, {"displayName": named(zone, lang), "color": {"mode": "fixed", "fixedColor": colors[zone]}})
        for zone in ATTENTION
    ]


def mappings(lang: Lang, keys: Mapping[Zone, str] | None = None) -> list[dict[str, Any]]:
    """Return the value mapping of a field that holds zones, by their names or by other `keys`: word and colour."""
    told = {
        (keys or {}).get(zone, zone.value): {"text": named(zone, lang), "color": COLOURS[zone], "index": place}
        for place, zone in enumerate(ATTENTION)
    }
    return [{"type": "value", "options": told}]


_LEVELS: Final = {zone: rank - RANKS[Zone.NOT_MONITORED] + 1 for zone, rank in RANKS.items()}  # from 1 up


def leveled() -> str:
    """Return the step that makes a series of each zone out of rows: its level while it holds, else 0."""
    told = ", ".join(
        f'{zone.value}: if r.zone == "{zone.value}" then {level:.1f} else 0.0' for zone, level in _LEVELS.items()
    )
    return f"map(fn: (r) => ({{_time: r._time, {told}}}))"


def levels(lang: Lang) -> list[Field]:
    """Return how the series of `leveled` are shown: blocks in the zones' colours, the worse the higher."""
    told = {
        f"{level:g}": {"text": named(zone, lang), "index": place} for place, (zone, level) in enumerate(_LEVELS.items())
    }
    axis = {
        "mappings": [{"type": "value", "options": {"0": {"text": ""}, **told}}],
        "min": 0,
        "max": max(_LEVELS.values()),
        "decimals": 0,
        "custom.lineWidth": 0,
        "custom.fillOpacity": 85,
    }
    return [Field(field.name, {**field.options, **axis}) for field in fields(lang)]
