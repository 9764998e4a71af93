"""A change that breaks a reader or a writer is found before it is published."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from schemas import generate
from schemas.compatibility import Break, breaking
from schemas.topics import RECEIPTS, SUBMISSIONS, TOPICS

PUBLISHED = Path(generate.__file__).parent / "published" / "1"
NAMES = [f"{topic.name}.schema.json" for topic in TOPICS if topic.message is not None]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_breaks_what_was_published(name: str) -> None:
    published = json.loads((PUBLISHED / name).read_text(encoding="utf-8"))
    assert breaking(published, json.loads(generate.documents()[name])) == []


def submissions() -> dict[str, Any]:
    return copy.deepcopy(generate.document(SUBMISSIONS))


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("Submission", "properties", "patient"), None, Break("$.patient", "is gone")),
        (("Submission", "required"), ["answers"], Break("$.answers", "is newly required")),
        (("Reading", "properties", "attempt", "maximum"), 5, Break("$.readings[].attempt", "maximum is tighter")),
        (("Reading", "properties", "attempt", "type"), "string", None),
        (("Reading", "properties", "unit", "maxLength"), 3, Break("$.readings[].unit", "maxLength is tighter")),
        (("Reading", "properties", "code", "pattern"), "^x", Break("$.readings[].code", "pattern changed")),
        (("Reading", "properties", "measured_at", "format"), "date", None),
        (("EntryMode", "enum"), ["device"], Break("$.readings[].entry_mode", "value 'manual' is gone")),
        (
            ("EntryMode", "enum"),
            ["device", "manual", "relay"],
            Break("$.readings[].entry_mode", "value 'relay' is new"),
        ),
    ],
)
def test_a_breaking_change_is_found(path: tuple[str, ...], value: object, found: Break | None) -> None:
    new = submissions()
    place = new["$defs"]
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    breaks = breaking(submissions(), new)
    assert breaks
    assert found is None or found in breaks


def test_a_lost_member_of_a_union_is_found() -> None:
    new = submissions()
    new["anyOf"] = [member for member in new["anyOf"] if "Correction" not in member["$ref"]]
    assert breaking(submissions(), new) == [Break("$", "correction is gone")]


def test_a_new_optional_field_and_a_looser_bound_break_nothing() -> None:
    new = submissions()
    new["$defs"]["Reading"]["properties"]["colour"] = {"type": "string"}
    new["$defs"]["Reading"]["properties"]["attempt"]["maximum"] = 100
    assert breaking(submissions(), new) == []


def test_the_same_document_breaks_nothing() -> None:
    assert breaking(generate.document(RECEIPTS), generate.document(RECEIPTS)) == []


def test_a_bound_that_every_integer_of_json_has_breaks_nobody() -> None:
    old = submissions()
    del old["$defs"]["Reading"]["properties"]["attempt"]["maximum"]
    bounded = copy.deepcopy(old)
    bounded["$defs"]["Reading"]["properties"]["attempt"]["maximum"] = 2**53 - 1
    assert breaking(old, bounded) == []
    bounded["$defs"]["Reading"]["properties"]["attempt"]["maximum"] = 2**53 - 2
    assert set(breaking(old, bounded)) == {Break("$.readings[].attempt", "maximum is tighter")}
