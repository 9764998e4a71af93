"""Reading messages: strict, by field, and never telling a value."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from schemas.codec import Codec, UnreadableError, encode
from schemas.dead_letters import DeadLetterReason
from schemas.submissions import Submission, SubmissionEvent

GOOD: dict[str, Any] = {
    "type": "submission",
    "submission_id": "6f1c2a34-0000-4000-8000-000000000001",
    "patient": "sim-0001",
    "received_at": "2026-03-01T08:00:00Z",
    "readings": [{"code": "8867-4", "value": 70, "unit": "/min", "measured_at": "2026-03-01T08:59:00+01:00"}],
}
SUBMISSIONS: Codec[SubmissionEvent] = Codec(SubmissionEvent)
MARKER = "marker-12345"


def changed(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def reading(**fields: object) -> bytes:
    return changed(readings=[{**GOOD["readings"][0], **fields}])


def test_a_good_submission_comes_back_as_it_was() -> None:
    read = SUBMISSIONS.decode(json.dumps(GOOD).encode())
    assert isinstance(read, Submission)
    assert SUBMISSIONS.decode(encode(read)) == read


def test_a_field_that_is_not_known_is_ignored() -> None:
    assert SUBMISSIONS.decode(changed(colour="blue")) == SUBMISSIONS.decode(json.dumps(GOOD).encode())


@pytest.mark.parametrize(
    ("raw", "reason", "field"),
    [
        (b"", "not_json", None),
        (None, "not_json", None),
        (b"\xff\xfe", "not_json", None),
        (b"{", "not_json", None),
        (b'{"value": NaN}', "not_json", None),
        (b"[" * 100_000, "invalid", None),
        (b'"' + b"x" * 5_000_000 + b'"', "invalid", None),
        (changed(patient=None), "invalid", "patient"),
        (changed(patient="12345678901"), "invalid", "patient"),
        (changed(patient="sim-0001\n"), "invalid", "patient"),
        (changed(received_at="2026-03-01T08:00:00"), "invalid", "received_at"),
        (changed(readings=[]), "invalid", None),
        (changed(schema_version=2), "unsupported_version", "schema_version"),
        (changed(type="rumour"), "invalid", "type"),
        (reading(value="70"), "invalid", "readings[0].value"),
        (reading(value=None), "invalid", "readings[0].value"),
        (reading(unit=""), "invalid", "readings[0].unit"),
        (reading(code="pulse"), "invalid", "readings[0].code"),
        (reading(measured_at="yesterday"), "invalid", "readings[0].measured_at"),
        (reading(entry_mode="guess"), "invalid", "readings[0].entry_mode"),
        (reading(attempt=0), "invalid", "readings[0].attempt"),
    ],
)
def test_a_bad_message_is_named_by_reason_and_field(raw: bytes | None, reason: str, field: str | None) -> None:
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(raw)
    assert (told.value.reason, told.value.field) == (DeadLetterReason(reason), field)


@pytest.mark.parametrize(
    "raw",
    [
        changed(schema_version=2, type="rumour"),
        changed(schema_version=2, received_at={"day": 4}),
        reading(entry_mode="guess")[:-1] + b', "schema_version": 2}',
        b'{"schema_version": 2}',
    ],
)
def test_of_a_newer_version_it_is_the_version_that_is_named_whatever_else_is_new(raw: bytes) -> None:
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(raw)
    assert (told.value.reason, told.value.field) == (DeadLetterReason.UNSUPPORTED_VERSION, "schema_version")


def test_a_message_of_the_next_version_says_so_and_one_that_names_none_is_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = json.dumps(GOOD).encode()
    with monkeypatch.context() as later:
        later.setattr(codec, "SCHEMA_VERSION", 2)
        second = encode(SUBMISSIONS.decode(first))
        assert (SUBMISSIONS.decode(first).schema_version, SUBMISSIONS.decode(second).schema_version) == (1, 2)
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(second)
    assert told.value.reason is DeadLetterReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None])
def test_what_is_no_version_is_invalid(version: object) -> None:
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(changed(schema_version=version))
    assert told.value.reason is DeadLetterReason.INVALID


@pytest.mark.parametrize("field", ["patient", "submission_id", "received_at", "type", "readings", "schema_version"])
def test_an_error_never_tells_a_value(field: str) -> None:
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(changed(**{field: f"{MARKER}\x00"}))
    assert MARKER not in str(told.value)


@pytest.mark.parametrize("field", ["code", "unit", "measured_at", "device", "entry_mode", "value"])
def test_an_error_never_tells_a_value_of_a_reading(field: str) -> None:
    with pytest.raises(UnreadableError) as told:
        SUBMISSIONS.decode(reading(**{field: MARKER * 20}))
    assert MARKER not in str(told.value)


ROOT = Path(codec.__file__).parents[1]
TOO_LITTLE = {"MsgspecError", "DecodeError"}


@pytest.mark.parametrize("folder", ["agents", "dashboards", "pipeline", "schemas"])
def test_whoever_decodes_bytes_expects_all_that_is_raised_on_them(folder: str) -> None:
    handlers = [
        (path.relative_to(ROOT), node.lineno)
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
        for named in ast.walk(node.type)
        if isinstance(named, ast.Attribute) and named.attr in TOO_LITTLE
    ]
    # Text that is no UTF-8 and nesting without an end are neither: UNREADABLE has them.
    assert handlers == []
