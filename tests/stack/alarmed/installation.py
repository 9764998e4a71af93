"""All processes of the product as an installation has them, each scraped, and what its faults are caused by.

Storing, clock and board come to the broker by a way that can be cut; storing and reconciliation to the store by
proxies; the board's access log lies on a small disk of its own, and TLS ends before the board as it would in a proxy.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from base64 import b64encode
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from agents import processes, wallclock
from agents.broker import topics
from agents.http import serving
from agents.paging.receiver import Receiver
from agents.paging.signing import SigningSecret
from agents.people import demo
from agents.processes import NAMES
from agents.replay.feed import Feed
from agents.settings import Settings
from infra.local.process import free_port
from infra.local.servers import Alertmanager, InfluxDB, Kafka, NodeExporter, Prometheus
from tests.canary_path import Outside
from tests.certificates import certificate
from tests.dashboards.alerts.rules import ALERTMANAGER, RULES, read
from tests.faults.product import COMMAND, Member
from tests.faults.proxy import Proxy
from tests.faults.workload import NEVER_DUE, followed, session
from tests.stack import shortened
from tests.stack.alarmed.alarms import RECEIVER_OF, Alarms
from tests.stack.alarmed.way import Way
from tests.stack.test_faults_clock import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from types import TracebackType

    from schemas.care import Cadence

PARTITIONS: Final = 3
SERVICES: Final = {"lungs": 60, "heart": 1}  # after how many minutes the one step of the ladder is asked again
BEHIND_THE_WAY: Final = ("storing", "clock", "board")
EVERY_S: Final = 2  # Prometheus scrapes and looks at its rules
DISK: Final = "4m"
HUNG_S: Final = 1.8  # paging gives up an attempt after 2 s
WITHIN_S: Final = 180.0


class Installation:
    """An async context manager: everything runs inside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alarms = Alarms(self.logs)
        self.outside = Outside()
        self.steps = Steps(folder)
        self.members: dict[str, Member] = {}
        self.kafka = Kafka(way=f"127.0.0.1:{free_port()}")
        self.influxdb = InfluxDB()
        self.refuses: set[str] = set()  # services whose receivers answer 500
        self.slow = False  # whether receivers take a page at the third attempt, and hang before
        self.ports = {name: free_port() for name in NAMES}
        self._board_port, self._gateway_port, self._tls_port = free_port(), free_port(), free_port()
        self._notices: Counter[str] = Counter()
        self._receivers: dict[str, Receiver] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # Beginning.

    async def _start(self) -> None:
        stack = self._stack
        stack.enter_context(self.kafka)
        stack.enter_context(self.influxdb)
        self.way = await stack.enter_async_context(Way(int(self.kafka.way.rpartition(":")[2]), self.kafka.behind))  # type: ignore[union-attr] # it was given
        self.to_store = await stack.enter_async_context(Proxy(self.influxdb.url))
        self.to_reconcile = await stack.enter_async_context(Proxy(self.influxdb.url))
        valid = certificate(self.folder, wallclock.now() + timedelta(days=60))
        self.front = await stack.enter_async_context(Way(self._tls_port, f"127.0.0.1:{self._board_port}", valid))
        await self._configure()
        await topics.apply(
            self.settings.bootstrap,
            prefix="",
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(self.settings),),
        )
        self.feed = Feed(self.kafka.bootstrap, prefix="", partitions=PARTITIONS, group="triage")
        self.producer = await stack.enter_async_context(self.feed.producing())
        for name in NAMES:
            self.start(name)
        stack.push_async_callback(self._end)
        await self._watch()

    async def _end(self) -> None:
        self.way.mend()
        await asyncio.gather(*(member.leave(killed=True) for member in self.members.values()))

    async def _watch(self) -> None:
        port = await self._stack.enter_async_context(serving(self.alarms.application(), host="127.0.0.1", port=0))
        addresses = {receiver: f"http://127.0.0.1:{port}/{receiver}" for receiver in RECEIVER_OF.values()}
        alarms = Alertmanager(config=shortened.routes(read(ALERTMANAGER), addresses))
        self.alertmanager = self._stack.enter_context(alarms)
        rules = self.folder / "rules"
        rules.mkdir()
        self.machine = self._stack.enter_context(self._machine())
        jobs = {"alertmanager": alarms.address, "machine": self.machine.address}
        for path in RULES:
            (rules / path.name).write_text(shortened.rules(path.read_text("utf-8")))
        self.prometheus = self._stack.enter_context(
            Prometheus(
                roles=self.roles(),
                jobs=jobs,
                itself=True,
                rules=sorted(rules.iterdir()),
                alertmanager=alarms.address,
                every_s=EVERY_S,
            )
        )

    def _machine(self) -> NodeExporter:
        """A node_exporter that sees one disk, a small one, and takes it for one of a kind that the rules look at."""
        (self.folder / "machine").mkdir()
        mounts = self.folder / "proc" / "1" / "mounts"
        mounts.parent.mkdir(parents=True)
        mounts.write_text(f"/dev/small {self.folder / 'machine'} ext4 rw 0 0\n")
        return NodeExporter(procfs=self.folder / "proc", behind=on_small_disk(self.folder / "machine"))

    def roles(self) -> dict[str, str]:
        """What is scraped, by role."""
        return {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}

    async def _configure(self) -> None:
        heard = await self._stack.enter_async_context(serving(self.outside.application(), host="127.0.0.1", port=0))
        token = token_urlsafe(32)
        self._logins = demo.people(self.folder, SERVICES, wallclock.now())
        texts: dict[str, bytes] = {
            "link_key_file": token_urlsafe(32).encode(),
            "gateway_tokens_file": msgspec.json.encode({"canary": [hashlib.sha256(token.encode()).hexdigest()]}),
            "canary_token_file": token.encode(),
            "heartbeat_url_file": f"http://127.0.0.1:{heard}{self.outside.path}".encode(),
            "influxdb_token_file": self.influxdb.token.encode(),
            "services_file": msgspec.json.encode(
                {service: await self._service(service, again) for service, again in SERVICES.items()}
            ),
        }
        for name, text in texts.items():
            (self.folder / name).write_bytes(text)
        (self.folder / "disk").mkdir()
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")},
            **demo.variables_in(self.folder),
            **{f"SONEVAKT_{name.upper()}": str(self.folder / name) for name in texts},
            "SONEVAKT_ACCESS_FOLDER": str(self.folder / "disk" / "access"),
            "SONEVAKT_BROKER": f"kafka://{self.kafka.bootstrap}",
            "SONEVAKT_STORE": self.to_store.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_ORG": self.influxdb.org,
            "SONEVAKT_INFLUXDB_BUCKET": self.influxdb.bucket,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_INSTANCE": "one",
            "SONEVAKT_SESSION_TIMEOUT_S": "20",
            "SONEVAKT_TICK_SECONDS": "0.5",
            "SONEVAKT_RECONCILE_SECONDS": "2",
            "SONEVAKT_SETTLE_SECONDS": "15",
            "SONEVAKT_CANARY_SECONDS": "10",
            "SONEVAKT_CANARY_WITHIN_SECONDS": "8",
            "SONEVAKT_GATEWAY_PORT": str(self._gateway_port),
            "SONEVAKT_GATEWAY_URL": f"http://127.0.0.1:{self._gateway_port}",
            "SONEVAKT_BOARD_PORT": str(self._board_port),
            "SONEVAKT_BOARD_URL": f"https://127.0.0.1:{self._tls_port}",
        }
        self.settings = Settings(broker=f"kafka://{self.kafka.bootstrap}", partitions=PARTITIONS)

    async def _service(self, service: str, again_minutes: int) -> dict[str, Any]:
        key = token_bytes(32)
        (self.folder / f"{service}.secret").write_text(f"whsec_{b64encode(key).decode()}")

        async def before(_service: str, notice: str) -> int | None:
            self._notices[notice] += 1
            if self.slow and self._notices[notice] < 3:
                await asyncio.sleep(HUNG_S)
                return 500
            return 500 if service in self.refuses else None

        receiver = self._receivers[service] = Receiver({service: SigningSecret(key)}, wallclock.now, before=before)
        port = await self._stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))

        def contact(at: int) -> dict[str, Any]:
            url = f"http://127.0.0.1:{at}/pages/{service}"
            return {"ways": {"app": {"kind": "webhook", "url": url, "secret_file": f"{service}.secret"}}}

        return {
            "name": service,
            "ladder": {"red": [{"after_minutes": 0, "to": "nurse"}], "repeat_minutes": again_minutes},
            "contacts": {"nurse": contact(port), "canary": contact(self.ports["canary"])},
        }

    # Processes.

    def start(self, name: str, *, by_the_way: bool = False) -> None:
        """Start a process, and again whenever it ends by itself, as an orchestrator does."""
        env = {**self._env, "SONEVAKT_HTTP_PORT": str(self.ports[name])}
        command = (*COMMAND, name)
        if name in BEHIND_THE_WAY or by_the_way:
            env["SONEVAKT_BROKER"] = f"kafka://{self.kafka.way}"
        if name == "reconcile":
            env["SONEVAKT_STORE"] = self.to_reconcile.url.replace("http:", "influxdb:")
        if name == "clock":
            env |= self.steps.env()
        if name == "board":
            command = (*on_small_disk(self.folder / "disk"), *command)
        self.members[name] = Member(name, command, env, self.folder / f"{name}.log")

    async def stop(self, name: str) -> None:
        """End a process for good."""
        await self.members.pop(name).leave()

    async def stutter(self, name: str, seconds: float, times: int) -> None:
        """Let a process stand still for so long, so many times, with as much between."""
        for _ in range(times):
            pid = self.members[name].pause()
            await asyncio.sleep(seconds)
            self.members[name].wake(pid)
            await asyncio.sleep(seconds)

    def disk_of_board(self) -> Path:
        """The board's small disk, seen from here."""
        return Path(f"/proc/{self.members['board'].pid}/root{self.folder / 'disk'}")

    def disk_of_machine(self) -> Path:
        """The disk that node_exporter tells of, seen from here."""
        return Path(f"/proc/{self.machine.pid}/root{self.folder / 'machine'}")

    async def command(self, *arguments: str) -> None:
        """Run one of the product's own commands."""
        run = await asyncio.create_subprocess_exec(
            *COMMAND[:-1], *arguments, env=self._env, stdout=asyncio.subprocess.DEVNULL
        )
        assert await run.wait() == 0

    # Asking.

    async def shown(self, name: str, series: str, **labels: str) -> float | None:
        """A series of a process, None while it does not answer or has no such."""
        url = f"http://127.0.0.1:{self.ports[name]}/metrics"
        try:
            async with aiohttp.ClientSession() as http, http.get(url) as answer:
                families = text_string_to_metric_families(await answer.text())
        except aiohttp.ClientError:
            return None
        found = (
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == series and labels.items() <= sample.labels.items()
        )
        return next(found, None)

    async def until_shown(self, holds: Callable[[float], bool], name: str, series: str, **labels: str) -> None:
        """Wait until a series of a process is so."""
        value: float | None = None
        try:
            async with asyncio.timeout(WITHIN_S):
                while (value := await self.shown(name, series, **labels)) is None or not holds(value):  # noqa: ASYNC110 - it is another process that tells
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{name} shows {series} {labels} = {value}\n{self.logs()}") from None

    async def ask(self, query: str) -> list[Any]:
        """What Prometheus answers to a query."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.prometheus.url}/api/v1/query", params={"query": query}) as answer,
        ):
            body = await answer.json()
            assert body["status"] == "success", (query, body)
            result: list[Any] = body["data"]["result"]
            return result

    async def until(self, query: str) -> None:
        """Wait until Prometheus finds something by a query."""
        async with asyncio.timeout(WITHIN_S):
            while not await self.ask(query):  # noqa: ASYNC110 - it must be asked
                await asyncio.sleep(0.2)

    async def inhibited(self) -> set[str]:
        """The names of the alerts that Alertmanager holds back for the sake of another."""
        url = f"{self.alertmanager.url}/api/v2/alerts"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return {one["labels"]["alertname"] for one in await answer.json() if one["status"]["inhibitedBy"]}

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"== {name}\n{member.tail(1500)}" for name, member in self.members.items())

    # Patients.

    async def follow(self, patients: Iterable[str], service: str, cadence: Cadence = NEVER_DUE) -> None:
        """Enrol patients, and plan for them."""
        since = wallclock.now() - timedelta(days=3)
        for patient in patients:
            await self.feed.send_all(self.producer, list(followed(patient, since, service=service, cadence=cadence)))

    async def send(self, patients: Iterable[str], *, red: bool = False, at: datetime | None = None) -> None:
        """One session of each, all at once, measured now or at another time."""
        now = at or wallclock.now()
        events = [session(patient, now, number, red=red) for number, patient in enumerate(patients)]
        await self.feed.send_all(self.producer, events)

    async def send_on(self, patients: Sequence[str]) -> None:
        """Sessions of them all, again and again, until it is cancelled."""
        while True:
            await self.send(patients)

    def link(self, service: str, patient: str) -> str | None:
        """By which a page about a patient is acknowledged; None while its receiver has not taken it."""
        taken = self._receivers[service].taken.values()
        return next((page["link"] for page in taken if page["patient"] == patient and "link" in page), None)

    async def linked(self, service: str, patient: str) -> str:
        """Wait until a page has been taken; its link."""
        async with asyncio.timeout(WITHIN_S):
            while (link := self.link(service, patient)) is None:  # noqa: ASYNC110 - a receiver has no event
                await asyncio.sleep(0.1)
        return link

    async def acknowledge(self, link: str) -> int:
        """Send the form behind a link, as a person's browser does: the answer's status."""
        origin = link[: link.index("/a/")]
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.post(link, data={"reason": "true"}, headers={"Origin": origin}, ssl=False) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def acknowledged(self, link: str, *statuses: int) -> None:
        """Send it until the board answers with one of these."""
        answers: Counter[int] = Counter()
        try:
            async with asyncio.timeout(WITHIN_S):
                while (answer := await self.acknowledge(link)) not in statuses:
                    answers[answer] += 1
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"the board never answers {statuses}, but {dict(answers)}\n{self.logs()}") from None

    async def sign_in(self) -> None:
        """Sign in on the board as one of its people does, once there is a board."""
        board, login = f"https://127.0.0.1:{self._tls_port}", self._logins[0]
        async with asyncio.timeout(WITHIN_S):
            while True:
                with suppress(aiohttp.ClientError):
                    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
                        async with http.get(f"{board}/login", ssl=False) as page:
                            (csrf,) = re.findall(r'name="csrf" value="([^"]+)"', await page.text())
                        form = {"csrf": csrf, "ref": login.ref, "password": login.password}
                        headers = {"Origin": board}
                        async with http.post(
                            f"{board}/login", data=form, headers=headers, ssl=False, allow_redirects=False
                        ) as answer:
                            assert answer.status == HTTPStatus.SEE_OTHER, await answer.text()
                            return
                await asyncio.sleep(0.2)


def on_small_disk(folder: Path) -> tuple[str, ...]:
    """What is put before a command so that `folder` is a disk of `DISK` for it, and for nobody else."""
    rights = ("-m",) if os.geteuid() == 0 else ("-U", "-r", "-m")
    mounted = f'mount -t tmpfs -o size={DISK} tmpfs "$0" && exec "$@"'
    return ("unshare", *rights, "sh", "-c", mounted, str(folder))
