"""What the council's report of a year costs, from SQLite and with `influxdb` from a real InfluxDB: time and memory.

`sonevakt report` is run as an operator runs it, in a process of its own, page and PDF; the pages of both stores must be
the same, byte by byte.

    python -m benchmarks.report [influxdb] [patients, by default 2000] [days, by default 365] [--points FILE]

With --points the points are kept in a SQLite file, or taken from one that is there.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import ExitStack
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from agents import wallclock
from agents.metrics import Metrics
from agents.settings import Settings
from agents.store_setup import applying
from agents.stores.influxdb import InfluxDBStore
from agents.stores.sqlite import SQLiteStore
from benchmarks.service_year import fill
from infra.local.servers import InfluxDB

if TYPE_CHECKING:
    from agents.stores.port import TimeSeriesStore

YEAR: Final = ("--from", "2025-01-01", "--to", "2026-01-01")
COUNCIL: Final = Path(__file__).parents[1] / "tests" / "agents" / "report" / "council.json"


def measured(name: str, folder: Path, environment: dict[str, str]) -> bytes:
    """Make the report, tell what that took, and return the page."""
    out = folder / name
    ours = {key: value for key, value in os.environ.items() if not key.startswith("SONEVAKT_")}
    ours |= environment | {"SONEVAKT_COUNCIL_FILE": str(COUNCIL)}
    for asked, what in ((("--no-pdf",), "page"), ((), "page and PDF")):
        place = out / what.replace(" ", "-")
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        command = [str(Path(sys.executable).with_name("sonevakt")), "report", *YEAR, *asked, "--out", str(place)]
        run(command, env=ours, check=True)  # noqa: S603 - our own command
        after, waited = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter() - began
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{name}, {what}: {took:.1f} s of processor time, {waited:.1f} s, {after.ru_maxrss // 1024} MiB at most")
    return (out / "page" / "council-2025.nb.html").read_bytes()


async def main(arguments: list[str]) -> None:
    """Fill, measure, compare."""
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    patients, days = (*numbers, *(2_000, 365)[len(numbers) :])
    kept = Path(arguments[arguments.index("--points") + 1]) if "--points" in arguments else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        metrics = Metrics(CollectorRegistry())
        file = kept or folder / "points.sqlite"
        stores: list[TimeSeriesStore] = [] if file.exists() else [SQLiteStore(file, metrics=metrics)]
        environments = {"SQLite": {"SONEVAKT_STORE": f"sqlite:///{file}"}}
        if "influxdb" in arguments:
            server = stack.enter_context(InfluxDB())
            where = {"org": server.org, "bucket": server.bucket, "token": server.token}
            stores.append(InfluxDBStore(server.url, **where, metrics=metrics, timeout_s=60))
            token = folder / "token"
            token.touch(mode=0o600)
            token.write_text(server.token, encoding="utf-8")
            settings = Settings(
                store=server.url.replace("http", "influxdb", 1),
                influxdb_org=server.org,
                influxdb_bucket=server.bucket,
                influxdb_operator_token_file=str(token),
                influxdb_tokens_folder=str(folder / "tokens"),
            )
            await applying.apply(settings, {}, wallclock.now())  # files as long as an operator has them
            environments["InfluxDB"] = {
                "SONEVAKT_STORE": server.url.replace("http", "influxdb", 1),
                "SONEVAKT_INFLUXDB_ORG": server.org,
                "SONEVAKT_INFLUXDB_BUCKET": server.bucket,
                "SONEVAKT_INFLUXDB_TOKEN_FILE": str(token),
            }
        if stores:
            print(f"{await fill(stores, patients, days)} points of {patients} patients over {days} days", flush=True)
        for store in stores:
            await store.close()
        pages = {name: measured(name, folder, environment) for name, environment in environments.items()}
        print("the pages are the same" if len(set(pages.values())) == 1 else "THE PAGES DIFFER")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
