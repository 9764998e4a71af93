"""Whoever attacks a published table: what it shows, every total, and a solver."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped] # scipy ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

Key = tuple[str, ...]
ALL = "*"


def with_totals(inner: Mapping[Key, float]) -> dict[Key, float]:
    """The cells of a table and every total over any of its dimensions."""
    told: dict[Key, float] = {}
    for key, value in inner.items():
        for mask in range(2 ** len(key)):
            over = tuple(ALL if mask >> place & 1 else name for place, name in enumerate(key))
            told[over] = told.get(over, 0.0) + value
    return told


def intervals(
    inner: Sequence[Key],
    told: Mapping[Key, float],
    hidden: AbstractSet[Key],
    *,
    whole: bool = True,
    sums: Mapping[Key, Sequence[Key]] = MappingProxyType({}),
) -> dict[Key, tuple[float, float]]:
    """The least and the most that each hidden cell or total can be, by all that is not hidden.

    Every cell within is an unknown that is not below 0; each number that is told, of a cell or a total, is an equation
    in them. Nothing of how the table was protected is used. `sums` are numbers that are the sum of some cells.
    """
    rows = {key: [float(cell in sums[key]) for cell in inner] if key in sums else _row(key, inner) for key in told}
    shown = [key for key in told if key not in hidden]
    left = np.array([rows[key] for key in shown]) if shown else None
    right = np.array([told[key] for key in shown]) if shown else None
    found = {}
    for key in hidden:
        ends = []
        for sign in (1.0, -1.0):
            asked = linprog(
                sign * np.array(rows[key]),
                A_eq=left,
                b_eq=right,
                bounds=(0, None),
                integrality=np.full(len(inner), int(whole)),
            )
            if asked.status in {3, 4}:  # without a bound
                ends.append(np.inf)
            else:
                assert asked.success, asked.message
                ends.append(float(asked.fun) * sign)
        found[key] = (ends[0], ends[1])
    return found


def _row(key: Key, inner: Sequence[Key]) -> list[float]:
    """Which cells within a cell or total is the sum of."""
    return [float(all(mine in (ALL, theirs) for mine, theirs in zip(key, cell, strict=True))) for cell in inner]
