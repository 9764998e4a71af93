"""Which further cells are hidden so that those that must be cannot be worked out from the totals.

For each hidden cell two tables are looked for that an attacker cannot tell from the true one: both agree with all that
is shown, and the cell differs between them by as much as is wanted. Where there are none, the cheapest further cells
are hidden that make some: the linear-programming heuristic for complementary suppression [1]. The two tables are of
whole numbers where the values are, so what is found holds against whoever knows that.

[1] Kelly, Golden and Assad, Networks 22 (4), 1992, doi:10.1002/net.3230220407; Hundepool et al., Statistical Disclosure
    Control, 2012, 4.4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped] # scipy ships no types
from scipy.sparse import csr_array, hstack  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.disclosure.cells import TOTAL, constraints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.outcomes.disclosure.cells import Cells

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

_OF_TOTAL: Final = 4.0  # a total is worth more than its parts: our choice
_OF_ZERO: Final = 30.0  # a zero is hidden where nothing else helps
_OF_UNSHOWN: Final = 1e4  # a total that the table does not show is known, unless nothing else helps
_MOVED: Final = 1e-6


class UnprotectedError(RuntimeError):
    """No set of hidden cells protects the table; that cannot be, as all may be hidden."""


class Column(NamedTuple):
    """One additive column of a table.

    Attributes
    ----------
    values
        Of all cells of the table's `Cells`.
    wanted
        How far the values that an attacker must deem possible lie apart, for each cell where it is hidden.
    whole
        Whether the values are whole numbers.
    """

    values: Floats
    wanted: Floats
    whole: bool = True


def hidden_with(known: Cells, columns: list[Column], primary: Bools) -> Bools:
    """Return which cells are hidden, `primary` ones among them, so that each is protected in every column."""
    attacked = [_Attacked(known, column) for column in columns]
    hidden, before = primary.copy(), -1
    while before < int(hidden.sum()):  # what one column asks for is hidden in the others too
        before = int(hidden.sum())
        for column in attacked:
            hidden = column.protected(hidden)
    return hidden


class _Attacked:
    """A column, and what is known by now of the values that its cells may have."""

    def __init__(self, known: Cells, column: Column) -> None:
        values = column.values
        self._values, self._wanted, self._whole = column
        self._least, self._most = values.copy(), values.copy()
        rows = list(constraints(known, values))
        self._matrix = _matrix([row for row, _ in rows], len(values))
        # In terms of how far a cell moves from its true value.
        self._floor = np.array([least for _, least in rows]) - self._matrix @ values
        self._cost = _costs(known, values)

    def protected(self, hidden: Bools) -> Bools:
        """What is hidden once every hidden cell is protected."""
        found = hidden.copy()
        waiting = list(np.flatnonzero(found)[::-1])
        while waiting:
            place = waiting.pop()
            if self._most[place] - self._least[place] >= self._wanted[place] - _MOVED:
                continue
            moved = self._moved(place, found)
            new = moved & ~found
            found |= new
            waiting.extend(np.flatnonzero(new)[::-1])
        return found

    def _moved(self, place: int, hidden: Bools) -> Bools:
        """The cells that must be hidden for two tables in which one cell differs by what is wanted."""
        count = len(self._values)
        # Four parts: up and down from the true table to the one, up and down to the other. No value is below 0.
        anything = np.full(count, np.inf)
        upper = np.concatenate([anything, self._values, anything, self._values])
        price = np.where(hidden, 0.0, self._cost)
        apart = np.zeros((1, 4 * count))
        apart[0, [place, count + place, 2 * count + place, 3 * count + place]] = (1, -1, -1, 1)
        nothing = csr_array(self._matrix.shape)
        one = hstack([self._matrix, -self._matrix, nothing, nothing])
        other = hstack([nothing, nothing, self._matrix, -self._matrix])
        parts = self._cheapest(
            np.tile(price, 4) + _TIE,
            Bounds(0.0, upper),
            [
                LinearConstraint(one, self._floor, np.inf),
                LinearConstraint(other, self._floor, np.inf),
                LinearConstraint(csr_array(apart), self._wanted[place], np.inf),
            ],
        ).reshape(4, count)
        tables = np.stack([parts[0] - parts[1], parts[2] - parts[3]])
        moved: Bools = np.abs(tables).max(axis=0) > _MOVED
        self._least = np.minimum(self._least, self._values + tables.min(axis=0))
        self._most = np.maximum(self._most, self._values + tables.max(axis=0))
        return moved

    def _cheapest(self, price: Floats, bounds: Bounds, constraints: list[LinearConstraint]) -> Floats:
        """The cheapest tables, of whole numbers where the column's are; those of two dimensions are so unasked."""
        for integrality in (0, 1) if self._whole else (0,):
            found = milp(price, integrality=np.full(len(price), integrality), bounds=bounds, constraints=constraints)
            if found.x is None:
                raise UnprotectedError(found.message)
            told: Floats = np.rint(found.x) if self._whole else found.x
            if np.abs(told - found.x).max() <= _MOVED:
                return told
        raise UnprotectedError("the solver gave no whole numbers")


_TIE: Final = 1e-7  # of two ways of one price the one that moves less


def _costs(known: Cells, values: Floats) -> Floats:
    """What it costs to hide a cell, by how far it must move: more for totals, most for what is known elsewhere."""
    stars = np.array([key.count(TOTAL) for key in known.keys], np.float64)
    cost = np.log2(2.0 + values) * (1.0 + _OF_TOTAL * stars)
    cost = np.where(values == 0, cost * _OF_ZERO, cost)
    return np.where(np.arange(len(values)) < known.shown, cost, cost * _OF_UNSHOWN)


def _matrix(rows: list[dict[int, float]], count: int) -> csr_array:
    place = [number for number, row in enumerate(rows) for _ in row]
    column = [cell for row in rows for cell in row]
    value = [coefficient for row in rows for coefficient in row.values()]
    return csr_array((value, (place, column)), shape=(len(rows), count))
