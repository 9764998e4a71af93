"""Kafka: one node that is broker and controller (KRaft)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from infra.local import builds, tools
from infra.local.process import Process, free_port
from infra.local.servers.asking import HOST, lists_brokers
from infra.local.servers.server import Server

if TYPE_CHECKING:
    from pathlib import Path

HEAP: Final = "-Xmx512m"
MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024
FIXED: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
}


@dataclass(kw_only=True)
class Kafka(Server):
    """A broker.

    Attributes
    ----------
    bootstrap
        host:port, from the first start on.
    way
        host:port of a forwarder. Clients that come by it are told to go on coming by it, so that it can cut them off.
    behind
        Where the forwarder of `way` leads to, from the first start on.
    settings
        Lines of server.properties beside ours, or in place of them.
    """

    bootstrap: str = field(default="", init=False)
    way: str | None = None
    behind: str = field(default="", init=False)
    settings: dict[str, str] = field(default_factory=dict)

    def _prepare(self, folder: Path) -> Process:
        libs = builds.kafka()
        tools.need("java")
        port, controller = free_port(), free_port()
        self.bootstrap = f"{HOST}:{port}"
        lines = FIXED | {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
            "log.dirs": str(folder / "data"),
        }
        if self.way is not None:
            self.behind = f"{HOST}:{free_port()}"
            lines["listeners"] += f",WAY://{self.behind}"
            lines["advertised.listeners"] += f",WAY://{self.way}"
            lines["listener.security.protocol.map"] += ",WAY:PLAINTEXT"
        properties = folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in (lines | self.settings).items()))
        java = ["java", HEAP, "-XX:-UsePerfData", "-cp", f"{libs}/*"]
        identity = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        tools.run(
            [
                *java,
                "kafka.tools.StorageTool",
                "format",
                "--standalone",
                f"--cluster-id={identity}",
                "-c",
                str(properties),
            ]
        )
        command = [*java, "kafka.Kafka", str(properties)]
        return Process("Kafka", command, folder / "kafka.log", lambda: lists_brokers(port))
