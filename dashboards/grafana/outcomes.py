"""For analysts: admissions, emergency contacts, and how much of the time was spent in which zone and within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.grafana import zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import CHOSEN, WEEKS, composed, series, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, rows
from dashboards.grafana.units import COUNT, NUMBER, SHARE
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile
    from dashboards.grafana.sources import Flux

_DAYS_A_MONTH = 30.44
_COUNTED = ("admissions", "acute", "readmissions", "bed_days", "emergency")
_DESCRIBES = NoBounds("it describes what happened; no target of it is stated anywhere")


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("outcomes", Words(lang))
    return make(clinical.about(("now-1y", "now"), "1h"), [*_tiles(clinical)])


def _rates() -> Flux:
    """How often something happened, in a hundred months of patients who were followed."""
    given = ", ".join(f"{name}: {value}" for name, value in {"bucket": "v.defaultBucket", **WEEKS, **CHOSEN}.items())
    return composed(
        ("admissionsPerDay", "emergencyContactsPerDay", "zonesPerDay"),
        f"""days = zonesPerDay({given})
    |> group()
    |> sum()
    |> findColumn(fn: (key) => true, column: "_value")
months = if length(arr: days) > 0 then days[0] / {_DAYS_A_MONTH} else 0.0

union(
    tables: [
        admissionsPerDay({given}),
        emergencyContactsPerDay({given})
            |> map(fn: (r) => ({{r with series: "emergency"}})),
    ],
)
    |> group(columns: ["series"])
    |> sum()
    |> group()
    |> map(fn: (r) => ({{what: r.series, times: r._value}}))
    |> map(fn: (r) => ({{r with rate: if months > 0.0 then 100.0 * r.times / months else 0.0}}))
    |> sort(columns: ["what"])""",
    )


def _tiles(clinical: Clinical) -> Iterator[Tile]:
    lang = clinical.words.lang
    yield rows(
        clinical.asked(
            "rates",
            NUMBER,
            _DESCRIBES,
            _rates(),
            fields=[
                clinical.mapped("what", "field.what", "admissions", *_COUNTED),
                clinical.field("times", "field.times", COUNT),
                clinical.field("rate", "field.rate", NUMBER),
            ],
        )
    )
    yield bars(
        clinical.asked(
            "admissions",
            COUNT,
            _DESCRIBES,
            series("admissionsPerDay", 'filter(fn: (r) => r.series != "bed_days")', **WEEKS, **CHOSEN),
            fields=[clinical.field(name, f"admissions.{name}") for name in ("admissions", "acute", "readmissions")],
        )
    )
    yield bars(
        clinical.asked(
            "bed_days",
            COUNT,
            _DESCRIBES,
            series("admissionsPerDay", 'filter(fn: (r) => r.series == "bed_days")', **WEEKS, **CHOSEN),
            fields=[clinical.field("bed_days", "admissions.bed_days")],
        )
    )
    yield bars(
        clinical.asked(
            "emergency",
            COUNT,
            _DESCRIBES,
            series("emergencyContactsPerDay", **WEEKS, **CHOSEN),
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
            side_by_side("zonesPerDay", **WEEKS, **CHOSEN),
            fields=zones.fields(lang),
            ordered=True,
        )
    )
    yield rows(
        clinical.asked(
            "time_in_zone",
            NUMBER,
            NoBounds("the colours are the zones' own"),
            table("timeInZone", **WEEKS, **CHOSEN),
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
            table("timeInRange", **WEEKS, **CHOSEN),
            size=HALF,
            fields=[
                clinical.vital(),
                clinical.field("readings", "field.readings", COUNT),
                clinical.field("in_range", "field.in_range", COUNT),
                clinical.field("share", "field.share", SHARE),
            ],
        )
    )
