"""What every store does. Run on SQLite in `make test`, and on a real InfluxDB in tests/stack."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from msgspec import structs

from agents.stores.checks import RefusedPointError
from agents.stores.port import Point, Problem, TimeSeriesStore

if TYPE_CHECKING:
    from collections.abc import Mapping

# A whole hour not long ago, so that a bucket with a retention takes the points. One instant for the whole run.
NOON = pd.Timestamp.now(tz="UTC").floor("h").to_pydatetime() - timedelta(hours=3)
NOON_MS = int(NOON.timestamp()) * 1000
DAY = timedelta(days=1)


def point(
    at_ms: int = 0, *, measurement: str = "reading", tags: Mapping[str, str] | None = None, **fields: float | str
) -> Point:
    """Return a point `at_ms` after noon; without fields it has `value=72`."""
    return Point(measurement, tags or {"patient": "p-1"}, fields or {"value": 72.0}, NOON_MS + at_ms)


async def rows(store: TimeSeriesStore, measurement: str = "reading", **asked: object) -> list[dict[str, object]]:
    """Return what `store` holds of the day around noon, missing values left out, in an order of their own.

    Read or scanned, it is the same.
    """
    read = await store.read(measurement, start=NOON - DAY, stop=NOON + DAY, **asked)  # type: ignore[arg-type]
    scanned = await store.scan(measurement, start=NOON - DAY, stop=NOON + DAY, **asked)  # type: ignore[arg-type]
    assert list(scanned.columns) == list(read.columns)
    assert str(scanned["time"].dtype) == str(read["time"].dtype)
    assert _told(scanned) == _told(read)
    return _told(read)


def _told(frame: pd.DataFrame) -> list[dict[str, object]]:
    found = [
        {name: value for name, value in row.items() if not pd.isna(value)} for row in frame.to_dict(orient="records")
    ]
    for row in found:
        row["time"] = round((row["time"].to_pydatetime() - NOON) / timedelta(milliseconds=1))
    return sorted(found, key=str)


class StoreContract:
    """Mixed into a class that has a fixture `store`: a TimeSeriesStore that holds nothing."""

    async def test_what_was_confirmed_can_be_read(self, store: TimeSeriesStore) -> None:
        refused = await store.write([point(value=72.5, unit="/min"), point(5, value=71.0, unit="/min")])

        assert refused == []
        assert await rows(store) == [
            {"time": 0, "patient": "p-1", "value": 72.5, "unit": "/min"},
            {"time": 5, "patient": "p-1", "value": 71.0, "unit": "/min"},
        ]

    async def test_writing_again_changes_nothing(self, store: TimeSeriesStore) -> None:
        points = [point(n, value=float(n)) for n in range(50)]

        for _ in range(3):
            assert await store.write(points) == []

        assert len(await rows(store)) == 50

    async def test_the_same_measurement_tags_and_time_overwrite_what_was_said(self, store: TimeSeriesStore) -> None:
        await store.write([point(value=72.0, unit="/min")])
        await store.write([point(value=80.0)])

        assert await rows(store) == [{"time": 0, "patient": "p-1", "value": 80.0, "unit": "/min"}]

    async def test_the_last_of_one_batch_holds(self, store: TimeSeriesStore) -> None:
        await store.write([point(value=1.0), point(value=2.0, unit="%"), point(value=3.0)])

        assert await rows(store) == [{"time": 0, "patient": "p-1", "value": 3.0, "unit": "%"}]

    async def test_another_tag_is_another_series(self, store: TimeSeriesStore) -> None:
        await store.write([point(tags={"patient": "p-1"}), point(tags={"patient": "p-2", "device": "d"})])

        assert await rows(store) == [
            {"time": 0, "device": "d", "patient": "p-2", "value": 72.0},
            {"time": 0, "patient": "p-1", "value": 72.0},
        ]

    async def test_a_millisecond_apart_is_apart(self, store: TimeSeriesStore) -> None:
        await store.write([point(0), point(1)])

        assert [row["time"] for row in await rows(store)] == [0, 1]

    async def test_points_of_one_millisecond_are_told_apart_below_it(self, store: TimeSeriesStore) -> None:
        first, second = point(1, value=1.0), structs.replace(point(1, value=2.0), apart_ns=999_999)
        assert await store.write([first, second, second, first]) == []
        assert await rows(store) == [
            {"time": 1, "patient": "p-1", "value": 1.0},
            {"time": 1, "patient": "p-1", "value": 2.0},
        ]
        assert len(await store.read("reading", start=NOON, stop=NOON + timedelta(milliseconds=2))) == 2
        assert len(await store.read("reading", start=NOON, stop=NOON + timedelta(milliseconds=1))) == 0

    async def test_the_start_belongs_to_the_asked_time_and_the_stop_does_not(self, store: TimeSeriesStore) -> None:
        await store.write([point(n, value=float(n)) for n in (0, 1, 2, 3)])
        ms = timedelta(milliseconds=1)

        for find in (store.read, store.scan):
            frame = await find("reading", start=NOON + ms, stop=NOON + 3 * ms)

            assert list(frame["value"]) == [1.0, 2.0]

    async def test_the_frame_is_tidy_and_by_time(self, store: TimeSeriesStore) -> None:
        await store.write([point(9, value=1.0, unit="%"), point(3, tags={"patient": "p-2"}, value=2.0)])

        for find in (store.read, store.scan):
            frame = await find("reading", start=NOON - DAY, stop=NOON + DAY)

            assert list(frame.columns) == ["time", "patient", "unit", "value"]
            assert str(frame["time"].dtype) == "datetime64[ms, UTC]"
            assert str(frame["value"].dtype) == "float64"
            assert list(frame["patient"]) == ["p-2", "p-1"]
            assert list(frame.index) == [0, 1]

    async def test_only_what_carries_the_asked_tags_comes(self, store: TimeSeriesStore) -> None:
        await store.write([point(n, tags={"patient": f"p-{n}", "vital": f"v-{n % 2}"}) for n in range(4)])

        found = await rows(store, tags={"vital": "v-1", "patient": "p-3"})

        assert [row["patient"] for row in found] == ["p-3"]

    async def test_only_the_asked_fields_come_and_each_has_its_column(self, store: TimeSeriesStore) -> None:
        await store.write([point(0, value=1.0, unit="%", score=2.0), point(1, unit="%")])

        frame = await store.read("reading", start=NOON - DAY, stop=NOON + DAY, fields=["value", "never"])

        assert list(frame.columns) == ["time", "never", "patient", "value"]
        assert list(frame["value"]) == [1.0]

    async def test_nothing_found_is_an_empty_frame(self, store: TimeSeriesStore) -> None:
        for find in (store.read, store.scan):
            frame = await find("reading", start=NOON - DAY, stop=NOON + DAY, fields=["value"])

            assert list(frame.columns) == ["time", "value"]
            assert len(frame) == 0
            assert str(frame["time"].dtype) == "datetime64[ms, UTC]"

    async def test_measurements_are_kept_apart(self, store: TimeSeriesStore) -> None:
        await store.write([point(), point(measurement="status", zone="green")])

        assert await rows(store, "status") == [{"time": 0, "patient": "p-1", "zone": "green"}]

    @pytest.mark.parametrize(
        "text",
        [
            'he said "no"',
            "a,b=c d",
            "back\\slash",
            "ends\\",
            "two\nlines",
            "\n\n",
            "æøå 漢 😀",
            "0012",
            "NA",
            "nan",
        ],
    )
    async def test_a_text_comes_back_as_it_was(self, store: TimeSeriesStore, text: str) -> None:
        await store.write([point(unit=text, value=1.0)])

        assert await rows(store) == [{"time": 0, "patient": "p-1", "unit": text, "value": 1.0}]

    async def test_a_carriage_return_comes_back(self, store: TimeSeriesStore) -> None:
        await store.write([point(unit="a\rb\r\n", value=1.0)])

        assert [row["unit"] for row in await rows(store)] == ["a\rb\r\n"]

    async def test_a_scan_leaves_out_what_begins_as_it_is_told(self, store: TimeSeriesStore) -> None:
        names = ("canary-1", "canary", "sim-canary-1", "sim-1")
        at_ms = int(NOON.timestamp() * 1000)
        points = [Point("reading", {"patient": name}, {"value": 1.0}, at_ms) for name in names]
        points.append(Point("reading", {"vital": "spo2"}, {"value": 1.0}, at_ms))
        assert await store.write(points) == []
        period = {"start": NOON - DAY, "stop": NOON + DAY}
        found = await store.scan("reading", **period, apart={"patient": "canary-"})
        assert set(found["patient"].dropna()) == {"canary", "sim-canary-1", "sim-1"}
        assert len(found) == 4
        with pytest.raises(ValueError, match="begins with"):
            await store.scan("reading", **period, apart={"patient": "a/ OR 1=1"})
        with pytest.raises(ValueError, match="a name is"):
            await store.scan("reading", **period, apart={'p" OR 1=1': "a"})

    async def test_a_scan_has_carriage_returns_too(self, store: TimeSeriesStore) -> None:
        await store.write([point(unit="a\rb\r\n", value=1.0)])

        frame = await store.scan("reading", start=NOON - DAY, stop=NOON + DAY)

        assert list(frame["unit"]) == ["a\rb\r\n"]

    @pytest.mark.parametrize("text", ["a b", "a,b", "a=b", 'a"b', "a\\b", "æ漢😀", "0012", "') |> drop(", '" or 1==1'])
    async def test_a_tag_comes_back_as_it_was_and_finds_its_points(self, store: TimeSeriesStore, text: str) -> None:
        await store.write([point(tags={"patient": text}), point(tags={"patient": "other"})])

        assert await rows(store, tags={"patient": text}) == [{"time": 0, "patient": text, "value": 72.0}]

    @pytest.mark.parametrize("number", [0.0, -0.5, 1e-7, 1e20, 1e300, 0.1 + 0.2, 123456789.123456])
    async def test_a_number_comes_back_to_its_last_bit(self, store: TimeSeriesStore, number: float) -> None:
        await store.write([point(value=number)])

        assert [row["value"] for row in await rows(store)] == [number]

    async def test_a_whole_number_does_not_stand_in_the_way_of_a_broken_one(self, store: TimeSeriesStore) -> None:
        assert await store.write([point(0, value=72)]) == []
        assert await store.write([point(1, value=72.5)]) == []

        assert [row["value"] for row in await rows(store)] == [72.0, 72.5]

    async def test_an_empty_text_reads_as_missing(self, store: TimeSeriesStore) -> None:
        await store.write([point(unit="", value=1.0)])

        assert await rows(store) == [{"time": 0, "patient": "p-1", "value": 1.0}]

    async def test_a_field_that_changes_its_type_is_refused_and_the_good_are_stored(
        self, store: TimeSeriesStore
    ) -> None:
        await store.write([point(0, value=1.0)])
        good = [point(n, value=float(n)) for n in range(1, 20)]
        bad = point(20, value="seventy")

        refused = await store.write([*good[:7], bad, *good[7:]])

        assert refused == [(bad, Problem.FIELD_TYPE)]
        assert len(await rows(store)) == 20

    async def test_what_says_nothing_about_whose_it_is_is_refused_and_the_good_are_stored(
        self, store: TimeSeriesStore
    ) -> None:
        nobodys = Point("reading", {"patient": ""}, {"value": 1.0}, NOON_MS)
        broken = point(1, value=math.nan)

        refused = await store.write([nobodys, point(), broken])

        assert refused == [(nobodys, Problem.MISSING_TAG), (broken, Problem.NOT_FINITE)]
        assert len(await rows(store)) == 1

    async def test_no_points_are_written_at_once(self, store: TimeSeriesStore) -> None:
        assert await store.write([]) == []

    async def test_more_than_one_request_holds_is_written(self, store: TimeSeriesStore) -> None:
        assert await store.write([point(n, value=float(n)) for n in range(12_000)]) == []

        assert len(await rows(store, fields=["value"])) == 12_000

    @pytest.mark.parametrize("name", ['x") |> drop(', "", "A", "_time", "a b"])
    async def test_a_name_that_no_point_can_have_is_not_asked_for(self, store: TimeSeriesStore, name: str) -> None:
        for asked in ({"tags": {name: "x"}}, {"fields": [name]}):
            with pytest.raises(RefusedPointError):
                await rows(store, **asked)
        with pytest.raises(RefusedPointError):
            await rows(store, name)

    async def test_a_time_without_a_zone_is_not_asked_for(self, store: TimeSeriesStore) -> None:
        naive = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)

        for find in (store.read, store.scan):
            with pytest.raises(ValueError, match="time zone"):
                await find("reading", start=naive, stop=NOON)

    async def test_what_stands_in_a_field_of_given_points_is_found_in_their_order(self, store: TimeSeriesStore) -> None:
        held = [
            point(n * 3_600_000, tags={"patient": f"p-{n}", "vital": f"v-{n % 2}"}, revision=float(n)) for n in range(5)
        ]
        await store.write(held)

        assert await store.look_up(held[::-1], "revision") == [4.0, 3.0, 2.0, 1.0, 0.0]
        assert await store.look_up([], "revision") == []

    async def test_a_point_is_known_by_all_of_its_tags_its_measurement_and_its_nanosecond(
        self, store: TimeSeriesStore
    ) -> None:
        tags = {"patient": "p-1", "device": "d-1"}
        held = structs.replace(point(tags=tags, unit="%"), apart_ns=123_457)
        await store.write([held])

        others = [
            structs.replace(held, apart_ns=123_456),
            structs.replace(held, at_ms=NOON_MS + 1),
            structs.replace(held, measurement="answer"),
            structs.replace(held, tags={"patient": "p-1"}),
            structs.replace(held, tags={**tags, "vital": "v"}),
            structs.replace(held, tags={"patient": "d-1", "device": "p-1"}),
            structs.replace(held, tags={}),
        ]
        assert await store.look_up([held, *others, held], "unit") == ["%", *[None] * len(others), "%"]
        assert await store.look_up([held], "value") == [None]

    async def test_many_points_over_a_long_time_are_looked_up(self, store: TimeSeriesStore) -> None:
        points = [
            point(-n * 360_000, tags={"patient": f"p-{n}", "vital": f"v-{n % 2}", "device": f"d-{n}"}, value=float(n))
            for n in range(1_000)
        ]
        held = [one for n, one in enumerate(points) if n % 3]
        await store.write(held)

        assert await store.look_up(points, "value") == [float(n) if n % 3 else None for n in range(1_000)]

    @pytest.mark.parametrize("text", ["a b", 'a"b', "a\\b", "æ漢😀", "0012", "') |> drop(", '" or 1==1'])
    async def test_any_tag_and_any_text_can_be_looked_up(self, store: TimeSeriesStore, text: str) -> None:
        odd = point(tags={"patient": text}, unit=text)
        await store.write([odd])

        assert await store.look_up([odd, point()], "unit") == [text, None]

    async def test_an_empty_text_is_there(self, store: TimeSeriesStore) -> None:
        await store.write([point(0, unit=""), point(1, unit="%")])

        assert await store.look_up([point(0), point(1), point(2)], "unit") == ["", "%", None]

    async def test_a_field_that_no_point_can_have_is_not_looked_up(self, store: TimeSeriesStore) -> None:
        with pytest.raises(RefusedPointError):
            await store.look_up([point()], 'x") |> drop(')

    async def test_it_is_reachable_once_it_answered(self, store: TimeSeriesStore) -> None:
        assert not store.reachable
        assert await store.ping()
        assert store.reachable
        await store.write([point()])
        assert store.reachable
