"""The follow-up centre, live: who needs somebody now, since when they have waited, and whether pages reach anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.board.listing import ATTENTION
from dashboards.grafana import limits, variables, zones
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import CHOSEN, NOW, PERIOD, series, side_by_side, table
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, lines, numbers, rows
from dashboards.grafana.sources import promql_now
from dashboards.grafana.units import COUNT, WAITING
from dashboards.grafana.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile

_ZONES = NoBounds("the colours are the zones' own")
_AS_CONFIGURED = NoBounds("a deadline is the service's own: the column beside it says whether it has passed")
_WINDOW = "if int(v: v.windowPeriod) < int(v: 12h) then v.windowPeriod else 12h"  # it must be below a day
_SERVICES = 'service=~"${service:regex}"'


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("centre", Words(lang))
    about = clinical.about(("now-24h", "now"), "10s", variables.board())
    return make(about, [*_now(clinical), *_lists(clinical), *_over_time(clinical)])


def _now(clinical: Clinical) -> Iterator[Tile]:
    wide = ", ".join(f"{zone.value}: 0.0" for zone in ATTENTION)
    counted = ", ".join(
        f'{zone.value}: if r.zone == "{zone.value}" then float(v: r.patients) else accumulator.{zone.value}'
        for zone in ATTENTION
    )
    yield numbers(
        clinical.asked(
            "zones_now",
            COUNT,
            _ZONES,
            table(
                "patientsByZone",
                f"reduce(identity: {{{wide}}}, fn: (r, accumulator) => ({{{counted}}}))",
                **NOW,
                **CHOSEN,
            ),
            size=(11, 5),
            fields=zones.fields(clinical.words.lang),
            ordered=True,
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "oldest_red",
            WAITING,
            limits.ladder(),
            table("oldestUnacknowledgedRed", 'keep(columns: ["waiting_s"])', **NOW, **CHOSEN),
            size=(4, 5),
            fields=[
                clinical.field(
                    "waiting_s",
                    "centre.oldest_red.title",
                    mappings=[{"type": "value", "options": {"0": {"text": clinical.words.of("none")}}}],
                )
            ],
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "overdue_count",
            COUNT,
            NoBounds("how many may be late at once is for each service to say"),
            table("overdue", 'count(column: "patient")', 'keep(columns: ["patient"])', **NOW, **CHOSEN),
            size=(3, 5),
        )
    )
    yield numbers(
        clinical.asked(
            "undeliverable",
            COUNT,
            limits.any_at_all("PagesUndeliverable"),
            promql_now(f"sum(sonevakt_undeliverable_pages{{{_SERVICES}}}) or vector(0)"),
            size=(3, 5),
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "behind",
            WAITING,
            limits.of_alert("MessagesWait"),
            promql_now('max(sonevakt_consumer_lag_seconds{group=~".*(storing|triage)"})'),
            size=(3, 5),
        )
    )


def _lists(clinical: Clinical) -> Iterator[Tile]:
    yield rows(
        clinical.asked(
            "worklist",
            WAITING,
            _AS_CONFIGURED,
            table("worklist", **NOW, **CHOSEN),
            size=(24, 12),
            fields=[
                clinical.zone(),
                clinical.patient(),
                clinical.rule(),
                clinical.vital(),
                clinical.field("waiting_s", "field.waiting", WAITING, custom__width=130),
                clinical.field("respond_by", "field.respond_by", custom__width=170),
                clinical.yes_no("late", "field.late", custom__width=90),
                clinical.yes_no("unacknowledged", "field.unacknowledged", custom__width=110),
                clinical.phase(),
                clinical.service(),
                clinical.municipality(),
                *(clinical.hidden(name) for name in ("zone_rank", "detail", "since", "open_pages")),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "overdue",
            WAITING,
            NoBounds("how late is too late is the patient's own plan: past its grace the zone says so"),
            table("overdue", **NOW, **CHOSEN),
            size=HALF,
            fields=[
                clinical.patient(),
                clinical.zone(),
                clinical.field("overdue_s", "field.overdue", WAITING),
                clinical.field("due", "field.due"),
                clinical.field("last_submission", "field.last"),
                clinical.service(),
                clinical.municipality(),
            ],
        )
    )


def _over_time(clinical: Clinical) -> Iterator[Tile]:
    lang = clinical.words.lang
    yield lines(
        clinical.asked(
            "zones_over_time",
            COUNT,
            _ZONES,
            side_by_side("zonesOverTime", **PERIOD, every=_WINDOW, **CHOSEN),
            size=HALF,
            fields=zones.fields(lang),
            ordered=True,
            most_points=96,
            least_step="15m",
        ),
        filled=True,
        steps=True,
    )
    yield bars(
        clinical.asked(
            "alerts",
            COUNT,
            NoBounds("how many alerts are too many is for the service to judge by its staff"),
            series("alertsPerHour", **PERIOD, **CHOSEN),
            size=HALF,
            fields=[field for field in zones.fields(lang) if field.name in {"yellow", "red"}],
        )
    )
    yield rows(
        clinical.asked(
            "page_times",
            WAITING,
            limits.ladder(),
            table("pageTimesByService", **PERIOD, **CHOSEN),
            size=HALF,
            fields=clinical.page_times(),
        )
    )
