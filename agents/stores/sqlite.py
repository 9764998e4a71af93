"""SQLite behind the port: one file, for a laptop, a demo and tests.

A series is a measurement with its tags, as in InfluxDB; a point is one row of a series, its fields as JSON, which
SQLite itself merges when the point is written again. Nothing here expires, and one process writes at a time.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pandas as pd

from agents.stores.checks import RefusedPointError, check, check_beginning, check_name, holdable
from agents.stores.frames import tidy
from agents.stores.patience import NotYetError, Patience
from agents.stores.port import NO_TAGS, Point, Problem, ReadError, ReadFault, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agents.metrics import Metrics

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE (measurement, tags)
) STRICT;
CREATE TABLE IF NOT EXISTS point (
    series INTEGER NOT NULL REFERENCES series, at_ns INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (series, at_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS field (
    measurement TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (measurement, name)
) STRICT, WITHOUT ROWID;
"""
_ADD_POINT: Final = """
INSERT INTO point (series, at_ns, fields) VALUES (?, ?, ?)
ON CONFLICT (series, at_ns) DO UPDATE SET fields = json_patch(fields, excluded.fields)
"""
_FIELD_OF_POINT: Final = """
SELECT json_extract(p.fields, ?) FROM series s JOIN point p ON p.series = s.id
WHERE s.measurement = ? AND s.tags = ? AND p.at_ns = ?
"""
_FIELDS: Final = "SELECT name FROM field WHERE measurement = ? ORDER BY name"
_BUSY_S: Final = 1.0  # how long SQLite itself waits for another writer, before we pause and ask again [s]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TAGS: Final = msgspec.json.Decoder(dict[str, str])


