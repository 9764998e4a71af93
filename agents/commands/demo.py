"""Everything in one process: broker, clock, triage, storing, paging and board, over recorded or simulated patients."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.broker import topics as broker_topics
from agents.broker.embedded import EmbeddedBroker
from agents.broker.lag import LagWatch
from agents.commands import demo_canary
from agents.commands.demo_canary import DemoCanary
from agents.commands.summary import Summary
from agents.health import Health
from agents.http import application, serving
from agents.metrics import Metrics
from agents.paging.receiver import Receiver, service_paged_at
from agents.paging.signing import SigningSecret
from agents.people import demo as demo_people
from agents.recordings import jsonl, tihm
from agents.recordings.events import Event, RecordingError
from agents.replay.feed import Feed
from agents.replay.tally import Tally
from pipeline import cohort as cohorts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from agents.processes import Process
    from agents.settings import Settings
    from agents.stores.port import TimeSeriesStore

OPEN_SLOTS_S: Final = 120.0  # how long the parts may take to be ready
LIVE_EVERY_S: Final = 3.0  # between registrations once the demo is live
_SETTLE_S: Final = 0.05


@dataclass(frozen=True)
class Source:
    """What is replayed."""

    name: str
    events: list[Event]
    services: tuple[str, ...]
    cohort: cohorts.Cohort | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # what could not be used as it stands there
    own_name: Callable[[str], str] = str  # the source's own id of a patient -> what they are called here
    called: str = "by the pseudonym that is in its messages"

    def patient(self, name: str) -> str:
        """The pseudonym of a patient who is in the recording, by that or by the source's own id.

        Raises
        ------
        RecordingError
            Nobody is called so; the text says how patients are called.
        """
        known = {event.message.patient for event in self.events}
        if name in known:
            return name
        with contextlib.suppress(tihm.NoPseudonymError):
            if (pseudonym := self.own_name(name)) in known:
                return pseudonym
        raise RecordingError(f"the recording has no such patient: its patients are called {self.called}")


def simulated(seed: int, days: int, patients: int) -> Source:
    """A cohort whose replay ends today."""
    today = wallclock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    cohort = cohorts.simulate(seed, today - timedelta(days=days), days, patients)
    events = [Event(*event) for event in cohort.events if event.at < wallclock.now()]
    name = f"{patients} simulated patients, {days} days"
    return Source(name, events, cohort.services, cohort)


def recorded(path: Path) -> Source:
    """A TIHM folder or a file of JSON lines; raises RecordingError."""
    if path.is_dir():
        recording = tihm.read(path)
        note = f"{len(recording.rows)} measurements of the followed kinds; {recording.not_followed} of others left out"
        warnings = tuple(recording.warnings())
        return Source(
            "TIHM, real patients",
            recording.events(),
            ("tihm-team",),
            notes=(note, *warnings),
            warnings=warnings,
            own_name=tihm.pseudonym_of,
            called=f"by their id in {tihm.FILE}, with or without tihm- before it",
        )
    with path.open("rb") as lines:
        events = sorted(jsonl.read(lines, path.name), key=lambda event: event.at)
    services = {getattr(event.message, "service", None) for event in events} - {None}
    return Source(path.name, events, tuple(sorted(map(str, services))))


@dataclass
class _Parts:
    """What runs."""

    settings: Settings
    bootstrap: str
    metrics: Metrics
    store: TimeSeriesStore
    receiver: Receiver
    canary: DemoCanary
    processes: list[Process] = field(default_factory=list)


async def run(
    settings: Settings, source: Source, *, once: bool, speed: float | None = None, assessments: Path | None = None
) -> int:
    """Replay `source` through everything and tell what happened; 0 where the numbers add up."""
    began = monotonic()
    async with AsyncExitStack() as stack:
        parts = await _start(stack, settings, source)
        tally = Tally(parts.bootstrap, parts.settings.topic_prefix)
        await tally.start()
        stack.push_async_callback(tally.stop)
        await stack.enter_async_context(processes.running(processes.Process("tally", tally.run)))
        feed = Feed(
            parts.bootstrap,
            prefix=parts.settings.topic_prefix,
            partitions=parts.settings.partitions,
            group=processes.group(parts.settings, "triage"),
        )
        ready_s = monotonic() - began
        await _replay(feed, source, speed)
        await _settle(parts)
        await tally.settled()
        summary = Summary(source, feed, tally, parts.metrics, parts.receiver)
        stored = await _stored(parts.store, source)
        for line in summary.lines(stored, ready_s, monotonic() - began - ready_s):
            click.echo(line)
        if assessments is not None:
            _write(assessments, tally)
        code = 0 if summary.adds_up(stored) else 1  # of the replay: what comes live is still under way at the end
        if not once:
            await _live(parts, feed, source, stack)
        return code


async def _start(stack: AsyncExitStack, settings: Settings, source: Source) -> _Parts:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sonevakt-")))
    if settings.broker == "embedded":
        broker = EmbeddedBroker(
            partitions=settings.partitions, prefix=settings.topic_prefix, changelogs=(processes.changelog(settings),)
        )
        stack.callback(broker.close)
        bootstrap = broker.bootstrap
        # The embedded broker forgets at exit, so a store that remembered would hold what no topic has.
        settings = msgspec.structs.replace(
            settings,
            commit_interval_s=0.1,
            session_timeout_s=6.0,
            store=f"sqlite:///{folder / 'sonevakt.sqlite'}" if settings.sqlite_path is not None else settings.store,
        )
    else:
        bootstrap = settings.bootstrap
        settings = msgspec.structs.replace(settings, commit_interval_s=0.1)
        await broker_topics.apply(
            bootstrap,
            prefix=settings.topic_prefix,
            partitions=settings.partitions,
            replication=settings.topic_replication,
            changelogs=(processes.changelog(settings),),
        )
    metrics = Metrics(CollectorRegistry())
    canary = DemoCanary(folder)
    receiver, services = await _receiver(stack, source.services, folder, canary)
    settings = msgspec.structs.replace(settings, services_file=str(services))
    settings = demo_people.settings_in(folder, settings)
    logins = demo_people.people(folder, source.services, wallclock.now())
    store = await stack.enter_async_context(processes.opened_store(settings, metrics))
    parts = _Parts(settings, bootstrap, metrics, store, receiver, canary)
    parts.processes += [
        processes.triage(settings, bootstrap, metrics, processes.configured(settings)),
        processes.storing(settings, bootstrap, metrics, store),
        await stack.enter_async_context(processes.paging(settings, bootstrap, metrics)),
    ]
    for process in parts.processes:
        await stack.enter_async_context(processes.running(process))
    await _board(stack, parts, source, logins)
    async with asyncio.timeout(OPEN_SLOTS_S):
        every = [check for process in parts.processes for check in process.checks.values()]
        while not all(check() for check in every):  # noqa: ASYNC110 - readiness is asked for, nobody tells it
            await asyncio.sleep(_SETTLE_S)
    return parts


async def _receiver(
    stack: AsyncExitStack, services: tuple[str, ...], folder: Path, canary: DemoCanary
) -> tuple[Receiver, Path]:
    """A webhook receiver in place of the nurses' telephones."""
    keys = {service: token_bytes(32) for service in services}
    receiver = Receiver({service: SigningSecret(key) for service, key in keys.items()}, wallclock.now)
    port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
    entries: dict[str, Any] = {demo_canary.SERVICE: canary.service}
    for service, key in keys.items():
        secret = folder / f"{service}.secret"
        secret.touch(mode=0o600)
        secret.write_text(f"whsec_{b64encode(key).decode()}", encoding="ascii")
        entries[service] = service_paged_at(service, f"http://127.0.0.1:{port}/pages/{service}", secret.name)
    path = folder / "services.json"
    path.write_bytes(msgspec.json.encode(entries))
    return receiver, path


