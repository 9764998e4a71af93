"""What happens to the product before its dashboards are asked: weeks of simulated patients, and a day of known ones.

Beside the known ones (tests/grafana/known.py) everything goes wrong once that a panel tells of: poison on the topics,
receivers that refuse, a store that is down.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec

from agents import processes, wallclock
from agents.broker.lag import LagWatch
from agents.partitioner import partition_for
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.replay.tally import Tally
from pipeline import cohort as cohorts
from pipeline.cohort.sessions import registration
from pipeline.triage.vitals import SPO2
from schemas.topics import CARE, SUBMISSIONS
from schemas.types import Zone
from tests.grafana.known import FELL, FJORD, KNOWN, OSLO, SERVICE, earlier, session
from tests.grafana.product import NAMES, Product

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from infra.local.servers import InfluxDB, Kafka
    from schemas.submissions import Submission

DAYS: Final = 45
PATIENTS: Final = 30
WITHIN_S: Final = 120.0
STORM: Final = 8  # patients who turn red while nobody takes pages
POISON: Final = (
    b"{not json",
    b'{"type":"submission","submission_id":"7"}',
    b'{"schema_version":99,"type":"submission"}',
)


@dataclass
class Scene:
    """A scenario that has been played and goes on: registrations keep coming in.

    Attributes
    ----------
    began_at
        When the day of the known patients began.
    course
        A simulated patient to whom much has happened.
    sent
        So many registrations have come in so far.
    """

    product: Product
    tally: Tally
    began_at: datetime
    course: str = ""
    sent: int = 0


@asynccontextmanager
async def played(kafka: Kafka, influxdb: InfluxDB, folder: Path) -> AsyncIterator[Scene]:
    """Play the scenario; while the block runs, registrations go on coming in."""
    now = wallclock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    cohort = cohorts.simulate(7, midnight - timedelta(days=DAYS), DAYS, PATIENTS)
    services = dict.fromkeys(cohort.services, ()) | {SERVICE: (FJORD, FELL)}
    async with AsyncExitStack() as stack:
        product = await stack.enter_async_context(Product(kafka, influxdb, folder, services))
        settings = product.settings
        tally = Tally(settings.bootstrap, settings.topic_prefix)
        await tally.start()
        stack.push_async_callback(tally.stop)
        await stack.enter_async_context(processes.running(processes.Process("tally", tally.run)))
        scene = Scene(product, tally, now)
        feed = Feed(
            settings.bootstrap,
            prefix=settings.topic_prefix,
            partitions=settings.partitions,
            group=processes.group(settings, "triage"),
        )
        product.start("triage", "storing")
        past = [Event(*event) for event in cohort.events if event.at < now - timedelta(hours=1)]
        await feed.run(sorted([*past, *earlier(now)], key=lambda event: event.at), lambda *_: None)
        product.start(*(name for name in NAMES if name not in {"triage", "storing"}))
        await product.watch()
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)))
        producer = await stack.enter_async_context(feed.producing())
        await _ready(product, http)
        flowing = asyncio.create_task(_flow(scene, cohort, http))
        stack.push_async_callback(_ended, flowing)
        await _day(scene, http)
        await _trouble(scene, cohort, producer, http)
        await _at_the_board(product)
        scene.course = _eventful(tally)
        await stored(scene)
        await product.command(*_rolled_up(now), role="tasks")
        yield scene


def _rolled_up(now: datetime) -> tuple[str, ...]:
    """The command that works out the rollups of every day before today, which the store's tasks do at night."""
    today = now.astimezone(OSLO).date()  # days of rollups are those of the patients' time zone
    first, last = today - timedelta(days=DAYS + 1), today - timedelta(days=1)
    return ("store", "roll-up", "--from", first.isoformat(), "--to", last.isoformat())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _ready(product: Product, http: aiohttp.ClientSession) -> None:
    """Wait until Prometheus has every process and the gateway takes sessions."""

    async def all_up() -> bool:
        found = await _asked(product, http, 'sum(up{job="sonevakt"})')
        return bool(found) and float(found[0]["value"][1]) == len(NAMES)

    async def takes() -> bool:
        try:
            async with http.get(f"{product.gateway_url}/docs") as answer:
                return answer.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False

    await until(all_up, "Prometheus reaches every process", product)
    await until(takes, "the gateway answers", product)


