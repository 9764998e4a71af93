"""One patient: readings against the plan's limits of their time and against own normal, zones, alerts, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import library, variables, zones
from dashboards.grafana.annotations import annotation
from dashboards.grafana.behind import behind
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import NOW, PATIENT, PERIOD, TAKEN, WHY, adherence, series, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import Field, bars, lines, rows
from dashboards.grafana.units import COUNT, FINE
from dashboards.grafana.words import Words, begun
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile
    from dashboards.grafana.sources import Flux

_VITAL: Final = {"vital": "${vital:doublequote}"}
_BY_QUALITY: Final = (
    "map(fn: (r) => ({_time: r._time, _value: r._value, series: r.quality}))",
    'group(columns: ["series"])',
    'sort(columns: ["_time"])',
)
_WRAPPED: Final = {"type": "auto", "wrapText": True}
_OWN: Final = NoBounds("the limits are the patient's own, of each time, and drawn as lines")
_EVERYBODY: Final = {"services": '["*"]', "municipalities": '["*"]'}
_LIMITS: Final = {
    "red_low": zones.CHARTED[Zone.RED],
    "yellow_low": zones.CHARTED[Zone.YELLOW],
    "yellow_high": zones.CHARTED[Zone.YELLOW],
    "red_high": zones.CHARTED[Zone.RED],
}
_BAND: Final = "#7a8794"
_READINGS: Final = "text"  # no zone has it, and it stands out from either theme's ground
_IMPLAUSIBLE: Final = "purple"
QUESTIONS: Final = ("#b877d9", "#ff9830", "#5ac8d8", "#e0a3c8", "#c4a57a", "text")  # no zone's


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("patient", Words(lang))
    words = clinical.words
    about = clinical.about(
        ("now-90d", "now"),
        "1m",
        variables.patient(words),
        variables.vital(words),
        variables.board(),
        annotations=[
            annotation(words.of("patient.annotation.alerts"), _alerts(words), "red"),
            annotation(words.of("patient.annotation.events"), _events(words), "blue"),
        ],
    )
    return make(about, [*_standing(clinical), _readings(clinical), *_course(clinical)])


def _standing(clinical: Clinical) -> Iterator[Tile]:
    worded, why = clinical.why()
    yield rows(
        clinical.asked(
            "now",
            COUNT,
            NoBounds("the colour is the zone's own"),
            table(
                "standings",
                "filter(fn: (r) => r.patient == ${patient:doublequote})",
                "detailed()",
                TAKEN,
                WHY,
                worded,
                f"keep(columns: {_list(*_SHOWN)})",
                needs=("detailed",),
                **NOW,
                **_EVERYBODY,
            ),
            size=(24, 4),
            fields=[
                clinical.patient(),
                clinical.zone(),
                clinical.when("since", "field.since"),
                clinical.taken(),
                why,
                clinical.when("last_submission", "field.last", none="never"),
                clinical.when("due", "field.next"),
                clinical.phase(),
                clinical.service(custom__width=170),
            ],
        )
    )
    yield lines(
        clinical.asked(
            "zones",
            COUNT,
            NoBounds("the colours are the zones' own"),
            table("patientZones", zones.leveled(), **PATIENT, **PERIOD),
            size=(20, 6),
            fields=zones.levels(clinical.words.lang),
            ordered=True,
        ),
        steps=True,
    )
    yield behind(clinical, (4, 6))


_SHOWN: Final = (
    *("patient", "zone", "since", "taken", "why", "last_submission", "due", "phase"),
    "service",
)


def _list(*names: str) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _readings(clinical: Clinical) -> Tile:
    words = clinical.words
    drawn: dict[str, object] = {"custom.drawStyle": "line", "custom.showPoints": "never"}
    stepped = drawn | {"custom.lineInterpolation": "stepAfter", "custom.lineWidth": 1}
    band = drawn | {"custom.lineWidth": 0, "color": {"mode": "fixed", "fixedColor": _BAND}}
    unsaid = {"custom.hideFrom": {"legend": True, "tooltip": False, "viz": False}}  # the band is told of once
    limits = [
        Field(
            name,
            {
                "displayName": begun(words.of(f"chart.{name}")),
                "color": {"mode": "fixed", "fixedColor": color},
                **stepped,
            },
        )
        for name, color in _LIMITS.items()
    ]
    return lines(
        clinical.asked(
            "vital",
            FINE,
            _OWN,
            series("patientReadings", *_BY_QUALITY, **PATIENT, **_VITAL, **PERIOD),
            series("patientLimits", **PATIENT, **_VITAL, **PERIOD, ref_id="B"),
            series("patientBand", **PATIENT, **_VITAL, **PERIOD, ref_id="C"),
            size=HALF,
            fields=[
                clinical.field("valid", "field.readings", color={"mode": "fixed", "fixedColor": _READINGS}),
                clinical.field("implausible", "field.implausible", color={"mode": "fixed", "fixedColor": _IMPLAUSIBLE}),
                *limits,
                Field("low", {"displayName": begun(words.of("field.band_low")), **band, **unsaid}),
                Field("center", {"displayName": begun(words.of("field.center")), **band, "custom.lineWidth": 1}),
                Field(
                    "high",
                    {
                        "displayName": begun(words.of("chart.band")),
                        **band,
                        "custom.fillBelowTo": "low",
                        "custom.fillOpacity": 15,
                    },
                ),
            ],
            repeat="vital",
        ),
        points=True,
    )


def _course(clinical: Clinical) -> Iterator[Tile]:
    newest = 'sort(columns: ["_time"], desc: true)'
    yield lines(
        clinical.asked(
            "answers",
            COUNT,
            NoBounds("which answer is an alert is the patient's own plan"),
            series("patientAnswers", 'drop(columns: ["questionnaire"])', **PATIENT, **PERIOD),
            size=HALF,
            fields=[
                Field(code, {"displayName": begun(asked), "color": {"mode": "fixed", "fixedColor": _color(place)}})
                for place, (code, asked) in enumerate(clinical.words.questions().items())
            ],
        ),
        points=True,
    )
    yield bars(
        clinical.asked(
            "adherence",
            COUNT,
            NoBounds("how often is often enough is the patient's own plan"),
            adherence("patientAdherence", **PATIENT, **PERIOD),
            size=HALF,
            fields=clinical.adherence(),
            ordered=True,
        )
    )
    for name, said, query in (
        ("alerts", "field.why", _alerts(clinical.words, newest)),
        ("events", "field.more", _events(clinical.words, newest)),
    ):
        yield rows(
            clinical.asked(
                name,
                COUNT,
                NoBounds("what has happened is no measure"),
                query,
                size=HALF,
                fields=[
                    clinical.when("_time", "field.when"),
                    clinical.field("title", "field.what", custom__width=150),
                    clinical.field("text", said, custom__wrapText=True, custom__cellOptions=_WRAPPED),
                    clinical.hidden("tags"),
                ],
            )
        )


def _color(place: int) -> str:
    return QUESTIONS[place % len(QUESTIONS)]


def _alerts(words: Words, *then: str) -> Flux:
    zones_of = {zone.value: zones.named(zone, words.lang) for zone in Zone}
    worded = (library.Words("title", zones_of), library.Words("text", words.rules(), words.vitals(), parted=True))
    return table("patientAlerts", *then, *worded, **PATIENT, **PERIOD)


def _events(words: Words, *then: str) -> Flux:
    worded = (
        library.Words("title", {code: begun(word) for code, word in words.all("event").items()}),
        library.Words("text", {code: begun(word) for code, word in words.said_of_events().items()}),
        library.Headed("text", "tags", {"plan_signed": begun(words.of("part.version"))}),
    )
    return table("patientEvents", *then, *worded, **PATIENT, **PERIOD)
