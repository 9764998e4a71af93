"""The whole product as its own processes, beside Kafka, InfluxDB and a Prometheus that scrapes them all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from base64 import b64encode
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from agents import processes, wallclock
from agents import settings as deployment
from agents.broker import topics
from agents.http import serving
from agents.paging.receiver import Receiver
from agents.paging.signing import SigningSecret
from agents.people import demo as people
from infra.local.process import free_port
from infra.local.servers import Prometheus
from tests.canary_path import Outside
from tests.certificates import certificate
from tests.faults.product import COMMAND, Member
from tests.grafana.proxy import tls_before

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from agents.people.demo import Login
    from agents.settings import Settings
    from infra.local.servers import InfluxDB, Kafka

NAMES: Final = ("triage", "storing", "paging", "clock", "gateway", "board", "reconcile", "canary")
RULES: Final = Path(__file__).parents[2] / "dashboards" / "alerts"
VALID_UNTIL: Final = datetime(2040, 1, 1, tzinfo=UTC)
TARGET: Final = 20  # patients that each service aims at


class Product:
    """An async context manager that ends everything.

    Attributes
    ----------
    settings
        What its processes are told.
    prometheus
        It scrapes every second.
    taken
        The receiver of the nurses' pages; it refuses as long as `refuses` is set.
    """

    def __init__(self, kafka: Kafka, influxdb: InfluxDB, folder: Path, services: Mapping[str, tuple[str, ...]]) -> None:
        self.influxdb = influxdb
        self.settings: Settings
        self.prometheus: Prometheus
        self.receiver: Receiver
        self.refuses = False
        self.vendor_token = token_urlsafe(32)
        self.logins: list[Login] = []
        self.board_url = ""
        self._kafka = kafka
        self._folder = folder
        self._services = services
        self._ports = {name: free_port() for name in NAMES}
        self._gateway_port, self._board_port = free_port(), free_port()
        self._outside = Outside()
        self._members: dict[str, Member] = {}
        self._env: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        await self._configure()
        await topics.apply(
            self.settings.bootstrap,
            prefix=self.settings.topic_prefix,
            partitions=self.settings.partitions,
            replication=1,
            changelogs=(processes.changelog(self.settings),),
        )
        await self.command("store", "apply")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(member.leave(killed=True) for member in self._members.values()))
        await self._stack.aclose()

    @property
    def gateway_url(self) -> str:
        """Where apps hand in sessions."""
        return f"http://127.0.0.1:{self._gateway_port}"

    def token(self, role: str) -> Path:
        """The file of a role's token, as `sonevakt store apply` wrote it."""
        return self._folder / "tokens" / role / "influxdb.token"

    async def command(self, *arguments: str, role: str = "writer") -> None:
        """Run one of the product's own commands to its end, with a role's token."""
        env = {**self._env, "SONEVAKT_INFLUXDB_TOKEN_FILE": str(self.token(role))}
        running = await asyncio.create_subprocess_exec(*COMMAND[:-1], *arguments, env=env)
        assert await running.wait() == 0, arguments

    def start(self, *names: str) -> None:
        """Start processes, and each again whenever it ends by itself."""
        for name in names:
            env = {
                **self._env,
                "SONEVAKT_INSTANCE": "one",
                "SONEVAKT_HTTP_PORT": str(self._ports[name]),
                "SONEVAKT_INFLUXDB_TOKEN_FILE": str(self.token("writer" if name == "storing" else "reader")),
            }
            self._members[name] = Member(name, (*COMMAND, name), env, self._folder / f"{name}.log")

    async def stop(self, name: str) -> None:
        """End a process for good."""
        await self._members[name].leave()

    async def watch(self) -> None:
        """Start Prometheus, with our own rules, over all processes."""
        roles = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}
        self.prometheus = Prometheus(roles=roles, rules=sorted(RULES.glob("*.rules.yml")))
        await asyncio.to_thread(self._stack.enter_context, self.prometheus)

    def ends(self) -> list[str]:
        """What ended by itself, with the end of its log."""
        return [f"{end.name} {end.code}: {end.said}" for member in self._members.values() for end in member.ends]

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"== {name}: {member.tail()}" for name, member in self._members.items())

    async def _configure(self) -> None:
        folder = self._folder
        heard = await self._stack.enter_async_context(serving(self._outside.application(), host="127.0.0.1", port=0))
        board = await self._stack.enter_async_context(tls_before(self._board_port, certificate(folder, VALID_UNTIL)))
        self.board_url = f"https://127.0.0.1:{board}"
        canary_token = token_urlsafe(32)
        tokens = {"vendor": self.vendor_token, "canary": canary_token}
        hashed = {app: [hashlib.sha256(token.encode()).hexdigest()] for app, token in tokens.items()}
        self._write("tokens.json", json.dumps(hashed))
        self._write("canary.token", canary_token)
        self._write("heartbeat.url", f"http://127.0.0.1:{heard}{self._outside.path}")
        self._write("influxdb.token", self.influxdb.token)
        self._write("link.key", token_urlsafe(32))
        self._write("services.json", msgspec.json.encode(await self._described()).decode())
        self.logins = people.people(folder, self._services, wallclock.now())
        said = {
            "SONEVAKT_BROKER": f"kafka://{self._kafka.bootstrap}",
            "SONEVAKT_STORE": self.influxdb.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_ORG": self.influxdb.org,
            "SONEVAKT_INFLUXDB_BUCKET": self.influxdb.bucket,
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(self.token("reader")),
            "SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": str(folder / "influxdb.token"),
            "SONEVAKT_INFLUXDB_TOKENS_FOLDER": str(folder / "tokens"),
            "SONEVAKT_PARTITIONS": "3",
            "SONEVAKT_SERVICES_FILE": str(folder / "services.json"),
            "SONEVAKT_GATEWAY_TOKENS_FILE": str(folder / "tokens.json"),
            "SONEVAKT_GATEWAY_PORT": str(self._gateway_port),
            "SONEVAKT_GATEWAY_URL": self.gateway_url,
            "SONEVAKT_CANARY_TOKEN_FILE": str(folder / "canary.token"),
            "SONEVAKT_CANARY_SECONDS": "10",
            "SONEVAKT_CANARY_WITHIN_SECONDS": "8",
            "SONEVAKT_HEARTBEAT_URL_FILE": str(folder / "heartbeat.url"),
            "SONEVAKT_BOARD_PORT": str(self._board_port),
            "SONEVAKT_BOARD_URL": self.board_url,
            "SONEVAKT_LINK_KEY_FILE": str(folder / "link.key"),
            "SONEVAKT_TICK_SECONDS": "0.5",
            "SONEVAKT_RECONCILE_SECONDS": "2",
            "SONEVAKT_SETTLE_SECONDS": "20",
            "SONEVAKT_COMMIT_INTERVAL_S": "0.2",
            "SONEVAKT_SESSION_TIMEOUT_S": "30",
            "SONEVAKT_DEAD_LETTER_RATIO": "1",  # the few patients of a scenario are soon outnumbered
            **people.variables_in(folder),
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        self._env = {**ours, **said}
        self.settings = deployment.read(said)

    async def _described(self) -> dict[str, Any]:
        """Every service: a nurse whom our receiver is, and a canary; a target; its municipalities."""
        secrets = {service: token_bytes(32) for service in self._services}

        async def refuse(_: str, __: str) -> int | None:
            return 503 if self.refuses else None

        self.receiver = Receiver({name: SigningSecret(key) for name, key in secrets.items()}, wallclock.now, refuse)
        taken = self.receiver.application()
        port = await self._stack.enter_async_context(serving(taken, host="127.0.0.1", port=0))
        found = {}
        for service, municipalities in self._services.items():
            self._write(f"{service}.secret", f"whsec_{b64encode(secrets[service]).decode()}")
            ways = {
                duty: {"ways": {"webhook": {"kind": "webhook", "url": url, "secret_file": f"{service}.secret"}}}
                for duty, url in (
                    ("nurse", f"http://127.0.0.1:{port}/pages/{service}"),
                    ("canary", f"http://127.0.0.1:{self._ports['canary']}/pages/{service}"),
                )
            }
            found[service] = {
                "name": service,
                "municipalities": municipalities,
                "ladder": {"red": [{"after_minutes": 0, "to": "nurse"}], "repeat_minutes": 60},
                "contacts": ways,
                "target_patients": TARGET,
            }
        return found

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)
