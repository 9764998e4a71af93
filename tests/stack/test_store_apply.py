"""`sonevakt store apply` on a real InfluxDB: what it makes, what its tokens may do, and what its tasks do."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.settings import describe
from agents.store_setup import applying, tokens
from agents.store_setup import tasks as setup_tasks
from agents.store_setup.asking import Asking, StoreSetupError, asking
from agents.stores.influxdb import InfluxDBStore
from agents.stores.patience import Patience
from agents.stores.port import ReadError, ReadFault
from dashboards.flux import tasks
from schemas.services import Service
from tests.stack import followed
from tests.stack.test_flux import Store, opened, series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.conftest import RunningInfluxDB

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
ROLES: Final = tuple(role.name for role in tokens.ROLES)
NOW: Final = datetime.now(UTC)  # noqa: TID251 - tasks run by the database's own clock
WANTED_S: Final = 120.0  # a task's run on a slow machine


@pytest.fixture(scope="module")
def store(influxdb: RunningInfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(influxdb, tmp_path_factory.mktemp("store")) as store:
        store.apply({}, NOW)
        yield store


@pytest.fixture
def mine(influxdb: RunningInfluxDB, tmp_path: Path) -> Iterator[Store]:
    """One that a test may change."""
    with opened(influxdb, tmp_path) as store:
        yield store


def applied(store: Store, services: dict[str, Service] | None = None, **more: Any) -> applying.Applied:  # noqa: ANN401 - options
    settings = replace(store.settings, **more.pop("settings", {}))
    return asyncio.run(applying.apply(settings, services or {}, NOW, **more))


def ask(influxdb: RunningInfluxDB, path: str, token: str | None = None, **query: str) -> Any:  # noqa: ANN401 - JSON
    async def ask() -> Any:  # noqa: ANN401 - the same
        async with asking(influxdb.url, influxdb.org, influxdb.token) as own:
            if token is None:
                return await own.get(path, **query)
        headers = {"Authorization": f"Token {token}"}
        url = f"{influxdb.url}/api/v2/{path}"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url, params=query) as answer:
            return answer.status, await answer.json()

    return asyncio.run(ask())


def found(influxdb: RunningInfluxDB) -> dict[str, Any]:
    """Every task by its name."""

    async def found() -> dict[str, Any]:
        async with asking(influxdb.url, influxdb.org, influxdb.token) as own:
            return await setup_tasks._found(own)

    return asyncio.run(found())


# What it makes.


def test_what_was_made_is_told_and_made_once(mine: Store) -> None:
    first = applied(mine, {"north": Service(name="North", target_patients=10)})
    again = applied(mine, {"north": Service(name="North", target_patients=10)})

    made = "\n".join(first.changes)
    for bucket in (mine.bucket, f"{mine.bucket}-daily", f"{mine.bucket}-weekly"):
        assert f"made bucket {bucket}, kept for ever\n" in made
    for task in tasks.TASKS:
        assert f"made task {mine.bucket}: {task.name}\n" in made
    for role in ROLES:
        assert f"made the {role} token, in " in made
    assert "service north aims at 10 patients" in made
    assert again == applying.Applied([], [])


def test_no_token_is_told_and_each_stands_in_a_file_for_its_owner_alone(store: Store) -> None:
    told = "\n".join(applied(store, renew=frozenset(ROLES)).changes)
    for role in tokens.ROLES:
        path = tokens.file_of(store._folder / "tokens", role)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() not in told
    assert len({store.token(role) for role in ROLES}) == len(ROLES)
    assert not list((store._folder / "tokens").rglob("*.new"))


def test_the_command_says_what_it_did_and_shows_no_token(mine: Store) -> None:
    def run(*more: str, **settings: str) -> subprocess.CompletedProcess[str]:
        said = {name: value for name, value in describe(mine.settings) if value}
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        command = [sys.executable, "-c", "from agents.commands import main; main()", "store", *more]
        return subprocess.run(  # noqa: S603 - our own command
            command, env={**ours, **said, **settings}, capture_output=True, text=True, check=False, timeout=300
        )

    first, again = run("apply"), run("apply")
    shorter = run("apply", SONEVAKT_INFLUXDB_RETENTION_DAYS="400")
    wrong = run("apply", SONEVAKT_INFLUXDB_ORG="nowhere")

    assert (first.returncode, again.returncode, again.stdout, again.stderr) == (0, 0, "nothing to change\n", "")
    assert f"made bucket {mine.bucket}-daily" in first.stdout
    assert not [role for role in ROLES if mine.token(role) in first.stdout + first.stderr]
    assert shorter.returncode == 1
    assert "--shorten" in shorter.stderr
    assert wrong.returncode == 1
    assert wrong.stderr == "sonevakt: InfluxDB has no organisation of that name: check SONEVAKT_INFLUXDB_ORG\n"


def test_a_wrong_operators_token_is_told_in_one_line(mine: Store) -> None:
    (mine._folder / "operator").write_text("wrong")
    with pytest.raises(StoreSetupError, match="does not know the operator's token"):
        applied(mine)


def test_a_bucket_is_kept_longer_at_once_and_for_less_only_where_somebody_says_so(
    influxdb: RunningInfluxDB, mine: Store
) -> None:
    def kept_s() -> int:
        return int(ask(influxdb, "buckets", name=mine.bucket)["buckets"][0]["retentionRules"][0]["everySeconds"])

    year, long = {"influxdb_retention_days": 365}, {"influxdb_retention_days": 730}
    applied(mine, settings=year)
    assert kept_s() == 365 * 86_400
    assert applied(mine, settings=long).changes == [f"bucket {mine.bucket} is kept 730 days, was 365 days"]

    refused = applied(mine, settings=year)
    assert (refused.changes, len(refused.differences), kept_s()) == ([], 1, 730 * 86_400)

    assert applied(mine, settings=year, shorten=True).differences == []
    assert kept_s() == 365 * 86_400
    assert applied(mine).changes == [f"bucket {mine.bucket} is kept for ever, was 365 days"]


def test_a_token_that_is_lost_open_or_renewed_is_made_good_and_the_old_one_is_good_no_more(
    influxdb: RunningInfluxDB, mine: Store
) -> None:
    applied(mine)
    folder = mine._folder / "tokens"
    before = {role: mine.token(role) for role in ROLES}
    paths = {role.name: tokens.file_of(folder, role) for role in tokens.ROLES}
    paths["reader"].unlink()
    paths["grafana"].chmod(0o644)
    paths["analyst"].write_text("a token of somebody else's")

    changes = "\n".join(applied(mine, renew=frozenset({"tasks"})).changes)

    assert "made the reader token" in changes
    assert "took away 1 old reader token" in changes
    assert "closed the file of the grafana token to others" in changes
    assert "made the analyst token" in changes
    assert "made the tasks token" in changes
    assert "writer" not in changes
    assert stat.S_IMODE(paths["grafana"].stat().st_mode) == 0o600
    after = {role: mine.token(role) for role in ROLES}
    assert {role for role in ROLES if before[role] == after[role]} == {"writer", "grafana"}
    assert ask(influxdb, "buckets", token=before["tasks"])[0] == 401
    assert ask(influxdb, "buckets", token=after["tasks"])[0] == 200


def test_a_task_that_somebody_changed_stopped_or_took_away_is_as_it_should_be_again(
    influxdb: RunningInfluxDB, mine: Store
) -> None:
    applied(mine)
    there = found(influxdb)
    days, late, weeks, _ = (there[tasks.title(task, mine.bucket)] for task in tasks.TASKS)

    async def spoil() -> None:
        async with asking(influxdb.url, influxdb.org, influxdb.token) as own:
            await own.patch(f"tasks/{days['id']}", {"status": "inactive"})
            await own.patch(f"tasks/{late['id']}", {"flux": late["flux"].replace("offset: 15m", "offset: 16m")})
            await own.delete(f"tasks/{weeks['id']}")

    asyncio.run(spoil())

    assert applied(mine).changes == [
        f"changed task {mine.bucket}: days",
        f"changed task {mine.bucket}: late days",
        f"made task {mine.bucket}: weeks",
    ]
    assert applied(mine).changes == []


def test_a_services_target_stands_from_when_it_was_first_said(mine: Store) -> None:
    some = {"north": Service(name="North", target_patients=10), "south": Service(name="South")}
    assert applied(mine, some).changes[-2:] == [
        "service north aims at 10 patients",
        "service south aims at no number of patients",
    ]
    assert applied(mine, some).changes == []
    other = some | {"north": Service(name="North", target_patients=12)}
    later = asyncio.run(applying.apply(mine.settings, other, NOW + timedelta(seconds=1)))
    assert later.changes == ["service north aims at 12 patients"]
    at = NOW + timedelta(hours=1)
    assert [(row["service"], row.get("target")) for row in mine.ask("caseload", at=at)] == [
        ("north", 12.0),
        ("south", None),
    ]


# What the tokens may do.


async def written(influxdb: RunningInfluxDB, store: Store, role: str, bucket: str) -> bool:
    """Whether a role may write a bucket."""
    told = asyncio.Event()

    async def pause(_seconds: float) -> None:
        told.set()
        await asyncio.Event().wait()

    metrics = Metrics(CollectorRegistry())
    own = InfluxDBStore(
        influxdb.url,
        org=influxdb.org,
        bucket=bucket,
        token=store.token(role),
        metrics=metrics,
        patience=Patience("influxdb", metrics, pause=pause),
    )
    points = followed.care(
        followed.Enrolled,
        "p-1",
        "03-01 10:00",
        pathway="copd",
        service="north",
        municipality="m1",
        phase=followed.Phase.FOLLOW_UP,
    )
    writing, waiting = asyncio.create_task(own.write(points)), asyncio.create_task(told.wait())
    await asyncio.wait((writing, waiting), return_when=asyncio.FIRST_COMPLETED)
    done = writing.done() and writing.result() == []
    for task in (writing, waiting):
        task.cancel()
    await asyncio.gather(writing, waiting, return_exceptions=True)
    await own.close()
    return done


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("writer", [True, False, False]),
        ("reader", [False, False, False]),
        ("grafana", [False, False, False]),
        ("analyst", [False, False, False]),
        ("tasks", [False, True, True]),
    ],
)
async def test_a_role_writes_what_it_needs_and_nothing_else(
    influxdb: RunningInfluxDB, store: Store, role: str, may: list[bool]
) -> None:
    buckets = (store.bucket, f"{store.bucket}-daily", f"{store.bucket}-weekly")
    assert [await written(influxdb, store, role, bucket) for bucket in buckets] == may
    assert not await written(influxdb, store, role, influxdb.bucket)  # somebody else's


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_it_needs_and_nothing_else(influxdb: RunningInfluxDB, store: Store, role: str) -> None:
    def reads(bucket: str) -> bool:
        text = "from(bucket: p_bucket) |> range(start: -1h)"
        with InfluxDBClient(influxdb.url, token=store.token(role), org=influxdb.org) as client:
            try:
                client.query_api().query(text, params={"p_bucket": bucket})
            except ApiException:
                return False
        return True

    buckets = (store.bucket, f"{store.bucket}-daily", f"{store.bucket}-weekly")
    assert [reads(bucket) for bucket in buckets] == [role != "writer"] * 3
    assert not reads(influxdb.bucket)


@pytest.mark.parametrize("role", ROLES)
def test_a_reader_writes_nothing_by_a_query_either(influxdb: RunningInfluxDB, store: Store, role: str) -> None:
    text = """
