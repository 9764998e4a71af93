"""A batch of messages: confirmed in the store, or a dead letter, and nothing in between."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.port import Point, Problem, Refused
from agents.stores.sqlite import SQLiteStore
from agents.storing.sink import STORED, StoringSink
from agents.streaming import Record, Sink
from agents.streaming.received import RECEIVED_MS
from schemas.codec import encode
from schemas.topics import ASSESSMENTS, CARE, PAGES, PATIENT_STATUS, RECEIPTS, ZONE_CHANGES, Topic
from tests.agents.storing.messages import AT, AT_MS, assessment, page, reading, receipt, status, zone_change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    import msgspec

DAY = timedelta(days=1)
ADMITTED = (
    b'{"type":"admitted","event_id":"00000000-0000-4000-8000-000000000001","patient":"p-1",'
    b'"at":"2026-03-01T08:00:00Z","recorded_at":"2026-03-01T08:00:00Z","acute":true}'
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
async def store(tmp_path: Path, metrics: Metrics) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "points.sqlite", metrics=metrics)
    yield store
    await store.close()


@pytest.fixture
def sink(store: SQLiteStore, metrics: Metrics) -> StoringSink:
    return StoringSink(store, metrics=metrics, prefix="x-", now=lambda: AT + timedelta(seconds=2))


class Refusing:
    """Refuses the points whose `value` is 666, and takes the others."""

    reachable = True

    def __init__(self) -> None:
        self.taken: list[Point] = []

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Take the good ones."""
        refused = [point for point in points if point.fields.get("value") == 666]
        self.taken += [point for point in points if point not in refused]
        return [Refused(point, Problem.FIELD_TYPE) for point in refused]


def record(topic: str, message: msgspec.Struct | bytes | None, offset: int = 0, **also: object) -> Record:
    value = message if message is None or isinstance(message, bytes) else encode(message)
    said = {"partition": 4, "offset": offset, "key": b"p-1", "timestamp_ms": AT_MS} | also
    return Record(topic=f"x-{topic}", value=value, **said)  # type: ignore[arg-type]  # a test may say what it likes


def test_it_is_a_sink_of_our_streams(sink: StoringSink) -> None:
    assert isinstance(sink, Sink)
    assert set(sink.topics) == {
        f"x-{name}" for name in ("assessments", "zone-changes", "patient-status", "pages", "receipts", "care")
    }


async def test_every_topic_that_is_read_ends_in_its_measurement(
    sink: StoringSink, store: SQLiteStore, metrics: Metrics
) -> None:
    batch = [
        record(ASSESSMENTS.name, assessment(reading(), reading(code="2708-6", vital="spo2"))),
        record(ZONE_CHANGES.name, zone_change()),
        record(PATIENT_STATUS.name, status()),
        record(PAGES.name, page()),
        record(RECEIPTS.name, receipt()),
        record(CARE.name, ADMITTED),
    ]
    assert len(batch) == len(STORED)

    assert await sink.write(batch) == []

    rows = {"reading": 2, "assessment": 1, "zone_change": 1, "status": 1, "page": 1, "page_receipt": 1, "care_event": 1}
    for measurement, count in rows.items():
        assert len(await store.read(measurement, start=AT - DAY, stop=AT + DAY)) == count
        labels = {"measurement": measurement}
        assert metrics.registry.get_sample_value("sonevakt_points_written_total", labels) == count


async def test_a_batch_that_comes_again_changes_nothing(sink: StoringSink, store: SQLiteStore) -> None:
    batch = [record(ASSESSMENTS.name, assessment(reading()))]

    await sink.write(batch)
    before = await store.read("reading", start=AT - DAY, stop=AT + DAY)
    await sink.write(batch * 2)

    assert (await store.read("reading", start=AT - DAY, stop=AT + DAY)).equals(before)


