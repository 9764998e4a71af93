"""The servers together, and how a command is told where they are."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self

from infra.local import builds
from infra.local.servers import InfluxDB, Kafka
from infra.local.tether import tethered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

PREFIX: Final = "SONEVAKT_STACK_"
BY_SIGNAL: Final = 128  # what a shell adds to a signal's number


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the servers are; each field `x` is the variable SONEVAKT_STACK_X. The token stands in a file alone."""

    kafka: str
    influxdb_url: str
    influxdb_org: str
    influxdb_bucket: str
    influxdb_token_file: Path = field(repr=False)
    prometheus_bin: Path
    alertmanager_bin: Path
    promtool_bin: Path

    def variables(self) -> dict[str, str]:
        """Return the environment that says all this."""
        return {f"{PREFIX}{name.upper()}": str(value) for name, value in vars(self).items()}

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return what `variables` wrote; raises KeyError naming the first variable that is missing."""

        def said(name: str) -> str:
            return environ[f"{PREFIX}{name}"]

        return cls(
            kafka=said("KAFKA"),
            influxdb_url=said("INFLUXDB_URL"),
            influxdb_org=said("INFLUXDB_ORG"),
            influxdb_bucket=said("INFLUXDB_BUCKET"),
            influxdb_token_file=Path(said("INFLUXDB_TOKEN_FILE")),
            prometheus_bin=Path(said("PROMETHEUS_BIN")),
            alertmanager_bin=Path(said("ALERTMANAGER_BIN")),
            promtool_bin=Path(said("PROMTOOL_BIN")),
        )


@contextmanager
def started() -> Iterator[Addresses]:
    """Run Kafka and InfluxDB while the block runs, with the binaries of Prometheus and Alertmanager at hand."""
    watching, alarms = builds.prometheus(), builds.alertmanager()
    with TemporaryDirectory(prefix="sonevakt-stack-") as state, Kafka() as kafka, InfluxDB() as influxdb:
        token = Path(state) / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(influxdb.token)
        yield Addresses(
            kafka=kafka.bootstrap,
            influxdb_url=influxdb.url,
            influxdb_org=influxdb.org,
            influxdb_bucket=influxdb.bucket,
            influxdb_token_file=token,
            prometheus_bin=watching / "prometheus",
            alertmanager_bin=alarms / "alertmanager",
            promtool_bin=watching / "promtool",
        )


def run(command: list[str], addresses: Addresses) -> int:
    """Run a command that is told the addresses, to its end; returns its exit code.

    Ctrl-C reaches it from the terminal, and SIGTERM is passed on to it: it ends first, then the servers do.
    """
    with subprocess.Popen(tethered(command), env={**os.environ, **addresses.variables()}) as running:  # noqa: S603 - the caller's

        def pass_on(number: int, _frame: FrameType | None) -> None:
            running.send_signal(number)

        before = {signal.SIGINT: signal.getsignal(signal.SIGINT), signal.SIGTERM: signal.getsignal(signal.SIGTERM)}
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, pass_on)
        try:
            code = running.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return code if code >= 0 else BY_SIGNAL - code
