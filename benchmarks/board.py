"""The board: 1,000 patients, 20 open boards, 50 submissions/s, from the broker's append to every board's receipt.

Statuses and assessments are written as triage would write them, one of each a submission, to the embedded broker or to
`--bootstrap`. The boards are read by clients in a process of their own, so that their work is not the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.board.around import NoDirectory
from agents.board.serving import board
from agents.broker.embedded import EmbeddedBroker
from agents.health import Health
from agents.http import serving
from agents.metrics import Metrics
from agents.partitioner import partition_for
from agents.people.opening import People
from agents.settings import Settings
from schemas import topics
from schemas.assessments import Assessment, BaselineStatus, Deviation, JudgedReading, PatientStatus, Quality, Reason
from schemas.codec import encode
from schemas.people import Role
from schemas.types import Phase, Zone
from tests.browser.stage import Access, person, signed_in_as

PARTITIONS = 12
VITALS = (
    ("2708-6", "spo2", "%", 94.0),
    ("8867-4", "heart_rate", "/min", 72.0),
    ("8480-6", "systolic", "mm[Hg]", 131.0),
)
SERVICE = "bench-centre"
WRITER_S = 0.02  # between the broker's append and the writer's hearing of it, at most [s]


def messages(patient: int, revision: int, zone: Zone) -> tuple[PatientStatus, Assessment]:
    """What triage writes about one submission."""
    now = wallclock.now()
    known = Deviation(center=94, spread=1, days=20, age_days=1, status=BaselineStatus.ESTABLISHED, score=0.4)
    readings = tuple(
        JudgedReading(
            code=code,
            vital=vital,
            value=value + (patient + revision) % 5,
            unit=unit,
            measured_at=now,
            quality=Quality.VALID,
            deviation=known,
        )
        for code, vital, unit, value in VITALS
    )
    reason = Reason(rule="limit_low", zone=zone, code="2708-6", value=88, unit="%", limit=88, readings=(0,))
    common: dict[str, Any] = {"patient": f"bench-{patient:04d}", "revision": revision, "zone": zone, "service": SERVICE}
    status = PatientStatus(
        **common,
        since_at=now,
        reasons=(reason,),
        pathway="copd",
        phase=Phase.FOLLOW_UP,
        last_submission_at=now,
        due_at=now + timedelta(days=1),
    )
    assessment = Assessment(
        **common,
        assessment_id=uuid4(),
        submission_id=uuid4(),
        at=now,
        received_at=now,
        reasons=(reason,),
        readings=readings,
        plan_version=1,
        rules_version="4",
        self_care=("Rest for half an hour, and measure again.",),
    )
    return status, assessment


class Writer:
    """Writes what triage would."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def write(self, patient: int, revision: int, zone: Zone) -> float:
        """Write one submission's messages; returns when the broker had appended the status [s since 1970]."""
        status, assessment = messages(patient, revision, zone)
        key = status.patient.encode()
        where = {"key": key, "partition": partition_for(key, PARTITIONS)}
        await self._producer.send(topics.ASSESSMENTS.name, encode(assessment), **where)
        await self._producer.send_and_wait(topics.PATIENT_STATUS.name, encode(status), **where)
        return wallclock.now().timestamp()


async def clients(url: str, number: int, seconds: float) -> None:
    """Hold so many boards open, and print when each heard of each change: a line of JSON at the end."""
    heard: list[tuple[int, str, float]] = []

    async def one(session: aiohttp.ClientSession, board: int) -> None:
        async with session.get(f"{url}/events?lang=nb&since=none") as answer:
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    at = wallclock.now().timestamp()
                    heard.extend((board, name, at) for name in re.findall(r'<tr id=\\"p-(bench-\d+)', line.decode()))

    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=aiohttp.TCPConnector(limit=0), read_bufsize=2**22
    ) as session:
        tasks = [asyncio.create_task(one(session, board)) for board in range(number)]
        print("open", flush=True)
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(heard), flush=True)


