"""Reconciliation of a real run, the same on the embedded broker with SQLite and on real Kafka with InfluxDB.

First everything is whole. Then two holes are made on purpose: a point is taken out of the store, and a submission is
written while no triage runs. Both are named, by the command and by the running check, and nothing else is.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.commands import main
from agents.metrics import Metrics
from agents.partitioner import partition_for
from agents.recordings.events import Event
from agents.replay.feed import Feed
from schemas.submissions import Reading, Submission
from schemas.topics import SUBMISSIONS
from tests.main_path import PLAN, care_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from agents.settings import Settings
    from agents.stores.port import TimeSeriesStore

PATIENTS = ("p-1", "p-2", "p-3", "p-4")
SESSIONS = 40
WITHIN_S = 60.0


def session(number: int, now: datetime) -> Submission:
    """A registration of two readings; each has a second of its own, within which its points lie."""
    at = now.replace(microsecond=0) - timedelta(minutes=2 * (SESSIONS - number))
    readings = tuple(
        Reading(code=code, value=value, unit=unit, measured_at=at, device="device-1")
        for code, value, unit in (("2708-6", 95.0, "%"), ("8867-4", 70.0, "/min"))
    )
    patient = PATIENTS[number % len(PATIENTS)]
    return Submission(submission_id=uuid4(), patient=patient, received_at=now, readings=readings)


async def reconciled(
    settings: Settings, bootstrap: str, env: dict[str, str], take_out: Callable[[str, datetime], Awaitable[None]]
) -> None:
    """Walk it; `take_out` removes the `assessment` point of a patient at an instant."""
    now = wallclock.now()
    settings = msgspec.structs.replace(settings, settle_seconds=1.0, reconcile_seconds=1.0)
    env = {**env, "SONEVAKT_SETTLE_SECONDS": "1"}
    sessions = [session(number, now) for number in range(SESSIONS)]
    metrics = Metrics(CollectorRegistry())
    feed = Feed(bootstrap, prefix=settings.topic_prefix, partitions=settings.partitions, group="")
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(processes.opened_store(settings, metrics))
        producer = await stack.enter_async_context(feed.producing())
        async with AsyncExitStack() as at_work:
            for part in (
                processes.triage(settings, bootstrap, metrics),
                processes.storing(settings, bootstrap, metrics, store),
            ):
                await at_work.enter_async_context(processes.running(part))
            for patient in PATIENTS:
                await feed.send_all(producer, care_of(patient, PLAN, now))
            await feed.send_all(producer, [Event(now, SUBMISSIONS, one) for one in (*sessions, sessions[7])])
            topic, partition = settings.topic_prefix + SUBMISSIONS.name, partition_for(b"p-1", settings.partitions)
            await producer.send_and_wait(topic, b"{not json", key=b"p-1", partition=partition)
            await _stored(store, len(sessions), now)
        await asyncio.sleep(1.2)

        code, found = await told(env, now)
        assert (code, found["whole"], found["whole_log"]) == (0, True, True), found
        counts = {"received": SESSIONS + 1, "repeated": 1, "assessed": SESSIONS, "dead_lettered": 1, "stored": SESSIONS}
        cared = {"care_received": 2 * len(PATIENTS), "care_stored": 2 * len(PATIENTS), "care_refused": 0}
        assert found["total"].items() >= {**counts, **cared, "refused": 0, "underway": 0}.items()
        assert len(found["partitions"]) == settings.partitions

        gone, withheld = sessions[11], session(SESSIONS, now)
        await take_out(gone.patient, gone.readings[0].measured_at)
        await feed.send(producer, Event(now, SUBMISSIONS, withheld))
        await asyncio.sleep(1.2)

        code, found = await told(env, now)
        missing = [one for part in found["partitions"] for one in part["missing"]]
        assert code == 3
        assert {(one["step"], one["id"], one["partition"]) for one in missing} == {
            (step, str(one.submission_id), partition_for(one.patient.encode(), settings.partitions))
            for step, one in (("stored", gone), ("assessed", withheld))
        }
        assert len(missing) == 2
        code, text = await asked(env, now)
        assert code == 3
        assert f"missing: {withheld.submission_id} at submissions/" in text
        assert "2 unaccounted for" in text

        process = processes.reconcile(settings, bootstrap, metrics, store)
        async with processes.running(process), asyncio.timeout(WITHIN_S):
            for step in ("assessed", "stored"):
                while metrics.registry.get_sample_value("sonevakt_unaccounted", {"step": step}) != 1:  # noqa: ASYNC110 - no event tells of it
                    await asyncio.sleep(0.1)
            assert all(check() for check in process.checks.values())


async def told(env: dict[str, str], since: datetime) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of the command."""
    code, text = await asked(env, since, "--json")
    return code, json.loads(text)


async def asked(env: dict[str, str], since: datetime, *options: str) -> tuple[int, str]:
    """Exit code and output of the command, which has an event loop of its own."""
    command = ["reconcile", "--from", since.isoformat(), *options]
    done = await asyncio.to_thread(CliRunner().invoke, main, command, env=env)
    return done.exit_code, done.output


async def _stored(store: TimeSeriesStore, count: int, now: datetime) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            frame = await store.read(
                "assessment", start=now - timedelta(days=1), stop=now + timedelta(days=1), fields=["submission_id"]
            )
            cared = await store.read("care_event", start=now - timedelta(days=3), stop=now, fields=["event_id"])
            patients = set(PATIENTS)
            ours = [sum(one["patient"].isin(patients)) if len(one) else 0 for one in (frame, cared)]
            if ours[0] >= count and ours[1] >= 2 * len(PATIENTS):
                return
            await asyncio.sleep(0.1)
