"""Prometheus, Alertmanager and node_exporter: the platform's health, never a patient's."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from infra.local import builds
from infra.local.process import Process, free_port
from infra.local.servers.asking import HOST, answers
from infra.local.servers.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

RESEND_S: Final = 5  # by default a minute, which is lost where Alertmanager is not known yet when an alert first fires


@dataclass(kw_only=True)
class _Web(Server):
    """Attribute `address` is host:port, from the first start on."""

    address: str = field(default="", init=False)

    @property
    def url(self) -> str:
        """Where it answers, from the first start on."""
        return f"http://{self.address}"

    def _process_of(
        self, binary: Path, folder: Path, config: Callable[[], Mapping[str, Any]], *options: str
    ) -> Process:
        self.address = f"{HOST}:{free_port()}"
        path = folder / f"{binary.name}.yml"
        path.write_text(json.dumps(config()))  # YAML holds all of JSON
        command = [str(binary), f"--config.file={path}", f"--web.listen-address={self.address}", *options]
        name = type(self).__name__
        return Process(name, command, folder / f"{binary.name}.log", lambda: answers(f"{self.url}/-/ready"))


@dataclass(kw_only=True)
class Prometheus(_Web):
    """A Prometheus.

    Attributes
    ----------
    targets
        host:port of what it scrapes, under the job `sonevakt`.
    roles
        The same by what it is, which is a label of its series.
    jobs
        host:port of other servers that it scrapes, by the job's name.
    itself
        Whether it scrapes itself too, under the job `prometheus`.
    rules
        Files of alerts and recording rules.
    alertmanager
        host:port of where alarms go.
    every_s
        How often it scrapes and evaluates [s].
    """

    targets: Sequence[str] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)
    itself: bool = False
    rules: Sequence[Path] = ()
    alertmanager: str | None = None
    every_s: int = 1
    _file: Path | None = field(default=None, init=False, repr=False)

    def scrape(self, roles: Mapping[str, str]) -> None:
        """Scrape these in place of the roles before, from now on; only while it runs."""
        self.roles = roles
        self._reload()

    def judge(self, rules: Sequence[Path]) -> None:
        """Evaluate the rules of these files in place of those before, from now on; only while it runs."""
        self.rules = rules
        self._reload()

    def _reload(self) -> None:
        if self._file is not None and self.pid is not None:
            self._file.write_text(json.dumps(self._config()))
            os.kill(self.pid, signal.SIGHUP)

    def _config(self) -> dict[str, Any]:
        every = f"{self.every_s}s"
        watched: list[dict[str, Any]] = [{"targets": list(self.targets)}]
        watched += [{"targets": [target], "labels": {"role": role}} for role, target in self.roles.items()]
        jobs = {**self.jobs, **({"prometheus": self.address} if self.itself else {})}
        config: dict[str, Any] = {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [str(rule.absolute()) for rule in self.rules],
            "scrape_configs": [
                {"job_name": "sonevakt", "static_configs": watched},
                *({"job_name": name, "static_configs": [{"targets": [at]}]} for name, at in jobs.items()),
            ],
        }
        if self.alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager]}]}]}
        return config

    def _prepare(self, folder: Path) -> Process:
        binary = builds.prometheus() / "prometheus"
        self._file = folder / "prometheus.yml"
        again = f"--rules.alert.resend-delay={RESEND_S}s"
        return self._process_of(binary, folder, self._config, f"--storage.tsdb.path={folder / 'data'}", again)


@dataclass(kw_only=True)
class Alertmanager(_Web):
    """An Alertmanager.

    Attributes
    ----------
    webhook
        Where every alarm is posted; None: nowhere.
    group_wait_s, group_interval_s
        How long it gathers alarms of one group before it first posts, and before it posts news of the group [s].
    config
        A whole configuration, in place of all that.
    """

    webhook: str | None = None
    config: Mapping[str, Any] | None = None
    group_wait_s: int = 1
    group_interval_s: int = 5

    def _prepare(self, folder: Path) -> Process:
        hooks = [{"url": self.webhook, "send_resolved": True}] if self.webhook else []
        config = self.config or {
            "route": {
                "receiver": "webhook",
                "group_wait": f"{self.group_wait_s}s",
                "group_interval": f"{self.group_interval_s}s",
            },
            "receivers": [{"name": "webhook", "webhook_configs": hooks}],
        }
        binary = builds.alertmanager() / "alertmanager"
        alone = "--cluster.listen-address="
        return self._process_of(binary, folder, lambda: config, f"--storage.path={folder / 'data'}", alone)


@dataclass(kw_only=True)
class NodeExporter(_Web):
    """A node_exporter, which tells of disks alone, as in infra/compose.yaml.

    Attributes
    ----------
    procfs
        The folder that it reads the machine's mounts from, in place of /proc.
    behind
        What is put before its command.
    """

    procfs: Path | None = None
    behind: Sequence[str] = ()

    def _prepare(self, folder: Path) -> Process:
        self.address = f"{HOST}:{free_port()}"
        command = [*self.behind, str(builds.node_exporter()), f"--web.listen-address={self.address}"]
        command += ["--collector.disable-defaults", "--collector.filesystem"]
        if self.procfs is not None:
            command.append(f"--path.procfs={self.procfs}")
        return Process("NodeExporter", command, folder / "log", lambda: answers(f"{self.url}/metrics"))
