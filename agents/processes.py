"""Sonevakt's processes: what each is made of, alone in production or all in one for the demo."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import structlog
from yarl import URL

from agents import certificates, disks, pathways, wallclock
from agents.acknowledging.heard import Heard
from agents.acknowledging.links import load_links
from agents.acknowledging.pagerduty import PagerDutyHook
from agents.acknowledging.routes import Acknowledging
from agents.board.desk import Desk
from agents.board.model import Model, readings
from agents.board.own_log import OwnLog
from agents.board.platform import Kind, Platform
from agents.board.serving import board as board_application
from agents.board.serving import checks as board_checks
from agents.board.writing import Writing
from agents.broker import lag
from agents.broker.clients import started
from agents.broker.reach import Reach
from agents.broker.topics import topic_name
from agents.canary.heartbeat import Heartbeat, load_address
from agents.canary.news import News
from agents.canary.running import Canaries
from agents.canary.sending import Sending
from agents.canary.settings import signing_secrets
from agents.clock.ticking import Ticking
from agents.dead_letters import watch
from agents.gateway.application import build_gateway
from agents.gateway.delivery import build_producer
from agents.gateway.known import unknown_codes_and_units
from agents.gateway.serving import serve as serve_gateway
from agents.gateway.settings import GatewaySettings
from agents.health import Health
from agents.http import application, serving
from agents.paging.messenger import Messenger
from agents.paging.settings import PagingSettings
from agents.paging.ways import load_ways
from agents.paging.ways.keys import load_webhook_secrets
from agents.reconciliation.running import Reconciling
from agents.services import load_services
from agents.settings import SettingsError, secret, variable
from agents.storing.sink import STORED, StoringSink
from agents.streaming import StreamSettings, StreamWorker
from agents.triage import TriageFold
from agents.triage.ahead import LookAhead
from agents.watching import WorkerMetrics, worker_checks
from pipeline.triage.rosters import NO_SERVICES
from schemas import topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping

    from aiohttp import web

    from agents.metrics import Metrics
    from agents.people.opening import People
    from agents.settings import Settings
    from agents.stores.port import TimeSeriesStore
    from agents.streaming import Handler
    from schemas.services import Service
    from schemas.topics import Topic

NAMES: Final = ("triage", "storing", "paging", "clock", "gateway", "board", "reconcile", "canary")
STATE_TABLE: Final = "state"
STORE_ASKED_S: Final = 5.0
EMBEDDED_FETCH_WAIT_MS: Final = 20  # the embedded broker waits an empty fetch out
FETCH_WAIT_MS: Final = 500
_log = structlog.get_logger()


@dataclass
class Process:
    """One process, made and not yet at work.

    Attributes
    ----------
    work
        Runs until it is cancelled, or ends by itself where it cannot go on.
    checks
        What must hold for it to be ready.
    """

    name: str
    work: Callable[[], Awaitable[object]]
    checks: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    application: web.Application | None = None  # its own pages, where it has any
    stop: Callable[[], None] | None = None


def changelog(settings: Settings) -> str:
    """The topic that holds triage's states."""
    return f"{group(settings, 'triage')}-{STATE_TABLE}-changelog"


def group(settings: Settings, name: str) -> str:
    """The consumer group of a process."""
    return f"{settings.topic_prefix}{name}"


@asynccontextmanager
async def opened_store(settings: Settings, metrics: Metrics) -> AsyncIterator[TimeSeriesStore]:
    """The store that the settings name."""
    # Read in here: pandas and the clients take a third of a worker's start, and triage and paging need neither.
    from agents.stores.influxdb import InfluxDBStore  # noqa: PLC0415
    from agents.stores.sqlite import SQLiteStore  # noqa: PLC0415

    store: TimeSeriesStore
    if settings.sqlite_path is not None:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
        store = SQLiteStore(settings.sqlite_path, metrics=metrics)
        disks.show({"store": settings.sqlite_path}, metrics)
    else:
        store = InfluxDBStore(
            settings.influxdb_address or "",
            org=settings.influxdb_org,
            bucket=settings.influxdb_bucket,
            token=secret("influxdb_token_file", settings.influxdb_token_file or ""),
            metrics=metrics,
        )
    try:
        yield store
    finally:
        await store.close()


def configured(settings: Settings) -> Mapping[str, Service]:
    """The services, where there is a file of them; without one each is as nothing is configured of it."""
    return NO_SERVICES if settings.services_file is None else load_services(Path(settings.services_file))


def triage(
    settings: Settings, bootstrap: str, metrics: Metrics, services: Mapping[str, Service] = NO_SERVICES
) -> Process:
    """Judges; `services` says whom an alert climbs to."""
    fold = TriageFold(
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        dead_letter_ratio=settings.dead_letter_ratio,
        metrics=metrics,
        services=services,
    )

    def ahead(worker: StreamWorker) -> Coroutine[Any, Any, None]:
        return LookAhead(worker, fold, bootstrap, metrics).run()

    return _worker(
        "triage", settings, bootstrap, metrics, handler=fold, sources=fold.sources, table=STATE_TABLE, beside=ahead
    )


