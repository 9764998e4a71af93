"""Whoever knows every number that is told, and every total, finds out no number that is hidden.

The attacker of `tests/oracles/disclosure.py` solves for the least and the most that each hidden cell can be.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.disclosure.suppressing import LEAST, WIDTH, Group, suppressed
from tests.oracles.disclosure import ALL, Key, intervals, with_totals

COUNTS = (Group("n", ("n",)),)


def frame(told: dict[Key, float], rows: list[Key] | None = None) -> pd.DataFrame:
    """Cells as a table with a column for each dimension."""
    shown = list(told) if rows is None else rows
    names = [f"d{place}" for place in range(len(shown[0]))]
    return pd.DataFrame([(*key, told[key]) for key in shown], columns=[*names, "n"])


def dimensions(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name in ("d0", "d1", "d2")]


def hidden_in(found: pd.DataFrame) -> set[Key]:
    return {tuple(row) for row in found.loc[found["n_hidden"], dimensions(found)].itertuples(index=False, name=None)}


def inner_of(sizes: tuple[int, ...], values: list[int]) -> dict[Key, float]:
    keys = product(*[[f"{'abc'[place]}{number}" for number in range(size)] for place, size in enumerate(sizes)])
    return {key: float(value) for key, value in zip(keys, values, strict=True)}


SIZES = st.sampled_from([(4,), (7,), (2, 2), (3, 4), (5, 4), (2, 8), (2, 3, 3)])
VALUES = st.one_of(st.just(0), st.integers(1, 4), st.integers(1, 12), st.integers(5, 60))


@st.composite
def tables(draw: st.DrawFn) -> dict[Key, float]:
    """The cells of a random table by one to three dimensions, without totals."""
    sizes = draw(SIZES)
    return inner_of(sizes, [draw(VALUES) for _ in range(int(np.prod(sizes)))])


@given(tables())
@settings(deadline=None, max_examples=40)
def test_no_hidden_cell_of_a_table_with_all_its_totals_is_found_out(inner: dict[Key, float]) -> None:
    told = with_totals(inner)
    found = suppressed(frame(told), dimensions(frame(told)), COUNTS)
    hidden = hidden_in(found)
    assert {key for key, value in told.items() if 0 < value < LEAST} <= hidden
    assert not found.loc[~found["n_hidden"], "n"].between(1, LEAST - 1).any()
    assert found.loc[found["n_hidden"], "n"].isna().all()
    assert found.attrs["not_elsewhere"] == {"n": []}
    for key, (least, most) in intervals(list(inner), told, hidden).items():
        assert least <= told[key] <= most
        assert most - least >= WIDTH


@given(tables())
@settings(deadline=None, max_examples=25)
def test_nor_is_one_of_a_table_whose_totals_are_told_elsewhere(inner: dict[Key, float]) -> None:
    """Small totals are hidden wherever they stand, and those that the table asks not to be told are not told."""
    told = with_totals(inner)
    table = frame(told, list(inner))
    found = suppressed(table, dimensions(table), COUNTS)
    hidden = hidden_in(found)
    small = {key for key, value in told.items() if 0 < value < LEAST}
    not_elsewhere = set(found.attrs["not_elsewhere"]["n"])
    for key, (least, most) in intervals(list(inner), told, hidden | small | not_elsewhere).items():
        if key in hidden:
            assert most - least >= WIDTH


def test_a_table_without_small_numbers_is_told_whole_and_zeros_are_told() -> None:
    told = with_totals(inner_of((2, 3), [0, 5, 9, 12, 0, 7]))
    found = suppressed(frame(told), ("d0", "d1"), COUNTS)
    assert not found["n_hidden"].any()
    assert found["n"].tolist() == list(told.values())


def test_of_a_row_with_one_small_number_another_is_hidden_too() -> None:
    found = suppressed(frame(with_totals(inner_of((4,), [3, 20, 8, 40]))), ("d0",), COUNTS)
    assert found["n_hidden"].sum() == 2
    assert found.set_index("d0").loc["a2", "n_hidden"]  # the least that there is besides
    assert not found.set_index("d0").loc[TOTAL, "n_hidden"]


def test_all_services_and_all_but_one_give_nothing_away() -> None:
    """Whoever subtracts the one from the other finds the hospital's own number: they are to be told in one table."""
    hospital, *others = [("a", "hospital"), ("b", "others"), ("c", "others"), ("d", "others")]
    inner = dict(zip([hospital, *others], [3.0, 30.0, 25.0, 40.0], strict=True))
    told = with_totals(inner)
    rows = [key for key in told if ALL in key]
    hidden = hidden_in(suppressed(frame(told, rows), ("d0", "d1"), COUNTS))
    assert {(ALL, "others"), (ALL, ALL)} & hidden
    assert len({("b", ALL), ("c", ALL), ("d", ALL)} & hidden) == 1
    for least, most in intervals(list(inner), {key: told[key] for key in rows}, hidden).values():
        assert most - least >= WIDTH


def test_two_groupings_of_the_same_patients_give_nothing_away_together() -> None:
    """By town and by pathway, in one frame: their common totals are the same cells."""
    inner = inner_of((3, 3), [3, 9, 14, 8, 11, 2, 13, 20, 30])
    told = with_totals(inner)
    rows = [key for key in told if ALL in key]
    found = suppressed(frame(told, rows), ("d0", "d1"), COUNTS)
    hidden = hidden_in(found)
    for least, most in intervals(list(inner), {key: told[key] for key in rows}, hidden).values():
        assert most - least >= WIDTH