import "array"

array.from(rows: [{_time: now(), _measurement: "m", _field: "f", _value: 1.0}]) |> to(bucket: p_bucket)
"""
    with InfluxDBClient(influxdb.url, token=store.token(role), org=influxdb.org) as client:
        for bucket in (store.bucket, influxdb.bucket):
            if (role, bucket) == ("writer", store.bucket):
                continue
            with pytest.raises(ApiException):
                client.query_api().query(text, params={"p_bucket": bucket})


@pytest.mark.parametrize("role", ROLES)
def test_a_role_learns_nothing_of_tokens_tasks_and_users_and_changes_none(
    influxdb: RunningInfluxDB, store: Store, role: str
) -> None:
    token = store.token(role)
    for path, name in (("authorizations", "authorizations"), ("tasks", "tasks")):
        status, answer = ask(influxdb, path, token=token)
        assert status != 200 or answer[name] == []
    assert ask(influxdb, "buckets", token=token, name=influxdb.bucket)[1].get("buckets", []) == []


async def test_a_store_with_the_writers_token_says_what_is_wrong_where_it_should_read(
    influxdb: RunningInfluxDB, store: Store
) -> None:
    own = InfluxDBStore(
        influxdb.url,
        org=influxdb.org,
        bucket=store.bucket,
        token=store.token("writer"),
        metrics=Metrics(CollectorRegistry()),
    )
    with pytest.raises(ReadError, match="store apply") as refused:
        await own.read("status", start=NOW - timedelta(hours=1), stop=NOW)
    await own.close()
    assert refused.value.reason is ReadFault.MISCONFIGURED


def test_the_tasks_run_as_a_user_who_has_no_token(influxdb: RunningInfluxDB, store: Store) -> None:
    (user,) = ask(influxdb, "users", name=f"{store.bucket}-rollups")["users"]
    owned = [one for one in ask(influxdb, "authorizations")["authorizations"] if one["userID"] == user["id"]]
    there = found(influxdb)
    assert owned == []
    assert {there[tasks.title(task, store.bucket)]["ownerID"] for task in tasks.TASKS} == {user["id"]}


def test_a_token_that_a_killed_run_left_to_the_tasks_user_is_taken_away_by_the_next(
    influxdb: RunningInfluxDB, mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends between a lent token and its removal, as by a kill: whatever it would still ask is not asked."""
    delete = Asking.delete

    async def not_asked(own: Asking, path: str) -> None:
        if not path.startswith("authorizations/"):
            await delete(own, path)

    with monkeypatch.context() as killed:
        killed.setattr(Asking, "delete", not_asked)
        applied(mine)
    (user,) = ask(influxdb, "users", name=f"{mine.bucket}-rollups")["users"]

    def owned() -> list[Any]:
        return [one for one in ask(influxdb, "authorizations")["authorizations"] if one["userID"] == user["id"]]

    assert len(owned()) == 1
    assert applied(mine).changes == ["took away 1 left token of the tasks' user"]
    assert owned() == []