def storing(settings: Settings, bootstrap: str, metrics: Metrics, store: TimeSeriesStore) -> Process:
    """Writes to the store."""
    sink = StoringSink(store, metrics=metrics, prefix=settings.topic_prefix)
    process = _worker("storing", settings, bootstrap, metrics, handler=sink, sources=sink.topics)
    storing_work = process.work

    async def work() -> object:
        asking = asyncio.create_task(_ask(store, metrics))
        try:
            return await storing_work()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    process.work = work
    process.checks = {**process.checks, "store_reachable": lambda: store.reachable}
    return process


async def _ask(store: TimeSeriesStore, metrics: Metrics) -> None:
    """Know whether the store answers, also while nothing is to be written."""
    while True:
        await store.ping()
        metrics.store_reachable.labels("storing").set(store.reachable)
        await asyncio.sleep(STORE_ASKED_S)


@asynccontextmanager
async def paging(settings: Settings, bootstrap: str, metrics: Metrics) -> AsyncIterator[Process]:
    """Carries pages to whoever has the duty."""
    async with messenger(settings, metrics) as carrying:
        source = (topic_name(settings.topic_prefix, topics.PAGES.name),)
        yield _worker(
            "paging", settings, bootstrap, metrics, handler=carrying, sources=source, in_flight=carrying.in_flight
        )


def messenger(settings: Settings, metrics: Metrics) -> Messenger:
    """What carries pages, by the services file and the keys that it names.

    Raises
    ------
    SettingsError
        There is none, or it cannot be used.
    """
    if settings.services_file is None:
        raise SettingsError(f"{variable('services_file')} must be set: who is told of an alert, and how")
    path = Path(settings.services_file)
    services = load_services(path)
    return Messenger(
        services,
        load_ways(services, path.parent),
        PagingSettings(),
        wallclock.now,
        metrics,
        links=load_links(settings),
        prefix=settings.topic_prefix,
    )


def clock(settings: Settings, bootstrap: str, metrics: Metrics) -> Process:
    """Tells all patients that time passes, and operators which dead letters are open: it is the one that runs alone."""
    ticking = Ticking(
        bootstrap=bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        every=settings.tick_seconds,
        metrics=metrics,
    )

    async def work() -> None:
        watching = asyncio.create_task(watch.show(bootstrap, settings.topic_prefix, metrics))
        try:
            await ticking.run()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    return Process("clock", work, {"ticks_confirmed": ticking.confirmed_lately})


def reconcile(settings: Settings, bootstrap: str, metrics: Metrics, store: TimeSeriesStore) -> Process:
    """Looks for what was received and is not stored."""
    reconciling = Reconciling(
        bootstrap=bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        store=store,
        metrics=metrics,
        every_s=settings.reconcile_seconds,
        settle_s=settings.settle_seconds,
    )
    return Process("reconcile", reconciling.run, {"reconciled": reconciling.moved_lately})


@asynccontextmanager
async def gateway(
    settings: Settings, bootstrap: str, metrics: Metrics, port: int
) -> AsyncIterator[tuple[Process, str]]:
    """Takes submissions over HTTP while the block runs; yields what else it does, and its address."""
    if settings.gateway_tokens_file is None:
        raise SettingsError(f"{variable('gateway_tokens_file')} must be set: which apps may send submissions")
    async with started(build_producer(bootstrap, idempotent=False)) as producer:
        made = build_gateway(
            GatewaySettings(tokens_file=Path(settings.gateway_tokens_file), topic_prefix=settings.topic_prefix),
            producer,
            wallclock.now,
            metrics,
            unknown_codes_and_units,
        )
        reach = Reach(producer, topic_name(settings.topic_prefix, topics.SUBMISSIONS.name))
        runner = await serve_gateway(made, settings.http_host, port)
        address = str(URL.build(scheme="http", host=settings.http_host, port=runner.addresses[0][1]))
        _log.info("gateway_listening", host=settings.http_host, port=runner.addresses[0][1])
        try:
            yield Process("gateway", reach.run, {"broker": reach.holds}), address
        finally:
            await runner.cleanup()


