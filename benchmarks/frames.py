"""What it takes to read a year of everybody as frames: processor time of the reader, rows, and memory at most.

Simulated patients go through the real fold, and its outputs into a store as the storing agent writes them: SQLite, or
with `influxdb` an InfluxDB of its own as well, whose frames must then be the same row by row.

    python -m benchmarks.frames [influxdb] [patients, by default 2000] [days, by default 365]
"""

from __future__ import annotations

import asyncio
import resource
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from prometheus_client import CollectorRegistry

from agents.frames.catalogue import FRAMES
from agents.frames.reading import Frames
from agents.metrics import Metrics
from agents.stores.influxdb import InfluxDBStore
from agents.stores.sqlite import SQLiteStore
from agents.storing.care_points import of_care_event
from agents.storing.sink import STORED
from infra.local.servers import InfluxDB
from pipeline.cohort.enrolment import care
from pipeline.cohort.events import named
from pipeline.cohort.people import person
from pipeline.cohort.sessions import sessions
from pipeline.triage import step
from pipeline.triage.instants import from_ms
from pipeline.triage.step import wakes_at
from schemas.paging import Outcome, PageRequest, Receipt, Tick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.stores.port import Point, TimeSeriesStore

SEED: Final = 20
STOP: Final = datetime(2026, 3, 1, tzinfo=UTC)
BATCH: Final = 20_000  # points
_TELLS: Final = {topic.message: tell for topic, tell in STORED if isinstance(topic.message, type)}


def told(number: int, patients: int, days: int) -> Iterator[Point]:
    """Every point about one simulated patient."""
    one = person(SEED, number, STOP - timedelta(days=days), days, patients)
    cared = list(care(one))
    for event in cared:
        yield from of_care_event(event.message)  # type: ignore[arg-type] # an enrolment and a plan
    state = None
    for event in sorted([*cared, *sessions(SEED, one, STOP)], key=lambda event: event.at):
        while state is not None and (wakes := wakes_at(state)) is not None and from_ms(wakes) <= event.at:
            state, outputs = _heard(state, Tick(at=from_ms(wakes)))
            yield from _points(outputs)
        state, outputs = _heard(state, event.message)
        yield from _points(outputs)


def _heard(state: Any, message: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - whatever the fold takes
    """The state after a message and after every page that it asks for was delivered, and all that is told of it."""
    waiting, found = [message], []
    while waiting:
        state, outputs = step(state, waiting.pop(0))
        receipts = [_delivered(output) for output in outputs if isinstance(output, PageRequest)]
        found += [*outputs, *receipts]
        waiting += receipts
    return state, found


def _delivered(page: PageRequest) -> Receipt:
    return Receipt(
        receipt_id=named(f"{page.page_id}-{page.ask}"),
        page_id=page.page_id,
        patient=page.patient,
        ask=page.ask,
        outcome=Outcome.DELIVERED,
        at=page.at + timedelta(seconds=2),
        attempts=1,
    )


def _points(outputs: list[Any]) -> Iterator[Point]:
    for output in outputs:
        if type(output) in _TELLS:
            yield from _TELLS[type(output)](output)


async def fill(stores: list[TimeSeriesStore], patients: int, days: int) -> int:
    """Write everything to each store, day by day as far as a patient's own order goes."""
    count, batch = 0, []
    for number in range(1, patients + 1):
        batch += told(number, patients, days)
        if len(batch) >= BATCH or number == patients:
            for store in stores:
                assert await store.write(batch) == []
            count, batch = count + len(batch), []
    return count


async def measure(name: str, store: TimeSeriesStore, days: int) -> dict[str, pd.DataFrame]:
    """Read every frame, and tell what that took."""
    found = {}
    began, wall = process_time(), perf_counter()
    for frame in FRAMES:
        at, then = process_time(), perf_counter()
        found[frame] = await Frames(store).whole(frame, STOP - timedelta(days=days), STOP)
        rows, took, waited = len(found[frame]), process_time() - at, perf_counter() - then
        print(f"{name} {frame}: {rows} rows, {took:.1f} s of processor time, {waited:.1f} s", flush=True)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took, waited = process_time() - began, perf_counter() - wall
    print(f"{name}: {took:.1f} s of processor time, {waited:.1f} s, {most} MiB at most")
    return found


async def main(arguments: list[str]) -> None:
    """Fill, measure, compare."""
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    patients, days = (*numbers, *(2_000, 365)[len(numbers) :])
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        metrics = Metrics(CollectorRegistry())
        stores: dict[str, TimeSeriesStore] = {"SQLite": SQLiteStore(folder / "points.sqlite", metrics=metrics)}
        if "influxdb" in arguments:
            server = stack.enter_context(InfluxDB())
            where = {"org": server.org, "bucket": server.bucket, "token": server.token}
            stores["InfluxDB"] = InfluxDBStore(server.url, **where, metrics=metrics, timeout_s=60)
        print(f"{await fill(list(stores.values()), patients, days)} points of {patients} patients over {days} days")
        before: dict[str, pd.DataFrame] | None = None
        for name, store in stores.items():
            found = await measure(name, store, days)
            for frame in FRAMES if before is not None else ():
                pd.testing.assert_frame_equal(before[frame], found[frame])  # type: ignore[index] # it is there
            before = found
            await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
