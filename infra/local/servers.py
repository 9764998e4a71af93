"""The servers themselves, each a context manager; the same ports and data after `stop` and `start`."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self

from infra.local import builds
from infra.local.process import Process, ServerError, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024
OK: Final = 200
ORG: Final = "sonevakt"
BUCKET: Final = "sonevakt"


class Server:
    """What all of them do."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="sonevakt-server-")
        self.folder = Path(self._folder.name)
        self.process: Process

    def start(self) -> None:
        """Start, or start again on the same port and data."""
        self.process.start()

    def stop(self) -> None:
        """Stop; data stay until the context ends."""
        self.process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()


class Kafka(Server):
    """One broker, its own controller (KRaft). `bootstrap` is host:port."""

    def __init__(self) -> None:
        super().__init__()
        libs = builds.kafka()
        port, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        properties = self.folder / "server.properties"
        properties.write_text(_kafka_properties(port, controller, self.folder / "data"))
        java = ["java", "-cp", f"{libs}/*"]
        identity = _said([*java, "kafka.tools.StorageTool", "random-uuid"])
        _said([*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", identity, "-c", str(properties)])
        command = ["java", "-Xmx512m", "-cp", f"{libs}/*", "kafka.Kafka", str(properties)]
        self.process = Process("Kafka", command, self.folder / "kafka.log", lambda: _listens(port))


class InfluxDB(Server):
    """InfluxDB 2 with one organisation and bucket. The token is new every time and is shown to nobody."""

    def __init__(self) -> None:
        super().__init__()
        binary = builds.influxd()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.org, self.bucket, self.token = ORG, BUCKET, ""
        command = [
            str(binary),
            "--http-bind-address",
            f"127.0.0.1:{port}",
            "--bolt-path",
            str(self.folder / "i.bolt"),
            "--sqlite-path",
            str(self.folder / "i.sqlite"),
            "--engine-path",
            str(self.folder / "engine"),
            "--reporting-disabled",
            "--ui-disabled",
            "--log-level",
            "error",
        ]
        self.process = Process("InfluxDB", command, self.folder / "influxd.log", lambda: _answers(f"{self.url}/health"))

    def start(self) -> None:
        """Start, and set it up the first time."""
        super().start()
        if self.token:
            return
        asked = {
            "username": "sonevakt",
            "password": secrets.token_urlsafe(24),
            "org": self.org,
            "bucket": self.bucket,
            "token": secrets.token_urlsafe(32),
        }
        self.token = str(_post(f"{self.url}/api/v2/setup", asked)["auth"]["token"])


class Prometheus(Server):
    """Prometheus over the given targets (host:port) and rule files."""

    def __init__(
        self, targets: Sequence[str], *, rules: Sequence[Path] = (), alertmanager: str | None = None, every_s: float = 1
    ) -> None:
        super().__init__()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = {
            "global": {"scrape_interval": f"{every_s:g}s", "evaluation_interval": f"{every_s:g}s"},
            "rule_files": [str(rule.resolve()) for rule in rules],
            "scrape_configs": [{"job_name": "sonevakt", "static_configs": [{"targets": list(targets)}]}],
        }
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        path = self.folder / "prometheus.yml"  # YAML holds all of JSON
        path.write_text(json.dumps(config))
        command = [
            str(builds.prometheus() / "prometheus"),
            f"--config.file={path}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        log = self.folder / "prometheus.log"
        self.process = Process("Prometheus", command, log, lambda: _answers(f"{self.url}/-/ready"))


class Alertmanager(Server):
    """Alertmanager that posts every platform alarm to `webhook`. `address` is host:port."""

    def __init__(self, webhook: str) -> None:
        super().__init__()
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        config = {
            "route": {"receiver": "hook", "group_wait": "1s", "group_interval": "5s"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
        }
        path = self.folder / "alertmanager.yml"
        path.write_text(json.dumps(config))
        command = [
            str(builds.prometheus() / "prometheus-alertmanager"),
            f"--config.file={path}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]
        log = self.folder / "alertmanager.log"
        self.process = Process("Alertmanager", command, log, lambda: _answers(f"http://{self.address}/-/ready"))


def _kafka_properties(port: int, controller: int, data: Path) -> str:
    return "\n".join(
        [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            f"log.dirs={data}",
            "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "auto.create.topics.enable=false",
            "log.retention.ms=-1",
            f"message.max.bytes={MAX_MESSAGE_BYTES}",
            "",
        ]
    )


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise ServerError(f"{command[3]} failed: {(done.stdout + done.stderr)[-1000:]}")
    return done.stdout.strip().splitlines()[-1]


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - loopback
        return bool(response.status == OK)


def _post(url: str, body: dict[str, str]) -> dict[str, dict[str, str]]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
        found: dict[str, dict[str, str]] = json.load(response)
        return found
