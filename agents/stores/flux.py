"""What is put to InfluxDB: the points of a measurement, a row each; and what stands in one field of given points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from agents.stores.checks import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.stores.port import Point

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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


def look_up_query(bucket: str, points: Sequence[Point], field: str) -> Query:
    """Return the query for `field` of the series and the time in which `points`, of one measurement, lie.

    What it finds holds the points and may hold more: of each tag that all of them have, their values are asked for.
    Raises RefusedPointError for a name that no point can have.
    """
    check_name(field)
    params: dict[str, str | datetime] = {
        "pBucket": bucket,
        "pMeasurement": points[0].measurement,
        "pField": field,
        "pStart": _instant(min(point.at_ns for point in points)),
        "pStop": _instant(max(point.at_ns for point in points)) + timedelta(microseconds=1),
    }
    tests = ["r._measurement == pMeasurement", "r._field == pField"]
    for name in sorted(set[str].intersection(*(set(point.tags) for point in points))):
        check_name(name)
        wanted = []
        for text in sorted({point.tags[name] for point in points}):
            wanted.append(f'r["{name}"] == pTag{len(params)}')
            params[f"pTag{len(params)}"] = text
        tests.append(f"({' or '.join(wanted)})")
    text = "\n".join(
        (
            "from(bucket: pBucket)",
            "  |> range(start: pStart, stop: pStop)",
            f"  |> filter(fn: (r) => {' and '.join(tests)})",
            '  |> drop(columns: ["_start", "_stop", "_measurement", "_field"])',
            "  |> group()",
        )
    )
    return Query(text, params)


def _instant(at_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_ns // 1000)
