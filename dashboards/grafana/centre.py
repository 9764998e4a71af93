"""The follow-up centre, live: who needs somebody now, since when they have waited, and whether pages reach anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.board.listing import ATTENTION
from dashboards.grafana import limits, variables, zones
from dashboards.grafana.behind import behind
from dashboards.grafana.bounds import BAD, PLAIN, Bounds, NoBounds, Step
from dashboards.grafana.clinical import HALF, Clinical
from dashboards.grafana.library import (
    CHOSEN,
    DEADLINE,
    NOW,
    PERIOD,
    TAKEN,
    WHY,
    composed,
    how_many,
    side_by_side,
    table,
)
from dashboards.grafana.made import Made, make
from dashboards.grafana.panels import bars, lines, numbers, rows, unknown
from dashboards.grafana.sources import promql_now
from dashboards.grafana.units import COUNT, WAITING
from dashboards.grafana.words import Words, begun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.board.words import Lang
    from dashboards.grafana.panels import Tile
    from dashboards.grafana.sources import Flux

_ZONES = NoBounds("the colours are the zones' own")
_AS_CONFIGURED = NoBounds("a deadline is the service's own: the column beside it says whether it has passed")
_WINDOW = "if int(v: v.windowPeriod) < int(v: 12h) then v.windowPeriod else 12h"  # it must be below a day
_UNKNOWN = "unknown"  # of a number: what is not known is neither none nor well
_BESIDE = ("zone_rank", "rule", "vital", "detail", "since", "open_pages", "unacknowledged", "late", "phase")
_SERVICES = 'service=~"${service:regex}"'


def build(lang: Lang) -> Made:
    """Return the dashboard in a language."""
    clinical = Clinical("centre", Words(lang))
    about = clinical.about(("now-24h", "now"), "10s", variables.board())
    return make(about, [*_now(clinical), *_lists(clinical), *_over_time(clinical)])


def _now(clinical: Clinical) -> Iterator[Tile]:
    """First who is red and has nobody, and for how long; then whether what is shown can be trusted."""
    none = {"type": "value", "options": {"0": {"text": begun(clinical.words.of("none"))}}}
    waits = clinical.field(
        "waiting_s", "centre.oldest_red.title", mappings=[none, unknown(clinical.words.of(_UNKNOWN))]
    )
    yield numbers(
        clinical.asked(
            "oldest_red",
            WAITING,
            limits.waits(),
            table("oldestUnacknowledgedRed", 'keep(columns: ["waiting_s"])', **NOW, **CHOSEN),
            size=(6, 4),
            fields=[waits],
            none=_UNKNOWN,
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "reds_waiting",
            COUNT,
            Bounds((Step(1.0, BAD),), "a red that nobody has taken is one too many, schemas/services.py: it is paged"),
            table("oldestUnacknowledgedRed", 'keep(columns: ["patients"])', **NOW, **CHOSEN),
            size=(5, 4),
            none=_UNKNOWN,
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "undeliverable",
            COUNT,
            limits.any_at_all("PagesUndeliverable"),
            promql_now(f"sum(sonevakt_undeliverable_pages{{{_SERVICES}}})"),
            size=(5, 4),
            none=_UNKNOWN,
        ),
        ground=True,
    )
    yield numbers(
        clinical.asked(
            "overdue_count",
            COUNT,
            NoBounds("how many may be late at once is for each service to say"),
            how_many("overdue", "patients", **NOW, **CHOSEN),
            size=(3, 4),
            none=_UNKNOWN,
        )
    )
    yield behind(clinical, (5, 4))
    yield _zones_now(clinical)


def _zones_now(clinical: Clinical) -> Tile:
    wide = ", ".join(f"{zone.value}: 0.0" for zone in ATTENTION)
    counted = ", ".join(
        f'{zone.value}: if r.zone == "{zone.value}" then float(v: r.patients) else accumulator.{zone.value}'
        for zone in ATTENTION
    )
    return numbers(
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
            size=(24, 4),
            fields=zones.fields(clinical.words.lang, zones.COLOURS),
            ordered=True,
            none=_UNKNOWN,
        ),
        ground=True,
    )


def _lists(clinical: Clinical) -> Iterator[Tile]:
    worded, why = clinical.why()
    yield rows(
        clinical.asked(
            "worklist",
            WAITING,
            _AS_CONFIGURED,
            table("worklist", TAKEN, DEADLINE, WHY, worded, **NOW, **CHOSEN),
            size=(24, 14),
            fields=[
                clinical.zone(),
                clinical.patient(),
                clinical.waited("waiting_s", "field.waiting", custom__width=115),
                clinical.taken(),
                why,
                clinical.when("respond_by", "field.respond_by"),
                clinical.deadline(),
                clinical.service(custom__width=170),
                clinical.municipality(custom__width=190),
                *(clinical.hidden(name) for name in _BESIDE),
            ],
        )
    )
    yield rows(
        clinical.asked(
            "overdue",
            WAITING,
            NoBounds("how late is too late is the patient's own plan: past its grace the zone says so"),
            table("overdue", **NOW, **CHOSEN),
            size=(24, 7),
            fields=[
                clinical.patient(),
                clinical.zone(),
                clinical.waited("overdue_s", "field.overdue"),
                clinical.when("due", "field.due"),
                clinical.when("last_submission", "field.last", none="never"),
                clinical.service(),
                clinical.municipality(),
            ],
        )
    )


def _alerts() -> Flux:
    """Alerts of whole hours: all bars are as wide as the narrowest, which a part of an hour would make a hairline."""
    given = {"bucket": "v.defaultBucket", **PERIOD, "start": "date.truncate(t: v.timeRangeStart, unit: 1h)", **CHOSEN}
    told = ", ".join(f"{name}: {value}" for name, value in given.items())
    body = f'alertsPerHour({told})\n    |> rename(columns: {{series: "_field"}})'
    return composed(("alertsPerHour",), body, needs=("date",))


def _over_time(clinical: Clinical) -> Iterator[Tile]:
    lang = clinical.words.lang
    yield lines(
        clinical.asked(
            "zones_over_time",
            COUNT,
            _ZONES,
            side_by_side("zonesStood", **PERIOD, every=_WINDOW, **CHOSEN),
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
            _alerts(),
            size=HALF,
            fields=[field for field in zones.fields(lang) if field.name in {"yellow", "red"}],
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