@given(st.lists(VALUES, min_size=2, max_size=8))
@settings(deadline=None, max_examples=25)
def test_quarters_and_the_year_to_date_give_nothing_away(values: list[int]) -> None:
    """Two numbers to date, one less the other, are a quarter's: they are told as further totals of the table."""
    inner = {(f"q{number}",): float(value) for number, value in enumerate(values)}
    to_date = {(f"to q{number}",): list(inner)[: number + 1] for number in range(1, len(values))}
    told = {**with_totals(inner), **{key: sum(inner[part] for part in parts) for key, parts in to_date.items()}}
    found = suppressed(frame(told), ("d0",), COUNTS, further=to_date)
    for least, most in intervals(list(inner), told, hidden_in(found), sums=to_date).values():
        assert most - least >= WIDTH


def test_without_being_told_so_the_year_to_date_gives_a_quarter_away() -> None:
    """The attack itself works, or the test above would be empty."""
    inner = {("q0",): 12.0, ("q1",): 2.0, ("q2",): 30.0}
    to_date = {("to q0",): [("q0",)], ("to q1",): [("q0",), ("q1",)]}
    told = {**with_totals(inner), ("to q0",): 12.0, ("to q1",): 14.0}
    hidden = hidden_in(suppressed(frame(with_totals(inner)), ("d0",), COUNTS))
    assert intervals(list(inner), told, hidden, sums=to_date)[("q1",)] == (2.0, 2.0)


def test_a_number_of_few_patients_is_hidden_whatever_its_size_and_widely() -> None:
    """Sixty registrations of three patients: whoever is one of them must not find out what the others did."""
    table = pd.DataFrame(
        {"d0": ["a", "b", "c", TOTAL], "n": [60.0, 45.0, 200.0, 305.0], "patients": [3.0, 9.0, 12.0, 24.0]}
    )
    found = suppressed(table, ("d0",), (Group("n", ("n", "patients")),))
    hidden = hidden_in(found)
    assert ("a",) in hidden
    told = {("a",): 60.0, ("b",): 45.0, ("c",): 200.0, (TOTAL,): 305.0}
    least, most = intervals([("a",), ("b",), ("c",)], told, hidden)["a",]
    assert most - least >= 30


def test_what_is_left_of_the_whole_may_not_be_small_either() -> None:
    table = pd.DataFrame({"d0": ["a", "b"], "patients": [30.0, 40.0], "took_part": [28.0, 20.0]})
    groups = (Group("patients", ("patients",)), Group("part", ("took_part",), parts=(("took_part", "patients"),)))
    found = suppressed(table, ("d0",), groups).set_index("d0")
    assert not found["patients_hidden"].any()
    assert found.loc["a", "part_hidden"]


def test_days_of_few_patients_are_hidden_with_them_and_not_found_by_subtraction() -> None:
    table = pd.DataFrame(
        {
            "d0": ["a", "b", "c", TOTAL],
            "followed": [3.0, 9.0, 12.0, 24.0],
            "days": [270.5, 800.25, 1080.0, 2150.75],
            "rate": [1.0, 2.0, 3.0, 2.0],
        }
    )
    found = suppressed(table, ("d0",), (Group("n", ("followed",), amounts=("days",), figures=("rate",)),))
    hidden = hidden_in(found)
    assert found.loc[found["n_hidden"], ["followed", "days", "rate"]].isna().all(axis=None)
    told = {(key,): value for key, value in zip(table["d0"], table["days"], strict=True)}
    least, most = intervals([("a",), ("b",), ("c",)], told, hidden, whole=False)["a",]
    assert most - least >= 270.5 / 2


def test_what_is_hidden_in_one_group_is_hidden_in_those_after_it() -> None:
    table = pd.DataFrame({"d0": ["a", "b", "c"], "followed": [2.0, 30.0, 40.0], "n": [0.0, 20.0, 9.0]})
    found = suppressed(table, ("d0",), (Group("who", ("followed",)), Group("n", ("n",))))
    assert (found["n_hidden"] >= found["who_hidden"]).all()
    assert found["n_hidden"].iloc[0]


def test_the_same_days_in_several_tables_are_hidden_in_all_or_none() -> None:
    rows = [
        {"measure": measure, "d0": town, "followed": who, "days": days, "n": n}
        for measure, scale in (("admissions", 0.9), ("bed_days", 1.0))
        for town, who, days, n in (("a", 3, 270, 1), ("b", 40, 3600, 30), ("c", 12, 1080, 8))
        for days in (days * scale,)
    ]
    groups = (Group("who", ("followed",), amounts=("days",), shared=True), Group("n", ("n",)))
    found = suppressed(pd.DataFrame(rows), ("d0",), groups, per="measure")
    by_measure = [one["who_hidden"].tolist() for _, one in found.groupby("measure")]
    assert by_measure[0] == by_measure[1]
    assert by_measure[0][0]


def test_moves_in_and_out_are_told_for_a_whole_series_or_not_at_all() -> None:
    """Users before and moves give users after: one quarter's moves would give its hidden users away."""
    rows = [("a", "1", 6.0), ("a", "2", 2.0), ("a", "3", 9.0), ("b", "1", 20.0), ("b", "2", 25.0), ("b", "3", 30.0)]
    table = pd.DataFrame(rows, columns=["d0", "d1", "n"])
    found = suppressed(table, ("d0", "d1"), (Group("n", ("n",), along="d1"),))
    per_series = found.groupby("d0")["n_hidden"].nunique()
    assert (per_series == 1).all()
    assert found.loc[found["d0"] == "a", "n_hidden"].all()


@pytest.mark.parametrize("columns", [["d0"], ["d0", "d1"]])
def test_an_empty_table_stays_empty(columns: list[str]) -> None:
    table = pd.DataFrame({name: pd.Series(dtype=str) for name in columns} | {"n": pd.Series(dtype=float)})
    assert suppressed(table, columns, COUNTS).empty
