"""Dead letters on real Kafka and InfluxDB: what was wrong is mended, the message is sent again, judged and stored."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.clients import started
from agents.broker.lag import LagWatch
from agents.commands import main
from agents.dead_letters import watch
from agents.metrics import Metrics
from agents.partitioner import partition_for
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.settings import Settings
from pipeline.triage import state
from schemas.topics import CARE, SUBMISSIONS
from tests.agents.conftest import logs_as_they_were  # noqa: F401 - a fixture
from tests.agents.triage.test_lost import newer
from tests.main_path import PLAN, care_of
from tests.reconciled import session
from tests.reconciled import told as reconciliation
from tests.stack.test_main_path import token_file
from tests.stack.test_stores_influxdb import bucket  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from schemas.care import Plan
    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240), pytest.mark.usefixtures("logs_as_they_were")]
PARTITIONS = 3
WITHIN_S = 60.0
KEY = b"p-1"
HOME = partition_for(KEY, PARTITIONS)


async def until(holds: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait for `holds`; what it gives, if it does not hold, is told when the time is over."""
    for _ in range(int(WITHIN_S / 0.2)):
        if (last := await holds()) is True:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not within {WITHIN_S:g} s: {what}; last: {last}")


def recent(plan: Plan, now: datetime) -> Plan:
    """The plan, valid since yesterday: of an older one a bucket that keeps a week would refuse the limits."""
    return msgspec.structs.replace(plan, valid_from_at=now - timedelta(days=1))


async def kept(bootstrap: str, topic: str) -> list[Any]:
    """Every record of the patient's partition of `topic`."""
    place = TopicPartition(topic, HOME)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with started(consumer):
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        found: list[Any] = []
        while await consumer.position(place) < end:
            found += (await consumer.getmany(place, timeout_ms=500)).get(place, [])
        return found


async def waiting(settings: Settings, bootstrap: str) -> int:
    """How many messages triage has not committed."""
    topics_of_it = [f"{settings.topic_prefix}{topic.name}" for topic in (CARE, SUBMISSIONS)]
    async with LagWatch(bootstrap) as watched:
        behind = await watched.behind(processes.group(settings, "triage"), topics_of_it)
    return sum(lag.messages for lag in behind.values())


