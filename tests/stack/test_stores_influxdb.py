"""The contract of a store on a real InfluxDB, and what only a real one can show."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from agents.stores.patience import Patience
from agents.stores.port import Problem, ReadError, ReadFault
from tests.agents.stores.contract import DAY, NOON, StoreContract, point, rows
from tests.stack.buckets import bucket_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.stack


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
async def bucket(influxdb: Any) -> AsyncIterator[str]:  # noqa: ANN401 - url, org, bucket, token: tests/stack/conftest.py
    """Make a bucket of the test's own, which keeps a week, and take it away again."""
    async with bucket_of(influxdb, keeps_days=7) as name:
        yield name


@pytest.fixture
async def store(influxdb: Any, bucket: str, metrics: Metrics) -> AsyncIterator[InfluxDBStore]:  # noqa: ANN401 - as above
    store = InfluxDBStore(influxdb.url, org=influxdb.org, bucket=bucket, token=influxdb.token, metrics=metrics)
    yield store
    await store.close()


class TestContract(StoreContract):
    """InfluxDB does all of it but one."""

    @pytest.mark.xfail(reason="InfluxDB's CSV, its only answer, drops carriage returns within a text")
    async def test_a_carriage_return_comes_back(self, store: InfluxDBStore) -> None:
        """See the contract."""
        await super().test_a_carriage_return_comes_back(store)


async def test_what_is_older_than_it_keeps_is_refused_and_the_rest_is_stored(store: InfluxDBStore) -> None:
    month = timedelta(days=30) // timedelta(milliseconds=1)
    old = [point(-month, value=1.0), point(-2 * month, value=2.0)]

    refused = await store.write([point(0), old[0], point(1), old[1]])

    assert refused == [(old[0], Problem.BEYOND_RETENTION), (old[1], Problem.BEYOND_RETENTION)]
    assert len(await rows(store)) == 2


async def test_a_batch_of_nothing_but_bad_lines_is_refused_whole(store: InfluxDBStore) -> None:
    await store.write([point(value=1.0)])
    bad = [point(n, value="text") for n in range(100)]

    assert await store.write(bad) == [(refused, Problem.FIELD_TYPE) for refused in bad]


async def test_a_token_that_may_only_read_the_bucket_can_scan_it(
    influxdb: Any,  # noqa: ANN401 - as above
    bucket: str,
    store: InfluxDBStore,
    metrics: Metrics,
) -> None:
    await store.write([point(value=1.0)])
    headers = {"Authorization": f"Token {influxdb.token}"}
    async with ClientSession(f"{influxdb.url.rstrip('/')}/", headers=headers, raise_for_status=True) as session:
        async with session.get("api/v2/buckets", params={"name": bucket}) as found:
            (of,) = (await found.json())["buckets"]
        may = [{"action": "read", "resource": {"type": "buckets", "id": of["id"], "orgID": of["orgID"]}}]
        async with session.post("api/v2/authorizations", json={"orgID": of["orgID"], "permissions": may}) as made:
            token = (await made.json())["token"]
    reader = InfluxDBStore(influxdb.url, org=influxdb.org, bucket=bucket, token=token, metrics=metrics)

    assert [row["value"] for row in await rows(reader)] == [1.0]
    await reader.close()


async def test_a_conflict_between_lines_of_one_first_batch_refuses_the_later(store: InfluxDBStore) -> None:
    number, text = point(0, value=1.0), point(1, value="text")

    assert await store.write([number, text]) == [(text, Problem.FIELD_TYPE)]
    assert [row["value"] for row in await rows(store)] == [1.0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"token": "wrong"}, "token"), ({"bucket": "not-there"}, "bucket"), ({"org": "not-there"}, "organisation")],
)
async def test_what_is_wrongly_set_up_refuses_no_point_and_says_what_to_do(
    influxdb: Any,  # noqa: ANN401 - as above
    bucket: str,
    metrics: Metrics,
    changed: dict[str, str],
    says: str,
) -> None:
    waited = asyncio.Event()

    async def pause(_seconds: float) -> None:
        waited.set()
        await asyncio.Event().wait()

    where = {"org": influxdb.org, "bucket": bucket, "token": influxdb.token} | changed
    patience = Patience("influxdb", metrics, pause=pause)
    store = InfluxDBStore(influxdb.url, **where, metrics=metrics, patience=patience)
    writing = asyncio.create_task(store.write([point()]))
    await waited.wait()

    assert not writing.done()
    assert not store.reachable
    assert says in str(patience.told)
    with pytest.raises(ReadError) as unreadable:
        await store.read("reading", start=NOON - DAY, stop=NOON)
    if "org" not in changed:  # the token's own counts for a scan
        with pytest.raises(ReadError) as unscannable:
            await store.scan("reading", start=NOON - DAY, stop=NOON)
        assert unscannable.value.reason is ReadFault.MISCONFIGURED
    writing.cancel()
    await store.close()
    assert unreadable.value.reason is ReadFault.MISCONFIGURED
    labels = {"sink": "influxdb", "outcome": "misconfigured"}
    assert metrics.registry.get_sample_value("sonevakt_sink_seconds_count", labels) == 1