# What the tasks do.


def run(influxdb: RunningInfluxDB, store: Store, name: str) -> str:
    """Run a task now, wait for its end, and return how it ended."""

    async def run() -> str:
        async with asking(influxdb.url, influxdb.org, influxdb.token) as own:
            task_id = (await setup_tasks._found(own))[f"{store.bucket}: {name}"]["id"]
            run_id = (await own.post(f"tasks/{task_id}/runs", {}))["id"]
            async with asyncio.timeout(WANTED_S):
                while True:
                    told = await own.get(
                        f"tasks/{task_id}/runs/{run_id}"
                    )  # nothing while it goes over to those that ended
                    ended = str(told.get("status"))
                    if ended in {"success", "failed"}:
                        return ended
                    await asyncio.sleep(0.2)

    return asyncio.run(run())


def test_the_tasks_write_the_rollups_run_for_run_the_same_and_catch_what_comes_late(
    influxdb: RunningInfluxDB, mine: Store
) -> None:
    """Somebody green since eight days ago, red since yesterday noon; and then the red is taken back."""
    zone, yesterday = followed.Zone, (NOW - timedelta(days=1)).astimezone(followed.OSLO)
    noon, began = yesterday.strftime("%Y-%m-%d 12:00"), (yesterday - timedelta(days=8)).strftime("%Y-%m-%d 12:00")
    place = {"service": "north", "municipality": "m1", "pathway": "copd", "phase": followed.Phase.FOLLOW_UP}
    applied(mine)
    mine.write(
        [
            *followed.care(followed.Enrolled, "p-1", began, **place),
            *followed.changed("p-1", began, zone.NOT_MONITORED, zone.GREEN),
            *followed.changed("p-1", noon, zone.GREEN, zone.RED, followed.HIGH),
            *followed.registered("p-1", noon, followed.measured(noon, 130.0), zone=zone.RED),
        ]
    )
    period = {"start": NOW - timedelta(days=2), "stop": NOW + timedelta(days=1)}

    def days() -> dict[str, list[tuple[str, float]]]:
        assert run(influxdb, mine, "days") == "success"
        return series(mine.ask("zonesPerDay", **period))

    first = days()
    assert dict(first["red"])[yesterday.strftime("%m-%d 00:00")] == 1.0
    assert days() == first

    mine.write(followed.changed("p-1", noon, zone.GREEN, zone.RED, retracted=True))
    after = days()
    assert "red" not in after
    assert dict(after["green"])[yesterday.strftime("%m-%d 00:00")] == 1.0

    for name in ("late days", "weeks", "late weeks"):
        assert (name, run(influxdb, mine, name)) == (name, "success")
    weeks = mine.ask("patientVitalDays", patient="p-1", vital="heart_rate", weeks=True, **period)
    assert {(row["series"], row["_value"]) for row in weeks} == {
        ("count", 1.0),
        ("min", 130.0),
        ("median", 130.0),
        ("max", 130.0),
    }


def test_late_days_come_round_within_a_day(store: Store) -> None:
    """What the hours of one day write, held against the days that are promised."""
    text = """
import "array"
import "date"
import "timezone"

slice = (hour) => {
    location = timezone.location(name: "Europe/Oslo")
    at = date.add(d: duration(v: string(v: hour) + "h"), to: 2026-06-15T22:00:00Z)
    ago = (days) => date.sub(d: duration(v: string(v: 2 + days) + "d"), from: 2026-06-15T22:00:00Z, location: location)
    h = date.hour(t: at, location: location)

    return {start: ago(days: 4 * (h + 1)), stop: ago(days: 4 * h)}
}
array.from(rows: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]
    |> array.map(fn: (x) => slice(hour: x)))
"""
    rows = store.ask_text(text, {})
    written: set[date] = set()
    for row in rows:
        day = row["start"].astimezone(followed.OSLO).date()
        while day < row["stop"].astimezone(followed.OSLO).date():
            written.add(day)
            day += timedelta(days=1)
    today = date(2026, 6, 16)
    assert written == {today - timedelta(days=ago) for ago in range(3, tasks.LATE_DAYS + 1)}
