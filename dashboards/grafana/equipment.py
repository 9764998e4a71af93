"""Equipment that is out, and how well it measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import variables
from dashboards.grafana.behind import behind
from dashboards.grafana.bounds import GOOD, WARN, NoBounds
from dashboards.grafana.clinical import HALF, WHOLE, Clinical
from dashboards.grafana.library import CHOSEN, NOW, PERCENT, PERIOD, how_many, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, gauge_bars, numbers, rows
from dashboards.grafana.units import COUNT
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile
    from dashboards.grafana.sources import Flux

_KINDS: Final = ("oximeter", "cuff", "scale", "thermometer", "glucometer", "spirometer", "tablet", "other", "own")
_OWN: Final = NoBounds("how many are too many is for each service to say; no limit of it is stated anywhere")


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("equipment", Words(lang))
    return make(clinical.about(("now-90d", "now"), "5m", variables.board()), [*_tiles(clinical)])


def _usable() -> Flux:
    """Readings of each day, by whether they could be judged."""
    given = {
        "measurement": '"quality"',
        **PERIOD,
        "which": '(r) => r._field == "readings" or r._field == "quarantined"',
        "named": "(r) => r._field",
        **CHOSEN,
    }
    parts = "({_time: r._time, usable: r.readings - r.quarantined, unusable: r.quarantined})"
    return side_by_side("rolledSeries", f"map(fn: (r) => {parts})", **given)


def _tiles(clinical: Clinical) -> Iterator[Tile]:
    yield numbers(
        clinical.asked(
            "out_count",
            COUNT,
            _OWN,
            how_many("equipmentOut", "devices", **NOW, **CHOSEN),
            size=(5, 6),
            none="unknown",
        )
    )
    yield gauge_bars(
        clinical.asked(
            "out_by_kind",
            COUNT,
            _OWN,
            table(
                "equipmentOut",
                'group(columns: ["equipment"])',
                'count(column: "device")',
                "group()",
                'rename(columns: {device: "devices"})',
                'sort(columns: ["devices"], desc: true)',
                **NOW,
                **CHOSEN,
            ),
            size=(14, 6),
            fields=[clinical.mapped("equipment", "field.kind_of", "equipment", *_KINDS)],
        ),
        each_row=True,
    )
    yield behind(clinical, (5, 6))
    yield rows(
        clinical.asked(
            "out",
            COUNT,
            _OWN,
            table("equipmentOut", 'sort(columns: ["days"], desc: true)', **NOW, **CHOSEN),
            size=WHOLE,
            fields=[
                clinical.field("device", "equipment.device"),
                clinical.mapped("equipment", "field.kind_of", "equipment", *_KINDS),
                clinical.patient(),
                clinical.counted("days", "field.days"),
                clinical.when("handed_out", "field.handed_out"),
                clinical.service(),
                clinical.municipality(),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "quality",
            COUNT,
            _OWN,
            table("dataQuality", PERCENT, **PERIOD, **CHOSEN),
            size=HALF,
            fields=[
                clinical.vital(),
                clinical.mapped("equipment", "field.kind_of", "equipment", *_KINDS),
                clinical.counted("readings", "field.readings"),
                clinical.counted("quarantined", "field.quarantined"),
                clinical.percent("field.share"),
                clinical.hidden("share"),
            ],
        )
    )
    yield bars(
        clinical.asked(
            "quality_over_time",
            COUNT,
            NoBounds("what a reading may be used for is decided by each reading's own bounds"),
            _usable(),
            size=HALF,
            fields=[
                clinical.field("usable", "quality.usable", color={"mode": "fixed", "fixedColor": GOOD}),
                clinical.field("unusable", "quality.unusable", color={"mode": "fixed", "fixedColor": WARN}),
            ],
            ordered=True,
        )
    )
