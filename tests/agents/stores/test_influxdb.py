"""InfluxDB's failures, one by one: nothing that can be stored is lost, nothing that cannot stands in the way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agents.stores.influxdb import InfluxDBStore
from agents.stores.port import Problem, ReadError, ReadFault
from tests.agents.stores.contract import DAY, NOON, point
from tests.agents.stores.pretender import Pretender, cuts, fails, hangs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agents.metrics import Metrics
    from agents.stores.patience import Patience


@pytest.fixture
async def influxdb() -> AsyncIterator[Pretender]:
    pretender = Pretender()
    await pretender.start()
    yield pretender
    await pretender.stop()


@pytest.fixture
async def store(
    influxdb: Pretender, metrics: Metrics, patience: Callable[[str], Patience]
) -> AsyncIterator[InfluxDBStore]:
    store = opened(influxdb.url, metrics, patience("influxdb"))
    yield store
    await store.close()


TOKEN = "the-token"  # noqa: S105 - of a server that lives as long as its test


def opened(url: str, metrics: Metrics, patience: Patience, *, gzip: bool = False) -> InfluxDBStore:
    return InfluxDBStore(
        url, org="o", bucket="b", token=TOKEN, metrics=metrics, patience=patience, timeout_s=0.5, gzip=gzip
    )


def attempts(metrics: Metrics, outcome: str) -> float:
    labels = {"sink": "influxdb", "outcome": outcome}
    return metrics.registry.get_sample_value("sonevakt_sink_seconds_count", labels) or 0.0


POINTS = [point(n, value=float(n)) for n in range(100)]
VALUES = [float(n) for n in range(100)]


@pytest.mark.parametrize("gzip", [False, True])
async def test_what_it_confirms_is_stored(
    influxdb: Pretender, metrics: Metrics, patience: Callable[[str], Patience], *, gzip: bool
) -> None:
    store = opened(influxdb.url, metrics, patience("influxdb"), gzip=gzip)

    assert await store.write(POINTS) == []

    assert influxdb.values == VALUES
    assert influxdb.requests == 1
    assert store.reachable
    await store.close()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (fails(503), "unreachable"),
        (fails(500), "unreachable"),
        (cuts, "unreachable"),
        (hangs, "unreachable"),
        (fails(429, Retry_After="3"), "throttled"),
        (fails(401), "misconfigured"),
        (fails(403), "misconfigured"),
        (fails(404), "misconfigured"),
        (fails(400), "misconfigured"),
        (fails(422), "misconfigured"),
        (fails(400, json.dumps({"code": "invalid", "message": "Organization name is required"})), "misconfigured"),
        (fails(200), "misconfigured"),
        (fails(302, Location="/ping"), "misconfigured"),
        (fails(418), "misconfigured"),
    ],
)
async def test_a_fault_that_passes_loses_nothing_and_refuses_nothing(
    influxdb: Pretender, store: InfluxDBStore, metrics: Metrics, fault: object, outcome: str
) -> None:
    influxdb.next_answers.extend([fault] * 3)

    assert await store.write(POINTS) == []

    assert influxdb.values == VALUES
    assert attempts(metrics, outcome) == 3
    assert attempts(metrics, "answered") == 1
    assert store.reachable


async def test_a_wait_that_it_asks_for_is_kept_to(
    influxdb: Pretender, store: InfluxDBStore, waits: list[float]
) -> None:
    influxdb.next_answers.extend([fails(429, Retry_After="7"), fails(503, Retry_After="86400"), fails(429)])

    await store.write(POINTS)

    assert 7 <= waits[0] <= 7.2
    assert 120 <= waits[1] <= 120.4  # a day is not waited
    assert 0 <= waits[2] <= 0.8


async def test_waits_grow_to_their_cap_and_are_never_alike(
    influxdb: Pretender, store: InfluxDBStore, waits: list[float]
) -> None:
    influxdb.next_answers.extend([fails(503)] * 40)

    await store.write(POINTS)

    assert max(waits) <= 15
    assert max(waits[10:]) > 5
    assert len(set(waits)) == 40


async def test_while_it_is_wrongly_set_up_it_is_not_reachable_and_the_log_says_once_what_to_do(
    influxdb: Pretender, store: InfluxDBStore, waits: list[float], eventually: Callable[..., object]
) -> None:
    influxdb.next_answers.extend([fails(401, "p-1 the-token")] * 10_000)
    with capture_logs() as logs:
        writing = asyncio.create_task(store.write(POINTS))
        await eventually(lambda: len(waits) > 5)
        assert not store.reachable
        await store.ping()
        assert not store.reachable  # it answers a ping, which asks for no token
        influxdb.next_answers.clear()
        await writing

    assert [line["event"] for line in logs] == ["store_not_confirming", "store_confirming_again"]
    assert logs[0]["problem"] == "InfluxDB does not know the token: check the token file"
    assert "the-token" not in str(logs)
    assert "p-1" not in str(logs)
    assert store.reachable


async def test_one_bad_line_is_found_and_the_good_are_stored(influxdb: Pretender, store: InfluxDBStore) -> None:
    influxdb.bad = {37.0}

    assert await store.write(POINTS) == [(POINTS[37], Problem.FIELD_TYPE)]

    assert influxdb.values == [value for value in VALUES if value != 37]
    assert influxdb.requests <= 2 * 8  # halved, not one by one


async def test_several_bad_lines_are_found_in_order(influxdb: Pretender, store: InfluxDBStore) -> None:
    influxdb.bad = {0.0, 37.0, 38.0, 99.0}

    refused = await store.write(POINTS)

    assert [refusal.point.fields["value"] for refusal in refused] == [0.0, 37.0, 38.0, 99.0]
    assert len(influxdb.values) == 96


async def test_lines_that_are_all_bad_are_refused_at_once(influxdb: Pretender, store: InfluxDBStore) -> None:
    influxdb.bad = set(VALUES)

    assert len(await store.write(POINTS)) == 100

    assert influxdb.requests == 1


async def test_a_fault_in_the_midst_of_the_search_loses_nothing(influxdb: Pretender, store: InfluxDBStore) -> None:
    influxdb.bad = {37.0}
    found = await store.write(POINTS[:50])
    influxdb.next_answers.extend([cuts, fails(503), fails(401)])

    assert [*found, *await store.write(POINTS[30:])] == [(POINTS[37], Problem.FIELD_TYPE)] * 2
    assert sorted(map(float, influxdb.values)) == [value for value in VALUES if value != 37]


async def test_a_line_that_it_cannot_parse_is_refused(influxdb: Pretender, store: InfluxDBStore) -> None:
    unparsable = json.dumps({"code": "invalid", "message": "unable to parse 'reading,patient=p-1': bad timestamp"})
    influxdb.next_answers.append(fails(400, unparsable))

    assert await store.write([POINTS[0]]) == [(POINTS[0], Problem.REFUSED)]


async def test_many_points_go_several_requests_at_once_and_the_last_word_on_each_holds(
    influxdb: Pretender, store: InfluxDBStore
) -> None:
    many = [point(n % 50, tags={"patient": f"p-{n % 7}"}, value=float(n)) for n in range(6_000)]
    bad = [n for n in range(6_000) if n % 1_999 == 1_998]
    influxdb.bad = {float(n) for n in bad}
    influxdb.next_answers.extend([fails(503), cuts, fails(429)])
    last = {(p.tags["patient"], p.at_ms): p.fields["value"] for n, p in enumerate(many) if n not in bad}

    refused = await store.write(many)

    assert [refusal.point for refusal in refused] == [many[n] for n in bad]
    assert sorted(influxdb.values) == sorted(last.values())


async def test_a_text_within_a_line_cannot_have_other_lines_refused(influxdb: Pretender, store: InfluxDBStore) -> None:
    message = "unable to parse 'reading,patient=p-1 unit=\"field type conflict dropped=100': dropped=100"
    influxdb.next_answers.append(fails(400, json.dumps({"code": "invalid", "message": message})))

    assert await store.write(POINTS) == []
    assert influxdb.values == VALUES


async def test_a_point_older_than_it_keeps_is_refused_for_that(influxdb: Pretender, store: InfluxDBStore) -> None:
    old = {"code": "unprocessable entity", "message": "points beyond retention policy dropped=1"}
    influxdb.next_answers.append(fails(422, json.dumps(old)))

    assert await store.write([POINTS[0]]) == [(POINTS[0], Problem.BEYOND_RETENTION)]


async def test_too_much_at_once_is_halved_and_a_line_too_long_alone_is_refused(
    influxdb: Pretender, store: InfluxDBStore
) -> None:
    influxdb.most_bytes = 500
    long = point(1_000, value=1.0, unit="x" * 1_000)

    assert await store.write([*POINTS, long]) == [(long, Problem.TOO_LARGE)]

    assert influxdb.values == VALUES


async def test_a_server_that_is_not_there_yet_is_waited_for(
    metrics: Metrics, patience: Callable[[str], Patience], waits: list[float], eventually: Callable[..., object]
) -> None:
    influxdb = Pretender()
    await influxdb.start()
    assert influxdb.server is not None
    port = influxdb.server.port
    url = influxdb.url
    await influxdb.stop()
    store = opened(url, metrics, patience("influxdb"))
    assert not await store.ping()
    writing = asyncio.create_task(store.write(POINTS))
    await eventually(lambda: len(waits) > 3)
    assert not store.reachable
    await influxdb.start(port)

    assert await writing == []
    assert influxdb.values == VALUES
    await store.close()
    await influxdb.stop()


async def test_a_write_that_waits_can_be_given_up(
    influxdb: Pretender, store: InfluxDBStore, waits: list[float], eventually: Callable[..., object]
) -> None:
    influxdb.next_answers.extend([fails(503)] * 10_000)
    writing = asyncio.create_task(store.write(POINTS))
    await eventually(lambda: waits)

    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert influxdb.values == []


async def test_a_question_holds_no_value_in_its_text(influxdb: Pretender, store: InfluxDBStore) -> None:
    patient = 'p") |> drop('

    await store.read("reading", start=NOON - DAY, stop=NOON, tags={"patient": patient}, fields=["score"])

    (asked,) = influxdb.asked
    for value in ('p")', "score", "reading", str(NOON.year)):
        assert value not in str(asked["query"])
    given = [option["assignment"]["init"].get("value") for option in asked["extern"]["body"]]  # type: ignore[index]
    assert {"b", "reading", patient, "score"} <= set(given)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(503), ReadFault.UNREACHABLE),
        (cuts, ReadFault.UNREACHABLE),
        (hangs, ReadFault.UNREACHABLE),
        (fails(401), ReadFault.MISCONFIGURED),
        (fails(400), ReadFault.MISCONFIGURED),
        (fails(400, '{"code": "invalid", "message": "compilation failed"}'), ReadFault.FAILED),
        (fails(400, '{"code": "invalid", "message": "organization name \\"o\\" not found"}'), ReadFault.MISCONFIGURED),
        (fails(200), ReadFault.MISCONFIGURED),
        (fails(200, "#datatype,string,string\r\n,error,reference\r\n,engine closed,\r\n"), ReadFault.FAILED),
        (fails(200, "\r\nerror,reference\r\nengine closed,\r\n"), ReadFault.FAILED),
    ],
)
async def test_a_store_that_cannot_be_read_says_why(
    influxdb: Pretender, store: InfluxDBStore, answer: object, reason: ReadFault
) -> None:
    influxdb.next_answers.append(answer)

    with pytest.raises(ReadError) as unreadable:
        await store.read("reading", start=NOON - DAY, stop=NOON)

    assert unreadable.value.reason is reason


async def test_an_answer_that_breaks_off_with_an_error_is_no_answer(influxdb: Pretender, store: InfluxDBStore) -> None:
    begun = (
        "#datatype,string,long,dateTime:RFC3339,string,double\r\n,result,table,_time,patient,value\r\n"
        ",_result,0,2026-03-01T08:00:00Z,p-1,72\r\n"
    )
    influxdb.csv = begun + "\r\n#datatype,string,string\r\n,error,reference\r\n,out of memory,\r\n"

    with pytest.raises(ReadError) as unreadable:
        await store.read("reading", start=NOON - DAY, stop=NOON)

    assert unreadable.value.reason is ReadFault.FAILED


async def test_a_text_that_looks_like_a_failure_a_number_or_nothing_is_a_text(
    influxdb: Pretender, store: InfluxDBStore
) -> None:
    influxdb.csv = (
        "#datatype,string,long,dateTime:RFC3339,string,string\r\n,result,table,_time,patient,unit\r\n"
        ',_result,0,2026-03-01T08:00:00Z,p-1,"x\n\n,error,reference\ny"\r\n'
        ",_result,0,2026-03-01T08:00:01Z,0012,NA\r\n"
    )

    frame = await store.read("reading", start=NOON - DAY, stop=NOON)

    assert list(frame["unit"]) == ["x\n\n,error,reference\ny", "NA"]
    assert list(frame["patient"]) == ["p-1", "0012"]


async def test_a_scan_holds_no_value_in_its_text(influxdb: Pretender, store: InfluxDBStore) -> None:
    patient = "p' OR time > 0 --"

    await store.scan("reading", start=NOON - DAY, stop=NOON, tags={"patient": patient}, fields=["score"])

    (asked,) = influxdb.asked
    assert asked["q"] == (
        'SELECT "score"::field, *::tag FROM "reading" WHERE time >= $start AND time < $stop AND "patient"::tag = $tag0'
    )
    assert json.loads(str(asked["params"])) == {
        "start": (NOON - DAY).isoformat(),
        "stop": NOON.isoformat(),
        "tag0": patient,
    }
    assert (asked["db"], asked["rp"], asked["epoch"]) == ("b", "autogen", "ns")


def said_of(**result: object) -> str:
    return json.dumps({"results": [{"statement_id": 0, **result}]})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(503), ReadFault.UNREACHABLE),
        (cuts, ReadFault.UNREACHABLE),
        (fails(401), ReadFault.MISCONFIGURED),
        (fails(302, Location="/ping"), ReadFault.MISCONFIGURED),
        (fails(400, '{"code": "invalid", "message": "failed to parse query"}'), ReadFault.FAILED),
        (fails(200), ReadFault.MISCONFIGURED),
        (fails(200, "{}"), ReadFault.MISCONFIGURED),
        (fails(200, '{"results": []}'), ReadFault.MISCONFIGURED),
        (fails(200, said_of(error="database not found: b")), ReadFault.MISCONFIGURED),
        (fails(200, said_of(error="engine is closed")), ReadFault.FAILED),
        (fails(200, said_of(partial=True)), ReadFault.FAILED),
        (fails(200, said_of(series=[{"columns": ["time"], "values": [[1]], "partial": True}])), ReadFault.FAILED),
    ],
)
async def test_a_store_that_cannot_be_scanned_says_why(
    influxdb: Pretender, store: InfluxDBStore, answer: object, reason: ReadFault
) -> None:
    influxdb.next_answers.append(answer)

    with pytest.raises(ReadError) as unreadable:
        await store.scan("reading", start=NOON - DAY, stop=NOON)

    assert unreadable.value.reason is reason


async def test_a_scan_that_takes_too_long_fails(
    influxdb: Pretender, metrics: Metrics, patience: Callable[[str], Patience]
) -> None:
    influxdb.next_answers.append(hangs)
    where = {"org": "o", "bucket": "b", "token": TOKEN}
    store = InfluxDBStore(influxdb.url, **where, metrics=metrics, patience=patience("influxdb"), scan_timeout_s=0.2)

    with pytest.raises(ReadError) as unreadable:
        await store.scan("reading", start=NOON - DAY, stop=NOON)

    assert unreadable.value.reason is ReadFault.UNREACHABLE
    await store.close()


async def test_what_a_scan_finds_is_of_its_kind(influxdb: Pretender, store: InfluxDBStore) -> None:
    columns = ["time", "value", "unit", "patient", "device"]
    values = [[1772352000000123456, 72, "0012", "p-1", None], [1772352000001999999, 72.5, "", "0013", "d"]]
    influxdb.json = said_of(series=[{"name": "reading", "columns": columns, "values": values}])

    frame = await store.scan("reading", start=NOON - DAY, stop=NOON)

    assert list(frame["time"].astype("int64")) == [1772352000000, 1772352000001]
    assert list(frame["value"]) == [72.0, 72.5]
    assert list(frame["patient"]) == ["p-1", "0013"]
    assert frame["unit"].fillna("-").tolist() == ["0012", "-"]
    assert frame["device"].fillna("-").tolist() == ["-", "d"]
