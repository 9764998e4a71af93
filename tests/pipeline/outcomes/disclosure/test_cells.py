"""A table's cells, and which of them are the sum of which others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.outcomes.disclosure.cells import TOTAL, NotATableError, cells, constraints, with_totals


def table(rows: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["town", "period"])


def test_totals_that_a_table_does_not_show_are_cells_too_and_the_sums_of_their_parts() -> None:
    known = cells(table([("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]), ("town", "period"))
    assert known.shown == 4
    assert set(known.keys[4:]) == {(TOTAL, "1"), (TOTAL, "2"), ("a", TOTAL), ("b", TOTAL), (TOTAL, TOTAL)}
    values = dict(zip(known.keys, known.values(np.array([1.0, 2.0, 3.0, 4.0])), strict=True))
    assert values["a", TOTAL] == 3.0
    assert values[TOTAL, TOTAL] == 10.0


def test_totals_that_it_shows_are_the_tables_own() -> None:
    known = cells(table([("a", "1"), ("b", "1"), (TOTAL, "1")]), ("town", "period"))
    values = dict(zip(known.keys, known.values(np.array([1.0, 2.0, 3.0])), strict=True))
    assert values[TOTAL, "1"] == values[TOTAL, TOTAL] == 3.0


def test_patients_who_stand_in_several_cells_make_a_total_of_at_most_their_sum() -> None:
    known = cells(table([("a", "1"), ("b", "1"), (TOTAL, "1")]), ("town", "period"))
    told = [row for row, _ in constraints(known, known.values(np.array([5.0, 6.0, 8.0])))]
    assert {2: -1.0, 0: 1.0, 1: 1.0} in told
    assert {2: 1.0, 0: -1.0} in told
    assert {2: 1.0, 0: -1.0, 1: -1.0} not in told


@pytest.mark.parametrize("total", [4.0, 12.0])
def test_a_total_that_cannot_be_one_is_refused(total: float) -> None:
    known = cells(table([("a", "1"), ("b", "1"), (TOTAL, "1")]), ("town", "period"))
    with pytest.raises(NotATableError, match="less than one of its parts"):
        list(constraints(known, known.values(np.array([5.0, 6.0, total]))))


def test_a_cell_told_twice_is_refused() -> None:
    with pytest.raises(NotATableError, match="twice"):
        cells(table([("a", "1"), ("a", "1")]), ("town", "period"))


def test_every_total_is_asked_for() -> None:
    def told(by: tuple[str, ...]) -> pd.DataFrame:
        return pd.DataFrame([{**dict.fromkeys(by, "x"), "n": len(by)}])

    found = with_totals(told, ("town", "period"))
    assert found.to_numpy().tolist() == [["x", "x", 2], ["x", TOTAL, 1], [TOTAL, "x", 1], [TOTAL, TOTAL, 0]]
