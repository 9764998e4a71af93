"""Measured values against limits and own normal, as inline SVG.

Drawn on the server with presentation attributes and classes alone, so that the page needs no script and no inline
style. Every chart has a text alternative that says what a look at it says, and a point shows its zone by its shape.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup, escape

from dashboards.board.times import date_word, number_word, value_word, when_word, with_unit
from dashboards.board.words import vital_word, word, zone_word
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime, tzinfo

    from dashboards.board.views import Dot, Edges, Series
    from dashboards.board.words import Lang

BAND_SPREADS: Final = 2.0  # the band of the own normal: where the deviation score stays under its repeated bound
SMALL_DOTS: Final = 14  # the newest so many stand in a chart on the list
_REACH: Final = 1.0  # a limit farther off than so many heights of what was measured is not drawn small
_LIMITS: Final = ("red_low", "yellow_low", "yellow_high", "red_high")
_ANCHORED: Final = ' text-anchor="end"'


class _Frame(NamedTuple):
    """Where instants and values fall on the drawing."""

    left: float
    top: float
    width: float
    height: float
    begins: datetime
    ends: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        span = (self.ends - self.begins).total_seconds()
        share = (at - self.begins).total_seconds() / span if span else 1.0
        return self.left + self.width * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.top + self.height * (1 - min(max(share, 0.0), 1.0))


def small(series: Series, lang: Lang) -> Markup:
    """The newest values of one vital sign, to stand in a row of the list."""
    dots = series.dots[-SMALL_DOTS:]
    if not dots:
        return Markup()
    edges = series.edges[-1] if series.edges else None
    frame = _frame(dots, edges, (4, 8, 184, 48))
    drawn = [_band(dots[-1], frame), *_lines(edges, frame, frame.begins, frame.ends)]
    judged = [dot for dot in dots if dot.judged]
    if len(judged) > 1:
        drawn.append(f'<path class="v" d="{_path(judged, frame)}"/>')
    drawn += [_mark(dot, frame, 5) for dot in dots[:-1] if dot.zone is not Zone.GREEN]
    drawn.append(_mark(dots[-1], frame, 8))
    said = escape(described(series, lang))
    return Markup('<svg class="s" viewBox="0 0 200 64" role="img" aria-label="%s">%s</svg>') % (
        said,
        Markup("".join(drawn)),  # noqa: S704 - numbers and classes of our own; what is told in words is escaped
    )


def described(series: Series, lang: Lang) -> str:
    """What a look at a chart says, in words."""
    dots = [dot for dot in series.dots if dot.judged]
    name = vital_word(series.vital, lang)
    if not dots:
        return f"{name}: {word('chart.none', lang)}"
    values = [dot.value for dot in dots]
    said = [
        f"{name}: {word('chart.last', lang)} {with_unit(series.vital, dots[-1].value, series.unit, lang)}",
        (
            f"{len(dots)} {word('chart.values', lang)} {word('chart.from', lang)} "
            f"{value_word(series.vital, min(values), lang)} {word('chart.to', lang)} "
            f"{value_word(series.vital, max(values), lang)}"
        ),
    ]
    if dots[-1].center is not None:
        said.append(f"{word('chart.usual', lang)} {value_word(series.vital, dots[-1].center, lang)}")
    if series.edges:
        said += [
            f"{word(f'chart.{name}', lang)} {value_word(series.vital, limit, lang)}"
            for name in _LIMITS
            if (limit := getattr(series.edges[-1], name)) is not None
        ]
    return ", ".join(said)


def large(  # noqa: PLR0913 - a chart over a period, in a language and a time zone
    series: Series, begins: datetime, ends: datetime, lang: Lang, tz: tzinfo, *, width: int = 720, height: int = 190
) -> Markup:
    """One vital sign over a period: limits as steps of their plans, the band of the own normal, points by zone."""
    dots = [dot for dot in series.dots if begins <= dot.at <= ends]
    if not dots:
        return Markup()
    frame = _frame(dots, series.edges[-1] if series.edges else None, (44, 10, width - 54, height - 36), far=True)
    frame = frame._replace(begins=begins, ends=ends)
    drawn = [*_grid(frame, lang, tz), _bands(dots, frame)]
    drawn += _steps(series.edges, frame)
    judged = [dot for dot in dots if dot.judged]
    if len(judged) > 1:
        drawn.append(f'<path class="v" d="{_path(judged, frame)}"/>')
    drawn += [_mark(dot, frame, 4.5, told=_told(series, dot, lang, tz)) for dot in dots]
    head = Markup('<svg class="l" viewBox="0 0 %d %d" role="img" aria-label="%s">') % (
        width,
        height,
        described(series, lang),
    )
    return head + Markup("".join(drawn)) + Markup("</svg>")  # noqa: S704 - as in `small`


def _frame(
    dots: Iterable[Dot], edges: Edges | None, box: tuple[float, float, float, float], *, far: bool = False
) -> _Frame:
    known = list(dots)
    judged = [
        dot for dot in known if dot.judged
    ] or known  # what nothing rests on stands at the edge, and sets no scale
    values = [dot.value for dot in judged]
    newest = judged[-1]
    if newest.center is not None and newest.spread is not None:
        values += [newest.center - BAND_SPREADS * newest.spread, newest.center + BAND_SPREADS * newest.spread]
    low, high = min(values), max(values)
    reach = max(high - low, 1e-9) * (3 * _REACH if far else _REACH)
    for limit in () if edges is None else edges[1:]:
        if isinstance(limit, float | int) and low - reach <= limit <= high + reach:
            values.append(limit)
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or max(abs(high) * 0.02, 0.5)
    return _Frame(*box, known[0].at, known[-1].at, low - room, high + room)


def _band(dot: Dot, frame: _Frame) -> str:
    if dot.center is None or dot.spread is None:
        return ""
    top = frame.y(dot.center + BAND_SPREADS * dot.spread)
    bottom = frame.y(dot.center - BAND_SPREADS * dot.spread)
    return f'<path class="b" d="M{frame.left:.0f} {top:.0f}h{frame.width:.0f}V{bottom:.0f}h-{frame.width:.0f}z"/>'


def _bands(dots: Iterable[Dot], frame: _Frame) -> str:
    known = [dot for dot in dots if dot.center is not None and dot.spread is not None]
    if not known:
        return ""
    upper = [(frame.x(dot.at), frame.y(dot.center + BAND_SPREADS * dot.spread)) for dot in known]  # type: ignore[operator] # looked at above
    lower = [(frame.x(dot.at), frame.y(dot.center - BAND_SPREADS * dot.spread)) for dot in known]  # type: ignore[operator] # the same
    if len(known) == 1:
        upper = [(upper[0][0] - 6, upper[0][1]), (upper[0][0] + 6, upper[0][1])]
        lower = [(lower[0][0] - 6, lower[0][1]), (lower[0][0] + 6, lower[0][1])]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)])
    return f'<polygon class="b" points="{points}"/>'


def _lines(edges: Edges | None, frame: _Frame, begins: datetime, ends: datetime) -> list[str]:
    if edges is None:
        return []
    left, right = frame.x(begins), frame.x(ends)
    if right <= left:
        left, right = frame.left, frame.left + frame.width
    drawn = []
    for name in _LIMITS:
        limit = getattr(edges, name)
        if limit is not None and frame.low <= limit <= frame.high:
            kind = "r" if name.startswith("red") else "y"
            drawn.append(f'<path class="{kind}" d="M{left:.0f} {frame.y(limit):.0f}H{right:.0f}"/>')
    return drawn


def _steps(edges: tuple[Edges, ...], frame: _Frame) -> list[str]:
    """The limits of each plan for as long as it held."""
    drawn = []
    ends = [later.from_at for _, later in pairwise(edges)] + [frame.ends]
    for one, end in zip(edges, ends, strict=True):
        begin = max(one.from_at, frame.begins)
        if begin < end and end > frame.begins and begin < frame.ends:
            drawn += _lines(one, frame, begin, min(end, frame.ends))
    return drawn


def _path(dots: Iterable[Dot], frame: _Frame) -> str:
    return "M" + "L".join(f"{frame.x(dot.at):.0f} {frame.y(dot.value):.0f}" for dot in dots)


def _mark(dot: Dot, frame: _Frame, size: float, told: str = "") -> str:
    """A point by its zone: triangle, diamond or circle; a cross where nothing rests on it."""
    x, y = frame.x(dot.at), frame.y(dot.value)
    kind = _KIND[dot.zone] if dot.judged else "n"
    drawn = (_SHAPES[dot.zone] if dot.judged else _cross)(x, y, size)
    if not told:
        return f'<path class="{kind}" d="{drawn}"/>'
    return f'<path class="{kind}" d="{drawn}"><title>{escape(told)}</title></path>'


def _cross(x: float, y: float, size: float) -> str:
    return (
        f"M{x - size:.0f} {y - size:.0f}l{2 * size:.0f} {2 * size:.0f}m0-{2 * size:.0f}l-{2 * size:.0f} {2 * size:.0f}"
    )


def _triangle(x: float, y: float, size: float) -> str:
    return f"M{x:.0f} {y - size * 1.2:.0f}l{size * 1.2:.0f} {size * 2.1:.0f}h-{2 * round(size * 1.2)}z"


def _diamond(x: float, y: float, size: float) -> str:
    side = round(size * 1.25)
    return f"M{x:.0f} {y - side:.0f}l{side} {side}l-{side} {side}l-{side}-{side}z"


def _circle(x: float, y: float, size: float) -> str:
    r = round(size * 0.8)
    return f"M{x - r:.0f} {y:.0f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0-{2 * r} 0z"


_SHAPES: Final[dict[Zone, Callable[[float, float, float], str]]] = {
    Zone.RED: _triangle,
    Zone.YELLOW: _diamond,
    Zone.GREEN: _circle,
    Zone.NO_DATA: _circle,
    Zone.NOT_MONITORED: _circle,
}
_KIND: Final = {Zone.RED: "pr", Zone.YELLOW: "py", Zone.GREEN: "pg", Zone.NO_DATA: "pg", Zone.NOT_MONITORED: "pg"}


def _told(series: Series, dot: Dot, lang: Lang, tz: tzinfo) -> str:
    zone = zone_word(dot.zone, lang) if dot.judged else word("chart.not_judged", lang)
    when = when_word(dot.at, dot.at + timedelta(days=400), lang, tz)
    return f"{when}: {with_unit(series.vital, dot.value, series.unit, lang)}, {zone}"


def _grid(frame: _Frame, lang: Lang, tz: tzinfo) -> list[str]:
    """Lines at round values, and days below."""
    drawn = []
    step = _round_step((frame.high - frame.low) / 5)
    value = step * -(-frame.low // step)
    digits = max(0, 1 if step < 1 else 0)
    while value <= frame.high:
        y, said = frame.y(value), escape(number_word(value, digits, lang))
        drawn.append(
            f'<path class="g" d="M{frame.left:.0f} {y:.1f}h{frame.width:.0f}"/>'
            f'<text class="a" x="{frame.left - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{said}</text>'
        )
        value += step
    first, last = frame.begins.astimezone(tz).date(), frame.ends.astimezone(tz).date()
    every = max(1, -(-(last - first).days // 5))
    for offset in range(0, (last - first).days + 1, every):
        day: date = first + timedelta(days=offset)
        at = frame.begins + timedelta(days=offset)
        drawn.append(
            f'<text class="a" x="{frame.x(at):.0f}" y="{frame.top + frame.height + 18:.0f}"'
            f"{_ANCHORED if frame.x(at) > frame.left + frame.width - 40 else ''}>"
            f"{escape(date_word(day, last, lang))}</text>"
        )
    return drawn


def _round_step(raw: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    scale = 1.0
    while raw < scale:
        scale /= 10
    while raw >= scale * 10:
        scale *= 10
    return next(scale * one for one in (1, 2, 5, 10) if scale * one >= raw)
