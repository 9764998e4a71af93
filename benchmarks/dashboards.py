"""How long each query of the dashboards takes on a year of a thousand patients in a real InfluxDB, rollups included.

By hand: `python -m benchmarks.dashboards [--patients 1081] [--rounds 20]`. It starts a database of its own, writes the
year (benchmarks/year.py), makes buckets, tokens and tasks as `sonevakt store apply` does, writes the rollups of the
whole year, and asks every function of docs/flux.md as a panel does, with the reader's token, answers read to their end.
The wall clock and the database's own processor time are told: the second says what a busy machine hides.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from agents.settings import Settings
from agents.store_setup import applying, tokens
from agents.store_setup.rolling import Rolling
from benchmarks import year
from dashboards import flux
from infra.local.servers import InfluxDB
from schemas.services import Service

if TYPE_CHECKING:
    from collections.abc import Mapping

WANTED_MS: Final = 500.0
STOP: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
BUCKET: Final = "year"
# So that what was written stands in files before it is asked for, as it does in a database that has run for a year.
AT_REST: Final = ("--storage-cache-snapshot-write-cold-duration=5s", "--storage-compact-full-write-cold-duration=20s")
SETTLE_S: Final = 60.0
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class Asked(NamedTuple):
    """One query, as a panel asks it."""

    function: str
    over: str
    arguments: Mapping[str, Any]


def questions() -> list[Asked]:
    """What the dashboards ask: now, the last day, 90 days, and a year by weeks; of all services and of one."""
    at = {"at": STOP}
    day, month, quarter, whole = (
        {"start": STOP - timedelta(days=days), "stop": STOP} for days in (1, 30, 90, year.DAYS)
    )
    weeks = {**whole, "weeks": True}
    one = {"services": ["simulated-joint-centre"]}
    patient = {"patient": "sim-0003"}
    vital = {**patient, "vital": "heart_rate"}
    now = ("patientsByZone", "worklist", "overdue", "oldestUnacknowledgedRed", "phasesAt", "caseload", "equipmentOut")
    asked = [Asked(name, "now", at) for name in now]
    asked.append(Asked("worklist", "now, one service", {**at, **one}))
    asked += [
        Asked("zonesOverTime", "24 h", {**day, "every": timedelta(minutes=15)}),
        Asked("alertsPerHour", "24 h", day),
        Asked("alertsPerHour", "24 h, one service", {**day, **one}),
        Asked("pageTimes", "24 h", day),
        Asked("pageTimesByService", "30 d", month),
        Asked("alertsByRule", "30 d", month),
        Asked("emergencyContactsPerDay", "a year by weeks", weeks),
    ]
    rolled = ("zonesPerDay", "adherencePerDay", "alertsPerDay", "admissionsPerDay", "caseloadPerDay")
    rolled += ("timeInZone", "timeInRange", "dataQuality")
    for name in rolled:
        asked += [Asked(name, "90 d", quarter), Asked(name, "a year by weeks", weeks)]
    asked += [
        Asked("patientReadings", "90 d", {**vital, **quarter}),
        Asked("patientLimits", "90 d", {**vital, **quarter}),
        Asked("patientBand", "90 d", {**vital, **quarter}),
        Asked("patientZones", "90 d", {**patient, **quarter}),
        Asked("patientAlerts", "90 d", {**patient, **quarter}),
        Asked("patientEvents", "90 d", {**patient, **quarter}),
        Asked("patientAnswers", "90 d", {**patient, **quarter}),
        Asked("patientAdherence", "90 d", {**patient, **quarter}),
        Asked("patientVitalDays", "a year", {**vital, **whole}),
    ]
    return asked


async def main(patients: int, rounds: int) -> None:
    """Write the year, ask, and print."""
    with InfluxDB(bucket=BUCKET, options=AT_REST) as server, tempfile.TemporaryDirectory() as scratch:
        settings = _settings(server, Path(scratch))
        began = monotonic()
        await applying.apply(settings, {"simulated-joint-centre": Service(name="A", target_patients=400)}, STOP)
        where = year.Where(server.url, server.org, BUCKET, _token(settings, "writer"))
        made = await asyncio.to_thread(year.write, where, STOP, patients=patients)
        print(
            f"written: {patients} patients, {made.registrations:,} registrations, {made.points:,} points"
            f" in {_minutes(began)}",
            flush=True,
        )
        await asyncio.sleep(SETTLE_S)
        await _roll_up(server, settings)
        await asyncio.sleep(SETTLE_S)
        await _tasks(server, settings)
        await _ask(server, settings, rounds)
        print(f"all of it in {_minutes(began)}")


def _settings(server: InfluxDB, folder: Path) -> Settings:
    (folder / "operator").touch(mode=0o600)
    (folder / "operator").write_text(server.token)
    return Settings(
        store=server.url.replace("http:", "influxdb:"),
        influxdb_org=server.org,
        influxdb_bucket=BUCKET,
        influxdb_operator_token_file=str(folder / "operator"),
        influxdb_tokens_folder=str(folder / "tokens"),
    )


def _token(settings: Settings, name: str) -> str:
    (role,) = (role for role in tokens.ROLES if role.name == name)
    return tokens.file_of(Path(settings.influxdb_tokens_folder or ""), role).read_text()


async def _roll_up(server: InfluxDB, settings: Settings) -> None:
    """Write every rollup of the year, as `sonevakt store roll-up` does."""
    last = STOP.date()
    first = last - timedelta(days=year.DAYS)
    rolling = Rolling(
        server.url, org=server.org, bucket=BUCKET, token=_token(settings, "tasks"), zone=settings.influxdb_time_zone
    )
    async with rolling:
        for name, write in (("days", rolling.days), ("weeks", rolling.weeks)):
            began, spent = monotonic(), _spent_s(server)
            pieces = [piece async for piece in write(first, last)]
            print(
                f"rollups of {year.DAYS} days by {name}: {_minutes(began)},"
                f" {_spent_s(server) - spent:.0f} s of processor time, in {len(pieces)} pieces",
                flush=True,
            )


async def _tasks(server: InfluxDB, settings: Settings) -> None:
    """What one run of each task costs, which every hour does."""
    async with _client(server, _token(settings, "tasks")) as client:
        for function in ("rollUpRecentDays", "rollUpLateDays", "rollUpRecentWeeks", "rollUpLateWeeks"):
            query = flux.call(function, bucket=BUCKET, at=STOP)
            began, spent = perf_counter(), _spent_s(server)
            await client.query_api().query_raw(query.text, params=query.params)
            print(
                f"{function}: {perf_counter() - began:.1f} s, {_spent_s(server) - spent:.1f} s of processor time",
                flush=True,
            )


async def _ask(server: InfluxDB, settings: Settings, rounds: int) -> None:
    """Ask every question `rounds` times, in turns, and print how long each took."""
    asked = questions()
    took_ms: list[list[float]] = [[] for _ in asked]
    spent_ms: list[list[float]] = [[] for _ in asked]
    rows = [0] * len(asked)
    async with _client(server, _token(settings, "reader")) as client:
        for turn in range(rounds + 1):
            for place, one in enumerate(asked):
                query = flux.call(one.function, bucket=BUCKET, **one.arguments)
                began, spent = perf_counter(), _spent_s(server)
                answer = await client.query_api().query_raw(query.text, params=query.params)
                if turn:  # the first time everything is cold, and counts for nothing
                    took_ms[place].append((perf_counter() - began) * 1000)
                    spent_ms[place].append((_spent_s(server) - spent) * 1000)
                rows[place] = sum(1 for line in answer.splitlines() if line.startswith(",")) - 1
    print("| function | over | rows | p50 [ms] | p95 [ms] | processor time, median [ms] |\n|---|---|---|---|---|---|")
    for one, took, spent_each, count in zip(asked, took_ms, spent_ms, rows, strict=True):
        if count < 1:
            raise SystemExit(f"{one.function} over {one.over} has no row: the year is not as it should be")
        p50, p95 = np.percentile(took, [50, 95])
        print(f"| `{one.function}` | {one.over} | {count} | {p50:.0f} | {p95:.0f} | {np.median(spent_each):.0f} |")
    everything = np.concatenate([np.array(took) for took in took_ms])
    late = sorted(
        {one.function for one, took in zip(asked, took_ms, strict=True) if np.percentile(took, 95) > WANTED_MS}
    )
    print(
        f"all {everything.size:,} queries: p50 {np.percentile(everything, 50):.0f} ms, p95"
        f" {np.percentile(everything, 95):.0f} ms;"
        f" over {WANTED_MS:.0f} ms at their own p95: {', '.join(late) or 'none'}"
    )


def _client(server: InfluxDB, token: str) -> InfluxDBClientAsync:
    return InfluxDBClientAsync(server.url, token=token, org=server.org, timeout=1_800_000)


def _spent_s(server: InfluxDB) -> float:
    """Processor time that the database has used so far [s]."""
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _minutes(began: float) -> str:
    return f"{(monotonic() - began) / 60:.1f} min"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=year.EVERYBODY)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    asyncio.run(main(given.patients, given.rounds))
