"""Rows as analysts get them: one frame, tidy, the same from every store."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Final

import pandas as pd

from agents.stores.port import ReadError, ReadFault

if TYPE_CHECKING:
    from collections.abc import Sequence

Identity = tuple[str, tuple[tuple[str, str], ...], int]  # measurement, tags by name, time [ns]
_NOT_ROWS: Final = frozenset({"result", "table", ""})
# The table by which Flux tells, within a 200, that it gave up: at the start, or after an empty line.
_FAILED: Final = re.compile(r"(?:\A\s*|\r?\n\r?\n)(?:#[^\n]*\n)*,?error,reference\r?\n")


def tidy(rows: pd.DataFrame, *, fields: Sequence[str]) -> pd.DataFrame:
    """Return `rows` by time, with `time` first, the other columns in alphabetical order, and every wanted field.

    `rows` has a column `time` of UTC instants, and any others.
    """
    columns = sorted({*rows.columns, *fields} - {"time"})
    ordered = rows.reindex(columns=["time", *columns])
    ordered["time"] = pd.to_datetime(ordered["time"], utc=True).astype("datetime64[ms, UTC]")
    return ordered.sort_values("time", kind="stable", ignore_index=True)


def from_csv(answer: str, *, fields: Sequence[str]) -> pd.DataFrame:
    """Return the frame of one annotated CSV table as InfluxDB answers it; see `table` for what is raised."""
    rows = table(answer)
    if rows is None:
        return tidy(pd.DataFrame({"time": []}), fields=fields)
    return tidy(rows.rename(columns={"_time": "time"}), fields=fields)


def values(answer: str, measurement: str) -> dict[Identity, float | str]:
    """Return what a `look_up_query` found: by a point's identity, what stands in the field that was asked for.

    Raises
    ------
    ReadError
        As from `table`.
    """
    rows = table(answer)
    if rows is None:
        return {}
    at_ns = rows.pop("_time").dt.as_unit("ns").astype("int64")
    held = rows.pop("_value")
    empty: float | str = 0.0 if held.dtype == "float64" else ""  # an empty text reads as missing
    tags = [
        tuple((name, text) for name, text in zip(sorted(rows.columns), row, strict=True) if not pd.isna(text))
        for row in rows[sorted(rows.columns)].itertuples(index=False, name=None)
    ]
    return {
        (measurement, of, int(at)): empty if pd.isna(value) else value
        for of, at, value in zip(tags, at_ns, held, strict=True)
    }


def table(answer: str) -> pd.DataFrame | None:
    """Return one annotated CSV table as InfluxDB answers it (its `datatype` annotation alone); None: it is empty.

    Types come from the annotation and not from a guess, so a text of digits stays text. InfluxDB ends lines with a
    carriage return and a newline, within a text too, where it drops the carriage returns that were stored.

    Raises
    ------
    ReadError
        The query failed after it had begun to answer, or this is no answer of InfluxDB.
    """
    if any(_unquoted(answer, failed) for failed in _FAILED.finditer(answer)):
        raise ReadError(ReadFault.FAILED, "InfluxDB gave up within its answer: ask for less, or see its own log")
    text = answer.replace("\r\n", "\n").strip("\n")
    if not text:
        return None
    if not text.startswith("#datatype,"):
        raise ReadError(ReadFault.MISCONFIGURED, "this does not answer as InfluxDB does: check the address")
    annotation, _, body = text.partition("\n")
    names = body.partition("\n")[0].split(",")
    kinds = dict(zip(names, annotation.split(","), strict=True))
    rows = pd.read_csv(
        StringIO(body),
        usecols=[name for name in names if name not in _NOT_ROWS],
        dtype={name: "float64" if kind == "double" else str for name, kind in kinds.items()},
        keep_default_na=False,
        na_values=[""],
    )
    rows["_time"] = pd.to_datetime(rows["_time"], format="ISO8601", utc=True)
    return rows


def _unquoted(answer: str, found: re.Match[str]) -> bool:
    return answer.count('"', 0, found.start()) % 2 == 0
