"""A bucket of a test's own, taken away after it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiohttp import ClientSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DAY_S = 86_400


@asynccontextmanager
async def bucket_of(influxdb: Any, *, keeps_days: int | None) -> AsyncIterator[str]:  # noqa: ANN401 - url, org, bucket, token: tests/stack/conftest.py
    """Make a bucket that keeps so many days, or everything; yield its name."""
    name = f"test-{uuid4().hex}"
    rules = [] if keeps_days is None else [{"type": "expire", "everySeconds": keeps_days * DAY_S}]
    headers = {"Authorization": f"Token {influxdb.token}"}
    async with ClientSession(f"{influxdb.url.rstrip('/')}/", headers=headers, raise_for_status=True) as session:
        async with session.get("api/v2/orgs", params={"org": influxdb.org}) as found:
            org_id = (await found.json())["orgs"][0]["id"]
        async with session.post(
            "api/v2/buckets", json={"name": name, "orgID": org_id, "retentionRules": rules}
        ) as made:
            bucket_id = (await made.json())["id"]
        yield name
        await session.delete(f"api/v2/buckets/{bucket_id}")
