"""Every wrong input is refused, naming the field, and nothing of it reaches the broker or comes back."""

from __future__ import annotations

import asyncio
import gzip
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.gateway.conftest import SECOND_TOKEN, reading, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agents.gateway.conftest import Vendor

SECRET = "zz-do-not-echo"  # noqa: S105 - a value that must not come back


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in session().items() if key != name}


AT = "readings[0].measured_at"

INVALID: list[tuple[str, Any, list[str]]] = [
    ("no id", without("submission_id"), ["submission_id"]),
    ("an id that is no UUID", session(submission_id=SECRET), ["submission_id"]),
    ("no patient", without("patient"), ["patient"]),
    ("a patient with spaces", session(patient=f"{SECRET} Olsen"), ["patient"]),
    ("a national identity number", session(patient="01017012345"), ["patient"]),
    ("neither readings nor answers", without("readings"), ["$"]),
    ("readings that are no list", session(readings=SECRET), ["readings"]),
    ("too many readings", session(readings=[reading()] * 101), ["readings"]),
    ("a reading that is no object", session(readings=[SECRET]), ["readings[0]"]),
    ("a unit that is no text", session(readings=[reading(unit=5)]), ["readings[0].unit"]),
    ("an unknown code", session(readings=[reading(), reading(code="1-8")]), ["readings[1].code"]),
    ("a unit of another code", session(readings=[reading(unit="kg")]), ["readings[0].unit"]),
    ("a value as text", session(readings=[reading(value=SECRET)]), ["readings[0].value"]),
    ("a value as truth", session(readings=[reading(value=True)]), ["readings[0].value"]),
    ("no measured_at", session(readings=[{"code": "8867-4", "value": 1, "unit": "/min"}]), [AT]),
    ("a time without offset", session(readings=[reading(measured_at="2026-03-01T08:00:00")]), [AT]),
    ("11 minutes ahead", session(readings=[reading(measured_at="2026-03-01T09:11:00Z")]), [AT]),
    ("before 2000", session(readings=[reading(measured_at="1999-12-31T23:59:59Z")]), [AT]),
    ("the first of all times", session(readings=[reading(measured_at="0001-01-01T00:00:00+14:00")]), [AT]),
    ("the last of all times", session(readings=[reading(measured_at="9999-12-31T23:59:59-14:00")]), [AT]),
    ("an unknown way of entry", session(readings=[reading(entry_mode=SECRET)]), ["readings[0].entry_mode"]),
    ("oxygen below nothing", session(readings=[reading(context={"oxygen_l_min": -1})]),
     ["readings[0].context.oxygen_l_min"]),
    ("an answer without its question",
     session(answers=[{"questionnaire": "copd", "questionnaire_version": 1, "value": 1}]), ["answers[0].link_id"]),
    ("a newer schema", session(schema_version=99), ["schema_version"]),
    ("another type", session(type=SECRET), ["type"]),
    ("several at once", session(submission_id=SECRET, readings=[reading(unit=5, value=SECRET), reading(code=SECRET)]),
     ["submission_id", "readings[0].value", "readings[0].unit", "readings[1].code"]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "fields"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID])
async def test_a_wrong_session_is_refused_with_its_fields_and_without_its_values(
    vendor: Vendor, content: dict[str, Any], fields: list[str]
) -> None:
    answer = await vendor.post(content)

    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.fields == fields
    assert SECRET not in answer.text
    assert vendor.producer.sent == []
    assert vendor.count("sonevakt_submissions_received_total", outcome="refused") == 1


UNREADABLE = [
    ("no JSON", b"{"),
    ("nothing", b""),
    ("a number", b"5"),
    ("a NaN alone", b"NaN"),
    ("an object with NaN and more behind it", b'{"patient": NaN} {}'),
    ("an array with NaN and more behind it", b"[NaN] 1"),
    ("an array with NaN that does not end", b'[{"patient": NaN}, {}'),
    ("an array with NaN and no comma", b'[{"patient": NaN} {}]'),
    ("NaN and a lost comma at the end", b"[NaN,]"),
    ("two objects", b"{}{}"),
    ("deep nesting of lists", b"[" * 200_000 + b"]" * 200_000),
    ("deep nesting of objects", b'{"patient":' * 80_000 + b"1" + b"}" * 80_000),
    ("UTF-16", json.dumps(session()).encode("utf-16")),
]


