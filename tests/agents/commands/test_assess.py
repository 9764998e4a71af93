"""`sonevakt assess`: events in, what follows from them out, and no bad line takes its neighbours along."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
import pytest

from agents.commands import assess
from schemas.topics import CARE, SUBMISSIONS
from tests.histories import SPO2_LIMITS, enrolled, signed, spo2, submitted


def line(topic: str, message: object) -> bytes:
    return msgspec.json.encode({"topic": topic, "message": message})


def assessed(*lines: bytes) -> tuple[int, list[dict[str, Any]]]:
    out = BytesIO()
    code = assess.run(BytesIO(b"\n".join(lines)), out)
    return code, [msgspec.json.decode(one) for one in out.getvalue().splitlines()]


PLANNED = (line(CARE.name, enrolled()), line(CARE.name, signed(0, SPO2_LIMITS)))


def test_events_become_what_follows_from_them() -> None:
    code, told = assessed(*PLANNED, line(SUBMISSIONS.name, submitted("10", 10, spo2(84, 10))))
    assert code == 0
    by_topic = {one["topic"]: one["message"] for one in told}
    assert by_topic["assessments"]["zone"] == "red"
    assert by_topic["assessments"]["reasons"][0]["rule"] == "limit_low"
    assert by_topic["pages"]["zone"] == by_topic["zone-changes"]["to_zone"] == by_topic["patient-status"]["zone"]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (b"{", "line 3: is not an object with topic and message"),
        (b"[]", "line 3: is not an object with topic and message"),
        (line("pages", {}), "line 3: is not an object with topic and message"),
        (line(SUBMISSIONS.name, {"type": "submission"}), "line 3: "),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_next_is_judged(
    bad: bytes, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = assessed(*PLANNED, bad, line(SUBMISSIONS.name, submitted("10", 10, spo2(95, 10))))
    assert code == 1
    assert capsys.readouterr().err.startswith(named)
    assert [one["message"]["zone"] for one in told if one["topic"] == "assessments"] == ["green"]
