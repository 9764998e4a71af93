"""All of our processes beside the servers of `python -m infra.local run`, until Ctrl-C: `make stack`.

Prometheus reads them all, the servers and the disks by the rules of dashboards/alerts, and Alertmanager shows what
fires; neither calls anybody. Nobody is paged: the services file is empty, and so there is no canary. The vendor token
of the gateway is new every time and stands in a file, and so are the people of the board, who are printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from agents import wallclock
from agents.people import demo as people
from infra.local.process import free_port
from infra.local.servers import Alertmanager, NodeExporter, Prometheus
from pipeline.cohort.people import SERVICES

NAMES: Final = ("triage", "storing", "paging", "clock", "gateway", "board", "reconcile")
RULES: Final = Path(__file__).parents[2] / "dashboards" / "alerts"
SCRAPED_EVERY_S: Final = 5
COMMAND: Final = [sys.executable, "-c", "from agents.commands import main; main()"]
STOP_S: Final = 20.0


def main() -> int:
    """Start everything, wait, stop everything; 1 where a process ended by itself."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts it behind others has it ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="sonevakt-product-") as scratch:
        folder = Path(scratch)
        env = _environment(folder)
        logins = people.people(folder, SERVICES, wallclock.now())
        subprocess.run([*COMMAND, "topics", "apply"], env=env, check=True)  # noqa: S603 - our own command
        operator = env.pop("SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE")  # no process has it but this one
        apply = {**env, "SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": operator}
        subprocess.run([*COMMAND, "store", "apply"], env=apply, check=True)  # noqa: S603 - the same
        tokens = Path(env.pop("SONEVAKT_INFLUXDB_TOKENS_FOLDER"))
        ports = {name: free_port() for name in NAMES}
        running: dict[str, subprocess.Popen[bytes]] = {}
        alarms, machine = Alertmanager(), NodeExporter()
        watching = Prometheus(
            roles={name: f"127.0.0.1:{port}" for name, port in ports.items()},
            rules=sorted(RULES.glob("*.rules.yml")),
            every_s=SCRAPED_EVERY_S,
            itself=True,
        )
        try:
            for name, port in ports.items():
                role = "writer" if name == "storing" else "reader"
                token = str(tokens / role / "influxdb.token")
                mine = {**env, "SONEVAKT_HTTP_PORT": str(port), "SONEVAKT_INFLUXDB_TOKEN_FILE": token}
                running[name] = subprocess.Popen([*COMMAND, "run", name], env=mine)  # noqa: S603 - the same
                print(f"{name}: http://127.0.0.1:{port}/readyz", flush=True)
            alarms.start()
            machine.start()
            watching.alertmanager = alarms.address
            influxdb = env["SONEVAKT_STORE"].removeprefix("influxdb://")
            watching.jobs = {"machine": machine.address, "alertmanager": alarms.address, "influxdb": influxdb}
            watching.start()
            print(f"Prometheus: {watching.url}/alerts", flush=True)
            print(f"Alertmanager: {alarms.url}/#/alerts", flush=True)
            print(f"gateway takes submissions at http://127.0.0.1:{env['SONEVAKT_GATEWAY_PORT']}/docs", flush=True)
            print(f"board shows its pages at http://127.0.0.1:{env['SONEVAKT_BOARD_PORT']}/", flush=True)
            print("\n".join(people.lines(logins)), flush=True)
            print(f"its token stands in {folder / 'vendor.token'}; Ctrl-C ends everything", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                while all(process.poll() is None for process in running.values()):
                    time.sleep(0.5)
            ended = [name for name, process in running.items() if process.poll() not in {None, 0, -signal.SIGINT}]
            for name in ended:
                print(f"{name} ended with exit code {running[name].returncode}", file=sys.stderr)
            return 1 if ended else 0
        finally:
            watching.close()
            machine.close()
            alarms.close()
            for process in running.values():
                process.terminate()
            until = time.monotonic() + STOP_S  # for all of them: they end beside each other
            for process in running.values():
                try:
                    process.wait(max(0.0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()


def _environment(folder: Path) -> dict[str, str]:
    stack = {name: value for name, value in os.environ.items() if name.startswith("SONEVAKT_STACK_")}
    token = secrets.token_urlsafe(32)
    (folder / "vendor.token").touch(mode=0o600)
    (folder / "vendor.token").write_text(token)
    (folder / "tokens.json").write_text(json.dumps({"vendor": [hashlib.sha256(token.encode()).hexdigest()]}))
    (folder / "services.json").write_text("{}")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")},
        "SONEVAKT_BROKER": f"kafka://{stack['SONEVAKT_STACK_KAFKA']}",
        "SONEVAKT_STORE": stack["SONEVAKT_STACK_INFLUXDB_URL"].replace("http:", "influxdb:"),
        "SONEVAKT_INFLUXDB_ORG": stack["SONEVAKT_STACK_INFLUXDB_ORG"],
        "SONEVAKT_INFLUXDB_BUCKET": stack["SONEVAKT_STACK_INFLUXDB_BUCKET"],
        "SONEVAKT_INFLUXDB_OPERATOR_TOKEN_FILE": stack["SONEVAKT_STACK_INFLUXDB_TOKEN_FILE"],
        "SONEVAKT_INFLUXDB_TOKENS_FOLDER": str(folder / "influxdb"),
        "SONEVAKT_GATEWAY_TOKENS_FILE": str(folder / "tokens.json"),
        "SONEVAKT_SERVICES_FILE": str(folder / "services.json"),
        "SONEVAKT_GATEWAY_PORT": str(free_port()),
        "SONEVAKT_BOARD_PORT": str(free_port()),
        **people.variables_in(folder),
    }


if __name__ == "__main__":
    sys.exit(main())
