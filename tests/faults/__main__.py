"""make test-faults SEED=7 MINUTES=10: the whole suite, and what came of it; 1 where anything was lost or differs."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.local.servers import InfluxDB, Kafka
from tests.faults.harm import OUTAGES
from tests.faults.run import Plan, run
from tests.faults.workload import DAYS

FAULTS: Final = {"kills": 42, "pauses": 7, "outages": 12, "rolls": 6}


def main() -> int:
    """Run, and tell."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--rate", type=float, default=60, help="sessions a second")
    asked.add_argument("--steady", action="store_true", help="sessions as steadily as may be, and not by bursts")
    asked.add_argument("--days", type=int, default=DAYS, help="over which the sessions lie")
    asked.add_argument("--apart", action="store_true", help="kills of triage alone, as far apart as may be")
    asked.add_argument(
        "--held", nargs=2, metavar=("OUTAGE", "SECONDS"), help=f"one outage more: {', '.join(sorted(set(OUTAGES)))}"
    )
    asked.add_argument("--stock", action="store_true", help="triage on Faust as it comes: known to fail")
    asked.add_argument("--no-static", action="store_true", help="without static membership")
    asked.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3, 2, 1, 3])
    for what in FAULTS:
        asked.add_argument(f"--{what}", type=int, help=f"so many, in place of {FAULTS[what]} in ten minutes")
    asked.add_argument("--fewer", action="store_true", help="fewer faults than a proof takes: for figures alone")
    asked.add_argument("--settle", type=float, default=4, help="minutes for what is left when the feed ends")
    asked.add_argument("--keep", type=Path, help="folder for the processes' logs")
    given = asked.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own clients, in outages that we make
    plan = Plan(
        seed=given.seed,
        seconds=60 * given.minutes,
        workers=tuple(given.workers),
        **{
            what: max(1, round(usual * given.minutes / 10)) if getattr(given, what) is None else getattr(given, what)
            for what, usual in FAULTS.items()
        },
        rate=given.rate,
        bursts=not given.steady,
        days=given.days,
        apart=given.apart,
        held=(given.held[0], float(given.held[1])) if given.held else None,
        stock=given.stock,
        static=not given.no_static,
        settle_s=60 * given.settle,
    )
    with TemporaryDirectory(prefix="sonevakt-faults-") as scratch, Kafka() as kafka, InfluxDB() as influxdb:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(run(plan, kafka, influxdb, folder))
    planned = {what: getattr(plan, what) for what in FAULTS}
    report.hold_to(planned, given.minutes, fewer=given.fewer or given.stock)
    sys.stdout.write("\n".join([*report.lines(), ""]))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
