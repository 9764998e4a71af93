"""Points a second that InfluxDB confirms: our adapter beside influxdb-client's own Point and synchronous WriteApi.

Both write the same readings in the same batches to the same bucket, in turns, and wait for each confirmation; both
begin with the values and make their own points of them. The ratio is what counts: absolute figures are the machine's.

    python -m benchmarks.storing [points, at most 300000]
"""

from __future__ import annotations

import sys
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

import uvloop
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client import Point as TheirPoint
from influxdb_client.client.write_api import SYNCHRONOUS
from prometheus_client import CollectorRegistry

from agents import wallclock
from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from agents.stores.port import Point
from agents.storing.points import at_ms
from infra.local.servers import InfluxDB

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_POINTS: Final = 300_000
BATCH: Final = 5_000
ROUNDS: Final = 3
PATIENTS: Final = 1_000
VITALS: Final = ("systolic", "diastolic", "heart_rate", "spo2")

Values = tuple[dict[str, str], dict[str, float | str], int]


def readings(count: int, began_ms: int) -> Iterator[list[Values]]:
    """Yield batches of readings as the storing agent tells them, all different, in the order of time."""
    batch: list[Values] = []
    for n in range(count):
        tags = {"patient": f"p-{n % PATIENTS}", "vital": VITALS[n // PATIENTS % len(VITALS)], "device": f"d-{n % 40}"}
        value = 60.0 + n % 97
        fields: dict[str, float | str] = {
            "value": value,
            "unit": "/min",
            "quality": "valid",
            "issue": "none",
            "sent_value": value,
            "sent_unit": "/min",
            "attempt": 1.0,
            "entry_mode": "device",
            "oxygen_l_min": -1.0,
            "withdrawn": 0.0,
            "baseline_status": "established",
            "scored": 1.0,
            "score": (value - 70) / 3,
            "center": 70.0,
            "spread": 3.0,
            "service": "centre-a",
            "submission_id": f"00000000-0000-4000-8000-{n:012d}",
            "revision": float(n % 50),
        }
        batch.append((tags, fields, began_ms + n))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def ours(store: InfluxDBStore, count: int, began_ms: int) -> float:
    """Write `count` points and return points a second."""
    began = perf_counter()
    for batch in readings(count, began_ms):
        refused = await store.write([Point("bench_ours", tags, fields, time) for tags, fields, time in batch])
        if refused:
            raise SystemExit(f"{len(refused)} points refused: {refused[0].problem}")
    return count / (perf_counter() - began)


def theirs(client: InfluxDBClient, bucket: str, count: int, began_ms: int) -> float:
    """Write the same with influxdb-client's own points and its synchronous writer."""
    write = client.write_api(write_options=SYNCHRONOUS).write
    began = perf_counter()
    for batch in readings(count, began_ms):
        points = []
        for tags, fields, time in batch:
            point = TheirPoint("bench_theirs").time(time, WritePrecision.MS)
            for name, text in tags.items():
                point.tag(name, text)
            for name, value in fields.items():
                point.field(name, value)
            points.append(point)
        write(bucket, record=points, write_precision=WritePrecision.MS)
    return count / (perf_counter() - began)


async def main(count: int = MOST_POINTS) -> None:
    """Measure both in turns on a database of their own, and print the medians and their ratio."""
    each = count // (2 * ROUNDS)
    began_ms = at_ms(wallclock.now() - timedelta(hours=1))
    figures: dict[str, list[float]] = {"ours": [], "influxdb-client": []}
    with InfluxDB() as server:
        at = {"url": server.url, "org": server.org, "token": server.token}
        store = InfluxDBStore(**at, bucket=server.bucket, metrics=Metrics(CollectorRegistry()))
        with InfluxDBClient(**at) as client:
            for turn in range(ROUNDS):
                began = began_ms + turn * each
                figures["ours"].append(await ours(store, each, began))
                figures["influxdb-client"].append(theirs(client, server.bucket, each, began))
        await store.close()
    told = "; ".join(
        f"{name} {median(speeds):,.0f} (of {', '.join(f'{speed:,.0f}' for speed in speeds)})"
        for name, speeds in figures.items()
    )
    print(f"points of 18 fields confirmed a second, {each:,} a turn, batches of {BATCH:,}: {told}")
    print(f"ours is {median(figures['ours']) / median(figures['influxdb-client']):.2f} of it")


if __name__ == "__main__":
    uvloop.run(main(min(int(sys.argv[1]) if len(sys.argv) > 1 else MOST_POINTS, MOST_POINTS)))
