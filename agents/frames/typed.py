"""Rows as the store has them, made into columns of their kinds: what is not given is missing, and never a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from agents.frames.columns import Column, Kind
from agents.storing.points import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTANT: Final = "datetime64[ms, UTC]"


def typed(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Return `columns` in their order, each of its kind; a column that `rows` lacks is missing throughout."""
    lacking = pd.Series(index=rows.index, dtype="float64")
    return pd.DataFrame({one.name: _typed(rows.get(one.source, lacking), one) for one in columns}, index=rows.index)


def whole(parts: Sequence[pd.DataFrame], columns: Sequence[Column]) -> pd.DataFrame:
    """Return `parts`, one below the other; names that only some of them have are names of the whole."""
    if not parts:
        return typed(pd.DataFrame(), columns)
    return pd.DataFrame({one.name: _joined([part[one.name] for part in parts], one) for one in columns})


def ordered(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the rows in an order that is the same whatever order the store gave them in."""
    return frame.sort_values(list(by), kind="stable", ignore_index=True)


def _typed(held: pd.Series, column: Column) -> pd.Series:
    match column.kind:
        case Kind.INSTANT:
            return instants(held)
        case Kind.CODE | Kind.NAME:
            return _categories(held, column.codes)
        case Kind.ID:
            return _texts(held)
        case Kind.FLAG:
            numbers = held.astype("float64")
            return (numbers > 0).astype("boolean").mask(numbers.isna())
        case Kind.COUNT:
            return _known(held, column).round().astype("Int64")
        case Kind.NUMBER:
            return _known(held, column)


def instants(held: pd.Series) -> pd.Series:
    """Return instants, or milliseconds since 1970, as instants; a number below 0 is none."""
    if isinstance(held.dtype, pd.DatetimeTZDtype):
        return held.astype(INSTANT)
    numbers = held.astype("float64")
    return pd.to_datetime(numbers.where(numbers >= 0), unit="ms", utc=True).astype(INSTANT)


def _known(held: pd.Series, column: Column) -> pd.Series:
    numbers = held.astype("float64")
    return numbers if column.known_from is None else numbers.where(numbers >= column.known_from)


def _texts(held: pd.Series) -> pd.Series:
    texts = held.astype("str")
    return texts.mask(held.isna() | (texts == NONE))


def _categories(held: pd.Series, codes: Sequence[str]) -> pd.Series:
    places, found = pd.factorize(held)  # a missing one is at place -1
    words = [str(word) for word in found]
    # A word that the set does not have was written by a newer version: it is shown rather than lost.
    categories = [*codes, *sorted(set(words).difference(codes, (NONE,)))]
    at = {word: place for place, word in enumerate(categories)}
    moved = np.array([*(at.get(word, -1) for word in words), -1], dtype="int32")
    told = pd.Categorical.from_codes(moved[places], categories=pd.Index(categories, dtype="str"))
    return pd.Series(told, index=held.index)


def _joined(parts: Sequence[pd.Series], column: Column) -> pd.Series:
    if column.kind not in {Kind.CODE, Kind.NAME}:
        return pd.concat(parts, ignore_index=True)
    together: Any = union_categoricals([part.array for part in parts], sort_categories=False)
    known = together.categories
    categories = [*column.codes, *sorted(set(known).difference(column.codes))]
    return pd.Series(together.set_categories(categories))
