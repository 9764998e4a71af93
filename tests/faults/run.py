"""One run: a numbered workload through the product while a seeded schedule of faults goes on."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from random import Random
from secrets import token_bytes
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.lag import LagWatch
from agents.http import serving
from agents.metrics import Metrics
from agents.paging.receiver import Receiver, service_paged_at
from agents.paging.signing import SigningSecret
from agents.replay.feed import Feed
from agents.settings import Settings
from agents.stores.influxdb import InfluxDBStore
from schemas.topics import CARE, SUBMISSIONS
from tests.faults.growth import Growth
from tests.faults.observed import differences, observe, stored
from tests.faults.product import Product
from tests.faults.proxy import Mood, Proxy
from tests.faults.workload import DAYS, POISON, READ, workload

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from aiokafka import AIOKafkaProducer

    from infra.local.servers import InfluxDB, Kafka
    from tests.faults.observed import Observed
    from tests.faults.product import Member
    from tests.faults.workload import Workload

PARTITIONS: Final = 6
SESSION_S: Final = 6.0
FED_S: Final = 0.5
OUTAGES: Final = ("kafka_stop", "influxdb_stop", "webhook", *(mood.value for mood in Mood if mood is not Mood.WELL))
APART_S: Final = 15.0
UNDERWAY_S: Final = 0.2  # what was written just before a kill may reach the log just after it
_BEHIND_S: Final = 240.0
_SERVERS: Final = ThreadPoolExecutor(1)  # a server ends with the thread that started it: this one stays


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done, and for how long.

    Attributes
    ----------
    seconds
        While faults happen; settling comes on top.
    workers
        Triage workers of each equal part of that time.
    kills, pauses, outages, rolls
        So many of each, spread over the parts.
    rate
        Sessions a second; by `bursts`, or as steadily as may be.
    days
        Over which the sessions lie. A state stops growing with about 90.
    apart
        Whether kills are of triage alone and lie as far apart as may be, so that each one's recovery can be measured.
    held
        One outage more, by its name, from a quarter of the time on, and how long it lasts [s].
    """

    seed: int
    seconds: float
    workers: tuple[int, ...] = (1, 2, 3)
    kills: int = 42
    pauses: int = 6
    outages: int = 9
    rolls: int = 6
    rate: float = 60.0
    bursts: bool = True
    days: int = DAYS
    apart: bool = False
    held: tuple[str, float] | None = None
    stock: bool = False
    static: bool = True
    settle_s: float = _BEHIND_S


@dataclass
class Report:
    """What happened, and what is wrong."""

    wrong: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    repeats: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    ahead: int = 0
    troubled: int = 0
    recovery_s: list[float] = field(default_factory=list)  # kill of the one worker -> next assessment
    seconds: float = 0.0
    paged: list[str] = field(default_factory=list)  # how long pages took
    growth: list[str] = field(default_factory=list)  # table of memory and states

    def lines(self) -> list[str]:
        """The report in words."""
        told = ", ".join(f"{name} {number}" for name, number in sorted(self.done.items()))
        found = [
            f"{self.sessions} sessions in {self.seconds:.0f} s; requests to the store in trouble: {self.troubled}",
            f"done: {told}",
            f"ends by themselves: {dict(self.ends)}; identical repeats: {self.repeats}",
            f"pages: {self.pages}; asked ahead of a backlog: {self.ahead}",
        ]
        if self.recovery_s:
            found.append(
                f"kill -9 of the only triage worker to its next assessment: median {median(self.recovery_s):.1f} s, "
                f"longest {max(self.recovery_s):.1f} s of {len(self.recovery_s)}"
            )
        return [*found, *self.paged, *self.growth, *(self.wrong or ["nothing lost, nothing different"])]


async def run(plan: Plan, kafka: Kafka, influxdb: InfluxDB, folder: Path) -> Report:
    """Feed, break, wait, and compare."""
    return await _Run(plan, kafka, influxdb, folder).whole()