@pytest.mark.parametrize(
    ("value", "key", "told"),
    [
        (b"\x00nonsense", b"p-1", ("not_json", None)),
        (None, b"p-1", ("not_json", None)),
        (b'{"patient": 7}', b"p-1", ("invalid", "patient")),
        (encode(assessment(reading())).replace(b":72.0", b':"x"'), b"p-1", ("invalid", "readings[0].value")),
        (encode(assessment(schema_version=99)), b"p-1", ("unsupported_version", "schema_version")),
        (encode(assessment()), None, ("missing_patient", None)),
        (encode(assessment()), b"", ("missing_patient", None)),
        (encode(assessment()), b"p-2", ("wrong_key", "patient")),
    ],
)
async def test_what_cannot_be_read_becomes_a_dead_letter_and_the_rest_is_stored(
    sink: StoringSink, store: SQLiteStore, value: bytes | None, key: bytes | None, told: tuple[str, str | None]
) -> None:
    good = record(ASSESSMENTS.name, assessment(reading()), offset=8)
    bad = record(ASSESSMENTS.name, value, offset=7, key=key)

    ((partition, letter),) = await sink.write([bad, good])

    assert partition == 4
    assert (letter.topic, letter.key, letter.value) == ("x-dead-letters", key, value or b"")
    headers = {name: text.decode() for name, text in letter.headers}
    assert (headers["reason"], headers.get("field")) == told
    assert headers["process"] == "storing"
    assert (headers["topic"], headers["partition"], headers["offset"]) == ("x-assessments", "4", "7")
    assert len(await store.read("reading", start=AT - DAY, stop=AT + DAY)) == 1


async def test_a_message_refused_in_part_keeps_its_good_points_and_becomes_one_dead_letter(metrics: Metrics) -> None:
    store = Refusing()
    sink = StoringSink(store, metrics=metrics)  # type: ignore[arg-type]  # writes, and no more is asked of it
    bad = reading(value=666.0)
    message = assessment(reading(), bad, reading(value=666.0, device="other"))
    first = Record("assessments", 1, 10, b"p-1", encode(assessment(reading())), AT_MS)
    partly = Record("assessments", 1, 11, b"p-1", encode(message), AT_MS)

    ((partition, letter),) = await sink.write([first, partly])

    assert (partition, letter.value) == (1, partly.value)
    assert dict(letter.headers)["reason"] == b"refused_by_store"
    assert dict(letter.headers)["offset"] == b"11"
    assert [point.measurement for point in store.taken] == ["reading", "assessment", "reading", "assessment"]
    sample = metrics.registry.get_sample_value
    assert sample("sonevakt_points_written_total", {"measurement": "reading"}) == 2
    assert sample("sonevakt_dead_letters_total", {"process": "storing", "reason": "refused_by_store"}) == 1


async def test_a_time_that_no_store_can_hold_becomes_a_dead_letter(sink: StoringSink) -> None:
    ancient = reading(measured_at=AT.replace(year=3))

    ((_, letter),) = await sink.write([record(ASSESSMENTS.name, assessment(ancient))])

    assert dict(letter.headers)["reason"] == b"refused_by_store"


async def test_a_status_that_was_removed_is_no_dead_letter(sink: StoringSink) -> None:
    assert await sink.write([record(PATIENT_STATUS.name, None)]) == []


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ((("received_ms", str(AT_MS).encode()),), (1, 2.0)),
        ((("received_ms", str(AT_MS + 60_000).encode()),), (1, 0.0)),  # clocks apart: never below nothing
        ((), (0, 0.0)),
        ((("received_ms", b"soon"),), (0, 0.0)),
    ],
)
async def test_the_time_from_receipt_to_store_is_told_where_the_record_says_when(
    sink: StoringSink, metrics: Metrics, headers: tuple[tuple[str, bytes], ...], seen: tuple[int, float]
) -> None:
    await sink.write([record(ASSESSMENTS.name, assessment(reading()), headers=headers)])

    sample = metrics.registry.get_sample_value
    name = "sonevakt_received_to_stored_seconds"
    assert (sample(f"{name}_count"), sample(f"{name}_sum")) == seen


