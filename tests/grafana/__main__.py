"""`python -m tests.grafana FOLDER`: plays the scenario and writes each dashboard with its results, to be drawn.

Run it by `python -m infra.local run --`, or with the servers built: it starts its own.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.local.servers import InfluxDB, Kafka
from tests.grafana.asked import everything, write
from tests.grafana.scenario import played

WITHIN_S: Final = 1200.0  # all of it, on a machine that has other work too


async def main(folder: Path) -> int:
    """Return 0 where no panel is empty; raises TimeoutError where it does not come to an end."""
    with TemporaryDirectory(prefix="sonevakt-panels-") as scratch, Kafka() as kafka, InfluxDB() as influxdb:
        async with asyncio.timeout(WITHIN_S), played(kafka, influxdb, Path(scratch)) as scene:
            every = await everything(scene)
    write(folder, every)
    empty = [name for asked in every for name in asked.empty]
    print("\n".join([f"{len(every)} dashboards in {folder}", *(f"empty: {name}" for name in empty)]))  # noqa: T201
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
