"""InfluxDB's management API (v2), asked as one organisation; its answers, or one line that says what to do."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER_S: Final = 60.0
MANY: Final = 100  # the most that InfluxDB lists at once
_FOUND: Final = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT)
_ADVICE: Final = {
    HTTPStatus.UNAUTHORIZED: "InfluxDB does not know the operator's token: check SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE",
    HTTPStatus.FORBIDDEN: "InfluxDB's operator token may not do this: it must be one with all rights",
}

Json = dict[str, Any]


class StoreSetupError(RuntimeError):
    """InfluxDB cannot be set up: one line that says what to do, without anything that InfluxDB or a token says."""


class Asking:
    """One organisation of an InfluxDB, as whoever holds a token; never two requests at once."""

    def __init__(self, session: aiohttp.ClientSession, address: URL, org: str) -> None:
        self._session = session
        self._address = address
        self.org = org
        self.org_id = ""

    async def get(self, path: str, **query: str) -> Json:
        """What stands there; nothing at all where InfluxDB knows no such thing."""
        return await self._ask("GET", path, query=query, missing=True)

    async def every(self, path: str, name: str, **query: str) -> list[Json]:
        """All that a list holds under `name`, page by page."""
        found: list[Json] = []
        while True:
            page = (await self.get(path, **query, limit=str(MANY), offset=str(len(found)))).get(name, [])
            found += page
            if len(page) < MANY:
                return found

    async def post(self, path: str, body: Json) -> Json:
        """Make something, and return it."""
        return await self._ask("POST", path, body=body)

    async def patch(self, path: str, body: Json) -> Json:
        """Change something, and return it."""
        return await self._ask("PATCH", path, body=body)

    async def delete(self, path: str) -> None:
        """Take something away; nothing where it is gone."""
        await self._ask("DELETE", path, missing=True)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        missing: bool = False,
    ) -> Json:
        url = self._address / f"api/v2/{path}"
        try:
            async with self._session.request(method, url, params=query, json=body, allow_redirects=False) as answer:
                if answer.status == HTTPStatus.NOT_FOUND and missing:
                    return {}
                if answer.status not in _FOUND:
                    what = f"InfluxDB answers {answer.status} to {method} {path.partition('/')[0]}: see its own log"
                    raise StoreSetupError(_ADVICE.get(HTTPStatus(answer.status), what))
                if answer.status == HTTPStatus.NO_CONTENT:
                    return {}
                told: Json = await answer.json()
        except (aiohttp.ClientError, TimeoutError, JSONDecodeError) as error:
            problem = f"InfluxDB does not answer as it should ({type(error).__name__}): is it up, is the address right?"
            raise StoreSetupError(problem) from None
        return told


@asynccontextmanager
async def asking(address: str, org: str, token: str, *, org_id: str = "") -> AsyncIterator[Asking]:
    """Ask the InfluxDB at `address` as whoever holds `token`; without its `org_id` the organisation is looked up.

    Raises
    ------
    StoreSetupError
        It does not answer, does not know the token, or has no such organisation.
    """
    headers = {"Authorization": f"Token {token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        found = Asking(session, URL(address), org)
        found.org_id = org_id or await _id_of(found)
        yield found


async def _id_of(found: Asking) -> str:
    organisations = (await found.get("orgs", org=found.org)).get("orgs", [])
    if not organisations:
        raise StoreSetupError("InfluxDB has no organisation of that name: check SONEVAKT_INFLUXDB_ORG")
    return str(organisations[0]["id"])
