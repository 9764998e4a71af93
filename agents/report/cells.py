"""Rows of released tables as cells: a number, none, or one that is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from dashboards.report.views import HIDDEN, Column, Line, Point, Table, Text
from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.disclosure.outputs import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.report.views import Both, Cell, Kind, Number

INTERVAL: Final = "_interval"


class Shown(NamedTuple):
    """A column of a table of the report.

    Attributes
    ----------
    key
        Of its heading.
    of
        The column of the output, or those of an interval's ends.
    """

    key: str
    kind: Kind
    of: str | tuple[str, str]


class Subject(NamedTuple):
    """What the report is about.

    Attributes
    ----------
    services
        The services asked for; empty: all, and all of them together.
    periods
        The periods by which tables are told, in order.
    """

    services: tuple[str, ...]
    periods: tuple[str, ...]

    def mine(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of the services asked for."""
        if self.services:
            return table[table["service"].isin(self.services)]
        return table

    def by(self, column: str, table: pd.DataFrame) -> pd.DataFrame:
        """The same, all services together first, then by service and a column."""
        mine = self.mine(table)
        told = mine.assign(_first=[service != TOTAL for service in mine["service"]])
        return told.sort_values(["_first", "service", column], kind="stable").drop(columns="_first")

    def ordered(self, table: pd.DataFrame) -> list[str]:
        """The services asked for, all of them together first."""
        return list(dict.fromkeys(self.by("service", table)["service"]))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The services that charts show."""
        return self.services or (TOTAL,)


def label(kind: str, value: object) -> Text:
    """A value of a dimension in words."""
    return Text("all" if value == TOTAL else str(value), f"total.{kind}" if value == TOTAL else kind)


def number(row: pd.Series, output: str, column: str) -> Number:
    """The number in a row of a released output."""
    for group in OUTPUTS[output].groups:
        if column in group.columns and row[f"{group.name}_hidden"]:
            return HIDDEN
    value = row[column]
    return None if pd.isna(value) else float(value)


def table(  # noqa: PLR0913 - a table is told by what of it is shown
    name: str,
    output: str,
    rows: pd.DataFrame,
    labels: Sequence[str],
    columns: Sequence[Shown],
    *,
    said: Text | Both | None = None,
) -> Table:
    """A table of the report out of rows of a released output, in their order."""
    found: list[tuple[Cell, ...]] = []
    for _, row in rows.iterrows():
        cells: list[Cell] = [label(one, row[one]) for one in labels]
        for shown in columns:
            if isinstance(shown.of, tuple):
                cells.append((number(row, output, shown.of[0]), number(row, output, shown.of[1])))
            else:
                cells.append(number(row, output, shown.of))
        found.append(tuple(cells))
    heads = [Column(one, "text") for one in labels] + [Column(shown.key, shown.kind) for shown in columns]
    return Table(name, tuple(heads), tuple(found), said)


def by_time(rows: pd.DataFrame, subject: Subject) -> pd.DataFrame:
    """The rows of the services asked for, by service and period, the whole last; totals over services first."""
    order = {period: place for place, period in enumerate((*subject.periods, TOTAL))}
    mine = subject.mine(rows)
    mine = mine[mine["period"].isin(list(order))]
    key = [service != TOTAL for service in mine["service"]]
    told = mine.assign(_first=key, _place=mine["period"].map(order))
    return told.sort_values(["_first", "service", "_place"], kind="stable").drop(columns=["_first", "_place"])


def lines(
    rows: pd.DataFrame, output: str, subject: Subject, column: str, interval: tuple[str, str] | None = None
) -> tuple[Line, ...]:
    """A series for each service that is drawn, over the periods of the report."""
    return tuple(
        Line(
            label("service", service),
            tuple(_point(rows, output, service, one, column, interval) for one in subject.periods),
        )
        for service in subject.drawn
    )


def _point(  # noqa: PLR0913, PLR0917 - which row and which columns of it
    rows: pd.DataFrame, output: str, service: str, period: str, column: str, interval: tuple[str, str] | None
) -> Point:
    found = rows[(rows["service"] == service) & (rows["period"] == period)]
    if found.empty:
        return Point(None)
    row = found.iloc[0]
    ends = (None, None) if interval is None else tuple(number(row, output, one) for one in interval)
    return Point(number(row, output, column), ends[0], ends[1])
