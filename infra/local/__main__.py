"""Kafka, InfluxDB, Prometheus and Alertmanager without Docker, on loopback, built once into a cache."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from infra.local import stack
from infra.local.builds import BUILDS
from infra.local.process import ServerError
from infra.local.servers import Alertmanager, Prometheus
from infra.local.tools import ToolsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FAILED: Final = 1
INTERRUPTED: Final = stack.BY_SIGNAL + signal.SIGINT
TERMINATED: Final = stack.BY_SIGNAL + signal.SIGTERM


def main(argv: Sequence[str]) -> int:
    """Do what the command line says; returns its exit code."""
    given = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if given.command == "build":
            _build(given.names or BUILDS)
        elif given.command == "up":
            _up(given)
        else:
            return _run(given.argv)
    except (ToolsError, ServerError) as error:
        print(f"infra.local: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build servers into the cache; all of them where none is named")
    build.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BUILDS), type=_known)
    up = commands.add_parser("up", help="start all four, print where they are, stop them at Ctrl-C")
    up.add_argument("--write-env", type=Path, metavar="FILE", help="write the addresses here, as lines NAME=VALUE")
    up.add_argument("--scrape", action="append", default=[], metavar="HOST:PORT", help="what Prometheus scrapes")
    up.add_argument("--rules", action="append", default=[], type=Path, metavar="FILE", help="Prometheus's rule files")
    up.add_argument("--webhook", metavar="URL", help="where Alertmanager posts")
    run = commands.add_parser("run", help="start Kafka and InfluxDB, run a command that is told where, stop them")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def _known(name: str) -> str:
    if name not in BUILDS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(BUILDS)}")
    return name


def _build(names: Iterable[str]) -> None:
    for name in names:
        began = time.monotonic()
        BUILDS[name]()
        print(f"{name}: ready after {time.monotonic() - began:.0f} s", flush=True)


def _up(given: argparse.Namespace) -> None:
    alarms = Alertmanager(webhook=given.webhook)
    with stack.started() as addresses, alarms:
        watching = Prometheus(targets=given.scrape, rules=given.rules, alertmanager=alarms.address, every_s=5)
        with watching:
            variables = addresses.variables() | {
                f"{stack.PREFIX}PROMETHEUS_URL": watching.url,
                f"{stack.PREFIX}ALERTMANAGER_URL": alarms.url,
            }
            lines = "".join(f"{name}={value}\n" for name, value in variables.items())
            if given.write_env:
                given.write_env.write_text(lines)
            print(f"{lines}All four are up; Ctrl-C stops them.", flush=True)
            signal.pause()


def _run(argv: list[str]) -> int:
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command:
        raise ToolsError("run needs a command: python -m infra.local run -- COMMAND...")
    with stack.started() as addresses:
        return stack.run(command, addresses)


def _terminated(_number: int, _frame: object) -> NoReturn:
    sys.exit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
