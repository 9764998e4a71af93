"""How long each query of the dashboards takes on a year of a thousand patients in a real InfluxDB, rollups included.

By hand: `python -m benchmarks.dashboards [--patients 1081] [--rounds 10]`. It starts a database of its own, writes the
year (benchmarks/year.py), makes buckets, tokens and tasks as `sonevakt store apply` does, writes the rollups of the
whole year, and asks every Flux query of every panel, variable and annotation from the committed JSON as Grafana does,
with Grafana's token, variables and macros replaced: over the time with which each dashboard opens, and over a year. A
time is that from the question to the answer's last byte. Beside the wall clock the database's own processor time is
told: it says what a busy machine hides. `--keep FOLDER` leaves the queries' times there as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
import numpy as np
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from agents.settings import Settings
from agents.store_setup import applying, tokens
from agents.store_setup.rolling import Rolling
from benchmarks import year
from dashboards import flux
from dashboards.grafana.written import FOLDER
from infra.local.servers import InfluxDB
from schemas.services import Service
from tests.grafana import asked, interpolation
from tests.grafana import questions as told
from tests.grafana.asking import Servers
from tests.grafana.interpolation import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.grafana.interpolation import Chosen
    from tests.grafana.questions import Question

WANTED_MS: Final = 500.0
STOP: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
BUCKET: Final = "year"
PATIENT: Final = "sim-0003"
# So that what was written stands in files before it is asked for, as it does in a database that has run for a year.
AT_REST: Final = ("--storage-cache-snapshot-write-cold-duration=5s", "--storage-compact-full-write-cold-duration=20s")
SETTLE_S: Final = 60.0
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class Asked(NamedTuple):
    """One query, as a dashboard asks it over a period.

    Attributes
    ----------
    over
        `opens` or `year`.
    """

    question: Question
    chosen: Mapping[str, Chosen]
    period: Period
    over: str

    def text(self, organization: str) -> str:
        """What InfluxDB is asked."""
        seen = Period(self.period.start, self.period.stop, self.question.most_points, self.question.least_step)
        chosen = {**self.chosen, **dict(self.question.chosen)}
        return interpolation.flux(self.question.text, chosen, seen, BUCKET, organization)


async def questions(servers: Servers) -> list[Asked]:
    """Every Flux query of every clinical dashboard, of all services and, where it is of one, of one patient."""
    found: list[Asked] = []
    for path in sorted((FOLDER / "clinical").glob("*.en.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        opens = Period(STOP - asked.length(dashboard["time"]["from"]), STOP)
        for over, period in (("opens", opens), ("year", Period(STOP - timedelta(days=year.DAYS), STOP))):
            chosen: dict[str, Chosen] = {}
            every: list[Question] = []
            for variable in told.variables(dashboard):
                question = told.of_variable(dashboard, variable)
                values: list[str] = []
                if question.source == "influxdb":
                    every.append(question)
                    values = await servers.values(question, chosen, period)
                chosen[variable["name"]] = asked.choice(variable, values, {}, PATIENT)
            whole = told.laid_out(dashboard, chosen)
            every += [*told.of_panels(whole), *told.of_annotations(whole)]
            found += [Asked(one, chosen, period, over) for one in every if one.source == "influxdb"]
    return found


async def main(patients: int, rounds: int, kept: Path | None) -> None:
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
        await _ask(server, settings, rounds, kept)
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


async def _ask(server: InfluxDB, settings: Settings, rounds: int, kept: Path | None) -> None:
    """Ask every question `rounds` times, in turns, and print how long each dashboard's took."""
    token = _token(settings, "grafana")
    where = {"url": server.url, "org": server.org, "bucket": BUCKET, "token": token}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as http:
        every = await questions(Servers(http, "", where))
        took_ms: list[list[float]] = [[] for _ in every]
        spent_ms: list[list[float]] = [[] for _ in every]
        rows = [0] * len(every)
        for turn in range(rounds + 1):
            for place, one in enumerate(every):
                spent = _spent_s(server)
                took, rows[place] = await _once(http, where, one.text(server.org))
                if turn:  # the first time everything is cold, and counts for nothing
                    took_ms[place].append(took)
                    spent_ms[place].append((_spent_s(server) - spent) * 1000)
    if kept is not None:
        names = [(one.question.name, one.over) for one in every]
        (kept / "dashboards.json").write_text(json.dumps(list(zip(names, rows, took_ms, spent_ms, strict=True))))
    empty = sorted({one.question.name for one, count in zip(every, rows, strict=True) if count < 1})
    print(f"without a row: {', '.join(empty) or 'none'}")
    print(_table(every, took_ms, spent_ms))


async def _once(http: aiohttp.ClientSession, where: Mapping[str, str], text: str) -> tuple[float, int]:
    """How long one query took [ms], and its rows."""
    began = perf_counter()
    async with http.post(
        f"{where['url']}/api/v2/query",
        params={"org": where["org"]},
        headers={"Authorization": f"Token {where['token']}", "Accept": "application/csv"},
        json={"query": text, "dialect": {"header": True, "annotations": []}, "type": "flux"},
    ) as answer:
        body = await answer.read()
    took_ms = (perf_counter() - began) * 1000
    if answer.status != HTTPStatus.OK or b",error," in body:
        raise SystemExit(f"InfluxDB answers {answer.status}: {body[:300]!r}\n{text}")
    # A blank line and a header stand before each block of tables of one form.
    blocks = [block for block in body.decode().replace("\r", "").split("\n\n") if block.strip()]
    return took_ms, sum(block.strip().count("\n") for block in blocks)


def _table(every: list[Asked], took_ms: list[list[float]], spent_ms: list[list[float]]) -> str:
    lines = ["| dashboard | over | queries | p50 [ms] | p95 [ms] | processor time, p95 [ms] | slowest, its p95 [ms] |"]
    lines.append("|---|---|---|---|---|---|---|")
    groups = [(one.question.of, one.over) for one in every]
    for of, over in [*dict.fromkeys(groups), ("all", "opens"), ("all", "year"), ("all", "")]:
        places = [
            place for place, (uid, span) in enumerate(groups) if of in {uid, "all"} and (over == span or not over)
        ]
        took = np.concatenate([np.array(took_ms[place]) for place in places])
        spent = np.concatenate([np.array(spent_ms[place]) for place in places])
        slowest = max(places, key=lambda place: np.percentile(took_ms[place], 95))
        late = every[slowest].question
        lines.append(
            f"| {of} | {over or 'both'} | {len(places)} | {np.percentile(took, 50):.0f} | {np.percentile(took, 95):.0f}"
            f" | {np.percentile(spent, 95):.0f} | {late.title} [{late.target.get('refId', '')}]"
            f" {np.percentile(took_ms[slowest], 95):.0f} |"
        )
    late = [
        f"{one.question.name} over {one.over}: {np.percentile(took, 95):.0f} ms"
        for one, took in zip(every, took_ms, strict=True)
        if np.percentile(took, 95) > WANTED_MS
    ]
    return "\n".join([*lines, f"over {WANTED_MS:.0f} ms at their own p95: {'; '.join(late) or 'none'}"])


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
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.patients, given.rounds, given.keep))
