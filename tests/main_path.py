"""The main path, the same on the embedded broker with SQLite and on real Kafka with InfluxDB.

A vendor's app posts sessions to the gateway; triage judges, storing stores, paging posts to a webhook receiver that is
down for a while; and everything that a bad sender can put on the topic lands in the dead letters, by reason.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import aiohttp
import msgspec
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.http import serving
from agents.metrics import Metrics
from agents.paging.receiver import Receiver, service_paged_at
from agents.paging.signing import SigningSecret
from agents.partitioner import partition_for
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.replay.tally import Tally
from schemas.care import Enrolled, Limit, Plan, PlanSigned
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Zone

if TYPE_CHECKING:
    from pathlib import Path

    from aiokafka import AIOKafkaProducer

    from agents.settings import Settings
    from agents.stores.port import TimeSeriesStore

SERVICE = "joint-centre"
DOWN_FOR = 4  # posts that the receiver answers with 503
WITHIN_S = 60.0
ZONES = [Zone.GREEN, Zone.GREEN, Zone.RED, Zone.NOT_MONITORED, Zone.NOT_MONITORED]  # of the sessions below, in order
PLAN = Plan(
    version=1,
    valid_from_at=datetime(2020, 1, 1, tzinfo=UTC),
    limits=(
        Limit(code="2708-6", unit="%", red_low=85, yellow_low=88),
        Limit(code="8867-4", unit="/min", red_low=40, red_high=130, yellow_high=110),
    ),
)
CONTRADICTING = Plan(
    version=1,
    valid_from_at=datetime(2020, 1, 1, tzinfo=UTC),
    limits=(Limit(code="2708-6", unit="%", red_low=90, yellow_low=88),),
)
BAD = {
    b"{not json": "not_json",
    b"": "not_json",
    b'{"type":"submission","submission_id":"7"}': "invalid",
    b'{"type":"submission","readings":"all"}': "invalid",
    b'{"type":"submission","readings":[{"value":NaN}]}': "not_json",
}


def care_of(patient: str, plan: Plan, now: datetime) -> list[Event]:
    """Enrolment and plan."""
    at = now - timedelta(days=1)
    enrolled = Enrolled(
        event_id=uuid5(NAMESPACE_OID, f"{patient}-enrolled-{now}"),
        patient=patient,
        at=at,
        recorded_at=at,
        pathway="copd",
        service=SERVICE,
        municipality="municipality-1",
    )
    signed = PlanSigned(
        event_id=uuid5(NAMESPACE_OID, f"{patient}-plan-{now}"),
        patient=patient,
        at=at,
        recorded_at=at,
        signed_by="doctor-1",
        plan=plan,
    )
    return [Event(at, CARE, enrolled), Event(at, CARE, signed)]


def session(patient: str, number: int, spo2: float, pulse: float, now: datetime) -> dict[str, Any]:
    """What a vendor's app posts."""
    at = (now - timedelta(minutes=30 - number)).isoformat()
    return {
        "submission_id": str(uuid5(NAMESPACE_OID, f"{patient}-{number}-{now}")),
        "patient": patient,
        "readings": [
            {"code": "2708-6", "value": spo2, "unit": "%", "measured_at": at, "device": "oximeter-1"},
            {"code": "8867-4", "value": pulse, "unit": "/min", "measured_at": at, "device": "oximeter-1"},
        ],
    }


async def main_path(settings: Settings, bootstrap: str, folder: Path) -> None:
    """Walk it; `settings` name broker, store and a topic prefix whose topics exist."""
    async with AsyncExitStack() as stack:
        await _walk(stack, settings, bootstrap, folder)


