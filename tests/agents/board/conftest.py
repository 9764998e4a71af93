"""A running board over an embedded broker, with people who ask it and send it forms."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from msgspec import structs
from prometheus_client import CollectorRegistry

from agents import pathways
from agents.board import live, reading
from agents.board.desk import Desk
from agents.board.model import Model, readings
from agents.board.serving import board, checks
from agents.board.writing import Writing
from agents.broker.embedded import EmbeddedBroker
from agents.health import Health
from agents.http import serving
from agents.metrics import Metrics
from agents.partitioner import partition_for
from agents.people.origin import masked
from agents.processes import Process, running
from schemas.assessments import Episode, EpisodeState, PatientStatus, Reason
from schemas.care import CareEvent
from schemas.codec import Codec, encode
from schemas.people import Role
from schemas.types import Phase, Zone
from tests.browser.stage import Access, person, signed_in_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.agents.conftest import Eventually

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CHANGE = UUID(int=7)
EPISODE = Episode(state=EpisodeState.OPENED, opened_at=NOW, worsened_at=NOW, zone_change_id=CHANGE)
PEOPLE = {
    "nurse-1": person(Role.NURSE, services={"joint-centre"}),
    "doctor-1": person(Role.DOCTOR, ref="doctor-1", name="Doctor One", services={"joint-centre"}),
    "coordinator-1": person(Role.COORDINATOR, ref="coordinator-1", name="Coordinator One", services={"joint-centre"}),
    "stranger-1": person(Role.NURSE, ref="stranger-1", name="Nurse Elsewhere", services={"hospital"}),
    "analyst-1": person(Role.ANALYST, ref="analyst-1", name="Analyst One", services={"joint-centre"}),
}
CARE: Codec[Any] = Codec(CareEvent)


class Shown:
    """A running board over an embedded broker."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.model = Model(self.metrics, lambda: NOW)
        self.access = Access()
        self.url = ""
        self.broker = broker
        self.now = NOW
        listing, history = readings(self.model, broker.bootstrap, "t-", 50)
        self.writing = Writing(broker.bootstrap, "t-")
        self.desk = Desk(
            model=self.model,
            listing=listing,
            history=history,
            access=self.access,
            pathways=pathways.load(),
            care=self.writing.care,
            submissions=self.writing.submissions,
            now=lambda: self.now,
        )
        self.works = (listing.run, history.run, self.writing.run)

    async def get(self, path: str, who: str = "nurse-1", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Ask for a path: status, body, headers."""
        asked = {"Accept-Language": "en", **headers}
        async with (
            aiohttp.ClientSession(cookies={"who": who}) as session,
            session.get(self.url + path, headers=asked) as answer,
        ):
            return answer.status, await answer.text(), dict(answer.headers)

    async def post(self, path: str, who: str = "nurse-1", **fields: str) -> tuple[int, str, str]:
        """Send a form: status, body, where it leads."""
        form = {"csrf": masked(f"token-of-{who}"), "form_id": str(uuid4()), **fields}
        asked = {"Accept-Language": "en"}
        async with (
            aiohttp.ClientSession(cookies={"who": who}) as session,
            session.post(self.url + path, data=form, headers=asked, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def write(self, topic: str, *messages: Any) -> None:  # noqa: ANN401 - any message
        """Write messages to the broker."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap)
        await producer.start()
        for one in messages:
            key = one.patient.encode()
            await producer.send_and_wait(f"t-{topic}", encode(one), key=key, partition=partition_for(key, 3))
        await producer.stop()

    def written(self, patient: str) -> list[Any]:
        """What the board knows of what was done about a patient."""
        return self.model.patient(patient).course.events()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that asks its broker often and waits for little."""
    monkeypatch.setattr(reading, "POLL_MS", 50)
    monkeypatch.setattr(reading, "REQUEST_TIMEOUT_MS", 2_000)
    monkeypatch.setattr(reading, "ASK_EVERY", 0.05)
    monkeypatch.setattr(reading, "STALE_AFTER", 3.0)
    monkeypatch.setattr(live, "BEAT_S", 0.2)
    monkeypatch.setattr("agents.board.acting.DECIDED_S", 0.01)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=3, prefix="t-") as running_broker:
        yield running_broker


def status(patient: str, zone: Zone, revision: int = 1, **fields: Any) -> PatientStatus:  # noqa: ANN401 - any field
    reason = Reason(rule="limit_high", zone=zone, code="8480-6", value=182, unit="mm[Hg]", limit=160)
    base = PatientStatus(
        patient=patient,
        revision=revision,
        zone=zone,
        since_at=NOW,
        reasons=(reason,),
        service="joint-centre",
        pathway="copd",
        phase=Phase.START_UP,
    )
    return structs.replace(base, **fields)


@pytest.fixture
async def shown(impatient: None, broker: EmbeddedBroker, eventually: Eventually) -> AsyncIterator[Shown]:
    del impatient
    board_ = Shown(broker)
    await board_.write(
        "patient-status",
        status("p-1", Zone.GREEN),
        status("p-2", Zone.RED, episode=EPISODE),
        status("p-elsewhere", Zone.RED, service="hospital"),
        status("p-canary", Zone.RED, pathway="canary"),
        status("p-nobody-s", Zone.NOT_MONITORED, service=None, pathway=None, phase=None),
    )
    async with AsyncExitStack() as stack:
        app = board(
            Health("board", board_.metrics, checks(board_.desk)),
            board_.metrics,
            board_.desk,
            signed_in=signed_in_as(PEOPLE),
        )
        for number, work in enumerate(board_.works):
            await stack.enter_async_context(running(Process(f"board-{number}", work)))
        port = await stack.enter_async_context(serving(app, host="127.0.0.1", port=0))
        board_.url = f"http://127.0.0.1:{port}"
        await eventually(
            lambda: board_.desk.up_to_date() and board_.desk.history_read() and board_.writing.care.delivery
        )
        yield board_


async def log(shown: Shown, topic: str) -> list[Any]:
    """Everything on a topic."""
    consumer = AIOKafkaConsumer(
        f"t-{topic}", bootstrap_servers=shown.broker.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
    )
    await consumer.start()
    found: list[Any] = []
    ends = await consumer.end_offsets(consumer.assignment())
    while any([await consumer.position(one) < end for one, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=100)).values():
            found += [CARE.decode(record.value) for record in records]
    await consumer.stop()
    return found


class Inputs(HTMLParser):
    """What a browser would send of a page's form, if nothing in it was touched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""
        self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given["name"]
        elif tag == "option" and (self._select not in self.values or "selected" in given):
            self.values[self._select] = given["value"]
        elif tag == "textarea":
            self._text = given["name"]
        elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            self.values[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._text:
            self.values[self._text] = self.values.get(self._text, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""