async def _board(stack: AsyncExitStack, parts: _Parts, source: Source, logins: list[demo_people.Login]) -> None:
    people = await stack.enter_async_context(processes.opened_people(parts.settings, parts.metrics))
    await demo_people.fill(people.directory, sorted({event.message.patient for event in source.events}))
    shown = processes.board(parts.settings, parts.bootstrap, parts.metrics, parts.store, people)
    await stack.enter_async_context(processes.running(shown.process))
    held: dict[str, Callable[[], bool]] = dict(shown.process.checks)
    for process in parts.processes:
        held |= {f"{process.name}_{name}": check for name, check in process.checks.items()}
    health = Health("demo", parts.metrics, held)
    host = parts.settings.http_host
    port = await stack.enter_async_context(serving(shown.pages(health), host=host, port=parts.settings.board_port))
    metrics = application(health, parts.metrics)
    metrics_port = await stack.enter_async_context(serving(metrics, host=host, port=parts.settings.http_port))
    click.echo(f"board: http://{host}:{port}/   metrics: http://{host}:{metrics_port}/metrics")
    for line in demo_people.lines(logins):
        click.echo(line)


async def _replay(feed: Feed, source: Source, speed: float | None) -> None:
    with click.progressbar(
        length=len(source.events), label=f"replaying {source.name}", file=sys.stderr, show_pos=True
    ) as bar:

        def told(_: date, events: int) -> None:
            bar.update(events)

        await feed.run(source.events, told, speed)