class _Run:
    def __init__(self, plan: Plan, kafka: Kafka, influxdb: InfluxDB, folder: Path) -> None:
        self.plan = plan
        self.kafka = kafka
        self.influxdb = influxdb
        self.folder = folder
        self.random = Random(plan.seed)  # noqa: S311 - not a secret
        self.report = Report()
        self.work: Workload = workload(plan.seed, round(plan.rate * plan.seconds), plan.days)
        self.poison: set[tuple[str, int, int]] = set()
        self.webhook_down = False
        self.settings = Settings(
            broker=f"kafka://{kafka.bootstrap}",
            topic_prefix=f"faults-{uuid4().hex[:8]}-",
            partitions=PARTITIONS,
            session_timeout_s=SESSION_S,
        )
        self.growth = Growth()
        self.fed: tuple[float, float] = (0.0, 0.0)  # from when to when there were sessions
        self.held: tuple[float, float] = (inf, inf)  # the same of the outage that is held
        self.alone: tuple[float, float] = (0.0, 0.0)  # from when to when there was one triage worker

    async def whole(self) -> Report:
        began = monotonic()
        await topics.apply(
            self.kafka.bootstrap,
            prefix=self.settings.topic_prefix,
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(self.settings),),
        )
        async with AsyncExitStack() as stack:
            self.proxy = await stack.enter_async_context(Proxy(self.influxdb.url))
            await self._receiver(stack)
            self.product = Product(self._env(), self.folder, stock=self.plan.stock, static=self.plan.static)
            stack.push_async_callback(self.product.stop)
            self.feed = Feed(self.kafka.bootstrap, prefix=self.settings.topic_prefix, partitions=PARTITIONS, group="")
            producer = await stack.enter_async_context(self.feed.producing())
            self.product.others()
            await self.product.scale(self.plan.workers[0])
            await self.feed.send_all(producer, self.work.care)
            await self._worked_off((CARE.name,), self.plan.settle_s)
            watching = asyncio.create_task(self.growth.watch(self.product))
            await asyncio.gather(self._fed(producer), self._faults(), self._poisoned(producer), self._hold())
            watching.cancel()
            found = await self._settled(producer)
            await self.product.stop()
        self._tell(found)
        self.report.seconds = monotonic() - began
        return self.report

    # What goes in.

    async def _fed(self, producer: AIOKafkaProducer) -> None:
        """Sessions in order, by bursts: there is a backlog now and then."""
        sent, whole = 0, len(self.work.submissions)
        share = whole * FED_S / self.plan.seconds
        began, first = monotonic(), wallclock.now().timestamp()
        sizes = (0, 1, 1, 1, 40) if self.plan.bursts else (1,)
        while sent < whole:
            due = round((monotonic() - began + FED_S) / FED_S * share)
            burst = round(share * self.random.choice(sizes))
            until = min(whole, max(sent + burst, due - round(20 * share)))
            await self.feed.send_all(producer, self.work.submissions[sent:until])
            sent = until
            ahead = sent / share * FED_S - (monotonic() - began)
            await asyncio.sleep(max(FED_S if self.plan.bursts else 0, min(ahead, self.plan.seconds / 8)))
        self.fed = (first, wallclock.now().timestamp())

    async def _poisoned(self, producer: AIOKafkaProducer) -> None:
        for name in READ:
            topic = self.settings.topic_prefix + name
            for raw in POISON:
                await asyncio.sleep(0.8 * self.plan.seconds / len(READ) / len(POISON))
                put = await producer.send_and_wait(topic, raw, key=b"sim-poison", partition=self.random.randrange(6))
                self.poison.add((name, put.partition, put.offset))

    # What goes wrong.

    async def _faults(self) -> None:
        part_s = self.plan.seconds / len(self.plan.workers)
        for part, workers in enumerate(self.plan.workers):
            await self.product.scale(workers, killed=bool(part % 2))
            if workers == 1 and not self.alone[1]:
                now = wallclock.now().timestamp()
                self.alone = (now, now + part_s)
            began = monotonic()
            tasks = []
            for at_s, fault in sorted(self._schedule(part, part_s), key=lambda planned: planned[0]):
                await asyncio.sleep(max(0.0, began + at_s - monotonic()))
                tasks.append(asyncio.create_task(fault()))
            await asyncio.sleep(max(0.0, began + part_s - monotonic()))
            await asyncio.gather(*tasks)

    def _schedule(self, part: int, part_s: float) -> list[tuple[float, Callable[[], Coroutine[Any, Any, None]]]]:
        """The faults of a part, each at its time [s]; outages come one after the other."""
        parts, draw = len(self.plan.workers), self.random
        planned: list[tuple[float, Callable[[], Coroutine[Any, Any, None]]]] = []

        def share(whole: int) -> range:
            return range(whole * part // parts, whole * (part + 1) // parts)

        kills = share(self.plan.kills)
        if self.plan.apart:
            planned += [((place + 0.5) * part_s / len(kills), self._kill) for place in range(len(kills))]
        else:
            planned += [(draw.uniform(0, part_s), self._kill) for _ in kills]
        planned += [(draw.uniform(0, part_s), self._roll) for _ in share(self.plan.rolls)]
        pauses, outages = share(self.plan.pauses), share(self.plan.outages)
        planned += [((place + draw.random() / 2) * part_s / len(pauses), self._pause) for place in range(len(pauses))]
        for place, number in enumerate(outages):
            name = OUTAGES[number % len(OUTAGES)]
            at_s = (place + draw.random() / 3) * part_s / len(outages)
            planned.append((at_s, lambda name=name: self._outage(name)))
        return planned

    def _member(self) -> Member:
        weights = (1, 0, 0) if self.plan.apart else (7, 2, 1)
        kind = self.random.choices((self.product.triage, self.product.storing, self.product.paging), weights)[0]
        return self.random.choice(kind)

    async def _kill(self) -> None:
        while not (member := self._member()).kill():  # noqa: ASYNC110 - it is being started again
            await asyncio.sleep(0.1)
        self.report.done[f"kill -9 {member.name}"] += 1

    async def _roll(self) -> None:
        member = self._member()
        if member.terminate():
            self.report.done["rolling restart"] += 1

    async def _pause(self) -> None:
        member = self.random.choice(self.product.triage)
        while (pid := member.pause()) is None:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.1)
        paused = monotonic()
        await asyncio.sleep(SESSION_S + 3)
        if member.wake(pid):
            self.report.done["pause past the session"] += 1
        else:
            self.report.done[f"pause ended by a kill within {monotonic() - paused:.0f} s"] += 1

    async def _hold(self) -> None:
        if self.plan.held is None:
            return
        name, lasts = self.plan.held
        await asyncio.sleep(self.plan.seconds / 4)
        first = wallclock.now().timestamp()
        await self._outage(name, lasts)
        self.held = (first, wallclock.now().timestamp())

    async def _outage(self, name: str, lasts: float | None = None) -> None:
        if lasts is None:
            lasts = min(self.random.uniform(4, 10), self.plan.seconds / 10)
        if name in {mood.value for mood in Mood}:
            self.proxy.mood = Mood(name)
            await asyncio.sleep(lasts)
            self.proxy.mood = Mood.WELL
        elif name == "webhook":
            self.webhook_down = True
            await asyncio.sleep(lasts)
            self.webhook_down = False
        else:
            server = self.kafka if name == "kafka_stop" else self.influxdb
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(_SERVERS, self.random.choice((server.stop, server.kill)))
            await asyncio.sleep(lasts)
            await loop.run_in_executor(_SERVERS, server.start)
        self.report.done[f"outage {name}"] += 1

    # What comes out.

    async def _settled(self, producer: AIOKafkaProducer) -> Observed | None:
        """Let time pass until all is as it must be, or for as long as is given."""
        deadline = monotonic() + self.plan.settle_s
        sources = (SUBMISSIONS.name, CARE.name)
        if not await self._worked_off(sources, self.plan.settle_s):
            self.report.wrong.append("triage has not worked off what it was sent")
        found: Observed | None = None
        while True:
            await self.feed.tick(producer, self.work.ends.at)
            await asyncio.sleep(2)
            found = await observe(self.kafka.bootstrap, self.settings.topic_prefix, processes.changelog(self.settings))
            wrong = differences(self.work, found, self.poison) + await self._in_store()
            if not wrong or monotonic() > deadline:
                self.report.wrong += wrong
                return found

    async def _worked_off(self, names: tuple[str, ...], within_s: float) -> bool:
        deadline = monotonic() + within_s
        group = processes.group(self.settings, "triage")
        sources = [self.settings.topic_prefix + name for name in names]
        async with LagWatch(self.kafka.bootstrap) as watch:
            while any((await watch.behind(group, sources)).values()):
                if monotonic() > deadline:
                    return False
                await asyncio.sleep(0.5)
        return True

    async def _in_store(self) -> list[str]:
        store = InfluxDBStore(
            self.influxdb.url,
            org=self.influxdb.org,
            bucket=self.influxdb.bucket,
            token=self.influxdb.token,
            metrics=Metrics(CollectorRegistry()),
            timeout_s=60,
        )
        try:
            return await stored(self.work, store)
        finally:
            await store.close()

    def _tell(self, found: Observed | None) -> None:
        report = self.report
        report.sessions = len(self.work.submissions)
        report.troubled = self.proxy.troubled
        report.pages = len(self.work.pages)
        if found is not None:
            report.repeats = found.repeats
            report.ahead = found.ahead
            report.recovery_s = self._recoveries(sorted(found.assessed_at))
            report.paged = list(self._paged(found))
            report.growth = list(self.growth.lines(*self.fed, found.written))
        for member in self.product.gone:
            for code, times in member.ends.items():
                report.ends[f"{member.name} with {code}"] += times

    def _recoveries(self, written: list[float]) -> list[float]:
        """From each kill of the only triage worker, with no other kill near it, to the next assessment [s]."""
        kills = sorted(at for member in self.product.gone if member.name == "triage" for at in member.kills)
        found = []
        for before, killed, later in zip([0.0, *kills], kills, [*kills[1:], inf], strict=False):
            first, last = self.alone
            if first < killed < last - APART_S and killed - before > APART_S and later - killed > APART_S:
                found += [at - killed for at in written if at > killed + UNDERWAY_S][:1]
        return found

    def _paged(self, found: Observed) -> Iterator[str]:
        """How long pages took from the broker's taking the session until their delivery was told."""
        first, last = self.held
        took: dict[str, list[int]] = {"before": [], "during": [], "after": []}
        for page, received_ms in found.received.items():
            if page in found.delivered:
                at = received_ms / 1000
                when = "before" if at < first else "during" if at < last else "after"
                took[when].append(found.delivered[page] - received_ms)
        for when, waits in took.items():
            if waits:
                yield (
                    f"session received to its page delivered, {when} the outage that is held: median "
                    f"{median(waits):.0f} ms, longest {max(waits)} ms of {len(waits)}"
                )

    # Where it runs.

    async def _receiver(self, stack: AsyncExitStack) -> None:
        key = token_bytes(32)

        async def answers(_: str, __: str) -> int | None:
            return 503 if self.webhook_down else None

        shared = SigningSecret(key)
        receiver = Receiver(dict.fromkeys(self.work.services, shared), wallclock.now, answers)
        port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
        (self.folder / "secret").write_text(f"whsec_{b64encode(key).decode()}")
        entries = {
            service: service_paged_at(service, f"http://127.0.0.1:{port}/pages/{service}", "secret")
            for service in self.work.services
        }
        (self.folder / "services.json").write_bytes(msgspec.json.encode(entries))

    def _env(self) -> dict[str, str]:
        token = self.folder / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(self.influxdb.token)
        return {
            "SONEVAKT_BROKER": self.settings.broker,
            "SONEVAKT_TOPIC_PREFIX": self.settings.topic_prefix,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_SESSION_TIMEOUT_S": f"{SESSION_S:g}",
            "SONEVAKT_STORE": self.proxy.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_ORG": self.influxdb.org,
            "SONEVAKT_INFLUXDB_BUCKET": self.influxdb.bucket,
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(token),
            "SONEVAKT_SERVICES_FILE": str(self.folder / "services.json"),
        }
