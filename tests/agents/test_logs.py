"""Nothing of a patient comes through the logs, whoever writes them."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from agents import logs

if TYPE_CHECKING:
    from collections.abc import Callable

PSEUDONYM = "p-7f3a"
TOKEN = "hunter2-token"  # noqa: S105 - a made up one, to look for
VALUE = "187.25"
SECRETS = (PSEUDONYM, TOKEN, VALUE)


def written(*, strict: bool = False, level: str = "info") -> tuple[io.StringIO, Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    logs.configure("triage", strict=strict, level=level, stream=stream)
    return stream, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_process_level_and_an_instant_in_utc() -> None:
    _, lines = written(strict=True)
    structlog.get_logger().warning("gap", topic="submissions", partition=3, offset=17)
    (line,) = lines()
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo is not None
    assert at.utcoffset() == datetime.now(UTC).utcoffset()  # noqa: TID251 - compared with the machine's own
    assert line == {
        "event": "gap",
        "process": "triage",
        "level": "warning",
        "topic": "submissions",
        "partition": 3,
        "offset": 17,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"patient": PSEUDONYM},
        {"value": 187.25},
        {"reason": '{"patient": "p-7f3a"}'},
        {"reason": "born 01017012345"},
        {"count": {"patient": PSEUDONYM}},
        {"where": ["a.py:1 f", {"patient": PSEUDONYM}]},
        {"reason": "x" * 301},
    ],
)
def test_what_is_not_allowed_raises_in_tests_and_is_dropped_by_name_in_production(fields: dict[str, object]) -> None:
    written(strict=True)
    with pytest.raises(logs.ForbiddenFieldError, match=next(iter(fields))) as caught:
        structlog.get_logger().info("event", **fields)
    assert PSEUDONYM not in str(caught.value)
    stream, lines = written(strict=False)
    structlog.get_logger().info("event", **fields)
    assert lines()[0]["dropped"] == list(fields)
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_an_exception_is_its_type_and_places_and_never_its_text() -> None:
    stream, lines = written(strict=True)
    try:
        int(f"{PSEUDONYM} had {VALUE}")
    except ValueError:
        structlog.get_logger().exception("broken")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["where"][-1].startswith("test_logs.py:")
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_a_library_s_line_keeps_template_and_place_without_what_was_filled_in() -> None:
    stream, lines = written(strict=True)
    logging.getLogger("faust.agents").error("Agent raised on %r of %s", PSEUDONYM, {"value": VALUE})
    (line,) = lines()
    assert line["template"] == "Agent raised on %r of %s"
    assert line["logger"] == "faust.agents"
    assert line["where"].startswith("test_logs.py:")
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_a_library_s_line_that_is_filled_in_already_keeps_its_place_alone() -> None:
    stream, lines = written(strict=True)
    logging.getLogger("aiokafka.consumer").error(f"cannot read {PSEUDONYM} {VALUE}")  # noqa: G004 - what libraries do
    (line,) = lines()
    assert "template" not in line
    assert line["where"].startswith("test_logs.py:")
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_a_library_s_exception_and_warning_come_without_text() -> None:
    stream, lines = written(strict=True)
    try:
        {}[TOKEN]
    except KeyError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: %r", PSEUDONYM)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"odd {VALUE}", stacklevel=1)
    assert [line.get("error") for line in lines()] == ["KeyError", None]
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_a_crash_is_one_line_without_text() -> None:
    stream, lines = written(strict=True)
    error = RuntimeError(f"{PSEUDONYM} {TOKEN}")
    sys.excepthook(type(error), error, None)
    (line,) = lines()
    assert (line["event"], line["error"]) == ("crashed", "RuntimeError")
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_chatty_libraries_are_silent_below_warning_and_aiohttp_logs_no_access() -> None:
    stream, _ = written(level="debug")
    logging.getLogger("aiokafka.conn").info("connected")
    logging.getLogger("faust.topics").info("sent")
    logging.getLogger("aiohttp.access").warning("GET /")
    assert stream.getvalue() == ""


def test_the_level_is_obeyed() -> None:
    _, lines = written(level="warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines()] == ["loud"]
