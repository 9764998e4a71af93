"""`sonevakt explain`: a past decision as it was, from a recording and from the broker's own log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from agents.broker.embedded import EmbeddedBroker
from agents.commands import main
from agents.recordings.events import Event
from agents.replay.feed import Feed
from schemas.topics import CARE, SUBMISSIONS
from tests.histories import PATIENT, SPO2_LIMITS, at, enrolled, signed, spo2, submitted

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
EVENTS = [
    (CARE, enrolled()),
    (CARE, signed(0, SPO2_LIMITS)),
    (SUBMISSIONS, submitted("well", 10, spo2(95, 10))),
    (SUBMISSIONS, submitted("ill", 34, spo2(84, 34))),
    (SUBMISSIONS, submitted("late", 20, spo2(86, 20), late=40)),
]


def explained(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["explain", "--patient", PATIENT, *arguments], env=environment)


@pytest.fixture
def recording(tmp_path: Path) -> str:
    lines = [msgspec.json.encode({"topic": topic.name, "message": message}) for topic, message in EVENTS]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    return str(tmp_path / "events.jsonl")


def told(recording: str, hours: float, language: str = "en") -> list[str]:
    found = explained("--source", recording, "--at", at(hours).isoformat(), "--language", language)
    assert found.exit_code == 0, found.output
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in found.output.splitlines()]


def test_it_tells_what_stood_by_what_was_known_then(recording: str) -> None:
    assert told(recording, 11)[0].startswith("The patient: green")
    lines = told(recording, 35)
    assert lines[0].startswith("The patient: red, since 2026-03-21T10:00:00")
    assert "  Oxygen saturation 84% is at or below the red limit 85%." in lines
    assert "plan 1, rules" in lines[-1]
    assert told(recording, 35, "nb")[0].startswith("Pasienten: rød")
    assert "  Oksygenmetning 84 % er på eller under den røde grensen 85 %." in told(recording, 35, "nb")
    # What came 40 hours late is known only from then on.
    assert told(recording, 21)[0].startswith("The patient: green")


def test_silence_is_told_too(recording: str) -> None:
    assert "  The registration did not come in time." in told(recording, 24 * 5)


def test_before_anything_was_known(recording: str) -> None:
    assert told(recording, -5) == ["Nothing was known of the patient then."]


def test_a_time_without_an_offset_is_one_sentence(recording: str) -> None:
    found = explained("--source", recording, "--at", "2026-03-21T12:00:00")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "offset" in found.stderr


def test_the_brokers_log_tells_the_same() -> None:
    with EmbeddedBroker(partitions=3, prefix="t-") as broker:
        feed = Feed(broker.bootstrap, prefix="t-", partitions=3, group="")

        async def fill() -> None:
            async with feed.producing() as producer:
                await feed.send_all(producer, [Event(at(0), topic, message) for topic, message in EVENTS])
                await producer.send_and_wait("t-submissions", b"{", key=PATIENT.encode(), partition=0)

        asyncio.run(fill())
        found = explained(
            "--at",
            "2100-01-01T00:00:00Z",
            "--language",
            "en",
            SONEVAKT_BROKER=f"kafka://{broker.bootstrap}",
            SONEVAKT_TOPIC_PREFIX="t-",
            SONEVAKT_PARTITIONS="3",
        )
        missing = explained(
            "--at",
            "2100-01-01T00:00:00Z",
            SONEVAKT_BROKER=f"kafka://{broker.bootstrap}",
            SONEVAKT_TOPIC_PREFIX="t-",
            SONEVAKT_PARTITIONS="1000",
        )
    assert found.exit_code == 0, found.output
    assert found.output.startswith("The patient: red")
    assert missing.exit_code == 2
    assert "has no partition" in missing.stderr
