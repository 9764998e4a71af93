"""The same question for long periods: InfluxQL makes rows of fields in a tenth of the time that Flux's `pivot` takes.

InfluxDB 2.x answers it at its 1.x address, where a bucket is a database of its name (virtual DBRP mapping). The token
says in which organisation; one that is good in several reads its own.

Source: InfluxDB OSS 2.x, "Query data with InfluxQL", "Database and retention policy mapping", "1.x compatibility API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import pandas as pd
from msgspec import Struct

from agents.stores.checks import check_beginning, check_name
from agents.stores.frames import tidy
from agents.stores.port import ReadError, ReadFault
from schemas.codec import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_NOT_HERE: Final = ("database not found", "retention policy not found")


class Query(NamedTuple):
    """What is posted: text without a single value in it, and the values beside it."""

    db: str
    rp: str
    q: str
    params: str
    epoch: str = "ns"


class _Series(Struct, frozen=True, rename={"rows": "values"}):
    columns: tuple[str, ...]
    rows: list[list[int | float | str | None]] = []  # instants are too long for a float
    partial: bool = False


class _Result(Struct, frozen=True):
    series: tuple[_Series, ...] = ()
    error: str | None = None
    partial: bool = False


class _Answer(Struct, frozen=True):
    results: tuple[_Result, ...]


_decoder: Final = msgspec.json.Decoder(_Answer)


def scan_query(  # noqa: PLR0913 - one argument for each part of the question
    bucket: str,
    measurement: str,
    *,
    start: datetime,
    stop: datetime,
    tags: Mapping[str, str],
    fields: Sequence[str],
    apart: Mapping[str, str],
) -> Query:
    """Return the query for the rows of `measurement`. Only names, and `apart`, stand in its text; each is checked.

    Raises RefusedPointError for a name that no point can have, ValueError for what cannot be left out.
    """
    for name in (measurement, *tags, *fields, *apart):
        check_name(name)
    for text in apart.values():
        check_beginning(text)  # a pattern cannot be given beside the query
    wanted = ", ".join((*(f'"{name}"::field' for name in fields), "*::tag")) if fields else "*"
    values = {"start": start.isoformat(), "stop": stop.isoformat()}
    tests = ["time >= $start", "time < $stop"]
    for place, (name, text) in enumerate(tags.items()):
        tests.append(f'"{name}"::tag = $tag{place}')
        values[f"tag{place}"] = text
    tests += [f'"{name}"::tag !~ /^{beginning}/' for name, beginning in apart.items()]
    database, _, policy = bucket.partition("/")
    query = f'SELECT {wanted} FROM "{measurement}" WHERE {" AND ".join(tests)}'  # noqa: S608 - no value in it
    return Query(database, policy or "autogen", query, msgspec.json.encode(values).decode())


def rows(answer: bytes, *, fields: Sequence[str]) -> pd.DataFrame:
    """Return the frame of what InfluxDB answers to a `scan_query`.

    Raises
    ------
    ReadError
        It gave up, or this is no answer of InfluxDB.
    """
    try:
        (result,) = _decoder.decode(answer).results
    except (*UNREADABLE, ValueError):
        raise ReadError(ReadFault.MISCONFIGURED, "this does not answer as InfluxDB does: check the address") from None
    if result.error is not None and any(text in result.error for text in _NOT_HERE):
        raise ReadError(ReadFault.MISCONFIGURED, "InfluxDB has no such bucket: check it, or run store apply")
    if result.error is not None or result.partial or any(one.partial for one in result.series):
        raise ReadError(ReadFault.FAILED, "InfluxDB gave up within its answer: ask for less, or see its own log")
    if not result.series:
        return tidy(pd.DataFrame({"time": []}), fields=fields)
    (series,) = result.series
    columns = dict(zip(series.columns, zip(*series.rows, strict=True), strict=True))
    times = pd.to_datetime(list(columns.pop("time")), unit="ns", utc=True)
    held = {name: [_held(value) for value in values] for name, values in columns.items()}
    return tidy(pd.DataFrame({"time": times, **held}), fields=fields)


def _held(value: float | str | None) -> float | str | None:
    """An empty text is missing, and every number a float: JSON has 72 for 72.0."""
    if isinstance(value, str):
        return value or None
    return None if value is None else float(value)
