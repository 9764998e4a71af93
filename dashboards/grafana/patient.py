"""One patient: readings against the plan's limits of their time and against own normal, zones, alerts, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import variables, zones
from dashboards.grafana.annotations import annotation
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import NOW, PATIENT, PERIOD, series, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import Field, bars, lines, rows
from dashboards.grafana.units import COUNT, FINE
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile

_VITAL: Final = {"vital": "${vital:doublequote}"}
_OWN: Final = NoBounds("the limits are the patient's own, of each time, and drawn as lines")
_EVERYBODY: Final = {"services": '["*"]', "municipalities": '["*"]'}
_LIMITS: Final = {
    "red_low": zones.COLOURS[zones.Zone.RED],
    "yellow_low": zones.COLOURS[zones.Zone.YELLOW],
    "yellow_high": zones.COLOURS[zones.Zone.YELLOW],
    "red_high": zones.COLOURS[zones.Zone.RED],
}
_BAND: Final = "#7a8794"


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("patient", Words(lang))
    words = clinical.words
    about = clinical.about(
        ("now-90d", "now"),
        "1m",
        variables.patient(words),
        variables.vital(words),
        annotations=[
            annotation(words.of("patient.annotation.alerts"), table("patientAlerts", **PATIENT, **PERIOD), "red"),
            annotation(words.of("patient.annotation.events"), table("patientEvents", **PATIENT, **PERIOD), "blue"),
        ],
    )
    return make(about, [*_standing(clinical), _readings(clinical), *_course(clinical)])


def _standing(clinical: Clinical) -> Iterator[Tile]:
    yield rows(
        clinical.asked(
            "now",
            COUNT,
            NoBounds("the colour is the zone's own"),
            table(
                "standings",
                "filter(fn: (r) => r.patient == ${patient:doublequote})",
                f"keep(columns: {_list(*_SHOWN)})",
                **NOW,
                **_EVERYBODY,
            ),
            size=(24, 4),
            fields=[
                clinical.patient(),
                clinical.zone(),
                clinical.field("since", "field.since"),
                clinical.rule(),
                clinical.vital(),
                clinical.yes_no("unacknowledged", "field.unacknowledged"),
                clinical.field("due", "field.due"),
                clinical.field("last_submission", "field.last"),
                clinical.phase(),
                clinical.field("pathway", "part.pathway"),
                clinical.service(),
                clinical.municipality(),
            ],
        )
    )
    yield lines(
        clinical.asked(
            "zones",
            COUNT,
            NoBounds("the colours are the zones' own"),
            table("patientZones", 'keep(columns: ["_time", "zone_rank"])', **PATIENT, **PERIOD),
            size=(24, 6),
            fields=[zones.ranked("zone_rank", clinical.words.of("col.zone"), clinical.words.lang)],
        ),
        steps=True,
    )


_SHOWN: Final = (
    *("patient", "zone", "since", "rule", "vital", "unacknowledged", "due", "last_submission", "phase", "pathway"),
    *("service", "municipality"),
)


def _list(*names: str) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _readings(clinical: Clinical) -> Tile:
    words = clinical.words
    stepped = {"custom.lineInterpolation": "stepAfter", "custom.lineWidth": 1, "custom.showPoints": "never"}
    band = {"custom.lineWidth": 0, "custom.showPoints": "never", "color": {"mode": "fixed", "fixedColor": _BAND}}
    limits = [
        Field(name, {"displayName": words.of(f"chart.{name}"), "color": {"mode": "fixed", "fixedColor": color}, **stepped})
        for name, color in _LIMITS.items()
    ]
    return lines(
        clinical.asked(
            "vital",
            FINE,
            _OWN,
            series("patientReadings", "device", **PATIENT, **_VITAL, **PERIOD),
            series("patientLimits", "limit", **PATIENT, **_VITAL, **PERIOD, ref_id="B"),
            series("patientBand", "band", **PATIENT, **_VITAL, **PERIOD, ref_id="C"),
            size=HALF,
            fields=[
                *limits,
                Field("low", {"displayName": words.of("field.band_low"), **band}),
                Field("center", {"displayName": words.of("field.center"), **band, "custom.lineWidth": 1}),
                Field("high", {"displayName": words.of("field.band_high"), **band, "custom.fillBelowTo": "low", "custom.fillOpacity": 15}),
            ],
            repeat="vital",
        ),
        points=True,
    )


def _course(clinical: Clinical) -> Iterator[Tile]:
    yield lines(
        clinical.asked(
            "answers",
            COUNT,
            NoBounds("which answer is an alert is the patient's own plan"),
            series("patientAnswers", "question", **PATIENT, **PERIOD),
            size=HALF,
        ),
        points=True,
    )
    yield bars(
        clinical.asked(
            "adherence",
            COUNT,
            NoBounds("how often is often enough is the patient's own plan"),
            series("patientAdherence", "series", **PATIENT, **PERIOD),
            size=HALF,
            fields=[clinical.field(name, f"adherence.{name}") for name in ("awaited", "done", "late")],
        )
    )
    yield rows(
        clinical.asked(
            "alerts",
            COUNT,
            NoBounds("an alert has the colour of its zone"),
            table("patientAlerts", 'sort(columns: ["_time"], desc: true)', **PATIENT, **PERIOD),
            size=HALF,
            fields=[clinical.field("_time", "field.when"), clinical.hidden("tags")],
        )
    )
    yield rows(
        clinical.asked(
            "events",
            COUNT,
            NoBounds("an event is no measure"),
            table("patientEvents", 'sort(columns: ["_time"], desc: true)', **PATIENT, **PERIOD),
            size=HALF,
            fields=[clinical.field("_time", "field.when"), clinical.hidden("tags")],
        )
    )
