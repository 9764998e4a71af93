"""Panels in the house's form: each has a title, a description, a unit, and thresholds or a reason for having none."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from dashboards.grafana.bounds import BAD, PLAIN, Bounds, NoBounds, thresholds
from dashboards.grafana.sdk import (
    Builder,
    bargauge,
    common,
    model,
    shared,
    stat,
    table,
    text,
    text_model,
    timeseries,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.grafana.units import Unit

Query = Builder[Any]  # Flux or PromQL
Size = tuple[int, int]  # of the grid's 24 columns, and in rows
_P = TypeVar("_P", bargauge.Panel, stat.Panel, table.Panel, timeseries.Panel)
_LAST: Final = "lastNotNull"
_LEAST_WIDTH: Final = 60.0  # of a column [pixels]; Grafana's own 150 puts the last ones out of sight
HIDDEN: Final[Mapping[str, object]] = MappingProxyType({"hidden": True})


class Said(NamedTuple):
    """What a panel is called, and what it says of itself when a reader asks."""

    title: str
    description: str


class Field(NamedTuple):
    """How one field of an answer is shown: Grafana's options of a field, by their ids."""

    name: str
    options: Mapping[str, object]


class Tile(NamedTuple):
    """A panel that draws data.

    Attributes
    ----------
    name
        Unique on its dashboard and kept: tests and the reference know it by this.
    bounds
        Its thresholds and whence they are, or why there are none.
    """

    name: str
    said: Said
    unit: Unit
    bounds: Bounds | NoBounds
    panel: Builder[model.Panel]


class Asked(NamedTuple):
    """What every panel is made of.

    Attributes
    ----------
    fields
        How fields are shown that differ from the rest, in the order in which they stand.
    ordered
        The answer is one table: its fields are put in the order of `fields`, and those left out that are `HIDDEN`.
    most_points
        How many points of a series it asks for at most; None: as many as it is wide.
    no_value
        What stands where there is nothing.
    least_step
        The shortest time between two points, in Grafana's words, as 5m.
    repeat
        The variable for each of whose values there is one of it.
    """

    name: str
    said: Said
    unit: Unit
    bounds: Bounds | NoBounds
    queries: Sequence[Query]
    size: Size
    fields: Sequence[Field] = ()
    ordered: bool = False
    most_points: int | None = None
    least_step: str | None = None
    no_value: str = "no figure"
    repeat: str | None = None


def _common(panel: _P, asked: Asked) -> _P:
    width, height = asked.size
    panel = panel.title(asked.said.title).description(asked.said.description).span(width).height(height)
    panel = panel.unit(asked.unit.code).thresholds(thresholds(asked.bounds)).targets(list(asked.queries))
    panel = panel.datasource(_source(asked.queries)).no_value(asked.no_value)
    if asked.unit.decimals is not None:
        panel = panel.decimals(asked.unit.decimals)
    if asked.most_points is not None:
        panel = panel.max_data_points(asked.most_points)
    if asked.least_step is not None:
        panel = panel.interval(asked.least_step)
    if asked.repeat is not None:
        panel = panel.repeat(asked.repeat).repeat_direction("h").max_per_row(2)
    if asked.ordered:
        panel = panel.with_transformation(_order(asked.fields))
    for field in asked.fields:
        if field.options is HIDDEN:
            continue
        told = [model.DynamicConfigValue(id_val=name, value=value) for name, value in field.options.items()]
        panel = panel.override_by_name(field.name, told)
    return panel


def _order(fields: Sequence[Field]) -> model.DataTransformerConfig:
    """Flux gives columns by the alphabet."""
    options: dict[str, object] = {
        "indexByName": {"_time": 0} | {field.name: place for place, field in enumerate(fields, start=1)},
        "excludeByName": {field.name: True for field in fields if field.options is HIDDEN},
        "renameByName": {},
    }
    return model.DataTransformerConfig(id_val="organize", options=options)


def _source(queries: Sequence[Query]) -> shared.DataSourceRef:
    """Return the data source of all the queries, or Grafana's word for several."""
    found = {query.build().to_json()["datasource"].uid: query.build().to_json()["datasource"] for query in queries}
    mixed = shared.DataSourceRef(type_val="datasource", uid="-- Mixed --")
    one: shared.DataSourceRef = next(iter(found.values())) if len(found) == 1 else mixed
    return one


def _tile(asked: Asked, panel: Builder[model.Panel]) -> Tile:
    return Tile(asked.name, asked.said, asked.unit, asked.bounds, panel)


