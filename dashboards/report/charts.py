"""A report's charts as inline SVG, drawn by matplotlib, with what a look at them says in words.

No colour says anything alone: series differ in marker and line, shares in their pattern. Each chart names the table
that has its numbers.
"""

from __future__ import annotations

import re
from io import StringIO
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from dashboards.report.views import Chart, Line, Number
    from dashboards.report.voice import Voice

_SIZE: Final = (7.6, 3.1)  # inches, of 72 points
_ROW: Final = 0.28  # of a ratio [inches]
_COLOURS: Final = ("#0b4a94", "#a3290b", "#2f6b3a", "#6b2f8a", "#7a5b00", "#00616b")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P")
_STYLES: Final = ("-", "--", "-.", ":")
_SHARES: Final = (
    ("#cfe8d3", ""),  # green
    ("#ffe08a", "//"),  # yellow
    ("#e08178", "xx"),  # red
    ("#e3e6ea", ".."),  # no data
    ("#aeb6c0", "--"),  # not monitored
)
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "sonevakt",  # the same chart is the same file
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#d5dae1",
    "axes.edgecolor": "#4a535e",
    "axes.axisbelow": True,
    "hatch.linewidth": 0.6,
}
_ROOM: Final = 1.08  # above what is highest
_SLANTED_FROM: Final = 9  # places along a chart
_ID: Final = re.compile(r'(\bid="|xlink:href="#|href="#|url\(#)')
_HEAD: Final = re.compile(r"^.*?<svg ", re.DOTALL)
_METADATA: Final = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def drawn(chart: Chart, voice: Voice) -> Markup:
    """Return a chart as SVG, which reads out as `described`."""
    from matplotlib import rc_context  # noqa: PLC0415 - of the extra `report`, and half a second
    from matplotlib.figure import Figure  # noqa: PLC0415 - the same

    with rc_context(_SETTINGS):
        width, height = _SIZE
        if chart.shape == "ratios":
            height = 1.1 + _ROW * len(chart.places)
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        _SHAPES[chart.shape](axes, chart, voice)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    svg = _METADATA.sub("", _HEAD.sub("<svg ", text.getvalue()))
    svg = _ID.sub(lambda found: f"{found[0]}{chart.name}-", svg)
    label = Markup('<svg role="img" aria-label="{}" ').format(described(chart, voice))
    return label + Markup(svg.removeprefix("<svg "))  # noqa: S704 - matplotlib escapes what it is given


def described(chart: Chart, voice: Voice) -> str:
    """Return what a look at a chart says: of each series its first and last value, and its lowest and highest."""
    said = [voice.text(chart.said) if chart.said else voice(f"{chart.name}.title")]
    for line in chart.lines:
        known = [
            (place, point.value) for place, point in zip(chart.places, line.points, strict=True) if _is(point.value)
        ]
        if not known:
            said.append(voice("chart.nothing", name=line.name))
            continue
        (first, begins), (last, ends) = known[0], known[-1]
        low, high = min(known, key=lambda one: float(one[1])), max(known, key=lambda one: float(one[1]))  # type: ignore[arg-type] # they are numbers
        said.append(
            voice(
                "chart.line",
                name=line.name,
                first=first,
                begins=voice.number(begins, chart.kind),
                last=last,
                ends=voice.number(ends, chart.kind),
                lowest=voice.number(low[1], chart.kind),
                highest=voice.number(high[1], chart.kind),
            )
        )
    said.append(voice("chart.table"))
    return " ".join(said)


