"""What vendors are told of the gateway is what it does."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from agents.gateway import GatewaySettings
from agents.gateway.known import unknown_codes_and_units
from agents.gateway.openapi import EXAMPLE_CORRECTION, EXAMPLE_SUBMISSION
from agents.gateway.problems import PROBLEMS
from agents.gateway.tokens import TokensError, load_tokens
from agents.partitioner import by_key, partition_for
from tests.agents.gateway.conftest import reading, session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agents.gateway.conftest import Vendor


def references(node: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """Return every $ref within a JSON document."""
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(each) for each in node.values()))
    return set().union(*(references(each) for each in node)) if isinstance(node, list) else set()


async def test_the_openapi_document_is_whole_and_asks_for_nothing_that_the_gateway_sets(vendor: Vendor) -> None:
    document = (await vendor.get("/openapi.json")).body
    schemas = document["components"]["schemas"]

    assert document["openapi"] == "3.1.0"
    assert {f"#/components/schemas/{name}" for name in schemas} >= references(document)
    assert "received_at" not in schemas["Submission"]["properties"]
    assert schemas["Submission"]["required"] == ["submission_id", "patient"]
    assert schemas["Correction"]["required"] == ["correction_id", "submission_id", "patient", "action"]
    for verbs in document["paths"].values():
        assert set(verbs["post"]["responses"]) == {
            "202", "207", "400", "401", "408", "413", "415", "422", "429", "500", "503",
        }  # fmt: skip


async def test_its_examples_are_accepted_by_the_rules(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(check=unknown_codes_and_units)
    submitted = await vendor.post(EXAMPLE_SUBMISSION)
    corrected = await vendor.post(EXAMPLE_CORRECTION, path="/v1/corrections")

    assert (submitted.status, corrected.status) == (202, 202)


async def test_the_rules_codes_and_units_are_told_by_field(open_gateway: Callable[..., Any]) -> None:
    vendor = await open_gateway(check=unknown_codes_and_units)
    wrong = [reading(), reading(code="1-8"), reading(unit="kg")]

    answer = await vendor.post(session(readings=wrong))

    assert (answer.status, answer.fields) == (422, ["readings[1].code", "readings[2].unit"])
    assert answer.body["errors"][1]["problem"] == "is no unit of this code; it has: %"


async def test_the_page_shows_every_address_field_and_problem_and_fetches_nothing(vendor: Vendor) -> None:
    page = await vendor.get("/docs")
    document = (await vendor.get("/openapi.json")).body

    shown = [f'id="{kind.name}"' for kind in PROBLEMS] + list(document["paths"])
    shown += [
        f"<code>{field}</code>"
        for each in document["components"]["schemas"].values()
        for field in each.get("properties", ())
    ]
    assert [each for each in shown if each not in page.text] == []
    assert re.findall(r"(?:src|href)=\"(?!#|/openapi\.json)[^\"]*\"|<script|<link|@import|url\(", page.text) == []
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_the_page_may_load_nothing_but_its_own_style(vendor: Vendor) -> None:
    page = await vendor.get("/docs")

    style = re.search(r"<style>(.*)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "give a JSON object"),
        ('{"kjelde": ["open-sesame"]}', "give a JSON object"),
        ('{"Kjelde Health": []}', "give a JSON object"),
        ("{}", "nobody could send"),
        ('{"kjelde": []}', "nobody could send"),
        (json.dumps({"a": ["0" * 64], "b": ["0" * 64]}), "stands there twice"),
    ],
)
def test_a_tokens_file_that_cannot_be_used_says_what_to_do_and_nothing_of_itself(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)

    with pytest.raises(TokensError, match=problem) as raised:
        load_tokens(path)

    assert "sesame" not in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_a_tokens_file_that_is_not_there_says_so_and_tokens_show_nothing(tmp_path: Path, tokens_file: Path) -> None:
    with pytest.raises(TokensError, match="check path and rights"):
        load_tokens(tmp_path / "none.json")

    assert repr(load_tokens(tokens_file)) == "Tokens()"


@pytest.mark.parametrize("name", ["body_bytes", "batch_items", "in_flight", "confirm_timeout_s", "items_per_minute"])
def test_settings_that_would_refuse_everything_are_refused_by_name(tokens_file: Path, name: str) -> None:
    changed: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=name):
        GatewaySettings(tokens_file=tokens_file, **changed)


@pytest.mark.parametrize(
    ("key", "hashed"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_a_key_lies_where_kafkas_own_clients_put_it(key: bytes, hashed: int) -> None:
    # Hashes of org.apache.kafka.common.utils.UtilsTest.testMurmur2; the client then drops the sign and takes the rest.
    assert partition_for(key, 12) == (hashed & 0x7FFFFFFF) % 12


def test_a_patient_stays_on_their_partition_while_others_are_away() -> None:
    assert by_key(b"p-1", list(range(12)), [0]) == partition_for(b"p-1", 12)


def test_a_record_without_patient_or_a_topic_without_partition_is_an_error() -> None:
    with pytest.raises(ValueError, match="pseudonym as key"):
        by_key(None, [0], [0])
    with pytest.raises(ValueError, match="at least one partition"):
        partition_for(b"p", 0)
