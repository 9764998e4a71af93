"""For analysts: admissions, emergency contacts, and how much of the time was spent in which zone and within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.grafana import zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, WHOLE, Clinical
from dashboards.grafana.library import CHOSEN, PERCENT, WEEKS, composed, series, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, rows
from dashboards.grafana.units import COUNT, NUMBER
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Field, Tile
    from dashboards.grafana.sources import Flux

_DAYS_A_MONTH = 30.44
_COUNTED = ("admissions", "acute", "readmissions", "bed_days", "emergency")
_EMERGENCY = {"emergency-room": "#b877d9", "out-of-hours": "#5ac8d8", "ambulance": "#c4a57a"}  # no zone's colours
_ADMISSIONS = {"acute": "#e55400", "planned": "#8f9fb5"}
_DAYS = "#8f9fb5"
_DESCRIBES = NoBounds("it describes what happened; no target of it is stated anywhere")


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("outcomes", Words(lang))
    return make(clinical.about(("now-1y", "now"), "1h"), [*_tiles(clinical)])


_GIVEN = ", ".join(f"{name}: {value}" for name, value in {"bucket": "v.defaultBucket", **WEEKS, **CHOSEN}.items())


def _admissions() -> Flux:
    """Acute and planned ones, which make up all; beside them those soon after a discharge, where there were any."""
    return composed(
        ("admissionsPerDay",),
        f"""admissionsPerDay({_GIVEN})
    |> filter(fn: (r) => r.series != "bed_days")
    |> group()
    |> pivot(rowKey: ["_time"], columnKey: ["series"], valueColumn: "_value")
    |> sort(columns: ["_time"])
    |> map(
        fn: (r) =>
            ({{
                _time: r._time,
                acute: r.acute,
                planned: r.admissions - r.acute,
                readmissions: if r.readmissions > 0.0 then r.readmissions else debug.null(type: "float"),
            }}),
    )""",
        needs=("internal/debug",),
    )


def _emergency() -> Flux:
    """Contacts by week and kind, and 0 in weeks without: a lone bar would be as wide as the chart."""
    zeros = ",\n        ".join(f'weeks |> map(fn: (r) => ({{r with series: "{kind}"}}))' for kind in _EMERGENCY)
    return composed(
        ("admissionsPerDay", "emergencyContactsPerDay"),
        f"""weeks = admissionsPerDay({_GIVEN})
    |> filter(fn: (r) => r.series == "admissions")
    |> group()
    |> map(fn: (r) => ({{_time: r._time, _value: 0.0}}))

union(
    tables: [
        emergencyContactsPerDay({_GIVEN}) |> group() |> keep(columns: ["_time", "_value", "series"]),
        {zeros},
    ],
)
    |> group(columns: ["series", "_time"])
    |> sum()
    |> group(columns: ["series"])
    |> sort(columns: ["_time"])
    |> rename(columns: {{series: "_field"}})""",
    )


def _rates() -> Flux:
    """How often something happened, in a hundred months of patients who were followed."""
    given = _GIVEN
    places = " else ".join(f'if r.what == "{what}" then {place}' for place, what in enumerate(_COUNTED[:-1]))
    return composed(
        ("admissionsPerDay", "emergencyPerDay", "zonesPerDay"),
        f"""days = zonesPerDay({given})
    |> group()
    |> sum()
    |> findColumn(fn: (key) => true, column: "_value")
months = if length(arr: days) > 0 then days[0] / {_DAYS_A_MONTH} else 0.0

union(tables: [admissionsPerDay({given}), emergencyPerDay({given})])
    |> group(columns: ["series"])
    |> sum()
    |> group()
    |> map(fn: (r) => ({{what: r.series, times: r._value}}))
    |> map(fn: (r) => ({{r with rate: if months > 0.0 then 100.0 * r.times / months else 0.0}}))
    |> map(fn: (r) => ({{r with place: {places} else {len(_COUNTED)}}}))
    |> sort(columns: ["place"])
    |> drop(columns: ["place"])""",
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
                clinical.counted("times", "field.times"),
                clinical.field("rate", "field.rate", NUMBER, custom__width=200),
            ],
        )
    )
    beside: dict[str, Any] = {"custom__stacking": {"mode": "none"}, "custom__drawStyle": "points"}
    beside["custom__pointSize"] = 8
    yield bars(
        clinical.asked(
            "admissions",
            COUNT,
            _DESCRIBES,
            _admissions(),
            fields=[
                *(_colored(clinical, name, f"admissions.{name}", color) for name, color in _ADMISSIONS.items()),
                clinical.field("readmissions", "admissions.readmissions", color=_fixed("text"), **beside),
            ],
            ordered=True,
        )
    )
    yield bars(
        clinical.asked(
            "bed_days",
            COUNT,
            _DESCRIBES,
            series("admissionsPerDay", 'filter(fn: (r) => r.series == "bed_days")', **WEEKS, **CHOSEN),
            fields=[_colored(clinical, "bed_days", "admissions.bed_days", _DAYS)],
        )
    )
    yield bars(
        clinical.asked(
            "emergency",
            COUNT,
            _DESCRIBES,
            _emergency(),
            fields=[_colored(clinical, name, f"emergency.{name}", color) for name, color in _EMERGENCY.items()],
        )
    )
    yield bars(
        clinical.asked(
            "zones",
            COUNT,
            NoBounds("the colours are the zones' own"),
            side_by_side("zonesPerDay", **WEEKS, **CHOSEN),
            size=WHOLE,
            fields=zones.fields(lang),
            ordered=True,
        )
    )
    yield rows(
        clinical.asked(
            "time_in_zone",
            NUMBER,
            NoBounds("the colours are the zones' own"),
            table("timeInZone", PERCENT, **WEEKS, **CHOSEN),
            fields=[
                clinical.zone(),
                clinical.counted("hours", "field.hours"),
                clinical.percent("field.share"),
                *(clinical.hidden(name) for name in ("zone_rank", "share")),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "time_in_range",
            NUMBER,
            _DESCRIBES,
            table("timeInRange", PERCENT, **WEEKS, **CHOSEN),
            size=HALF,
            fields=[
                clinical.vital(),
                clinical.counted("readings", "field.readings"),
                clinical.counted("in_range", "field.in_range"),
                clinical.percent("field.share"),
                clinical.hidden("share"),
            ],
        )
    )


def _colored(clinical: Clinical, name: str, word: str, color: str) -> Field:
    return clinical.field(name, word, color=_fixed(color))


def _fixed(color: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": color}