async def test_an_unreadable_message_does_not_tell_of_a_time(sink: StoringSink, metrics: Metrics) -> None:
    await sink.write([record(ASSESSMENTS.name, b"{", headers=(("received_ms", str(AT_MS).encode()),))])

    assert metrics.registry.get_sample_value("sonevakt_received_to_stored_seconds_count") == 0


@pytest.mark.parametrize("headers", [((RECEIVED_MS, b"9" * 5_000),), ((RECEIVED_MS, b""),), ((RECEIVED_MS, None),)])
async def test_a_header_that_tells_no_instant_keeps_nothing_from_being_stored(
    sink: StoringSink, metrics: Metrics, headers: tuple[tuple[str, bytes], ...]
) -> None:
    assert await sink.write([record(ASSESSMENTS.name, assessment(reading()), headers=headers)]) == []
    assert metrics.registry.get_sample_value("sonevakt_received_to_stored_seconds_count") == 0


@pytest.mark.parametrize(
    ("topic", "message", "field"),
    [
        (RECEIPTS, receipt(), "attempts"),
        (RECEIPTS, receipt(), "ask"),
        (PAGES, page(), "ask"),
        (PATIENT_STATUS, status(), "revision"),
        (PATIENT_STATUS, status(), "open_pages"),
        (ASSESSMENTS, assessment(reading()), "revision"),
    ],
)
async def test_a_number_that_no_reader_of_json_can_hold_becomes_a_dead_letter_and_its_neighbours_are_stored(
    sink: StoringSink, store: SQLiteStore, topic: Topic, message: msgspec.Struct, field: str
) -> None:
    said = {**json.loads(encode(message)), field: 10**400}
    extreme = json.dumps(said).encode()
    letters = await sink.write([record(topic.name, extreme), record(CARE.name, ADMITTED, offset=1)])
    assert [dict(letter.headers)["reason"] for _, letter in letters] == [b"invalid"]
    assert [letter.value for _, letter in letters] == [extreme]
    assert len(await store.read("care_event", start=AT - DAY, stop=AT + DAY)) == 1


async def test_a_message_of_which_telling_fails_becomes_a_dead_letter_and_its_neighbours_are_stored(
    sink: StoringSink, store: SQLiteStore
) -> None:
    codec, _ = sink._read["x-receipts"]

    def fails(_: object) -> list[Point]:
        raise OverflowError

    sink._read["x-receipts"] = codec, fails
    letters = await sink.write([record(RECEIPTS.name, receipt()), record(CARE.name, ADMITTED, offset=1)])
    assert [dict(letter.headers)["reason"] for _, letter in letters] == [b"internal_error"]
    assert len(await store.read("care_event", start=AT - DAY, stop=AT + DAY)) == 1


async def test_nothing_to_store_is_nothing(sink: StoringSink) -> None:
    assert await sink.write([]) == []


async def test_what_arrives_late_is_stored_at_the_time_it_was_measured(sink: StoringSink, store: SQLiteStore) -> None:
    late = assessment(reading(measured_at=AT - timedelta(days=3)))

    await sink.write([record(ASSESSMENTS.name, late)])

    frame = await store.read("reading", start=AT - 4 * DAY, stop=AT - 2 * DAY)
    assert [instant.to_pydatetime() for instant in frame["time"]] == [AT - timedelta(days=3)]
    assert json.loads(encode(late))["patient"] == frame["patient"][0]


async def test_it_is_shown_when_the_store_last_confirmed_points(metrics: Metrics) -> None:
    def shown() -> float | None:
        return metrics.registry.get_sample_value("sonevakt_last_store_write_timestamp_seconds")

    sink = StoringSink(Refusing(), metrics=metrics, prefix="x-", now=lambda: AT)  # type: ignore[arg-type] # its write
    refused = record(CARE.name, ADMITTED, key=b"p-2")
    await sink.write([refused])
    assert shown() == 0
    await sink.write([record(CARE.name, ADMITTED)])
    assert shown() == AT.timestamp()
