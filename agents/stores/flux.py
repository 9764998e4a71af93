"""The one question that is put to InfluxDB: the points of a measurement, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.stores.checks import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


class Query(NamedTuple):
    """Flux text without a single value in it, and the values beside it."""

    text: str
    params: dict[str, str | datetime]


def points_query(  # noqa: PLR0913 - one argument for each part of the question
    bucket: str,
    measurement: str,
    *,
    start: datetime,
    stop: datetime,
    tags: Mapping[str, str],
    fields: Sequence[str],
) -> Query:
    """Return the query for the rows of `measurement`. Only names stand in its text, and each is checked.

    Raises RefusedPointError for a name that no point can have.
    """
    params: dict[str, str | datetime] = {
        "pBucket": bucket,
        "pMeasurement": measurement,
        "pStart": start,
        "pStop": stop,
    }
    tests = ["r._measurement == pMeasurement"]
    for place, (name, text) in enumerate(tags.items()):
        check_name(name)
        tests.append(f'r["{name}"] == pTag{place}')
        params[f"pTag{place}"] = text
    wanted = []
    for place, name in enumerate(fields):
        check_name(name)
        wanted.append(f"r._field == pField{place}")
        params[f"pField{place}"] = name
    if wanted:
        tests.append(f"({' or '.join(wanted)})")
    text = "\n".join(
        (
            "from(bucket: pBucket)",
            "  |> range(start: pStart, stop: pStop)",
            f"  |> filter(fn: (r) => {' and '.join(tests)})",
            '  |> drop(columns: ["_start", "_stop", "_measurement"])',
            '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            "  |> group()",  # one table, so one header whatever fields a series has
        )
    )
    return Query(text, params)