async def _asked(product: Product, http: aiohttp.ClientSession, query: str) -> list[dict[str, Any]]:
    async with http.get(f"{product.prometheus.url}/api/v1/query", params={"query": query}) as answer:
        found: list[dict[str, Any]] = (await answer.json())["data"]["result"]
        return found


async def until(holds: Callable[[], Awaitable[bool]], what: str, product: Product) -> None:
    """Wait for a condition; where it does not come, with the ends of the processes' logs."""
    for _ in range(int(WITHIN_S / 0.2)):
        if await holds():
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not within {WITHIN_S:g} s: {what}\n{product.logs()}")


async def hand_in(product: Product, http: aiohttp.ClientSession, *sessions: Submission) -> None:
    """Hand sessions in as a vendor's app does, until they are taken."""
    headers = {"Authorization": f"Bearer {product.vendor_token}", "Content-Type": "application/json"}
    body = msgspec.json.encode([_as_sent(one) for one in sessions])
    for _ in range(100):
        async with http.post(f"{product.gateway_url}/v1/submissions", data=body, headers=headers) as answer:
            if answer.status == 202:
                return
            assert answer.status >= 500, await answer.text()
        await asyncio.sleep(0.2)
    raise AssertionError("the gateway takes nothing")


def _as_sent(session: Submission) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(session)
    return {name: value for name, value in built.items() if name in {"submission_id", "patient", "readings", "answers"}}


async def _flow(scene: Scene, cohort: cohorts.Cohort, http: aiohttp.ClientSession) -> None:
    """A registration every half second, for ever."""
    random = Random("flow")  # noqa: S311 - a simulation
    followed = [one for one in cohort.patients if one.ends_at is None]
    number = 0
    while True:
        number += 1
        now = wallclock.now()
        one = random.choice(followed)
        sent = registration(random, one, now - timedelta(seconds=5), now, f"flow-{number}-{now.isoformat()}")
        await hand_in(scene.product, http, sent)
        scene.sent += 1
        await asyncio.sleep(0.5)


async def _day(scene: Scene, http: aiohttp.ClientSession) -> None:
    """The known patients register, and a nurse takes one of the reds."""
    for person in KNOWN:
        if person.spo2 is not None:
            await hand_in(scene.product, http, session(person.name, wallclock.now(), person.spo2, person.pulse))
    changes = scene.tally.changes

    async def both_red() -> bool:
        reds = {change.patient for change in changes.values() if change.to_zone is Zone.RED and not change.retracted}
        return {person.name for person in KNOWN if person.zone is Zone.RED} <= reds

    await until(both_red, "both reds are told", scene.product)
    for person in KNOWN:
        if person.zone is Zone.RED:
            await until(partial(_paged, scene.product, person.name), f"{person.name} is paged", scene.product)
    for person in KNOWN:
        if person.acknowledged:
            await _take_over(scene.product, person.name)


async def _paged(product: Product, patient: str) -> bool:
    return any(page["patient"] == patient for page in product.receiver.taken.values())


async def _take_over(product: Product, patient: str) -> None:
    """Acknowledge by the link that stands in the page, as a nurse does on a telephone."""
    link = next(page["link"] for page in product.receiver.taken.values() if page["patient"] == patient)
    form = {"reason": "true"}

    async def done() -> bool:
        headers = {"Origin": product.board_url}
        connector = aiohttp.TCPConnector(ssl=False)
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.post(link, data=form, headers=headers) as said,
        ):
            return said.status == HTTPStatus.OK

    await until(done, f"the board takes the acknowledgement of {patient}", product)


