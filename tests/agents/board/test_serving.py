"""The board from broker to browser."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from dashboards.board.page import CONTENT_SECURITY_POLICY
from msgspec import structs
from prometheus_client import CollectorRegistry

from agents import http
from agents.board import reading
from agents.board.reading import Reading
from agents.board.serving import board, checks
from agents.board.statuses import Statuses
from agents.broker.embedded import EmbeddedBroker
from agents.health import Health
from agents.metrics import Metrics
from agents.processes import Process, running
from schemas.assessments import PatientStatus, Reason
from schemas.codec import encode
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.agents.conftest import Eventually

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Shown:
    """A running board: its memory, reader and address."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.statuses = Statuses(self.metrics)
        self.reading = Reading(bootstrap=broker.bootstrap, prefix="t-", statuses=self.statuses)
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shown]:
        """Serve it while the block runs."""
        health = Health("board", self.metrics, checks(self.reading))
        app = board(health, self.metrics, self.reading, now=lambda: NOW)
        work = running(Process("board", self.reading.run))
        async with work, http.serving(app, host="127.0.0.1", port=0) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self

    async def get(self, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Ask for a path: status, body, headers."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as answer:
            body = await (answer.json() if "json" in answer.headers["Content-Type"] else answer.text())
            return answer.status, body, dict(answer.headers)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "POLL_MS", 50)
    monkeypatch.setattr(reading, "FETCH_WAIT_MS", 50)
    monkeypatch.setattr(reading, "REQUEST_TIMEOUT_MS", 2_000)
    monkeypatch.setattr(reading, "ASK_EVERY", 0.05)
    monkeypatch.setattr(reading, "STALE_AFTER", 3.0)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=3, prefix="t-") as running:
        yield running


@pytest.fixture
async def shown(broker: EmbeddedBroker) -> AsyncIterator[Shown]:
    await write(broker, status("p-1", Zone.GREEN, 1), status("p-2", Zone.YELLOW, 1))
    async with Shown(broker).running() as running:
        yield running


def status(patient: str, zone: Zone, revision: int) -> PatientStatus:
    reason = Reason(rule="limit_high", zone=zone, code="8480-6", value=182, unit="mm[Hg]", limit=160)
    return PatientStatus(patient=patient, revision=revision, zone=zone, since_at=NOW, reasons=(reason,))


async def write(broker: EmbeddedBroker, *statuses: PatientStatus) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    for one in statuses:
        await producer.send_and_wait("t-patient-status", encode(one), key=one.patient.encode(), partition=1)
    await producer.stop()


async def test_shows_what_was_written_before_it_started_and_what_comes_after(
    broker: EmbeddedBroker, shown: Shown, eventually: Eventually
) -> None:
    await eventually(shown.reading.up_to_date)
    _, before, _ = await shown.get("/status.json")
    assert {row["patient"]: row["zone"] for row in before["patients"]} == {"p-1": "green", "p-2": "yellow"}
    assert (before["at"], before["up_to_date"], before["unreadable"]) == ("2026-03-01T08:00:00Z", True, 0)
    await write(broker, status("p-1", Zone.RED, 2))
    await eventually(lambda: any(row.zone is Zone.RED for row in shown.statuses.rows))
    _, html, _ = await shown.get("/")
    assert html.index("p-1") < html.index("p-2")
    assert "Systolisk blodtrykk 182\N{NO-BREAK SPACE}mmHg" in html


async def test_is_ready_once_it_has_read_everything_and_not_without_its_broker(
    broker: EmbeddedBroker, shown: Shown, eventually: Eventually
) -> None:
    await eventually(shown.reading.up_to_date)
    assert (await shown.get("/readyz"))[:2] == (200, {"event_loop": True, "up_to_date": True})
    broker.set_down()
    await eventually(lambda: not shown.reading.up_to_date())
    assert (await shown.get("/readyz"))[:2] == (503, {"event_loop": True, "up_to_date": False})
    assert (await shown.get("/livez"))[0] == 200
    _, html, _ = await shown.get("/")
    assert "Listen er ikke oppdatert: ingen kontakt med meldingssystemet" in html
    assert "p-2" in html
    broker.set_up()
    await eventually(shown.reading.up_to_date)


async def test_a_board_that_never_reached_its_broker_shows_an_empty_list_as_not_up_to_date(
    broker: EmbeddedBroker,
) -> None:
    broker.set_down()
    async with Shown(broker).running() as shown:
        _, html, _ = await shown.get("/")
        assert "Listen er ikke oppdatert" in html
        assert (await shown.get("/readyz"))[0] == 503


async def test_the_page_may_run_its_own_parts_alone_and_is_not_kept(shown: Shown) -> None:
    _, _, headers = await shown.get("/")
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "accepted", "lang"),
    [
        ("/", "", "nb"),
        ("/", "en-GB,en;q=0.9", "en"),
        ("/", "nb-NO,en;q=0.5", "nb"),
        ("/?lang=nb", "en", "nb"),
        ("/?lang=en", "nb", "en"),
        ('/?lang="><script>', "", "nb"),
    ],
)
async def test_speaks_the_language_that_was_asked_for(shown: Shown, path: str, accepted: str, lang: str) -> None:
    _, html, _ = await shown.get(path, **{"Accept-Language": accepted})
    assert f'<html lang="{lang}">' in html


async def test_who_is_overdue_is_in_the_metrics(broker: EmbeddedBroker, shown: Shown, eventually: Eventually) -> None:
    await write(broker, structs.replace(status("p-3", Zone.GREEN, 1), due_at=NOW - timedelta(minutes=1)))
    await eventually(lambda: shown.metrics.registry.get_sample_value("sonevakt_overdue_patients") == 1)
