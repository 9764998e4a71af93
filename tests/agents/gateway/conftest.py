"""A gateway on loopback, a vendor that sends to it, and a producer that does what a test tells it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from agents.gateway import GatewaySettings, build_gateway, serve
from agents.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from agents.gateway.delivery import Producer
    from schemas.submissions import Submission

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
TOKEN = "kjelde-open-sesame"  # noqa: S105 - made up for these tests
SECOND_TOKEN = "kjelde-next-sesame"  # noqa: S105 - the same
OTHER_TOKEN = "other-sesame"  # noqa: S105 - the same; another vendor's
UNITS = {"59408-5": "%", "8867-4": "/min"}


def session(number: int = 1, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON, wrong one too
    """Return a valid session; its id is made of `number`."""
    reading = {"code": "59408-5", "value": 93, "unit": "%", "measured_at": "2026-03-01T08:59:00+00:00"}
    return {
        "submission_id": f"00000000-0000-4000-8000-{number:012d}",
        "patient": f"p-{number}",
        "readings": [reading],
        **changed,
    }


def reading(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON, wrong one too
    """Return a valid reading."""
    return {**session()["readings"][0], **changed}


def known_units(submitted: Submission) -> list[tuple[str, str]]:
    """Stand in for the rules: two codes, one unit each."""
    faults = []
    for index, each in enumerate(submitted.readings):
        if each.code not in UNITS:
            faults.append((f"readings[{index}].code", "is not a known code"))
        elif each.unit != UNITS[each.code]:
            faults.append((f"readings[{index}].unit", "is no unit of this code"))
    return faults


class Sent(NamedTuple):
    """A record as it was handed to the producer."""

    topic: str
    value: bytes
    key: bytes
    headers: Sequence[tuple[str, bytes]]


class TellableProducer:
    """Confirms as a test says: at once, when it sets the future, or never."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.open: list[asyncio.Future[None]] = []
        self.arrived = asyncio.Event()
        self.at_once = True
        self.fail_send: Exception | None = None
        self.fail_delivery: Exception | None = None

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        """Keep the record, and confirm it or not as told."""
        if self.fail_send is not None:
            raise self.fail_send
        self.sent.append(Sent(topic, value, key, headers))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fail_delivery is not None:
            future.set_exception(self.fail_delivery)
        elif self.at_once:
            future.set_result(None)
        self.open.append(future)
        self.arrived.set()
        return future


@dataclass
class Answer:
    """What the gateway answered."""

    status: int
    headers: dict[str, str]
    body: Any
    text: str

    @property
    def fields(self) -> list[str]:
        """Paths of the fields that it names."""
        return [error["field"] for error in self.body.get("errors", [])]


@dataclass
class Vendor:
    """An app that sends to a running gateway."""

    base: str
    http: aiohttp.ClientSession
    metrics: Metrics
    producer: Any
    port: int
    token: str = field(default=TOKEN, repr=False)

    async def post(
        self,
        content: Any = None,  # noqa: ANN401 - any JSON
        *,
        path: str = "/v1/submissions",
        data: bytes | IO[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send `content` as JSON, or `data` as it is."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        body = json.dumps(content).encode() if data is None else data
        async with self.http.post(self.base + path, data=body, headers=sent) as response:
            return await _read(response)

    async def get(self, path: str) -> Answer:
        """Read an address without a token."""
        async with self.http.get(self.base + path) as response:
            return await _read(response)

    def count(self, series: str, **labels: str) -> float:
        """Return a sample of the gateway's metrics."""
        return self.metrics.registry.get_sample_value(series, labels) or 0.0


async def _read(response: aiohttp.ClientResponse) -> Answer:
    text = await response.text()
    body = json.loads(text) if "json" in response.content_type else None
    return Answer(response.status, dict(response.headers), body, text)


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in (TOKEN, SECOND_TOKEN)]
    path.write_text(json.dumps({"kjelde": digests, "other": [hashlib.sha256(OTHER_TOKEN.encode()).hexdigest()]}))
    return path


@pytest.fixture
async def open_gateway(
    tokens_file: Path,
) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a gateway with changed settings and returns its vendor."""
    runners = []
    sessions = []

    async def start(
        *,
        producer: Producer | None = None,
        check: Callable[[Submission], Sequence[tuple[str, str]]] = known_units,
        **changed: Any,  # noqa: ANN401 - any setting
    ) -> Vendor:
        metrics = Metrics(CollectorRegistry())
        used = producer if producer is not None else TellableProducer()
        settings = GatewaySettings(tokens_file=tokens_file, **changed)
        runner = await serve(build_gateway(settings, used, lambda: NOW, metrics, check), "127.0.0.1", 0)
        runners.append(runner)
        http = aiohttp.ClientSession()
        sessions.append(http)
        port = runner.addresses[0][1]
        return Vendor(f"http://127.0.0.1:{port}", http, metrics, used, port)

    yield start
    for http in sessions:
        await http.close()
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def vendor(open_gateway: Callable[..., Any]) -> Vendor:
    """A vendor of a gateway with the default settings."""
    opened: Vendor = await open_gateway()
    return opened
