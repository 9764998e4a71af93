"""InfluxDB 2.x behind the port: our own lines, each request awaited, and the one bad line found among the good."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.dialect import Dialect
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from agents.stores.answers import UNREACHABLE, Refusal, TooLarge, judge, not_yet, unreadable
from agents.stores.checks import RefusedPointError, check_name, holdable
from agents.stores.flux import look_up_query, points_query
from agents.stores.frames import from_csv, values
from agents.stores.influxql import rows, scan_query
from agents.stores.line_protocol import encode
from agents.stores.patience import NotYetError, Patience
from agents.stores.port import NO_TAGS, Point, Problem, ReadError, ReadFault, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from agents.metrics import Metrics
    from agents.stores import influxql
    from agents.stores.flux import Query
    from agents.stores.frames import Identity

# Requests of this size, several at once, so that the server works while we encode: benchmarks/storing.py.
MOST_LINES: Final = 1_000
MOST_LANES: Final = 4
# A question for given points finds all of their series within its time: both are bounded, or it would find too much.
MOST_LOOKED_UP: Final = 100  # points; from about 150 values of one tag on, Flux is "nested too deep"
LONGEST_LOOKED_UP_NS: Final = 86_400 * 10**9
_DIALECT: Final = Dialect(  # type: ignore[no-untyped-call]  # the client has no types here, nor at close
    header=True, delimiter=",", comment_prefix="#", annotations=["datatype"]
)


class _Line(NamedTuple):
    point: Point
    text: bytes


class InfluxDBStore:
    """One bucket of an InfluxDB 2.x.

    Parameters
    ----------
    token
        As read by the caller from its file; it is never logged.
    patience
        How a write that was not confirmed is asked again.
    timeout_s
        For one request as a whole, beyond which a write is asked again and a read fails [s].
    scan_timeout_s
        The same for a scan [s].
    gzip
        Compress requests. Pays on a slow network alone; beside the server it costs more than it saves.
    """

    def __init__(  # noqa: PLR0913 - where, as whom, and how: each is deployment's own
        self,
        url: str,
        *,
        org: str,
        bucket: str,
        token: str,
        metrics: Metrics,
        patience: Patience | None = None,
        timeout_s: float = 10.0,
        scan_timeout_s: float = 300.0,
        gzip: bool = False,
    ) -> None:
        self._url = url
        self._org = org
        self._bucket = bucket
        self._token = token
        self._patience = patience or Patience("influxdb", metrics)
        self._timeout_s = timeout_s
        self._scan_timeout_s = scan_timeout_s
        self._gzip = gzip
        self._opened: InfluxDBClientAsync | None = None
        self._scanning: ClientSession | None = None
        self._answers = False

    @property
    def reachable(self) -> bool:
        """Whether the last write was taken and the last ping answered, whichever there were."""
        return self._answers and self._patience.reachable is not False

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Write `points`, those of one series in order; see the port. What is refused comes in the order given."""
        count = min(MOST_LANES, ceil(len(points) / MOST_LINES))
        lanes: list[list[Point]] = [[] for _ in range(count)]
        for point in points:  # a series has one lane, so what was said last of a point is written last
            lanes[hash(frozenset(point.tags.items())) % count].append(point)
        async with asyncio.TaskGroup() as group:
            writing = [group.create_task(self._write_in_order(lane)) for lane in lanes]
        refused = {id(refusal.point): refusal for lane in writing for refusal in lane.result()}
        return [refused[id(point)] for point in points if id(point) in refused] if refused else []

    async def _write_in_order(self, points: Sequence[Point]) -> list[Refused]:
        refused: list[Refused] = []
        for first in range(0, len(points), MOST_LINES):
            lines: list[_Line] = []
            for point in points[first : first + MOST_LINES]:
                try:
                    lines.append(_Line(point, encode(point)))
                except RefusedPointError as error:
                    refused.append(Refused(point, error.reason))
            if lines:
                refused += await self._store(lines)
        return refused

    async def _store(self, lines: Sequence[_Line]) -> list[Refused]:
        answer = await self._patience.insist(lambda: self._post(lines))
        match answer:
            case None:
                return []
            case Refusal(problem, count) if len(lines) == 1 or count == len(lines):
                return [Refused(line.point, problem) for line in lines]
            case TooLarge() if len(lines) == 1:
                return [Refused(lines[0].point, Problem.TOO_LARGE)]
        # InfluxDB stored the good lines but names only its first bad one. Halves are written again in order, which
        # changes nothing for the good ones, until the bad ones stand alone.
        middle = len(lines) // 2
        return await self._store(lines[:middle]) + await self._store(lines[middle:])

    async def _post(self, lines: Sequence[_Line]) -> Refusal | TooLarge | None:
        body = b"\n".join(line.text for line in lines)
        try:
            write = self._client().write_api().write
            stored = await write(self._bucket, self._org, body, WritePrecision.NS)  # type: ignore[arg-type]  # it is a str
        except ApiException as error:
            return judge(error.status, error.body, error.retry_after)
        except (ClientError, OSError) as error:
            raise _unreachable(error) from None
        if not stored:
            raise not_yet(200)
        self._answers = True
        return None

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
        check_name(measurement)
        if start.tzinfo is None or stop.tzinfo is None:
            raise ValueError("start and stop need a time zone")
        query = points_query(self._bucket, measurement, start=start, stop=stop, tags=tags, fields=fields)
        return await asyncio.to_thread(from_csv, await self._ask(query), fields=fields)

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
        """Return what `read` does, for a long period; see the port."""
        if start.tzinfo is None or stop.tzinfo is None:
            raise ValueError("start and stop need a time zone")
        query = scan_query(self._bucket, measurement, start=start, stop=stop, tags=tags, fields=fields, apart=apart)
        return await asyncio.to_thread(rows, await self._ask_influxql(query), fields=fields)

    async def _ask_influxql(self, query: influxql.Query) -> bytes:
        if self._scanning is None:  # InfluxDB's own client does not speak InfluxQL
            self._scanning = ClientSession(
                headers={"Authorization": f"Token {self._token}"}, timeout=ClientTimeout(total=self._scan_timeout_s)
            )
        address = f"{self._url.rstrip('/')}/query"
        try:
            async with self._scanning.post(address, data=query._asdict(), allow_redirects=False) as answer:
                body = await answer.read()
        except (ClientError, OSError) as error:
            raise ReadError(ReadFault.UNREACHABLE, _unreachable(error).problem) from None
        if answer.status != HTTPStatus.OK:
            raise unreadable(answer.status, body)
        return body

    async def look_up(self, points: Sequence[Point], field: str) -> list[float | str | None]:
        """Return what is held in `field` of each of `points`; see the port."""
        check_name(field)
        held: dict[Identity, float | str] = {}
        for some in _asked_together([point for point in points if holdable(point)]):
            answer = await self._ask(look_up_query(self._bucket, some, field))
            wanted = {_identity(point) for point in some}
            found = await asyncio.to_thread(values, answer, some[0].measurement)
            held.update((identity, value) for identity, value in found.items() if identity in wanted)
        return [held.get(_identity(point)) for point in points]

    async def _ask(self, query: Query) -> str:
        try:
            answer: str = await self._client().query_api().query_raw(query.text, self._org, _DIALECT, query.params)
        except ApiException as error:
            raise unreadable(error.status, error.body) from None
        except (ClientError, OSError) as error:
            raise ReadError(ReadFault.UNREACHABLE, _unreachable(error).problem) from None
        return answer

    async def ping(self) -> bool:
        """Whether the server answers. What is wrong with token or bucket shows at the first write."""
        try:
            self._answers = bool(await self._client().ping())
        except (ApiException, ClientError, OSError):
            self._answers = False
        return self._answers

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()  # type: ignore[no-untyped-call]
            self._opened = None
        if self._scanning is not None:
            await self._scanning.close()
            self._scanning = None

    def _client(self) -> InfluxDBClientAsync:
        if self._opened is None:  # not in __init__: the client wants a running loop
            self._opened = InfluxDBClientAsync(
                self._url,
                token=self._token,
                org=self._org,
                timeout=int(self._timeout_s * 1000),
                enable_gzip=self._gzip,
                allow_redirects=False,  # a redirected POST becomes a GET, which answers 200 and stores nothing
            )
        return self._opened


def _identity(point: Point) -> Identity:
    return point.measurement, tuple(sorted(point.tags.items())), point.at_ns


def _asked_together(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Cut `points` into questions: each of one measurement, not too many points, and not too long a time."""
    some: list[Point] = []
    for point in sorted(points, key=lambda point: (point.measurement, point.at_ns)):
        if some and (
            len(some) == MOST_LOOKED_UP
            or point.measurement != some[0].measurement
            or point.at_ns - some[0].at_ns > LONGEST_LOOKED_UP_NS
        ):
            yield some
            some = []
        some.append(point)
    if some:
        yield some


def _unreachable(error: Exception) -> NotYetError:
    kind = "in time" if isinstance(error, TimeoutError) else f"({type(error).__name__})"
    return NotYetError(UNREACHABLE, f"InfluxDB does not answer {kind}: is it up, is the address right?")