async def _trouble(
    scene: Scene,
    cohort: cohorts.Cohort,
    producer: Any,  # noqa: ANN401 - aiokafka's
    http: aiohttp.ClientSession,
) -> None:
    """Everything goes wrong once."""
    product = scene.product
    prefix, partitions = product.settings.topic_prefix, product.settings.partitions
    for raw in POISON:
        partition = partition_for(b"poison", partitions)
        await producer.send_and_wait(prefix + SUBMISSIONS.name, raw, key=b"poison", partition=partition)
    url = f"{product.gateway_url}/v1/submissions"
    async with http.post(url, json={}, headers={"Authorization": "Bearer nobody"}) as answer:
        assert answer.status == 401
    async with http.post(
        url, json={"readings": [{}]}, headers={"Authorization": f"Bearer {product.vendor_token}"}
    ) as answer:
        assert 400 <= answer.status < 500

    product.refuses = True
    ill = [one for one in cohort.patients if one.ends_at is None and any(u.vital is SPO2 for u in one.group.usual)]
    await hand_in(product, http, *(session(one.name, wallclock.now(), spo2=81, pulse=90) for one in ill[:STORM]))
    taken = product.receiver.posts

    async def refused() -> bool:
        return product.receiver.posts >= taken + STORM

    await until(refused, "pages were refused", product)
    product.refuses = False

    await asyncio.to_thread(product.influxdb.stop)
    sent = scene.sent

    async def went_on() -> bool:
        failed = await _asked(product, http, 'sum(sonevakt_sink_seconds_count{outcome!="answered"})')
        return scene.sent > sent + 4 and bool(failed) and float(failed[0]["value"][1]) > 0

    await until(went_on, "the store was missed", product)
    await asyncio.to_thread(product.influxdb.start)


async def _at_the_board(product: Product) -> None:
    """Somebody tries to sign in with a wrong password, then rightly, and looks at a patient."""
    login = next(one for one in product.logins if one.ref == "nurse")
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as http:
        for password in ("wrong", login.password):
            async with http.get(f"{product.board_url}/login") as answer:
                csrf = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
            assert csrf is not None
            form = {"csrf": csrf[1], "ref": login.ref, "password": password}
            headers = {"Origin": product.board_url}
            async with http.post(f"{product.board_url}/login", data=form, headers=headers) as answer:
                await answer.read()
            assert (answer.url.path != "/login") is (password == login.password), "only the right one lets in"
        async with http.get(f"{product.board_url}/patients/{KNOWN[0].name}", allow_redirects=False) as answer:
            assert answer.status == HTTPStatus.OK, await answer.text()
            assert KNOWN[0].name in await answer.text()


def _eventful(tally: Tally) -> str:
    """The simulated patient with the most alerts that stand."""
    counted: dict[str, int] = {}
    for change in tally.changes.values():
        if change.to_zone in {Zone.RED, Zone.YELLOW} and not change.retracted and change.patient.startswith("sim-"):
            counted[change.patient] = counted.get(change.patient, 0) + 1
    return max(sorted(counted), key=lambda name: counted[name])


async def silent(scene: Scene, role: str) -> None:
    """Wait until Prometheus finds that a process does not answer."""
    async with aiohttp.ClientSession() as http:

        async def down() -> bool:
            found = await _asked(scene.product, http, f'up{{role="{role}"}} == 0')
            return bool(found)

        await until(down, f"Prometheus misses {role}", scene.product)


async def stored(scene: Scene) -> None:
    """Wait until nothing waits for triage or storing."""
    settings = scene.product.settings
    async with LagWatch(settings.bootstrap) as watch:

        async def quiet() -> bool:
            topics = [settings.topic_prefix + topic.name for topic in (SUBMISSIONS, CARE)]
            return not any((await watch.behind(processes.group(settings, "triage"), topics)).values())

        await until(quiet, "nothing waits", scene.product)