def lines(
    asked: Asked, *, calcs: Sequence[str] = (), steps: bool = False, filled: bool = False, points: bool = False
) -> Tile:
    """Return lines over the dashboard's time range, and thresholds as lines across it.

    Parameters
    ----------
    calcs
        What of each series the legend tells beside its name, as `max`.
    steps
        A value holds until the next.
    filled
        One above the other, as parts of a whole.
    points
        Single values, not joined by lines.
    """
    panel = _series(asked, calcs)
    panel = panel.line_width(2).fill_opacity(85 if filled else 0)
    if steps:
        panel = panel.line_interpolation(shared.LineInterpolation.STEP_AFTER).show_points(shared.VisibilityMode.NEVER)
    if points:
        panel = panel.draw_style(shared.GraphDrawStyle.POINTS).point_size(6)
    if filled:
        panel = panel.stacking(common.StackingConfig().mode(shared.StackingMode.NORMAL).group("A"))
    return _tile(asked, panel)


def bars(asked: Asked, *, calcs: Sequence[str] = ()) -> Tile:
    """Return bars over the dashboard's time range, those of one time one above the other.

    Each stands astride its time, so that of the newest hour, day or week, of which little has passed, half is seen.
    """
    panel = _series(asked, calcs).draw_style(shared.GraphDrawStyle.BARS).line_width(0).fill_opacity(90)
    panel = panel.bar_width_factor(0.85)
    return _tile(asked, panel.stacking(common.StackingConfig().mode(shared.StackingMode.NORMAL).group("A")))


def _series(asked: Asked, calcs: Sequence[str]) -> timeseries.Panel:
    panel = _common(timeseries.Panel(), asked).show_points(shared.VisibilityMode.AUTO)
    reach = _reach(asked)
    if reach is not None:
        panel = panel.axis_soft_min(0).axis_soft_max(reach)
    if isinstance(asked.bounds, Bounds):
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(shared.GraphThresholdsStyleMode.LINE))
    mode = shared.LegendDisplayMode.TABLE if calcs else shared.LegendDisplayMode.LIST
    legend = common.VizLegendOptions().show_legend(show_legend=True).placement(shared.LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(shared.TooltipDisplayMode.MULTI).sort(shared.SortOrder.DESCENDING)
    return panel.legend(legend.display_mode(mode).calcs(list(calcs))).tooltip(tooltip)


def _reach(asked: Asked) -> float | None:
    """How far up an axis goes at least: to where its colour changes for the worse, so that the way there is seen."""
    if isinstance(asked.bounds, Bounds) and asked.bounds.base != BAD:
        return asked.bounds.steps[0].value
    return asked.unit.reach


def numbers(asked: Asked, *, ground: bool = False) -> Tile:
    """Return large numbers, one of each field or series; where there is no number it has no colour of its own.

    Parameters
    ----------
    ground
        The colour fills the whole field, where what it says must be seen from afar.
    """
    panel = _common(stat.Panel(), asked).mappings([_unknown(asked.no_value)])
    panel = panel.color_mode(shared.BigValueColorMode.BACKGROUND_SOLID if ground else shared.BigValueColorMode.VALUE)
    panel = panel.graph_mode(shared.BigValueGraphMode.NONE).text_mode(shared.BigValueTextMode.AUTO)
    return _tile(asked, panel.reduce_options(_reduced()))


def _unknown(text: str) -> model.SpecialValueMap:
    """What stands for no number: Grafana would give it the colour of a number that is well."""
    result = model.ValueMappingResult(text=text, color=PLAIN, index=9)
    options = model.DashboardSpecialValueMapOptions(match=model.SpecialValueMatch.NULL_AND_NAN, result=result)
    return model.SpecialValueMap(options=options)


def unknown(text: str) -> dict[str, object]:
    """The same among the options of a field that has mappings of its own."""
    told = {"match": model.SpecialValueMatch.NULL_AND_NAN.value, "result": {"text": text, "color": PLAIN, "index": 9}}
    return {"type": "special", "options": told}


def gauge_bars(asked: Asked, *, each_row: bool = False) -> Tile:
    """Return lying bars, one of each series, or of each row of a table."""
    panel = _common(bargauge.Panel(), asked).orientation(shared.VizOrientation.HORIZONTAL).min(0)
    panel = panel.display_mode(shared.BarGaugeDisplayMode.BASIC).value_mode(shared.BarGaugeValueMode.TEXT)
    return _tile(asked, panel.reduce_options(_reduced(each_row=each_row)))


def rows(asked: Asked) -> Tile:
    """Return a table in the order of its query, its columns in that of `asked.fields`."""
    panel = _common(table.Panel(), asked._replace(ordered=True)).cell_height(shared.TableCellHeight.SM)
    return _tile(asked, panel.min_width(_LEAST_WIDTH))


def _reduced(*, each_row: bool = False) -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs([_LAST]).values(values=each_row)


def note(content: str, size: Size) -> text.Panel:
    """Return a text in Markdown."""
    panel = text.Panel().mode(text_model.TextMode.MARKDOWN).content(content)
    return panel.span(size[0]).height(size[1])
