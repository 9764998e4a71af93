"""A table as an attacker sees it: its cells, and which of them are the sum of which others."""

from __future__ import annotations

from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TOTAL: Final = "*"  # stands in a column for all of its values together; no service, period or zone is named so
_EQUAL: Final = 1e-6

Key = tuple[str, ...]
NONE: Final[Mapping[Key, Sequence[Key]]] = MappingProxyType({})


class NotATableError(ValueError):
    """A total that is less than one of its parts, more than all of them, or told twice."""


class Equation(NamedTuple):
    """A total and its parts, as places of cells."""

    total: int
    parts: tuple[int, ...]


class Cells(NamedTuple):
    """The cells of a table, and of the totals that it does not show: whoever attacks may know those from elsewhere.

    Attributes
    ----------
    keys
        Of each cell, the values of its dimensions; `TOTAL` where it is the total over one.
    shown
        How many of them, the first ones, are rows of the table; the others are totals that it does not show.
    equations
        Each total over one dimension with its parts.
    """

    keys: tuple[Key, ...]
    shown: int
    equations: tuple[Equation, ...]

    def values(self, told: Floats) -> Floats:
        """The values of all cells by those of the table's rows; totals that it does not show are the sums of parts."""
        known = np.full(len(self.keys), np.nan)
        known[: self.shown] = told
        for equation in self.equations:  # parts come before what is the total of them
            if np.isnan(known[equation.total]):
                known[equation.total] = known[list(equation.parts)].sum()
        return known


def cells(frame: pd.DataFrame, by: Sequence[str], further: Mapping[Key, Sequence[Key]] = NONE) -> Cells:
    """Return the cells of a table with a row for each combination of what `by` names, totals marked by `TOTAL`.

    Several tables over the same dimensions may stand in one frame: rows that are a total over a dimension in one of
    them are cells that they share. `further` names rows that are the sum of some others, as a year to date is of its
    quarters.

    Raises
    ------
    NotATableError
        Two rows for one cell.
    """
    keys = [tuple(str(value) for value in row) for row in frame[list(by)].itertuples(index=False, name=None)]
    places = {key: place for place, key in enumerate(keys)}
    if len(places) < len(keys):
        raise NotATableError("a cell of the table is told twice")
    equations: list[Equation] = []
    spanning = {one for total, parts in further.items() for one in _spanning(total, parts)}
    for stars in range(len(by)):
        for dimension in range(len(by)):
            families: dict[Key, list[int]] = {}
            for key, place in list(places.items()):
                counts = key[dimension] != TOTAL and (dimension, key[dimension]) not in spanning
                if counts and key.count(TOTAL) == stars:
                    families.setdefault(_over(key, dimension), []).append(place)
            for total, parts in families.items():
                places.setdefault(total, len(places))
                equations.append(Equation(places[total], tuple(parts)))
    equations += [Equation(places[total], tuple(places[part] for part in parts)) for total, parts in further.items()]
    return Cells(tuple(places), len(keys), tuple(equations))


def constraints(known: Cells, values: Floats) -> Iterator[tuple[dict[int, float], float]]:
    """Yield what holds of the values whoever looks at them: coefficients by cell, and the least that their sum is.

    A total that is the sum of its parts is told so twice, from either side. Patients may stand in several parts: a
    total of those is no less than any part and no more than all of them.

    Raises
    ------
    NotATableError
        A total of the table is neither.
    """
    for total, parts in known.equations:
        summed = float(values[list(parts)].sum())
        if abs(summed - values[total]) <= _EQUAL * max(1.0, summed):
            yield {total: -1.0, **dict.fromkeys(parts, 1.0)}, 0.0
            yield {total: 1.0, **dict.fromkeys(parts, -1.0)}, 0.0
        elif values[list(parts)].max() <= values[total] <= summed:
            yield {total: -1.0, **dict.fromkeys(parts, 1.0)}, 0.0
            yield from (({total: 1.0, part: -1.0}, 0.0) for part in parts)
        elif total < known.shown:
            raise NotATableError("a total of the table is less than one of its parts, or more than all of them")


def with_totals(told: Callable[[tuple[str, ...]], pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    """Return the table that `told` gives by `by`, and every total of it, below one another.

    `told` is asked for every selection of the dimensions, as `lambda by: rates(care_events, scope, by=by)`.
    """
    found = []
    for held in range(len(by), -1, -1):
        for some in combinations(by, held):
            frame = told(some)
            missing = {name: TOTAL for name in by if name not in some}
            found.append(frame.assign(**missing))
    whole = pd.concat(found, ignore_index=True)
    others = [name for name in whole.columns if name not in by]
    return whole[[*by, *others]]


def _spanning(total: Key, parts: Sequence[Key]) -> Iterator[tuple[int, str]]:
    """The dimensions along which a sum that is named spans its parts, with its value there: it counts once, in them."""
    for part in parts:
        yield from ((place, one) for place, (one, of) in enumerate(zip(total, part, strict=True)) if one != of)


def _over(key: Key, dimension: int) -> Key:
    return (*key[:dimension], TOTAL, *key[dimension + 1 :])
