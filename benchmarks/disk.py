"""What followed patients take of the disk: Kafka by topic, and InfluxDB once it has packed what it was given.

python -m benchmarks.disk --patients 1000 --days 60

Simulated patients go through the real product on real servers: daily registrations for 14 days, weekly from then on.
Nothing here ticks while the past is replayed, so what time alone brings about is not in it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.servers import InfluxDB, Kafka
from tests.faults.product import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTITIONS = 12
BLOCK = 512  # in which st_blocks counts [bytes]
SETTLED = 6  # looks in a row that find the same
EVERY_S = 5.0
COLD = {  # InfluxDB packs what was not written to for so long; by default ten minutes and four hours
    "INFLUXD_STORAGE_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "3s",
    "INFLUXD_STORAGE_COMPACT_FULL_WRITE_COLD_DURATION": "3s",
}


def held(folder: Path, pattern: str = "*") -> int:
    """What the files below hold [bytes]."""
    return sum(size for size, _ in _files(folder, pattern))


def on_disk(folder: Path) -> int:
    """What they take of the disk, where a file with holes takes less than it seems to hold [bytes]."""
    return sum(taken for _, taken in _files(folder, "*"))


def _files(folder: Path, pattern: str) -> Iterator[tuple[int, int]]:
    """Those that are taken away meanwhile hold nothing."""
    for path in folder.rglob(pattern):
        with contextlib.suppress(FileNotFoundError):
            told = path.stat()
            if path.is_file():
                yield told.st_size, told.st_blocks * BLOCK


def packed(engine: Path) -> int:
    """What InfluxDB holds once nothing waits in its log of writes and the files keep their size [bytes]."""
    seen: list[int] = []
    while True:
        time.sleep(EVERY_S)
        wal = held(engine / "wal", "*.wal")
        seen = [*seen, on_disk(engine / "data")][-SETTLED:]
        if wal == 0 and len(seen) == SETTLED and len(set(seen)) == 1:
            return seen[-1]


def by_topic(data: Path) -> dict[str, int]:
    """What the logs of each topic hold, without their indexes [bytes]."""
    found: dict[str, int] = {}
    for folder in data.iterdir():
        topic, _, partition = folder.name.rpartition("-")
        if folder.is_dir() and partition.isdigit() and not topic.startswith("__"):
            found[topic] = found.get(topic, 0) + held(folder, "*.log")
    return found


def main(patients: int, days: int) -> None:
    """Print the figures of one run."""
    os.environ.update(COLD)
    with tempfile.TemporaryDirectory(prefix="sonevakt-disk-") as scratch, Kafka() as kafka, InfluxDB() as influxdb:
        token = Path(scratch) / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(influxdb.token)
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")},
            "SONEVAKT_BROKER": f"kafka://{kafka.bootstrap}",
            "SONEVAKT_STORE": influxdb.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(token),
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
        }
        command = [*COMMAND[:-1], "demo", "--once", f"--patients={patients}", f"--days={days}"]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)  # noqa: S603 - our own
        sys.stdout.write(done.stdout)
        data, engine = (server._folder and Path(server._folder.name) for server in (kafka, influxdb))  # noqa: SLF001 - where its files are is nobody else's business
        assert data is not None
        assert engine is not None
        for topic, size in sorted(by_topic(data / "data").items()):
            print(f"Kafka {topic}: {size:,} bytes", flush=True)
        print(f"InfluxDB, packed: {packed(engine / 'engine'):,} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    given = parser.parse_args()
    main(given.patients, given.days)