def _lines(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    looks = cycle(zip(_COLOURS, _MARKERS, strict=True))
    styles = cycle(_STYLES)
    for line, (colour, marker), style in zip(chart.lines, looks, styles, strict=False):
        values = [float(point.value) if _is(point.value) else float("nan") for point in line.points]  # type: ignore[arg-type] # a number
        look = {"color": colour, "marker": marker, "linestyle": style, "markersize": 5, "linewidth": 1.4}
        axes.plot(range(len(values)), values, label=voice.text(line.name), **look)  # a gap is where a number is hidden
        for place, point in enumerate(line.points):
            if _is(point.value) and _is(point.low) and _is(point.high) and point.high != float("inf"):
                axes.vlines(place, point.low, point.high, color=colour, linewidth=1)
    _along(axes, chart, voice)
    axes.set_ylim(0, _ROOM * axes.get_ylim()[1])
    if len(chart.lines) > 1:
        _legend(axes, len(chart.lines))


def _steps(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    for line, colour in zip(chart.lines, _COLOURS, strict=False):
        days = [0.0, *(float(place.key) for place in chart.places)]  # type: ignore[union-attr] # days are texts by key
        shares = [1.0, *(float(point.value) for point in line.points)]  # type: ignore[arg-type] # a curve has no gaps
        axes.step(days, shares, where="post", color=colour, linewidth=1.6)
        ends = [point for point in line.points if _is(point.low) and _is(point.high)]
        at = [day for day, point in zip(days[1:], line.points, strict=True) if _is(point.low) and _is(point.high)]
        low, high = [float(one.low) for one in ends], [float(one.high) for one in ends]  # type: ignore[arg-type] # numbers
        axes.fill_between(at, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    axes.set_xlabel(voice("axis.days_since"))
    _measured(axes.yaxis, chart, voice)
    axes.set_ylabel(voice(chart.axis))


def _stacked(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    below = [0.0] * len(chart.places)
    for line, (colour, hatch) in zip(chart.lines, _SHARES, strict=True):
        values = [float(point.value) if _is(point.value) else 0.0 for point in line.points]  # type: ignore[arg-type] # a number
        axes.bar(
            range(len(values)),
            values,
            bottom=below,
            color=colour,
            hatch=hatch,
            edgecolor="#1a1e24",
            linewidth=0.5,
            width=0.7,
            label=voice.text(line.name),
        )
        below = [before + value for before, value in zip(below, values, strict=True)]
    _along(axes, chart, voice)
    axes.set_ylim(0, 1)
    _legend(axes, len(chart.lines))


def _ratios(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    (line,) = chart.lines
    axes.axvline(1.0, color="#4a535e", linewidth=1, linestyle="--")
    for place, point in enumerate(line.points):
        if not _is(point.value) or not 0 < float(point.value) < float("inf"):  # type: ignore[arg-type] # a number
            axes.text(1.0, place, voice.number(point.value, chart.kind), va="center", ha="left", fontsize=8)
            continue
        axes.plot([point.value], [place], marker="s", color=_COLOURS[0], markersize=5)
        if _is(point.low) and _is(point.high):
            ends = (max(float(point.low), 0.02), min(float(point.high), 50.0))  # type: ignore[arg-type] # numbers
            axes.hlines(place, *ends, color=_COLOURS[0], linewidth=1.4)
    axes.set_xscale("log")
    axes.set_yticks(range(len(chart.places)), [voice.text(place) for place in chart.places])
    axes.invert_yaxis()
    low, high = axes.get_xlim()
    ticks = [one for one in (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 10.0, 20.0) if low <= one <= high]
    axes.set_xticks(ticks, [voice.tick(one, "ratio") for one in ticks])
    axes.minorticks_off()
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(voice(chart.axis))


def _control(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    rate, *limits = chart.lines
    places, values = _known(rate)
    axes.plot(places, values, color=_COLOURS[0], marker="o", markersize=5, linewidth=1.2, label=voice.text(rate.name))
    for line, style in zip(limits, ("-", "--", ":"), strict=True):
        at, told = _known(line)
        axes.step(at, told, where="mid", color="#4a535e", linestyle=style, linewidth=1, label=voice.text(line.name))
    high = [float(point.value) for point in limits[-1].points]  # type: ignore[arg-type] # a chart is drawn of numbers
    low = [float(point.value) for point in limits[-2].points]  # type: ignore[arg-type] # the same
    for place, value in zip(places, values, strict=True):
        if not low[place] <= value <= high[place]:
            axes.plot([place], [value], marker="o", markersize=11, markerfacecolor="none", color=_COLOURS[1])
    _along(axes, chart, voice)
    axes.set_ylim(0, _ROOM * axes.get_ylim()[1])
    _legend(axes, len(chart.lines))


_SHAPES: Final = {"lines": _lines, "steps": _steps, "stacked": _stacked, "ratios": _ratios, "control": _control}


def _along(axes: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    names = [voice.text(place) for place in chart.places]
    slanted = {"rotation": 35, "ha": "right"} if len(names) >= _SLANTED_FROM else {}
    axes.set_xticks(range(len(names)), names, **slanted)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylabel(voice(chart.axis))
    _measured(axes.yaxis, chart, voice)


def _measured(axis: Any, chart: Chart, voice: Voice) -> None:  # noqa: ANN401 - of matplotlib
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - as above

    axis.set_major_locator(MaxNLocator(nbins=5, integer=chart.kind == "count"))
    axis.set_major_formatter(FuncFormatter(lambda value, _: voice.tick(value, chart.kind)))


def _legend(axes: Any, count: int) -> None:  # noqa: ANN401 - of matplotlib
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(count, 5), frameon=False, fontsize=8.5)


def _known(line: Line) -> tuple[list[int], list[float]]:
    pairs = [(place, float(point.value)) for place, point in enumerate(line.points) if _is(point.value)]  # type: ignore[arg-type] # a number
    return [place for place, _ in pairs], [value for _, value in pairs]


def _is(value: Number) -> bool:
    return isinstance(value, float | int)
