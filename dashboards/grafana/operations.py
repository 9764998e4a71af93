"""How the service is run: patients against the target, phases, adherence, alerts and what they were found to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import limits, variables, zones
from dashboards.grafana.behind import behind
from dashboards.grafana.bounds import PLAIN, NoBounds
from dashboards.grafana.clinical import HALF, WHOLE, Clinical
from dashboards.grafana.library import CHOSEN, NOW, PERCENT, PERIOD, adherence, series, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, gauge_bars, lines, rows
from dashboards.grafana.units import COUNT, WAITING
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile

_DESCRIBES: Final = NoBounds("it describes what happened; no target of it is stated anywhere")


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("operations", Words(lang))
    return make(clinical.about(("now-30d", "now"), "5m", variables.board()), [*_patients(clinical), *_alerts(clinical)])


def _patients(clinical: Clinical) -> Iterator[Tile]:
    yield rows(
        clinical.asked(
            "caseload",
            COUNT,
            NoBounds("the target is each service's own and stands beside it"),
            table("caseload", PERCENT, **NOW, services=CHOSEN["services"]),
            size=HALF,
            fields=[
                clinical.service(),
                clinical.counted("patients", "field.patients"),
                clinical.counted("target", "field.target"),
                clinical.percent("field.of_target"),
                clinical.hidden("share"),
            ],
        )
    )
    yield lines(
        clinical.asked(
            "caseload_over_time",
            COUNT,
            NoBounds("the target is each service's own and stands in the table beside it"),
            series("caseloadPerDay", **PERIOD, services=CHOSEN["services"]),
            size=(8, 9),
        ),
        steps=True,
    )
    yield behind(clinical, (4, 9))
    yield gauge_bars(
        clinical.asked(
            "phases",
            COUNT,
            _DESCRIBES,
            table("phasesAt", **NOW, **CHOSEN),
            size=HALF,
            fields=[clinical.phase()],
        ),
        each_row=True,
    )
    yield bars(
        clinical.asked(
            "adherence",
            COUNT,
            _DESCRIBES,
            adherence("adherencePerDay", **PERIOD, **CHOSEN),
            size=HALF,
            fields=clinical.adherence(),
            ordered=True,
        )
    )
    yield bars(
        clinical.asked(
            "zones",
            COUNT,
            NoBounds("the colours are the zones' own"),
            side_by_side("zonesPerDay", **PERIOD, **CHOSEN),
            size=WHOLE,
            fields=zones.fields(clinical.words.lang),
            ordered=True,
        )
    )


def _alerts(clinical: Clinical) -> Iterator[Tile]:
    yield rows(
        clinical.asked(
            "by_rule",
            COUNT,
            NoBounds("how often a rule must be right is for clinicians to say"),
            table("alertsByRule", **PERIOD, **CHOSEN),
            size=WHOLE,
            fields=[
                clinical.rule(),
                clinical.vital(),
                clinical.zone("to_zone"),
                clinical.counted("alerts", "field.alerts"),
                clinical.counted("acknowledged", "field.acknowledged"),
                clinical.counted("right", "field.right"),
                clinical.counted("wrong", "field.wrong"),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "page_times",
            WAITING,
            limits.ladder(PLAIN),
            table("pageTimesByService", **PERIOD, **CHOSEN),
            size=(24, 7),
            fields=clinical.page_times(),
        )
    )
    yield rows(
        clinical.asked(
            "trials",
            COUNT,
            NoBounds("by when staff decide stands in the column itself"),
            table(
                "standings",
                'filter(fn: (r) => r.followed and r.phase == "start_up")',
                "detailed()",
                "filter(fn: (r) => exists r.trial_ends)",
                'keep(columns: ["patient", "trial_ends", "zone", "service", "municipality"])',
                'sort(columns: ["trial_ends", "patient"])',
                needs=("detailed",),
                **NOW,
                **CHOSEN,
            ),
            size=WHOLE,
            fields=[
                clinical.patient(),
                clinical.when("trial_ends", "field.trial_ends"),
                clinical.zone(),
                clinical.service(),
                clinical.municipality(),
            ],
        )
    )