async def _walk(stack: AsyncExitStack, settings: Settings, bootstrap: str, folder: Path) -> None:
    now = wallclock.now()
    metrics = Metrics(CollectorRegistry())
    posts: list[str] = []

    async def down_at_first(_: str, page_id: str) -> int | None:
        posts.append(page_id)
        return 503 if len(posts) <= DOWN_FOR else None

    receiver = await _receiver(stack, folder, down_at_first)
    token = token_urlsafe(32)
    (folder / "tokens.json").write_bytes(msgspec.json.encode({"vendor": [hashlib.sha256(token.encode()).hexdigest()]}))
    settings = msgspec.structs.replace(
        settings, services_file=str(folder / "services.json"), gateway_tokens_file=str(folder / "tokens.json")
    )
    store = await stack.enter_async_context(processes.opened_store(settings, metrics))
    parts = [
        processes.triage(settings, bootstrap, metrics),
        processes.storing(settings, bootstrap, metrics, store),
        processes.clock(settings, bootstrap, metrics),
        await stack.enter_async_context(processes.paging(settings, bootstrap, metrics)),
    ]
    for part in parts:
        await stack.enter_async_context(processes.running(part))
    gateway, address = await stack.enter_async_context(processes.gateway(settings, bootstrap, metrics, 0))
    await stack.enter_async_context(processes.running(gateway))
    tally = Tally(bootstrap, settings.topic_prefix)
    await tally.start()
    stack.push_async_callback(tally.stop)
    await stack.enter_async_context(processes.running(processes.Process("tally", tally.run)))

    feed = Feed(bootstrap, prefix=settings.topic_prefix, partitions=settings.partitions, group="")
    async with feed.producing() as producer:
        for event in [*care_of("well", PLAN, now), *care_of("ill", PLAN, now), *care_of("odd", CONTRADICTING, now)]:
            await feed.send(producer, event)
        await _bad_messages(producer, settings)
    await _until(lambda: all(check() for check in gateway.checks.values()), "the gateway is ready")
    await _until(lambda: metrics.dead_letters.labels("triage", "not_json")._value.get() >= 3, "bad messages are named")

    sessions = [
        session("well", 1, 95, 70, now),
        session("ill", 2, 94, 80, now),
        session("ill", 3, 84, 118, now),
        session("odd", 4, 95, 70, now),
        session("unknown", 5, 95, 70, now),
    ]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        refused = await http.post(
            f"{address}/v1/submissions", json=session("well", 9, 95, 70, now) | {"readings": [{}]}
        )
        assert refused.status in {400, 422}
        assert "readings[0]" in await refused.text()
        for one in sessions:
            answer = await http.post(f"{address}/v1/submissions", json=one)
            assert answer.status == 202, await answer.text()
        again = await http.post(f"{address}/v1/submissions", json=sessions[2])
        assert again.status == 202

    await _until(lambda: len(tally.assessments) == len(sessions), "every session is assessed")
    # The first page does not come through at once, so the next of the ladder is asked beside it.
    await _until(lambda: len(tally.pages) > 1 and tally.pages <= tally.delivered, "the pages are delivered")
    newest = {str(found.submission_id): found for found in tally.assessments.values()}
    assert [newest[one["submission_id"]].zone for one in sessions] == ZONES
    assert len(receiver.taken) == len(set(posts)) == len(tally.pages)
    assert len(posts) > DOWN_FOR
    assert sorted(tally.letters.values()) == sorted(BAD.values())
    await _stored(store, {one["submission_id"] for one in sessions}, now)


async def _stored(store: TimeSeriesStore, wanted: set[str], now: datetime) -> None:
    start, stop = now - timedelta(days=2), now + timedelta(days=1)
    async with asyncio.timeout(WITHIN_S):
        while True:
            frame = await store.read("assessment", start=start, stop=stop, fields=["submission_id"])
            if not frame.empty and wanted <= set(frame["submission_id"]):
                break
            await asyncio.sleep(0.1)
    readings = await store.read("reading", start=start, stop=stop, fields=["submission_id", "value"])
    own = readings[readings["submission_id"].isin(wanted)]  # other tests may write to the same store
    assert len(own) == 2 * len(wanted)


async def _receiver(stack: AsyncExitStack, folder: Path, before: Any) -> Receiver:  # noqa: ANN401 - a stage of it
    key = token_bytes(32)
    receiver = Receiver({SERVICE: SigningSecret(key)}, wallclock.now, before)
    port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
    (folder / "secret").write_text(f"whsec_{b64encode(key).decode()}")
    entry = service_paged_at(SERVICE, f"http://127.0.0.1:{port}/pages/{SERVICE}", "secret")
    (folder / "services.json").write_bytes(msgspec.json.encode({SERVICE: entry}))
    return receiver


async def _bad_messages(producer: AIOKafkaProducer, settings: Settings) -> None:
    for raw in BAD:
        partition = partition_for(b"well", settings.partitions)
        await producer.send_and_wait(settings.topic_prefix + SUBMISSIONS.name, raw, key=b"well", partition=partition)


async def _until(holds: Any, what: str) -> None:  # noqa: ANN401 - a condition
    for _ in range(int(WITHIN_S / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {WITHIN_S:g} s: {what}")