def resident_mib(pid: int | str = "self") -> float:
    """Memory of a process [MiB]."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


async def measure(patients: int, boards: int, rate: int, seconds: int, bootstrap: str | None) -> dict[str, Any]:
    """Run it, and return the figures."""
    async with AsyncExitStack() as stack:
        if bootstrap is None:
            bootstrap = stack.enter_context(EmbeddedBroker(partitions=PARTITIONS)).bootstrap
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
        await producer.start()
        stack.push_async_callback(producer.stop)
        writer = Writer(producer)
        for patient in range(patients):
            for revision in range(1, 6):
                await writer.write(patient, revision, Zone.GREEN)
        before = resident_mib()
        metrics = Metrics(CollectorRegistry())
        around: Any = People(None, Access(), NoDirectory())  # nobody signs in: see signed_in_as
        made = processes.board(Settings(partitions=PARTITIONS), bootstrap, metrics, None, around)
        shown, desk = made.process, made.desk
        began = time.perf_counter()
        await stack.enter_async_context(processes.running(shown))
        app = board(
            Health("board", metrics, {}),
            metrics,
            desk,
            signed_in=signed_in_as({"nurse": person(Role.NURSE, services={SERVICE})}),
        )
        port = await stack.enter_async_context(serving(app, host="127.0.0.1", port=0))
        url = f"http://127.0.0.1:{port}"
        while not (desk.up_to_date() and desk.history_read()):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)
        figures: dict[str, Any] = {
            "patients": patients,
            "boards": boards,
            "rate": rate,
            "read_s": round(time.perf_counter() - began, 2),
        }
        figures["first_page"] = await first_page(url)
        figures["page_again"] = await first_page(url)
        reader = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.board",
            "--clients",
            str(boards),
            "--url",
            url,
            "--seconds",
            str(seconds + 6),
            stdout=subprocess.PIPE,
            limit=2**28,
        )
        assert reader.stdout is not None
        await reader.stdout.readline()
        await asyncio.sleep(3)
        written = await load(writer, patients, rate, seconds)
        heard = json.loads(await reader.stdout.readline())
        await reader.wait()
        figures |= latencies(written, heard, boards)
        figures["page_under_load"] = await first_page(url)
        figures["memory_mib"] = round(resident_mib() - before, 1)
        figures["process_mib"] = round(resident_mib(), 1)
        return figures


async def first_page(url: str) -> dict[str, float]:
    """Load the list as a browser does, packed."""
    began = time.perf_counter()
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(url, headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        body = await answer.read()
    return {"ms": round((time.perf_counter() - began) * 1000), "kib": round(len(body) / 1024)}


async def load(writer: Writer, patients: int, rate: int, seconds: int) -> dict[str, tuple[float, ...]]:
    """Write at a steady rate; per patient, when each status was appended."""
    written: dict[str, tuple[float, ...]] = {}
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks = []

    async def one(number: int) -> None:
        patient = number % patients
        zone = (Zone.RED, Zone.YELLOW, Zone.GREEN)[number % 3]
        at = await writer.write(patient, 100 + number, zone)
        name = f"bench-{patient:04d}"
        written[name] = (*written.get(name, ()), at)

    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return written


def latencies(written: dict[str, tuple[float, ...]], heard: list[list[Any]], boards: int) -> dict[str, Any]:
    """From each append to the receipt by the last board: the first that each board heard of the patient after it."""
    by_board: dict[tuple[int, str], list[float]] = {}
    for number, patient, at in heard:
        by_board.setdefault((number, patient), []).append(at)
    found = []
    missed = 0
    for patient, appended in written.items():
        for at in appended:
            # What was appended just before a board was told is told a little before the writer hears of its append.
            later = [
                min((one for one in by_board.get((number, patient), ()) if one >= at - WRITER_S), default=None)
                for number in range(boards)
            ]
            if None in later:
                missed += 1
            else:
                found.append(max(one for one in later if one is not None) - at)
    found.sort()
    if not found:
        return {"changes": 0, "missed": missed}
    return {
        "changes": len(found),
        "missed": missed,
        "p50_ms": round(statistics.median(found) * 1000),
        "p99_ms": round(found[int(len(found) * 0.99)] * 1000),
        "max_ms": round(found[-1] * 1000),
    }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--boards", type=int, default=20)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--bootstrap", default=os.environ.get("SONEVAKT_BENCH_BOOTSTRAP"))
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    if given.clients:
        asyncio.run(clients(given.url, given.clients, given.seconds))
        return
    figures = asyncio.run(measure(given.patients, given.boards, given.rate, given.seconds, given.bootstrap))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
