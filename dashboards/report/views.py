"""What a report shows, ready to be put into words of either language: sections of figures, charts and tables.

A number that disclosure control hid is `HIDDEN`, one that there is none of is None: they read differently.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

Kind = Literal[
    "text",
    "count",
    "amount",
    "rate",
    "share",
    "ratio",
    "score",
    "minutes",
    "interval",
    "rate_interval",
    "share_interval",
    "ratio_interval",
    "score_interval",
]


class Hidden(Enum):
    """A number that is not told, as it tells of few."""

    HIDDEN = "hidden"


HIDDEN = Hidden.HIDDEN
Number = float | Hidden | None


class Text(NamedTuple):
    """A text by its key, with what is filled in; a key without words is shown as it is.

    Attributes
    ----------
    kind
        The set that the key is of, as `zone`; empty: the key names a text of the report itself.
    """

    key: str
    kind: str = ""
    filled: tuple[tuple[str, object], ...] = ()


class Both(NamedTuple):
    """A text of a configuration, in both languages."""

    nb: str
    en: str


class Measured(NamedTuple):
    """A number of a kind of its own, in a column of several."""

    value: Number
    kind: Kind


Cell = Text | Both | Measured | Number | tuple[Number, Number]


class Column(NamedTuple):
    """A column of a table: the key of its heading, and what its numbers are."""

    key: str
    kind: Kind


class Table(NamedTuple):
    """A table; `name` is its id on the page and the key of its caption.

    Attributes
    ----------
    said
        A caption of its own, where a configuration names it.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    said: Text | Both | None = None


class Point(NamedTuple):
    """A value at a place of a chart, with its interval where it has one."""

    value: Number
    low: Number = None
    high: Number = None


class Line(NamedTuple):
    """A series: its name, and a point for each place of the chart."""

    name: Text | Both
    points: tuple[Point, ...]


class Chart(NamedTuple):
    """A chart, and the table that has its numbers.

    Attributes
    ----------
    shape
        `lines`: series over places, with intervals as bars; `steps`: a curve that falls in steps; `stacked`: shares
        that add up; `ratios`: a point with interval for each place, about 1, on a logarithmic scale; `control`: the
        first series with center and limits, which are the second to the fourth.
    places
        Along the chart: periods, days, groups.
    axis
        The key of what is measured.
    table
        The name of the table with the same numbers.
    """

    name: str
    shape: Literal["lines", "steps", "stacked", "ratios", "control"]
    places: tuple[Text | Both, ...]
    lines: tuple[Line, ...]
    axis: str
    table: str
    kind: Kind
    said: Text | Both | None = None


class Note(NamedTuple):
    """A paragraph."""

    text: Text | Both


class Section(NamedTuple):
    """A part of the report.

    Attributes
    ----------
    own_page
        It begins a page where it is printed.
    """

    name: str
    parts: tuple[Note | Chart | Table, ...]
    own_page: bool = False


class Figure(NamedTuple):
    """One number of the summary."""

    key: str
    kind: Kind
    value: Cell
    interval: tuple[Number, Number] | None = None


class Document(NamedTuple):
    """A report.

    Attributes
    ----------
    form
        `year`, `quarter` or `period`.
    services
        Names of those that it is about; empty: of all together.
    last
        The last day of the period.
    made_at
        When it was made, by its calendar.
    """

    form: Literal["year", "quarter", "period"]
    services: tuple[Text, ...]
    first: date
    last: date
    made_at: datetime
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
