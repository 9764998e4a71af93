"""Hide in a table what tells of fewer than five, and what would give it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.outcomes.disclosure.cells import NONE, Cells, cells
from pipeline.outcomes.disclosure.companions import Column, hidden_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.outcomes.disclosure.cells import Key

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

LEAST: Final = 5  # fewer than so many, and not none, are hidden
WIDTH: Final = LEAST - 2  # an attacker must deem at least four numbers possible: as many as 1 to 4 are
OF_FEW: Final = 0.5  # of a large number that tells of few patients, how far apart what is possible must lie


class Group(NamedTuple):
    """Columns of an output that are hidden together, row by row.

    Attributes
    ----------
    name
        `NAME_hidden` tells in the output what was hidden.
    counts
        Whole numbers, of patients or of what happened to them: where one of them is small all are hidden.
    amounts
        Sums that are no counts, as days.
    figures
        What is worked out from them.
    parts
        A count and the count that it is a part of: what is left of the whole may not be small either.
    shared
        The same for every value of what tables are told `per`.
    along
        A dimension: hidden for one value of it is hidden for all.
    """

    name: str
    counts: tuple[str, ...]
    amounts: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    shared: bool = False
    along: str | None = None

    @property
    def columns(self) -> list[str]:
        """All that is hidden."""
        return [*self.counts, *self.amounts, *self.figures]


class _Gone(NamedTuple):
    """Which rows or cells are hidden, and which of them as they tell of few and not as companions."""

    hidden: Bools
    few: Bools


def suppressed(
    table: pd.DataFrame,
    by: Sequence[str],
    groups: Sequence[Group],
    *,
    per: str | None = None,
    further: Mapping[Key, Sequence[Key]] = NONE,
) -> pd.DataFrame:
    """Return `table` with what must be hidden as missing, and a column `NAME_hidden` for each group that says where.

    `attrs["not_elsewhere"]` names, by group, totals that the table does not show and that would give something away if
    they were told elsewhere: none where the table has its totals.

    Parameters
    ----------
    table
        A row for each combination of what `by` names, `cells.TOTAL` where it is a total. Totals that are not in it are
        taken as known from elsewhere.
    groups
        Where a row is hidden in one group it is hidden in those after it.
    per
        A column that tells several tables apart that stand below one another.
    further
        Rows that are the sum of others, by the values of their dimensions: a year to date is that of its quarters.
    """
    kept = table.reset_index(drop=True)
    tells = kept[per] if per is not None else pd.Series("", index=kept.index)
    names = list(dict.fromkeys(tells))
    rows = {name: np.flatnonzero(tells == name) for name in names}
    before = {name: _nothing(len(rows[name])) for name in names}
    told = kept.copy()
    not_elsewhere: dict[str, list[Key]] = {}
    for group in groups:
        found = np.zeros(len(kept), np.bool_)
        unshown: set[Key] = set()
        for some in [names] if group.shared and names else [[name] for name in names]:
            tables = [kept.iloc[rows[name]] for name in some]
            known = cells(tables[0], by, further)
            gone, withheld = _hidden(tables, by, group, [before[name] for name in some], known)
            unshown |= withheld
            for name, of_table in zip(some, gone, strict=True):
                before[name] = of_table
                found[rows[name]] = of_table.hidden
        for column in group.columns:
            told[column] = told[column].astype("float64").mask(found)
        told[f"{group.name}_hidden"] = found
        not_elsewhere[group.name] = sorted(unshown)
    told.attrs["not_elsewhere"] = not_elsewhere
    return told


def small(values: Floats) -> Bools:
    """Whether numbers are below five and not 0."""
    found: Bools = (values > 0) & (values < LEAST)
    return found


def _hidden(
    tables: Sequence[pd.DataFrame], by: Sequence[str], group: Group, before: Sequence[_Gone], known: Cells
) -> tuple[list[_Gone], set[Key]]:
    """Where the rows of one or more tables over the same cells are hidden, and which totals that they do not show."""
    places = [_places(known, table, by) for table in tables]
    values = {
        (number, name): known.values(_ordered(table[name], place))
        for number, (table, place) in enumerate(zip(tables, places, strict=True))
        for name in (*group.counts, *group.amounts)
    }
    few, primary = _nothing(len(known.keys))
    for place, (gone, of_few) in zip(places, before, strict=True):
        primary[place[gone]] = True
        few[place[of_few]] = True
    for (_, name), column in values.items():
        if name in group.counts:
            few |= small(column)
    for number, table in enumerate(tables):
        for part, whole in group.parts:
            total = known.values(_ordered(table[whole], places[number]))
            few |= small(total - values[number, part])
    primary |= few
    columns = [
        Column(column, _wanted(column, few, whole=name in group.counts), whole=name in group.counts)
        for (_, name), column in values.items()
    ]
    hidden = hidden_with(known, columns, primary)
    while group.along is not None:
        spread = _along(known, hidden, list(by).index(group.along))
        if (spread == hidden).all():
            break
        hidden = hidden_with(known, columns, spread)
    unshown = {key for key, gone in zip(known.keys[known.shown :], hidden[known.shown :], strict=True) if gone}
    return [_Gone(hidden[place], few[place]) for place in places], unshown


def _wanted(values: Floats, few: Bools, *, whole: bool) -> Floats:
    """How far apart what is possible must lie: of what tells of few, half of its size; companions must not be known."""
    half: Floats = np.where(few, OF_FEW * values, 0.0)
    return np.maximum(np.ceil(half), WIDTH) if whole else half


def _nothing(count: int) -> _Gone:
    return _Gone(np.zeros(count, np.bool_), np.zeros(count, np.bool_))


def _along(known: Cells, hidden: Bools, dimension: int) -> Bools:
    """What is hidden where a whole series is hidden if any of it is."""
    series = [(*key[:dimension], *key[dimension + 1 :]) for key in known.keys]
    some = {one for one, gone in zip(series, hidden, strict=True) if gone}
    return np.array([one in some for one in series], np.bool_)


def _places(known: Cells, table: pd.DataFrame, by: Sequence[str]) -> NDArray[np.int64]:
    """Where in the cells each row of a table stands."""
    place = {key: number for number, key in enumerate(known.keys)}
    keys = table[list(by)].astype("str").itertuples(index=False, name=None)
    return np.array([place[key] for key in keys], np.int64)


def _ordered(column: pd.Series, places: NDArray[np.int64]) -> Floats:
    """A column in the order of the cells."""
    found = np.zeros(len(places))
    found[places] = column.fillna(0.0).to_numpy(np.float64)
    return found