@asynccontextmanager
async def canary(settings: Settings, bootstrap: str, metrics: Metrics) -> AsyncIterator[Process]:
    """Proves the alarm path of every service; its application takes the canaries' pages."""
    for field_ in ("services_file", "gateway_url", "canary_token_file"):
        if not getattr(settings, field_):
            raise SettingsError(f"{variable(field_)} must be set for the canary: see docs/architecture.md")
    path = Path(settings.services_file or "")
    services = load_services(path)
    news = News(signing_secrets(services, path.parent), wallclock.now)
    address = settings.heartbeat_url_file
    token = secret("canary_token_file", settings.canary_token_file or "")
    canaries = Canaries(
        services,
        news=news,
        sending=Sending(URL(settings.gateway_url), token, bootstrap, settings.topic_prefix),
        heartbeat=Heartbeat(load_address(address) if address else None, metrics, wallclock.now),
        bootstrap=bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        every_s=settings.canary_seconds,
        within_s=settings.canary_within_seconds,
        metrics=metrics,
        clock=wallclock.now,
    )
    process = Process("canary", canaries.run, {"hears": canaries.hears})
    process.application = application(Health("canary", metrics, process.checks), metrics, routes=news.receiver.routes())
    yield process


@asynccontextmanager
async def opened_people(settings: Settings, metrics: Metrics) -> AsyncIterator[People]:
    """Sign-in, the patient directory and the access log, for the board."""
    from agents.people import opening  # noqa: PLC0415 - no other process needs its libraries

    async with opening.opened(settings, metrics) as people:
        yield people


@dataclass(frozen=True)
class Board:
    """The board's process, and its pages, which stand on a port of their own."""

    process: Process
    desk: Desk
    pages: Callable[[Health], web.Application]


def board(settings: Settings, bootstrap: str, metrics: Metrics, store: TimeSeriesStore | None, people: People) -> Board:
    """Shows who needs attention, and takes what staff decide; without a store it shows what the broker has."""
    wait_ms = EMBEDDED_FETCH_WAIT_MS if settings.broker == "embedded" else FETCH_WAIT_MS
    services = configured(settings)
    model, writing = Model(metrics), Writing(bootstrap, settings.topic_prefix)
    listing, history = readings(model, bootstrap, settings.topic_prefix, wait_ms)
    watched = platform(settings, bootstrap, ping=store_ping(settings))
    heard = Heard(lambda: listing.up_to_date() and history.up_to_date())
    model.hear(heard.take)
    desk = Desk(
        model=model,
        listing=listing,
        history=history,
        access=people.access,
        directory=people.directory,
        platform=watched,
        pathways=pathways.load(),
        services=services,
        care=writing.care,
        submissions=writing.submissions,
        log=OwnLog(bootstrap, settings.topic_prefix),
        store=store,
    )
    answers = _answers(settings, services, heard, writing, metrics)

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            for run in (listing.run, history.run, writing.run, watched.run):
                tasks.create_task(run())

    def pages(health: Health) -> web.Application:
        guard = people.guard
        routes = [*guard.routes(), *answers]
        return board_application(health, metrics, desk, signed_in=guard.middleware, alive=guard.alive, routes=routes)

    held = {**board_checks(desk), "access_log": lambda: people.access.writes}
    return Board(Process("board", work, held), desk, pages)


def _answers(
    settings: Settings, services: Mapping[str, Service], heard: Heard, writing: Writing, metrics: Metrics
) -> list[web.AbstractRouteDef]:
    """How alerts are acknowledged from elsewhere: by the link in a page, and by PagerDuty."""
    links = load_links(settings)
    routes: list[web.AbstractRouteDef] = []
    if links is not None:
        routes += Acknowledging(links, heard, writing, services=services, clock=wallclock.now, metrics=metrics).routes()
    if settings.services_file is not None:
        secrets = load_webhook_secrets(services, Path(settings.services_file).parent)
        if secrets:
            routes += PagerDutyHook(secrets, heard, writing, wallclock.now, metrics).routes()
    return routes


def platform(settings: Settings, bootstrap: str, *, ping: Callable[[], Awaitable[bool]] | None = None) -> Platform:
    """What the board knows of the core being at work; `ping` asks the store, where there is one that can be away."""

    def of(name: str, *found: Topic) -> tuple[str, tuple[str, ...]]:
        return group(settings, name), tuple(topic_name(settings.topic_prefix, topic.name) for topic in found)

    groups: dict[Kind, tuple[str, tuple[str, ...]]] = {
        "triage": of("triage", topics.SUBMISSIONS, topics.CARE, topics.TICKS, topics.RECEIPTS),
        "paging": of("paging", topics.PAGES),
        "storing": of("storing", *(topic for topic, _ in STORED)),
    }
    path = settings.services_file
    return Platform(
        bootstrap=bootstrap,
        prefix=settings.topic_prefix,
        groups=groups,
        ticks=topic_name(settings.topic_prefix, topics.TICKS.name),
        tick_s=settings.tick_seconds,
        services=() if path is None else tuple(load_services(Path(path))),
        canary_every_s=settings.canary_seconds,
        canary_within_s=settings.canary_within_seconds,
        ping=ping,
    )