async def told(env: dict[str, str], *arguments: str) -> str:
    """What the command says when it ends well; it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, main, ["dead-letters", *arguments], env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


async def listed(env: dict[str, str], *options: str) -> dict[str, str]:
    """Id -> reason."""
    return {one["id"]: one["reason"] for one in json.loads(await told(env, "list", "--json", *options))}


async def test_a_dead_letter_is_sent_again_after_a_fix_and_judged_and_another_is_discarded(
    tmp_path: Path,
    kafka_bootstrap: str,
    influxdb: RunningInfluxDB,
    bucket: str,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(
        broker=f"kafka://{kafka_bootstrap}",
        store=influxdb.url.replace("http:", "influxdb:"),
        influxdb_org=influxdb.org,
        influxdb_bucket=bucket,
        influxdb_token_file=str(token_file(tmp_path, influxdb)),
        partitions=PARTITIONS,
        topic_prefix=f"letters-{uuid4().hex[:8]}-",
        commit_interval_s=0.1,
        session_timeout_s=6.0,
    )
    env = {
        "SONEVAKT_BROKER": settings.broker,
        "SONEVAKT_STORE": settings.store,
        "SONEVAKT_INFLUXDB_ORG": settings.influxdb_org,
        "SONEVAKT_INFLUXDB_BUCKET": bucket,
        "SONEVAKT_INFLUXDB_TOKEN_FILE": str(settings.influxdb_token_file),
        "SONEVAKT_PARTITIONS": str(PARTITIONS),
        "SONEVAKT_TOPIC_PREFIX": settings.topic_prefix,
        "SONEVAKT_SETTLE_SECONDS": "1",
    }
    prefix, changelog, now = settings.topic_prefix, processes.changelog(settings), wallclock.now()
    await topics.apply(kafka_bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1, changelogs=(changelog,))
    metrics = Metrics(CollectorRegistry())
    feed = Feed(kafka_bootstrap, prefix=prefix, partitions=PARTITIONS, group="")
    first, second = session(0, now), session(4, now)
    assert first.patient == second.patient == KEY.decode()

    async def judged() -> set[str]:
        return {json.loads(one.value)["submission_id"] for one in await kept(kafka_bootstrap, f"{prefix}assessments")}

    async def open_ones() -> dict[str, float]:
        (shown,) = metrics.open_dead_letters.collect()
        return {sample.labels["reason"]: sample.value for sample in shown.samples if sample.value}

    def triage() -> Any:  # noqa: ANN401 - a context manager
        return processes.running(processes.triage(settings, kafka_bootstrap, Metrics(CollectorRegistry())))

    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(processes.opened_store(settings, metrics))
        producer = await stack.enter_async_context(feed.producing())
        for work in (
            processes.storing(settings, kafka_bootstrap, metrics, store),
            processes.Process("watch", lambda: watch.show(kafka_bootstrap, prefix, metrics, every=0.2)),
        ):
            await stack.enter_async_context(processes.running(work))

        async with triage():
            await feed.send_all(
                producer, [*care_of(first.patient, recent(PLAN, now), now), Event(now, SUBMISSIONS, first)]
            )
            await until(lambda: _is({str(first.submission_id)}, judged), "the first session is judged")
            # What is not committed is worked again, and would be a dead letter of its own.
            await until(lambda: _is(0, lambda: waiting(settings, kafka_bootstrap)), "it is committed")
        # As if a newer version had run for a while: this one cannot read the patient's state.
        states = [one.value for one in await kept(kafka_bootstrap, changelog) if one.key == KEY]
        await producer.send_and_wait(changelog, newer(states[-1]), key=KEY, partition=HOME)

        async with triage():
            await producer.send_and_wait(f"{prefix}submissions", b"{not json", key=KEY, partition=HOME)
            await feed.send(producer, Event(now, SUBMISSIONS, second))
            reasons = {"not_json": 1.0, "unreadable_state": 1.0}
            await until(lambda: _is(reasons, open_ones), "both are dead letters")
            found = await listed(env)
            assert found == {f"submissions/{HOME}/1": "not_json", f"submissions/{HOME}/2": "unreadable_state"}
            assert str(second.submission_id) in await told(env, "show", f"submissions/{HOME}/2")

            # Sent again before anything is mended, it comes back.
            await told(env, "retry", f"submissions/{HOME}/2", "--yes", "--by", "operator-1")
            again = {f"submissions/{HOME}/1": "not_json", f"submissions/{HOME}/3": "unreadable_state"}
            await until(lambda: _is(again, lambda: listed(env)), "it is a dead letter again")
            assert await judged() == {str(first.submission_id)}

        monkeypatch.setattr(state, "STATE_VERSION", state.STATE_VERSION + 1)  # the newer version is back
        async with triage():
            said = await told(env, "retry", "--reason", "unreadable_state", "--yes", "--by", "operator-1")
            assert f"retried submissions/{HOME}/3" in said
            both = {str(first.submission_id), str(second.submission_id)}
            await until(lambda: _is(both, judged), "it is judged")
            await until(lambda: _is({"not_json": 1.0}, open_ones), "one is open")
            why = ("--why", "Not from any vendor of ours.")
            await told(env, "discard", f"submissions/{HOME}/1", "--yes", "--by", "operator-1", *why)
            await until(lambda: _is({}, open_ones), "none is open")
        assert (await listed(env), len(await listed(env, "--all"))) == ({}, 3)
        originals = [one.value for one in await kept(kafka_bootstrap, f"{prefix}submissions")][2:]
        assert originals == [msgspec.json.encode(second)] * 3

        await asyncio.sleep(1.5)  # what is younger than SONEVAKT_SETTLE_SECONDS is not reconciled
        code, found = await reconciliation(env, now)
        assert (code, found["whole"], found["total"]["dead_lettered"]) == (0, True, 1), found


async def _is(wanted: object, found: Callable[[], Awaitable[object]]) -> object:
    """True, or what was found in place of what was wanted."""
    there = await found()
    return True if there == wanted else there