class SQLiteStore:
    """A store in one file.

    Parameters
    ----------
    path
        The file; it and its tables are made when first needed, its folder is not.
    patience
        How a write that was not confirmed (locked, disk full) is asked again.
    """

    def __init__(self, path: Path, *, metrics: Metrics, patience: Patience | None = None) -> None:
        self._path = path
        self._patience = patience or Patience("sqlite", metrics)
        self._one_at_a_time = Lock()  # held in the thread, which outlives a cancelled task
        self._connection: sqlite3.Connection | None = None
        self._answers = False

    @property
    def reachable(self) -> bool:
        """Whether the last write was taken and the last ping answered, whichever there were."""
        return self._answers and self._patience.reachable is not False

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Write `points` in order, in one transaction that is on the disk when this returns; see the port."""
        if not points:
            return []
        return await self._patience.insist(lambda: asyncio.to_thread(self._write, points))

    def _write(self, points: Sequence[Point]) -> list[Refused]:
        with self._one_at_a_time:
            try:
                connection = self._open()
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    refused = _insert(connection, points)
            except sqlite3.ProgrammingError:
                raise  # ours, and no waiting mends it
            except sqlite3.DatabaseError as error:
                self._drop()
                raise _not_yet(error) from None
        self._answers = True
        return refused

    async def read(
        self,
        measurement: str,
        *,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Return the points of a measurement, a row each; see the port."""
        return await self._read(measurement, start, stop, tags, fields)

    async def _read(  # noqa: PLR0913, PLR0917 - one argument for each part of the question
        self,
        measurement: str,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str],
        fields: Sequence[str],
        apart: Mapping[str, str] = NO_TAGS,
    ) -> pd.DataFrame:
        for name in (measurement, *tags, *fields, *apart):
            check_name(name)
        for text in apart.values():
            check_beginning(text)
        if start.tzinfo is None or stop.tzinfo is None:
            raise ValueError("start and stop need a time zone")
        found, known = await asyncio.to_thread(self._find, measurement, _at_ns(start), _at_ns(stop), tags, apart)
        return await asyncio.to_thread(_frame, found, fields, known)

    def _find(
        self, measurement: str, start_ns: int, stop_ns: int, tags: Mapping[str, str], apart: Mapping[str, str]
    ) -> tuple[list[tuple[int, str, str]], list[str]]:
        """Return time, tags and fields of each point, and every field that the measurement has anywhere."""
        carries = "".join(" AND json_extract(s.tags, ?) = ?" for _ in tags)
        carries += "".join(" AND substr(coalesce(json_extract(s.tags, ?), ''), 1, ?) <> ?" for _ in apart)
        query = (
            "SELECT p.at_ns, s.tags, p.fields FROM series s JOIN point p ON p.series = s.id"  # noqa: S608 - no value in it
            f" WHERE s.measurement = ?{carries} AND p.at_ns >= ? AND p.at_ns < ?"
        )
        values: list[str | int] = [part for name, text in tags.items() for part in (f"$.{name}", text)]
        values += [part for name, text in apart.items() for part in (f"$.{name}", len(text), text)]
        with self._one_at_a_time:
            try:
                connection = self._open()
                with closing(connection.execute(query, (measurement, *values, start_ns, stop_ns))) as rows:
                    found = rows.fetchall()
                with closing(connection.execute(_FIELDS, (measurement,))) as rows:
                    return found, [name for (name,) in rows]
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.DatabaseError as error:
                self._drop()
                raise ReadError(ReadFault.UNREACHABLE, _not_yet(error).problem) from None

    async def scan(  # noqa: PLR0913 - one argument for each part of the question
        self,
        measurement: str,
        *,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Sequence[str] = (),
        apart: Mapping[str, str] = NO_TAGS,
    ) -> pd.DataFrame:
        """Return what `read` does; see the port."""
        return await self._read(measurement, start, stop, tags, fields, apart)

    async def look_up(self, points: Sequence[Point], field: str) -> list[float | str | None]:
        """Return what is held in `field` of each of `points`; see the port."""
        check_name(field)
        return await asyncio.to_thread(self._look_up, points, field)

    def _look_up(self, points: Sequence[Point], field: str) -> list[float | str | None]:
        with self._one_at_a_time:
            try:
                connection = self._open()
                return [_held(connection, point, field) if holdable(point) else None for point in points]
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.DatabaseError as error:
                self._drop()
                raise ReadError(ReadFault.UNREACHABLE, _not_yet(error).problem) from None

    async def ping(self) -> bool:
        """Whether the file can be opened and read."""
        self._answers = await asyncio.to_thread(self._ping)
        return self._answers

    def _ping(self) -> bool:
        with self._one_at_a_time:
            try:
                self._open().execute("SELECT count(*) FROM field").fetchone()
            except sqlite3.DatabaseError:
                self._drop()
                return False
        return True

    async def close(self) -> None:
        """Close the file, after the write under way."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._one_at_a_time:
            self._drop()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")  # confirmed means on the disk
                connection.executescript(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _insert(connection: sqlite3.Connection, points: Sequence[Point]) -> list[Refused]:
    kinds: dict[tuple[str, str], str] = {
        (measurement, name): kind for measurement, name, kind in connection.execute("SELECT * FROM field")
    }
    series: dict[tuple[str, str], int] = {}
    known = len(kinds)
    rows: list[tuple[int, int, str]] = []
    refused: list[Refused] = []
    for point in points:
        problem = _problem(point, kinds)
        if problem is not None:
            refused.append(Refused(point, problem))
            continue
        for name, value in point.fields.items():
            kinds.setdefault((point.measurement, name), _kind(value))
        identity = (point.measurement, _tags(point))
        if identity not in series:
            series[identity] = _series(connection, *identity)
        fields = {name: value if isinstance(value, str) else float(value) for name, value in point.fields.items()}
        rows.append((series[identity], point.at_ns, _json(fields)))
    new = [(measurement, name, kind) for (measurement, name), kind in list(kinds.items())[known:]]
    connection.executemany("INSERT INTO field VALUES (?, ?, ?)", new)
    connection.executemany(_ADD_POINT, rows)
    return refused


def _series(connection: sqlite3.Connection, measurement: str, tags: str) -> int:
    connection.execute("INSERT OR IGNORE INTO series (measurement, tags) VALUES (?, ?)", (measurement, tags))
    found = connection.execute("SELECT id FROM series WHERE measurement = ? AND tags = ?", (measurement, tags))
    return int(found.fetchone()[0])


def _held(connection: sqlite3.Connection, point: Point, field: str) -> float | str | None:
    values = (f"$.{field}", point.measurement, _tags(point), point.at_ns)
    with closing(connection.execute(_FIELD_OF_POINT, values)) as rows:
        found = rows.fetchone()
    return None if found is None else found[0]


def _tags(point: Point) -> str:
    return _json(dict(sorted(point.tags.items())))


def _problem(point: Point, kinds: Mapping[tuple[str, str], str]) -> Problem | None:
    try:
        check(point)
    except RefusedPointError as error:
        return error.reason
    # As InfluxDB: what a field was first, it stays, and a point that breaks this is refused as a whole.
    conflict = any(kinds.get((point.measurement, n), _kind(v)) != _kind(v) for n, v in point.fields.items())
    return Problem.FIELD_TYPE if conflict else None


def _kind(value: float | str) -> str:
    return "text" if isinstance(value, str) else "number"


def _json(value: Mapping[str, float | str]) -> str:
    return msgspec.json.encode(value).decode()


def _at_ns(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND * 1_000


def _frame(found: Sequence[tuple[int, str, str]], fields: Sequence[str], known: Sequence[str]) -> pd.DataFrame:
    """Return the rows found, column by column: as one list of JSON it is decoded in a third of the time."""
    wanted = fields or known
    held = _fields_of(tuple(wanted)).decode("[" + ",".join(row[2] for row in found) + "]") if wanted else []
    series = {tags: _TAGS.decode(tags) for tags in {row[1] for row in found}}
    names = sorted({name for tags in series.values() for name in tags})
    columns: dict[str, object] = {"time": pd.to_datetime([row[0] for row in found], unit="ns", utc=True)}
    columns |= {name: [series[row[1]].get(name) for row in found] for name in names}
    for name in wanted:
        values = [getattr(one, name) for one in held]
        if fields or any(value is not None for value in values):
            columns[name] = [None if value == "" else value for value in values]
    frame = pd.DataFrame(columns)
    return tidy(frame[frame[list(fields)].notna().any(axis="columns")] if fields else frame, fields=fields)


@lru_cache(maxsize=64)
def _fields_of(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    """Reads of each point's fields those of `names`."""
    row = msgspec.defstruct("_Row", [(name, float | str | None, None) for name in names])
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type] # made at run time


def _not_yet(error: sqlite3.DatabaseError) -> NotYetError:
    name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    return NotYetError("unreachable", f"SQLite says {name}: see the store's file, its folder's rights and free space")
