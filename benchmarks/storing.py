"""Points a second that InfluxDB confirms: our adapter beside influxdb-client's own Point and synchronous WriteApi.

Both write the same readings in the same batches to the same bucket, in turns, and wait for each confirmation; both
begin with the values and make their own points of them. The ratio is what counts: absolute figures are the machine's.

    python benchmarks/storing.py [points, at most 300000]

asks SONEVAKT_STACK_INFLUXDB_URL, _ORG, _BUCKET and _TOKEN where InfluxDB is. The points stay in the bucket.
"""

from __future__ import annotations

import os
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

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_POINTS: Final = 300_000
BATCH: Final = 5_000
ROUNDS: Final = 3
PATIENTS: Final = 1_000
VITALS: Final = ("systolic", "diastolic", "heart_rate", "spo2")
WANTED: Final = 30_000  # points a second (docs: Numbers to reach)

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


async def main(count: int) -> None:
    """Measure both in turns and print the medians and their ratio."""
    at = {name: os.environ[f"SONEVAKT_STACK_INFLUXDB_{name.upper()}"] for name in ("url", "org", "bucket", "token")}
    each = count // (2 * ROUNDS)
    began_ms = at_ms(wallclock.now() - timedelta(hours=1))
    store = InfluxDBStore(**at, metrics=Metrics(CollectorRegistry()))
    figures: dict[str, list[float]] = {"ours": [], "theirs": []}
    with InfluxDBClient(at["url"], at["token"], org=at["org"]) as client:
        for turn in range(ROUNDS):
            figures["ours"].append(await ours(store, each, began_ms + turn * each))
            figures["theirs"].append(theirs(client, at["bucket"], each, began_ms + turn * each))
    await store.close()
    ratio = median(figures["ours"]) / median(figures["theirs"])
    for name, speeds in figures.items():
        print(f"{name:8} {median(speeds):10,.0f} points/s  (of {', '.join(f'{speed:,.0f}' for speed in speeds)})")
    print(f"ratio    {ratio:10.2f}   18 fields a point, {each:,} points a turn, batches of {BATCH:,}")
    print(f"wanted   {WANTED:10,} points/s: {'reached' if median(figures['ours']) >= WANTED else 'NOT REACHED'}")


if __name__ == "__main__":
    uvloop.run(main(min(int(sys.argv[1]) if len(sys.argv) > 1 else MOST_POINTS, MOST_POINTS)))