@pytest.mark.parametrize("body", [row[1] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
async def test_a_body_that_is_no_json_is_refused(vendor: Vendor, body: bytes) -> None:
    answer = await vendor.post(data=body)

    assert (answer.status, answer.body["type"]) == (400, "/docs#not-json")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
async def test_what_is_no_number_names_its_field(vendor: Vendor, number: str) -> None:
    answer = await vendor.post(session(readings=[reading(), reading(value=float(number))]))

    assert (answer.status, answer.fields) == (422, ["readings[1].value"])
    assert answer.body["errors"][0]["problem"].endswith("which is no JSON number")


async def test_one_nan_in_a_batch_refuses_its_own_session_alone(vendor: Vendor) -> None:
    batch = [session(1), session(2, readings=[reading(value=float("nan"))]), 5, session(3, patient="p-å"), session(4)]

    answer = await vendor.post(data=json.dumps(batch, ensure_ascii=False).encode())

    assert answer.status == 207
    assert answer.body["accepted"] == [session(number)["submission_id"] for number in (1, 4)]
    assert answer.fields == ["[1].readings[0].value", "[2]", "[3].patient"]
    assert [record.key for record in vendor.producer.sent] == [b"p-1", b"p-4"]


async def test_a_number_beyond_all_numbers_names_its_field(vendor: Vendor) -> None:
    body = json.dumps(session()).replace("93", "1e999").encode()

    answer = await vendor.post(data=body)

    assert (answer.status, answer.fields) == (422, ["readings[0].value"])


async def test_deep_nesting_in_an_unknown_field_of_a_batch_is_refused(vendor: Vendor) -> None:
    body = b'[{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}]"

    assert (await vendor.post(data=body)).status == 400


async def test_text_that_is_no_utf8_names_its_field(vendor: Vendor) -> None:
    answer = await vendor.post(data=json.dumps(session()).encode().replace(b"p-1", b"p\xff1"))

    assert (answer.status, answer.fields) == (422, ["patient"])


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic kjelde-open-sesame", "Bearer \xe6"])
async def test_without_a_valid_token_nothing_is_read(vendor: Vendor, authorization: str) -> None:
    answer = await vendor.post(session(), headers={"Authorization": authorization})

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="sonevakt"')
    assert vendor.producer.sent == []


async def test_both_tokens_of_a_vendor_open_while_they_change_over(vendor: Vendor) -> None:
    vendor.token = SECOND_TOKEN

    assert (await vendor.post(session())).status == 202


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_another_content_type_is_refused(vendor: Vendor, content_type: str) -> None:
    assert (await vendor.post(session(), headers={"Content-Type": content_type})).status == 415


async def test_a_gzip_bomb_is_refused_unread(vendor: Vendor) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    answer = await vendor.post(data=bomb, headers={"Content-Encoding": "gzip"})

    assert (answer.status, answer.body["type"]) == (415, "/docs#content-encoding")


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_tells_its_length(vendor: Vendor) -> None:
    async def unannounced() -> Any:  # noqa: ANN401 - an async generator for aiohttp
        for _ in range(20):
            yield b" " * 65_536

    told = await vendor.post(data=BytesIO(b" " * 1_048_577))
    headers = {"Authorization": f"Bearer {vendor.token}", "Content-Type": "application/json"}
    async with vendor.http.post(f"{vendor.base}/v1/submissions", data=unannounced(), headers=headers) as response:
        untold = response.status

    assert (told.status, untold) == (413, 413)


async def test_five_megabytes_are_refused(vendor: Vendor) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", vendor.port)
    head = (
        f"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {vendor.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 5242880\r\n\r\n"
    )
    writer.write(head.encode())

    status = await reader.readline()
    writer.close()

    assert b" 413 " in status


async def test_a_body_that_trickles_in_is_ended(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(body_timeout_s=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", vendor.port)
    head = (
        f"POST /v1/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {vendor.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    writer.write(head.encode())

    status = await reader.readline()
    writer.close()

    assert b" 408 " in status


async def test_a_batch_has_a_limit_and_is_not_empty(vendor: Vendor) -> None:
    over = await vendor.post([session(number) for number in range(501)])
    empty = await vendor.post([])

    assert (over.status, over.body["type"]) == (413, "/docs#too-many-items")
    assert (empty.status, empty.body["type"]) == (400, "/docs#empty")


async def test_a_session_that_no_record_can_hold_is_refused(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(message_bytes=500)
    answer = await vendor.post(session(readings=[reading()] * 50))

    assert (answer.status, answer.fields) == (422, ["$"])


async def test_over_its_rate_a_vendor_is_told_when_to_come_again_and_others_go_on(
    open_gateway: Callable[..., Any],
) -> None:
    vendor = await open_gateway(items_per_minute=3, batch_items=2)
    taken = await vendor.post([session(1), session(2)])
    refused = await vendor.post([session(3), session(4)])
    last = await vendor.post(session(6))
    vendor.token = "other-sesame"  # noqa: S105 - made up for these tests
    other = await vendor.post(session(5))

    assert (taken.status, taken.headers["RateLimit-Policy"]) == (202, '"vendor";q=3;w=60')
    assert taken.headers["RateLimit"].startswith('"vendor";r=1;t=')
    assert (refused.status, refused.headers["Retry-After"]) == (429, "20")
    assert (last.status, other.status) == (202, 202)


async def test_an_address_or_method_that_is_not_there_is_a_problem_too(vendor: Vendor) -> None:
    missing, wrong = await vendor.get("/v2?patient=p-1"), await vendor.get("/v1/submissions")

    assert (missing.status, missing.body["type"]) == (404, "/docs#not-found")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")