def store_ping(settings: Settings) -> Callable[[], Awaitable[bool]] | None:
    """Ask whether InfluxDB is there; None where the store is a file of this machine."""
    address = settings.influxdb_address

    async def ping() -> bool:
        try:
            async with aiohttp.ClientSession(trust_env=False) as http, http.get(f"{address}/ping") as answer:
                return answer.status == HTTPStatus.NO_CONTENT
        except (aiohttp.ClientError, OSError):
            return False

    return None if address is None else ping


async def run(name: str, settings: Settings, metrics: Metrics) -> int:
    """Run one process until it is cancelled or ends by itself; its exit code."""
    bootstrap = settings.bootstrap
    served: web.Application | None = None
    async with AsyncExitStack() as stack:
        if name == "triage":
            process = triage(settings, bootstrap, metrics, configured(settings))
        elif name == "storing":
            process = storing(
                settings, bootstrap, metrics, await stack.enter_async_context(opened_store(settings, metrics))
            )
        elif name == "paging":
            process = await stack.enter_async_context(paging(settings, bootstrap, metrics))
        elif name == "clock":
            process = clock(settings, bootstrap, metrics)
        elif name == "reconcile":
            process = reconcile(
                settings, bootstrap, metrics, await stack.enter_async_context(opened_store(settings, metrics))
            )
        elif name == "canary":
            process = await stack.enter_async_context(canary(settings, bootstrap, metrics))
            served = process.application
        elif name == "gateway":
            process, _ = await stack.enter_async_context(gateway(settings, bootstrap, metrics, settings.gateway_port))
        else:
            store = await stack.enter_async_context(opened_store(settings, metrics))
            people = await stack.enter_async_context(opened_people(settings, metrics))
            shown = board(settings, bootstrap, metrics, store, people)
            process = shown.process
            pages = shown.pages(Health(name, metrics, process.checks))
            port = await stack.enter_async_context(serving(pages, host=settings.http_host, port=settings.board_port))
            _log.info("board_listening", host=settings.http_host, port=port)
            here = str(URL.build(scheme="http", host=settings.http_host, port=port))
            metrics.board_info.labels(settings.board_url.rstrip("/") or here).set(1)
        served = served or application(Health(name, metrics, process.checks), metrics)
        port = await stack.enter_async_context(serving(served, host=settings.http_host, port=settings.http_port))
        _log.info("listening", host=settings.http_host, port=port)
        await stack.enter_async_context(certificates.watched(certificates.addresses(settings), metrics))
        return await _until_stopped(process)


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[None]:
    """The process at work while the block runs, and ended in order after it.

    Raises whatever the process failed with before the block was over.
    """
    task = asyncio.ensure_future(process.work())
    try:
        yield
    finally:
        failed = task.exception() if task.done() and not task.cancelled() else None
        if process.stop is not None:
            process.stop()
        else:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if failed is not None:
            raise failed


async def _until_stopped(process: Process) -> int:
    task = asyncio.ensure_future(process.work())
    try:
        code = await asyncio.shield(task)
    except asyncio.CancelledError:
        if process.stop is not None:
            process.stop()
        else:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return 0
    return code if isinstance(code, int) else 0


def _worker(  # noqa: PLR0913 - what a worker is made of
    name: str,
    settings: Settings,
    bootstrap: str,
    metrics: Metrics,
    *,
    handler: Handler,
    sources: tuple[str, ...],
    table: str | None = None,
    in_flight: int = 64,
    beside: Callable[[StreamWorker], Coroutine[Any, Any, None]] | None = None,
) -> Process:
    embedded = settings.broker == "embedded"
    stream = StreamSettings(
        app_id=group(settings, name),
        broker=bootstrap,
        partitions=settings.partitions,
        sources=sources,
        dead_letters=topic_name(settings.topic_prefix, topics.DEAD_LETTERS.name),
        process=name,
        compacted=frozenset(
            topic_name(settings.topic_prefix, topic.name) for topic in topics.TOPICS if topic.compacted
        ),
        fleeting=frozenset({topic_name(settings.topic_prefix, topics.TICKS.name)}),
        table=table,
        instance_id=f"{name}-{settings.instance}" if settings.instance else None,
        session_timeout_s=settings.session_timeout_s,
        commit_interval_s=settings.commit_interval_s,
        fetch_max_wait_ms=EMBEDDED_FETCH_WAIT_MS if embedded else FETCH_WAIT_MS,
        in_flight=in_flight,
    )
    worker = StreamWorker(stream, handler, WorkerMetrics(name, metrics))

    async def work() -> int:
        tasks = [asyncio.create_task(lag.show(bootstrap, {stream.app_id: sources}, metrics))]
        if beside is not None:
            tasks.append(asyncio.create_task(beside(worker)))
        try:
            return await worker.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return Process(name, work, worker_checks(worker), stop=worker.stop)
