"""`python -m infra.local build [NAME...]`, `up`, or `run -- COMMAND...`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from infra.local import builds
from infra.local.process import ServerError
from infra.local.servers import InfluxDB, Kafka
from infra.local.tools import ToolsError


def main() -> int:
    """Do what the command line says; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build servers into the cache")
    build.add_argument("names", nargs="*")
    run = commands.add_parser("run", help="start Kafka and InfluxDB, run a command with their addresses, stop them")
    run.add_argument("argv", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if given.command == "build":
            for name in given.names or builds.ALL:
                began = time.monotonic()
                builds.ALL[name]()
                print(f"{name}: built or found in {time.monotonic() - began:.0f} s", flush=True)
            return 0
        return _run([word for word in given.argv if word != "--"])
    except (ToolsError, ServerError) as error:
        print(f"infra.local: {error}", file=sys.stderr)
        return 1


def _run(argv: list[str]) -> int:
    with ExitStack() as stack:
        kafka = stack.enter_context(Kafka())
        influxdb = stack.enter_context(InfluxDB())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sonevakt-stack-")))
        token = folder / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(influxdb.token)
        env = {
            "SONEVAKT_STACK_KAFKA": kafka.bootstrap,
            "SONEVAKT_STACK_INFLUXDB_URL": influxdb.url,
            "SONEVAKT_STACK_INFLUXDB_ORG": influxdb.org,
            "SONEVAKT_STACK_INFLUXDB_BUCKET": influxdb.bucket,
            "SONEVAKT_STACK_INFLUXDB_TOKEN_FILE": str(token),
        }
        print(f"Kafka {kafka.bootstrap}, InfluxDB {influxdb.url}", flush=True)
        return subprocess.run(argv, env={**os.environ, **env}, check=False).returncode  # noqa: S603 - the caller's


sys.exit(main())
