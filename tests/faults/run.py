"""One run: a numbered workload through the product while a seeded schedule of faults goes on."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from math import inf
from random import Random
from secrets import token_bytes, token_urlsafe
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import aiohttp
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped] # the same
from aiokafka.errors import KafkaError, MessageSizeTooLargeError  # type: ignore[import-untyped] # the same
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.clients import started
from agents.broker.lag import LagWatch
from agents.http import serving
from agents.metrics import Metrics
from agents.paging.receiver import Receiver
from agents.paging.signing import SigningSecret
from agents.partitioner import partition_for
from agents.people import demo as people
from agents.replay.feed import Feed
from agents.settings import Settings
from agents.stores.influxdb import InfluxDBStore
from agents.storing.sink import STORED
from agents.triage.fold import SOURCES
from infra.local.process import free_port
from schemas.codec import Codec, encode
from schemas.services import NURSE, Contact, EscalationStep, Ladder, Service, Webhook
from schemas.topics import ASSESSMENTS, MAX_MESSAGE_BYTES, PAGES, PATIENT_STATUS, SUBMISSIONS, TICKS
from tests.faults import compared, onlookers
from tests.faults.clean import clean
from tests.faults.ends import line, reason
from tests.faults.growth import Growth
from tests.faults.harm import SESSION_S, Harm, share
from tests.faults.in_store import in_store
from tests.faults.observed import newest, observe, waits
from tests.faults.poison import poison
from tests.faults.product import WORKERS, Product
from tests.faults.proxy import Proxy
from tests.faults.report import Report
from tests.faults.vendor import LANES, Vendor
from tests.faults.workload import ACUTE_SERVICES, DAYS, clockwork, session, workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from aiokafka import AIOKafkaProducer

    from infra.local.servers import InfluxDB, Kafka
    from tests.faults.clean import Clean
    from tests.faults.observed import Observed, Place
    from tests.faults.poison import Poison

PARTITIONS: Final = 6
FED_S: Final = 0.5
STEADY: Final = 0.6  # of the sessions; the others come by bursts,
BURST_EVERY_S: Final = 8.0  # about so often
TICK_S: Final = 0.5
RECONCILED_S: Final = 10.0  # between rounds, and how long a message may be on its way
APART_S: Final = 15.0
UNDERWAY_S: Final = 0.2  # what was written just before a kill may reach the log just after it
MOST_ENDS: Final = 20  # by themselves, for no fault of ours
OF_CLOCK: Final = 24  # patients of whom time alone decides something
AT_ONCE: Final = Ladder(red=(EscalationStep(after_minutes=0, to=NURSE),), repeat_minutes=1440)  # see docs/guarantees.md
MOST_WHOLE: Final = 100_000  # sessions; of more, one field of every point is compared,
SOME: Final = 200  # and every field of so many patients
_BEHIND_S: Final = 240.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done, and for how long.

    Attributes
    ----------
    seconds
        While faults happen; settling comes on top.
    workers
        Triage workers of each equal part of that time. Of storing and paging there are two where there are several.
        Of the workers that are too many in a next part the first leaves in order and the next is killed for good.
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
    static
        Static membership in the first part and every third after it; else in none.
    """

    seed: int
    seconds: float
    workers: tuple[int, ...] = (1, 2, 3, 2, 1, 3)
    kills: int = 42
    pauses: int = 6
    outages: int = 12
    rolls: int = 6
    rate: float = 60.0
    bursts: bool = True
    days: int = DAYS
    apart: bool = False
    held: tuple[str, float] | None = None
    stock: bool = False
    static: bool = True
    settle_s: float = _BEHIND_S


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
        self.report = Report(title=f"Seed {plan.seed}, {plan.seconds / 60:g} minutes, triage workers {plan.workers}")
        self.work = workload(plan.seed, round(plan.rate * plan.seconds), wallclock.now(), plan.days)
        self.poison: dict[Place, Poison] = {}
        self.calm: set[Place] = set()
        self.settings = Settings(
            broker=f"kafka://{kafka.bootstrap}",
            topic_prefix=f"faults-{uuid4().hex[:8]}-",
            partitions=PARTITIONS,
            session_timeout_s=SESSION_S,
        )
        self.growth = Growth()
        self.fed: tuple[float, float] = (0.0, 0.0)  # from when to when there were sessions
        self.held: tuple[float, float] = (inf, inf)  # the same of the outage that is held
        self.alone: list[tuple[float, float, bool]] = []  # from when to when there was one triage worker, and how
        self.due: datetime | None = None  # when time has decided the last thing

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
            env = self._env()
            self.product = Product(env, self.folder, stock=self.plan.stock)
            self.harm = Harm(
                self.product, self.proxy, self.kafka, self.influxdb, self.random, self.plan.seconds, self.plan.apart
            )
            self.receiver = await self._receiver(stack)
            self.harm.posts = lambda: self.receiver.posts
            self.harm.taken = lambda: len(self.vendor.taken)
            stack.push_async_callback(self.product.stop)
            self.feed = Feed(self.kafka.bootstrap, prefix=self.settings.topic_prefix, partitions=PARTITIONS, group="")
            producer = await stack.enter_async_context(self.feed.producing())
            beside = [asyncio.create_task(self.vendor.run()), asyncio.create_task(self._ends())]
            for task in beside:
                stack.callback(task.cancel)
            await self._while_all_is_well(self._begin(producer), beside)
            watching = asyncio.create_task(self.growth.watch(self.product))
            harm = self._stock_kills() if self.plan.stock else self._faults()
            going = asyncio.gather(self._fed(), harm, self._poisoned(producer), self._beside(producer), self._hold())
            await self._while_all_is_well(going, beside)
            watching.cancel()
            await self._settled()
            self.report.wrong += await onlookers.wrong(self.product.asked, wallclock.now(), self.plan.settle_s)
            await self.product.stop()
        self._judge()
        self.report.seconds = monotonic() - began
        return self.report

    async def _while_all_is_well(self, work: Any, beside: list[asyncio.Task[None]]) -> None:  # noqa: ANN401 - a future
        """Work to its end, or until something beside it fails."""
        working = asyncio.ensure_future(work)
        await asyncio.wait({working, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in beside:
            if task.done():
                working.cancel()
                await task
        await working

    async def _ends(self) -> None:
        """A process that ends again and again makes a run of nothing."""
        while True:
            await asyncio.sleep(1)
            ends = [end for end in self.product.ends if reason(end, self.harm.faults) is None]
            if len(ends) > MOST_ENDS and not self.plan.stock and not self._broker_away():
                raise RuntimeError(f"{ends[-1].name} ends again and again with {ends[-1].code}: {ends[-1].said[-600:]}")

    def _broker_away(self) -> bool:
        return self.kafka.pid is None

    # What goes in.

    async def _begin(self, producer: AIOKafkaProducer) -> None:
        """Everything that is to be there before the first fault, worked off by everybody."""
        self.product.begin()
        await self._arrange(0)
        await self._joined()
        await self.feed.send_all(producer, self.work.care)
        for one in poison(self._victim()):
            self.calm.add(await self._poison(producer, one))
        await self._worked_off(self.plan.settle_s)
        now = wallclock.now()
        care, sessions, self.due = clockwork(
            self.plan.seed, OF_CLOCK, now + timedelta(seconds=15), max(20.0, self.plan.seconds - 15)
        )
        await self.feed.send_all(producer, care)
        await self._behind(("triage",), self.plan.settle_s)
        self.vendor.put(sessions)
        await self.vendor.emptied()
        await self._worked_off(self.plan.settle_s)

    async def _joined(self) -> None:
        """Until every worker has its partitions: one that joined later would have a batch at work worked twice."""
        wanted = {name: len(self.product.of[name]) for name in WORKERS}
        async with (
            asyncio.timeout(self.plan.settle_s),
            started(AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)) as admin,
        ):
            while wanted:
                for name, number in list(wanted.items()):
                    group = processes.group(self.settings, name)
                    with contextlib.suppress(KafkaError):  # its coordinator is not there yet
                        ((described,),) = [answer.groups for answer in await admin.describe_consumer_groups([group])]
                        _, _, state, _, _, members, *_ = described
                        if state == "Stable" and len(members) == number:
                            del wanted[name]
                await asyncio.sleep(0.2)

    async def _fed(self) -> None:
        """Sessions in order, at no time none, and by bursts too: there is a backlog now and then."""
        sent, whole, saved = 0, len(self.work.submissions), 0.0
        share_of = whole * FED_S / self.plan.seconds
        steady = STEADY if self.plan.bursts else 1.0
        began, first, turn = monotonic(), wallclock.now().timestamp(), 0
        while sent < whole:
            turn += 1
            saved += (1 - steady) * share_of
            until = turn * steady * share_of + (turn * (1 - steady) * share_of - saved)
            if self.random.random() < FED_S / BURST_EVERY_S:
                until, saved = until + saved, 0.0
            self.vendor.put(self.work.submissions[sent : max(sent, round(until))])
            sent = max(sent, round(until))
            await asyncio.sleep(max(0.0, began + turn * FED_S - monotonic()))
        await self.vendor.emptied()
        self.fed = (first, wallclock.now().timestamp())
        await self._oversize()

    async def _beside(self, producer: AIOKafkaProducer) -> None:
        """Care events as the board writes them."""
        for event in self.work.beside:
            await asyncio.sleep(0.8 * self.plan.seconds / len(self.work.beside))
            await self._insist(lambda event=event: self.feed.send(producer, event))

    async def _insist(self, send: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is sent
        """Write until the broker has it."""
        while True:
            try:
                return await send()
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(0.5)

    async def _poisoned(self, producer: AIOKafkaProducer) -> None:
        """All of the poison once more."""
        every = list(poison(self._victim()))
        for one in every:
            await asyncio.sleep(0.7 * self.plan.seconds / len(every))
            await self._poison(producer, one)

    async def _poison(self, producer: AIOKafkaProducer, one: Poison) -> Place:
        number = self.random.randrange(PARTITIONS) if one.key is None else partition_for(one.key, PARTITIONS)

        def send() -> Any:  # noqa: ANN401 - a coroutine
            return producer.send_and_wait(
                self.settings.topic_prefix + one.topic,
                one.value,
                key=one.key,
                partition=number,
                headers=list(one.headers),
            )

        put = await self._insist(send)
        place = (one.topic, put.partition, put.offset)
        self.poison[place] = one
        return place

    def _victim(self) -> bytes:
        """A patient of the workload, with plan and sessions."""
        patient: str = self.work.care[0].message.patient
        return patient.encode()

    async def _oversize(self) -> None:
        """Over the limit of a message: the gateway says 413, the broker refuses what another producer sends."""
        large = session("large-refused", wallclock.now(), 0, red=False).message
        body = encode(large)[:-1] + b',"more":"' + b"x" * MAX_MESSAGE_BYTES + b'"}'
        headers = {"Authorization": f"Bearer {self.tokens[0]}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.post(
                        f"{self.gateway}/v1/submissions", data=BytesIO(body), headers=headers
                    ) as answer:
                        self.report.done[f"session over the limit, gateway says {answer.status}"] += 1
                        if answer.status != 413:
                            self.report.wrong.append(f"a session over the limit was answered {answer.status}")
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.5)
        async with self.feed.producing() as producer:
            producer._max_request_size = 4 * MAX_MESSAGE_BYTES
            producer._message_accumulator._batch_size = 4 * MAX_MESSAGE_BYTES
            try:
                await producer.send_and_wait(self.settings.topic_prefix + SUBMISSIONS.name, body, key=b"large-refused")
            except MessageSizeTooLargeError:
                self.report.done["session over the limit, broker refuses another producer's"] += 1
            else:
                self.report.wrong.append("the broker took a session over the limit")

    # What goes wrong.

    async def _arrange(self, part: int) -> None:
        workers = self.plan.workers[part]
        leaving = sum(later < before for before, later in zip(self.plan.workers, self.plan.workers[1 : part + 1]))  # noqa: B905 - one shorter
        several = 2 if workers > 1 else 1
        await self.product.arrange(
            {"triage": workers, "storing": several, "paging": several},
            static=self._static(part),
            killed=leaving % 2 == 0,
        )

    def _static(self, part: int) -> bool:
        return self.plan.static and part % 3 == 0

    async def _faults(self) -> None:
        parts, plan = len(self.plan.workers), self.plan
        part_s = plan.seconds / parts
        for part, workers in enumerate(plan.workers):
            if part:
                await self._arrange(part)
            began = wallclock.now().timestamp()
            await self.harm.part(
                part_s,
                kills=share(plan.kills, part, parts),
                pauses=share(plan.pauses, part, parts),
                outages=share(plan.outages, part, parts),
                rolls=share(plan.rolls, part, parts),
            )
            if workers == 1:
                self.alone.append((began, wallclock.now().timestamp(), self._static(part)))

    async def _stock_kills(self) -> None:
        """Kill -9 of the stock worker whenever it has just begun to work off what waits, where it loses most."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap, group_id=None)
        places = [TopicPartition(f"{self.settings.topic_prefix}{ASSESSMENTS.name}", n) for n in range(PARTITIONS)]
        async with started(consumer), asyncio.timeout(20 * self.plan.kills):
            for _ in range(self.plan.kills):
                before = sum((await consumer.end_offsets(places)).values())
                while sum((await consumer.end_offsets(places)).values()) == before:  # noqa: ASYNC110 - it is elsewhere
                    await asyncio.sleep(0.05)
                await asyncio.sleep(self.random.uniform(0.1, 0.6))
                if self.product.of["triage"][0].kill():
                    self.report.done["kill -9 triage"] += 1

    async def _hold(self) -> None:
        if self.plan.held is None:
            return
        name, lasts = self.plan.held
        await asyncio.sleep(self.plan.seconds / 4)
        first = wallclock.now().timestamp()
        await self.harm.outage(name, lasts)
        self.held = (first, wallclock.now().timestamp())

    # What comes out.

    async def _settled(self) -> None:
        """Let all be worked off and time pass, and compare; more than once where something is not there yet."""
        deadline = monotonic() + self.plan.settle_s
        if self.plan.stock:
            await self._stock_settled()
        elif not await self._worked_off(self.plan.settle_s):
            self.report.wrong.append("not everybody has worked off what there was")
        while True:
            await self._passed()
            found = await self._observed()
            must = await asyncio.to_thread(
                clean, found.records, PARTITIONS, self._poisoned_receipts(found), self.services
            )
            wrong = await self._wrong(must, found)
            if not wrong or self.plan.stock or monotonic() > deadline:
                self.report.wrong += wrong
                self._tell(must, found)
                return
            await asyncio.sleep(2)

    async def _stock_settled(self) -> None:
        """Until the stock worker has committed everything: what is missing then was committed over.

        Where it stands still, which is another fault of its, it is started once more.
        """
        if not await self._behind(("triage",), self.plan.settle_s):
            self.product.of["triage"][0].terminate()
            if not await self._behind(("triage",), self.plan.settle_s):
                return
        self.report.done["everything committed by the stock worker"] += 1

    async def _wrong(self, must: Clean, found: Observed) -> list[str]:
        wrong = compared.differences(must, found)
        wrong += compared.unheard(self.vendor.taken, found)
        wrong += compared.pages(must, found, self.receiver.taken, self.services)
        wrong += compared.letters(must, found, self.poison, calm=self.calm)
        wrong += self._timely(must)
        store = InfluxDBStore(
            self.influxdb.url,
            org=self.influxdb.org,
            bucket=self.influxdb.bucket,
            token=self.influxdb.token,
            metrics=Metrics(CollectorRegistry()),
            timeout_s=600,
        )
        try:
            return wrong + await in_store(found, store, self._looked_at_whole(found))
        finally:
            await store.close()

    def _looked_at_whole(self, found: Observed) -> set[str] | None:
        """Patients whose every field in the store is compared; None: all, of a run that is not too long for it."""
        if len(found.records[SUBMISSIONS.name]) <= MOST_WHOLE:
            return None
        some = Random(self.plan.seed).sample(sorted(found.newest), SOME)  # noqa: S311 - not a secret
        self.report.looked_at_whole = len(some)
        return set(some)

    def _timely(self, must: Clean) -> list[str]:
        """Whether time decided what it was to decide, and so whether the comparison says anything of it."""
        self.report.decided_by_time = len(must.by_time)
        decided = len(must.by_time)
        return [] if decided >= OF_CLOCK else [f"time decided {decided} things, fewer than {OF_CLOCK}"]

    async def _passed(self) -> None:
        """Until time has come to where the last thing is decided, and no page waits to be asked again."""
        if self.plan.stock:
            return  # it forgets whose turn time brings; what it commits over is looked for
        async with asyncio.timeout(self.plan.settle_s):
            while self.due is not None and wallclock.now() < self.due + timedelta(seconds=3):  # noqa: ASYNC110 - time
                await asyncio.sleep(0.5)
        deadline = monotonic() + self.plan.settle_s
        while monotonic() < deadline:
            statuses = await newest(self.kafka.bootstrap, self.settings.topic_prefix, PATIENT_STATUS, set(self.poison))
            status = Codec[Any](PATIENT_STATUS.message)
            if not any(status.decode(raw).open_pages for raw in statuses.values()):
                await self._worked_off(self.plan.settle_s)
                return
            await asyncio.sleep(3)

    async def _observed(self) -> Observed:
        return await observe(
            self.kafka.bootstrap, self.settings.topic_prefix, processes.changelog(self.settings), set(self.poison)
        )

    def _poisoned_receipts(self, found: Observed) -> list[Any]:
        return [
            record
            for record in found.records["receipts"]
            if ("receipts", record.partition, record.offset) in self.poison
        ]

    async def _worked_off(self, within_s: float) -> bool:
        return await self._behind(("triage", "storing", "paging"), within_s)

    async def _behind(self, names: tuple[str, ...], within_s: float) -> bool:
        """Whether these groups have committed all that there is to read for them, ticks apart, which go on."""
        deadline = monotonic() + within_s
        sources = {
            "triage": [topic.name for topic in SOURCES if topic is not TICKS],
            "storing": [topic.name for topic, _ in STORED],
            "paging": [PAGES.name],
        }
        while monotonic() < deadline:
            with contextlib.suppress(KafkaError):  # a broker that has much to do answers late
                async with LagWatch(self.kafka.bootstrap) as watch:
                    while monotonic() < deadline:
                        waiting = [
                            await watch.behind(
                                processes.group(self.settings, name),
                                [self.settings.topic_prefix + topic for topic in sources[name]],
                            )
                            for name in names
                        ]
                        if not any(lag for behind in waiting for lag in behind.values()):
                            return True
                        await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)
        return False

    def _judge(self) -> None:
        """What ended by itself, and for no fault of ours."""
        if self.plan.stock:
            return
        for end in self.product.ends:
            self.report.ends.append(line(end, self.harm.faults))
            if reason(end, self.harm.faults) is None:
                self.report.wrong.append(f"{line(end, self.harm.faults)}; the end of its log: {end.said[-1500:]}")

    def _tell(self, must: Clean, found: Observed) -> None:
        report = self.report
        report.done.update(self.harm.done)
        report.done.update(self.product.left)
        report.sessions = len(self.vendor.taken)
        report.answers = self.vendor.answers
        report.longest_s = self.vendor.longest_s
        report.troubled, report.bad_lines = self.proxy.troubled, self.proxy.bad_lines
        report.pages = len(must.first)
        report.ahead = len(found.ahead)
        report.letters = len(found.letters)
        report.repeats = found.repeats
        for static in (True, False):
            which = "with static membership" if static else "without"
            report.recovery_s[which] = list(self._recoveries(found.assessed_at, static=static))
        report.paged = list(self._paged(waits(found).values()))
        report.growth = list(self.growth.lines(*self.fed, found.written))

    def _recoveries(self, written: list[float], *, static: bool) -> Iterator[float]:
        """From each kill of the only triage worker, with no other kill near it, to the next assessment [s]."""
        members = [*self.product.members, *self.product.gone]
        kills = sorted(at for member in members if member.name == "triage" for at in member.kills)
        for before, killed, later in zip([0.0, *kills], kills, [*kills[1:], inf], strict=False):
            for first, last, how in self.alone:
                inside = how is static and first < killed < last - APART_S and not self._without_broker(killed)
                if inside and killed - before > APART_S and later - killed > APART_S:
                    yield from [at - killed for at in written if at > killed + UNDERWAY_S][:1]

    def _without_broker(self, at: float) -> bool:
        """Whether the broker was away about then, which is another thing to recover from."""
        away = [fault for fault in self.harm.faults if fault.kind == "kafka_stop"]
        return any(fault.began - APART_S < at < fault.ended + APART_S for fault in away)

    def _paged(self, waited: Iterable[tuple[int, int]]) -> Iterator[str]:
        """How long pages took from the broker's taking the session until their delivery was told."""
        first, last = self.held
        took: dict[str, list[int]] = {"before": [], "during": [], "after": []}
        for received_ms, delivered_ms in waited:
            at = received_ms / 1000
            when = "before" if at < first else "during" if at < last else "after"
            took[when].append(delivered_ms - received_ms)
        for when, times in took.items():
            if times:
                yield (
                    f"Session received to its page delivered, {when} the outage that is held: median "
                    f"{median(times):.0f} ms, longest {max(times)} ms of {len(times)}."
                )

    # Where it runs.

    async def _receiver(self, stack: AsyncExitStack) -> Receiver:
        key = token_bytes(32)

        async def before(_: str, __: str) -> int | None:
            if self.harm.webhook == "hangs":
                await asyncio.sleep(4)
            return 503 if self.harm.webhook == "down" else None

        async def after(_: str, __: str) -> int | None:
            return 503 if self.harm.webhook == "forgets" else None

        shared = SigningSecret(key)
        services = {*self.work.services, *ACUTE_SERVICES}
        receiver = Receiver(dict.fromkeys(services, shared), wallclock.now, before, after)
        port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
        (self.folder / "secret").write_text(f"whsec_{b64encode(key).decode()}")
        self.services = {
            service: Service(
                name=service,
                ladder=AT_ONCE,
                contacts={
                    NURSE: Contact(
                        ways={"webhook": Webhook(url=f"http://127.0.0.1:{port}/pages/{service}", secret_file="secret")}  # noqa: S106 - a file's name
                    )
                },
            )
            for service in services
        }
        (self.folder / "services.json").write_bytes(msgspec.json.encode(self.services))
        return receiver

    def _env(self) -> dict[str, str]:
        token = self.folder / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(self.influxdb.token)
        people.people(self.folder, sorted(self.work.services), wallclock.now())
        self.tokens = [token_urlsafe(32) for _ in range(LANES)]
        digests = {f"vendor-{n}": [sha256(one.encode()).hexdigest()] for n, one in enumerate(self.tokens)}
        (self.folder / "tokens.json").write_bytes(msgspec.json.encode(digests))
        port = free_port()
        self.gateway = f"http://127.0.0.1:{port}"
        self.vendor = Vendor(self.gateway, self.tokens)
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
            "SONEVAKT_GATEWAY_TOKENS_FILE": str(self.folder / "tokens.json"),
            "SONEVAKT_GATEWAY_PORT": str(port),
            "SONEVAKT_TICK_SECONDS": f"{TICK_S:g}",
            "SONEVAKT_BOARD_PORT": str(free_port()),
            "SONEVAKT_RECONCILE_SECONDS": f"{RECONCILED_S:g}",
            "SONEVAKT_SETTLE_SECONDS": f"{RECONCILED_S:g}",
            **people.variables_in(self.folder),
            # Poison is one message in twenty here, which would show patients as not monitored by how it happens to lie.
            "SONEVAKT_DEAD_LETTER_RATIO": "1",
        }
