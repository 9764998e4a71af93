"""Rollups of a whole period, written at once: of what is older than the tasks look back, or was there before them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self
from zoneinfo import ZoneInfo

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from agents.stores.answers import unreadable
from agents.stores.port import ReadError, ReadFault
from dashboards import flux

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import date

    from dashboards.flux import Query

TIMEOUT_S: Final = (
    900.0  # of one piece: a week of days of a thousand patients takes seconds, on a slow machine a minute
)
PIECE_DAYS: Final = 28  # half the work a day of a piece of seven
DAYS: Final = "rollUpDays"
WEEKS: Final = "rollUpWeeks"


class Rolling:
    """Writes rollups of an InfluxDB; a context manager.

    Parameters
    ----------
    token
        Of the role `tasks`: it reads the raw bucket and writes the others.
    """

    def __init__(self, address: str, *, org: str, bucket: str, token: str, zone: str) -> None:
        self._address, self._org, self._bucket, self._token, self._zone = address, org, bucket, token, zone
        self._opened: InfluxDBClientAsync | None = None

    async def __aenter__(self) -> Self:
        self._opened = InfluxDBClientAsync(
            self._address, token=self._token, org=self._org, timeout=int(TIMEOUT_S * 1000), allow_redirects=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.close()  # type: ignore[no-untyped-call]  # the client has no types here

    async def days(self, first: date, last: date) -> AsyncIterator[tuple[date, date]]:
        """Write the days from `first` to `last`, some at a time; yield each piece once it is written."""
        begin = first
        while begin <= last:
            end = min(begin + timedelta(days=PIECE_DAYS - 1), last)
            await self._write(DAYS, begin, end + timedelta(days=1))
            yield begin, end
            begin = end + timedelta(days=1)

    async def weeks(self, first: date, last: date) -> AsyncIterator[tuple[date, date]]:
        """Write the weeks on which the days from `first` to `last` lie, some at a time; their days must be written."""
        begin = first - timedelta(days=first.weekday())
        while begin <= last:
            end = begin + timedelta(weeks=4)
            await self._write(WEEKS, begin, min(end, last + timedelta(days=1)))
            yield begin, min(end - timedelta(days=1), last)
            begin = end

    async def _write(self, function: str, start: date, stop: date) -> None:
        query = flux.call(
            function, bucket=self._bucket, start=self._midnight(start), stop=self._midnight(stop), zone=self._zone
        )
        await self._ask(query)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self._zone))

    async def _ask(self, query: Query) -> None:
        if self._opened is None:
            raise RuntimeError("opened by `async with` alone")
        ask: Callable[..., Any] = self._opened.query_api().query_raw
        try:
            await ask(query.text, self._org, params=query.params)
        except ApiException as error:
            raise unreadable(error.status, error.body) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ReadError(ReadFault.UNREACHABLE, f"InfluxDB does not answer ({type(error).__name__})") from None