async def _settle(parts: _Parts) -> None:
    """Wait until every part has worked everything, those behind triage after it."""
    prefix = parts.settings.topic_prefix
    sources = {
        "triage": ("submissions", "care", "ticks", "receipts"),
        "paging": ("pages",),
        "storing": ("assessments", "zone-changes", "patient-status", "pages", "receipts", "care"),
    }
    async with LagWatch(parts.bootstrap) as watch:
        quiet = False
        while not quiet:
            quiet = True
            for name, names in sources.items():
                topics = [prefix + topic for topic in names]
                while any((await watch.behind(processes.group(parts.settings, name), topics)).values()):
                    quiet = False  # what one part works makes work for another: look at all again
                    await asyncio.sleep(_SETTLE_S)


async def _stored(store: TimeSeriesStore, source: Source) -> set[str]:
    """Ids of the submissions whose assessments are in the store."""
    if not source.events:
        return set()
    first = min(event.at for event in source.events) - timedelta(days=400)
    last = max(event.at for event in source.events) + timedelta(days=2)
    frame = await store.read("assessment", start=first, stop=last, fields=["submission_id"])
    return set() if frame.empty else set(frame["submission_id"].dropna())


def _write(path: Path, tally: Tally) -> None:
    """The newest assessments, ordered by id, one a line."""
    ordered = sorted(tally.assessments.items(), key=lambda item: item[0].int)
    path.write_bytes(b"".join(msgspec.json.encode(assessment) + b"\n" for _, assessment in ordered))


async def _live(parts: _Parts, feed: Feed, source: Source, stack: AsyncExitStack) -> None:
    """Go on: time passes, and simulated patients register."""
    await stack.enter_async_context(processes.running(processes.clock(parts.settings, parts.bootstrap, parts.metrics)))
    await parts.canary.fly(stack, parts.settings, parts.bootstrap, parts.metrics)
    click.echo("live now; Ctrl-C ends it")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stopped.set)
    number = 0
    async with feed.producing() as producer:
        while not stopped.is_set():
            if source.cohort is not None:
                number += 1
                event = Event(*cohorts.live(source.cohort, number, wallclock.now()))
                await feed.send(producer, event)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LIVE_EVERY_S)
