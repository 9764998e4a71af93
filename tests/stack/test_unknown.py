"""What dashboards say of a store that is new or was emptied: nothing, and not that all is well."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from dashboards.grafana.written import FOLDER
from schemas.types import Zone
from tests.grafana.asking import Answer, Servers
from tests.grafana.interpolation import Chosen, Period
from tests.grafana.questions import of_panels, of_variable, panels, variables
from tests.stack import followed
from tests.stack.followed import at
from tests.stack.test_flux import Store, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.grafana.questions import Question
    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
STOP: Final = at("03-02 12:00")
CHOSEN: Final = {"service": Chosen(("south",)), "municipality": Chosen(("m2",)), "patient": Chosen("p-1")}
DASHBOARDS: Final = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.rglob("clinical/*.en.json"))]
NUMBERS: Final = [
    question
    for dashboard in DASHBOARDS
    for question in of_panels(dashboard)
    if question.source == "influxdb"
    and question.panel in {panel["id"] for panel in panels(dashboard) if panel["type"] == "stat"}
]


@pytest.fixture
def store(influxdb: RunningInfluxDB, tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    with opened(influxdb, tmp_path) as store:
        store.apply({}, at("03-01 00:00"))
        yield store


def asked(influxdb: RunningInfluxDB, store: Store, questions: Sequence[Question]) -> list[Answer]:
    """What a reader is answered who has chosen a service that has nobody."""

    async def asked() -> list[Answer]:
        told = {"url": influxdb.url, "org": influxdb.org, "bucket": store.bucket, "token": store.token("grafana")}
        async with aiohttp.ClientSession() as http:
            servers = Servers(http, "", told)
            return [await servers.ask(one, CHOSEN, Period(STOP - timedelta(days=1), STOP)) for one in questions]

    return asyncio.run(asked())


def numbers(answers: list[Answer]) -> dict[str, dict[str, Any]]:
    return {answer.question.name: answer.last() for answer in answers}


def test_there_are_numbers_out_of_the_store() -> None:
    assert len(NUMBERS) >= 5


def test_of_an_empty_store_no_number_is_told(influxdb: RunningInfluxDB, store: Store) -> None:
    found = asked(influxdb, store, NUMBERS)
    assert [(answer.question.name, answer.frames) for answer in found if answer.rows] == []
    assert store.ask("patientsByZone", at=STOP) == []
    assert store.ask("oldestUnacknowledgedRed", at=STOP) == []
    assert store.ask("patientsByZone", at=STOP, services=["south"]) == []


def test_nor_of_one_that_knows_a_canary_alone_or_nobody_yet(influxdb: RunningInfluxDB, store: Store) -> None:
    canary = followed.stood(
        "p-3", "03-02 09:00", Zone.GREEN, "03-02 09:00", followed.FINE, service="north", pathway="canary"
    )
    later = followed.stood("p-1", "03-02 13:00", Zone.GREEN, "03-02 13:00", followed.FINE, service="north")
    store.write([*canary, *later])
    found = asked(influxdb, store, NUMBERS)
    assert [(answer.question.name, answer.frames) for answer in found if answer.rows] == []


def test_a_service_that_has_nobody_has_0_where_the_store_has_others(influxdb: RunningInfluxDB, store: Store) -> None:
    store.write(followed.stood("p-1", "03-02 09:00", Zone.RED, "03-02 09:00", followed.HIGH, service="north"))
    found = numbers(asked(influxdb, store, NUMBERS))
    assert len(found) == len(NUMBERS)
    for name, told in found.items():
        assert told, name
        assert set(told.values()) == {0.0}, name


def test_the_list_of_patients_has_who_is_of_another_service_and_who_is_followed_no_more(
    influxdb: RunningInfluxDB, store: Store
) -> None:
    store.write(list(followed.points()))
    (dashboard,) = (one for one in DASHBOARDS if one["uid"] == "sonevakt-patient-en")
    (patient,) = (one for one in variables(dashboard) if one["name"] == "patient")
    (answer,) = asked(influxdb, store, [of_variable(dashboard, patient)])
    assert answer.column("patient") == ["p-1", "p-2", "p-4"]  # p-4's follow-up is over
