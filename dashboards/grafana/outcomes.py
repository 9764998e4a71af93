"""For analysts: admissions, emergency contacts, and how much of the time was spent in which zone and within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import CHOSEN, PERIOD, series, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, rows
from dashboards.grafana.units import COUNT, NUMBER, SHARE
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile

_DESCRIBES = NoBounds("it describes what happened; no target of it is stated anywhere")


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("outcomes", Words(lang))
    return make(clinical.about(("now-1y", "now"), "1h"), [*_tiles(clinical)])


def _tiles(clinical: Clinical) -> Iterator[Tile]:
    lang = clinical.words.lang
    yield bars(
        clinical.asked(
            "admissions",
            COUNT,
            _DESCRIBES,
            series("admissionsPerWeek", 'filter(fn: (r) => r.series != "bed_days")', **PERIOD, **CHOSEN),
            fields=[clinical.field(name, f"admissions.{name}") for name in ("admissions", "acute", "readmissions")],
        )
    )
    yield bars(
        clinical.asked(
            "bed_days",
            COUNT,
            _DESCRIBES,
            series("admissionsPerWeek", 'filter(fn: (r) => r.series == "bed_days")', **PERIOD, **CHOSEN),
            fields=[clinical.field("bed_days", "admissions.bed_days")],
        )
    )
    yield bars(
        clinical.asked(
            "emergency",
            COUNT,
            _DESCRIBES,
            series("emergencyContactsPerWeek", **PERIOD, **CHOSEN),
            fields=[
                clinical.field(name, f"emergency.{name}") for name in ("emergency-room", "out-of-hours", "ambulance")
            ],
        )
    )
    yield bars(
        clinical.asked(
            "zones",
            COUNT,
            NoBounds("the colours are the zones' own"),
            side_by_side("zonesPerWeek", **PERIOD, **CHOSEN),
            fields=zones.fields(lang),
            ordered=True,
        )
    )
    yield rows(
        clinical.asked(
            "time_in_zone",
            NUMBER,
            NoBounds("the colours are the zones' own"),
            table("timeInZone", **PERIOD, **CHOSEN),
            fields=[
                clinical.zone(),
                clinical.field("hours", "field.hours", COUNT),
                clinical.field("share", "field.share", SHARE),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "time_in_range",
            NUMBER,
            _DESCRIBES,
            table("timeInRange", **PERIOD, **CHOSEN),
            size=HALF,
            fields=[
                clinical.vital(),
                clinical.field("readings", "field.readings", COUNT),
                clinical.field("in_range", "field.in_range", COUNT),
                clinical.field("share", "field.share", SHARE),
            ],
        )
    )
