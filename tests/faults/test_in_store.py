"""The comparison with the store finds a point that is lost, changed or made up, when it looks at all and at some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from agents.storing.points import of_assessment
from schemas.assessments import Assessment
from schemas.codec import encode
from schemas.topics import ASSESSMENTS, TOPICS
from tests.faults.in_store import in_store
from tests.faults.observed import Observed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.stores.port import Point
    from infra.local.servers import InfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
EXAMPLE: Final = Path(__file__).parents[2] / "schemas/examples/assessments/good/red.json"
LOOKED_AT, OTHER = "p-looked-at", "p-other"
EVERY, SOME = None, {LOOKED_AT}


@pytest.fixture
async def store(influxdb: InfluxDB) -> AsyncIterator[InfluxDBStore]:
    opened = InfluxDBStore(
        influxdb.url,
        org=influxdb.org,
        bucket=influxdb.bucket,
        token=influxdb.token,
        metrics=Metrics(CollectorRegistry()),
    )
    yield opened
    await opened.close()


def of(test: str, patient: str) -> Assessment:
    """A red of a patient, at a time of each test's own, for they share a bucket."""
    example = msgspec.json.decode(EXAMPLE.read_bytes(), type=Assessment)
    by = timedelta(days=200 * TESTS.index(test)) + (datetime(2020, 1, 1, tzinfo=UTC) - example.at)
    readings = tuple(
        msgspec.structs.replace(one, measured_at=one.measured_at.astimezone(UTC) + by) for one in example.readings
    )
    return msgspec.structs.replace(example, patient=patient, at=example.at + by, first_at=None, readings=readings)


TESTS: Final = ("right", "lost", "changed", "made-up", "elsewhere")


def observed(*assessments: Assessment) -> Observed:
    found = Observed(records={topic.name: [] for topic in TOPICS})
    found.records[ASSESSMENTS.name] = [
        SimpleNamespace(key=one.patient.encode(), value=encode(one)) for one in assessments
    ]
    return found


def changed(points: list[Point], **fields: Any) -> list[Point]:  # noqa: ANN401 - whatever a field holds
    """The points, with other fields in the first reading."""
    at = next(place for place, point in enumerate(points) if point.measurement == "reading")
    points[at] = msgspec.structs.replace(points[at], fields={**points[at].fields, **fields})
    return points


@pytest.mark.parametrize("some", [EVERY, SOME])
async def test_nothing_is_found_where_all_is_there(store: InfluxDBStore, some: set[str] | None) -> None:
    said = [of("right", LOOKED_AT), of("right", OTHER)]
    await store.write([point for one in said for point in of_assessment(one)])
    assert await in_store(observed(*said), store, some) == []


@pytest.mark.parametrize("some", [EVERY, SOME])
@pytest.mark.parametrize("patient", [LOOKED_AT, OTHER])
async def test_each_point_that_is_lost_is_found(store: InfluxDBStore, some: set[str] | None, patient: str) -> None:
    said = [of("lost", f"{patient}-{bool(some)}")]
    kept = of_assessment(said[0])
    gone = kept.pop(0)
    await store.write(kept)
    looked_at = None if some is None else {said[0].patient} if patient == LOOKED_AT else {"p-nobody"}
    wrong = await in_store(observed(*said), store, looked_at)
    assert any(one.startswith(f"{gone.measurement} not in the store: 1") for one in wrong), wrong


@pytest.mark.parametrize("field", ["value", "revision"])
@pytest.mark.parametrize("some", [EVERY, SOME])
async def test_each_field_that_differs_is_found(store: InfluxDBStore, some: set[str] | None, field: str) -> None:
    said = of("changed", f"{LOOKED_AT}-{field}-{bool(some)}")
    await store.write(changed(of_assessment(said), **{field: 4.25}))
    wrong = await in_store(observed(said), store, None if some is None else {said.patient})
    assert any("reading otherwise in the store" in one and f"'{field}'" in one for one in wrong), wrong


async def test_of_patients_that_are_not_looked_at_whole_one_field_of_each_point_is(store: InfluxDBStore) -> None:
    said = of("elsewhere", OTHER)
    await store.write(changed(of_assessment(said), revision=4.25))
    wrong = await in_store(observed(said), store, {"p-nobody"})
    assert any(one.startswith("reading with another revision in the store") for one in wrong), wrong


@pytest.mark.parametrize("some", [EVERY, SOME])
async def test_a_point_that_nobody_said_is_found(store: InfluxDBStore, some: set[str] | None) -> None:
    said = of("made-up", f"{LOOKED_AT}-{bool(some)}")
    again = msgspec.structs.replace(said, at=said.at + timedelta(minutes=1), readings=())
    await store.write([*of_assessment(said), *of_assessment(again)])
    wrong = await in_store(observed(said), store, None if some is None else {said.patient})
    assert any(one.startswith("assessment in the store that nobody said: 1") for one in wrong), wrong
