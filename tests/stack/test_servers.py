"""The servers of infra/local: each starts, answers, comes back with its data, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from infra.local import builds, cache, tools
from infra.local.process import Process, ServerError, free_port
from infra.local.servers import Alertmanager, InfluxDB, Kafka, Prometheus
from infra.local.servers.kafka import MAX_MESSAGE_BYTES
from infra.local.stack import Addresses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from infra.local.servers.server import Server

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
INFRA = Path(builds.__file__).parents[1]
CHECKOUT = INFRA.parent


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(holds: Callable[[], bool], *, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def folder_of(server: Server) -> Path:
    assert server._folder is not None
    return Path(server._folder.name)


def python(code: str, **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - Popen's own
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, **options)  # noqa: S603 - our own


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


async def test_kafka_keeps_its_messages_over_a_restart_on_the_same_port_and_leaves_nothing() -> None:
    with Kafka() as kafka:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("t", 1, 1)])
        await admin.close()
        largest = b"x" * (MAX_MESSAGE_BYTES - 1024)
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=MAX_MESSAGE_BYTES)
        async with producer:
            await producer.send_and_wait("t", b"one")
            await producer.send_and_wait("t", largest)
        before, pid = kafka.bootstrap, kafka.pid
        kafka.stop()
        assert pid is not None
        assert not runs(pid)
        kafka.start()
        assert kafka.bootstrap == before
        consumer = AIOKafkaConsumer("t", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        async with consumer, asyncio.timeout(30):
            assert [(await consumer.getone()).value for _ in range(2)] == [b"one", largest]
        pid, folder = kafka.pid, folder_of(kafka)
    assert pid is not None
    assert not runs(pid)
    assert not folder.exists()


async def test_influxdb_keeps_its_points_and_its_token_over_a_power_cut_and_leaves_nothing() -> None:
    with InfluxDB() as influxdb:
        async with InfluxDBClientAsync(influxdb.url, influxdb.token, influxdb.org) as client:
            await client.write_api().write(influxdb.bucket, record="reading,patient=p1 value=97.0 1772352000000000000")
        influxdb.kill()
        influxdb.start()
        async with InfluxDBClientAsync(influxdb.url, influxdb.token, influxdb.org) as client:
            flux = (
                f'from(bucket: "{influxdb.bucket}") |> range(start: 2026-03-01T00:00:00Z, stop: 2026-03-02T00:00:00Z)'
            )
            (table,) = await client.query_api().query(flux)
            assert [(record["patient"], record.get_value()) for record in table.records] == [("p1", 97.0)]
        pid, folder = influxdb.pid, folder_of(influxdb)
        assert influxdb.token not in repr(influxdb)
    assert pid is not None
    assert not runs(pid)
    assert not folder.exists()


@pytest.fixture
async def posted() -> AsyncIterator[tuple[str, asyncio.Queue[Any]]]:
    """Give the address of a process that shows one metric and takes alarms, and the alarms that it was sent."""
    alarms: asyncio.Queue[Any] = asyncio.Queue()

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text="sonevakt_test 1\n")

    async def alarm(request: web.Request) -> web.Response:
        await alarms.put(await request.json())
        return web.Response()

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.post("/alarm", alarm)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}", alarms
    await runner.cleanup()


async def test_prometheus_scrapes_and_its_alarm_reaches_the_webhook(
    posted: tuple[str, asyncio.Queue[Any]], tmp_path: Path
) -> None:
    target, alarms = posted
    rules = tmp_path / "rules.yml"
    rules.write_text('{"groups": [{"name": "g", "rules": [{"alert": "Seen", "expr": "sonevakt_test == 1"}]}]}')
    with (
        Alertmanager(webhook=f"http://{target}/alarm") as alertmanager,
        Prometheus(targets=[target], rules=[rules], alertmanager=alertmanager.address) as prometheus,
    ):
        async with asyncio.timeout(30):
            alarm = await alarms.get()
        asked = {"query": f'up{{instance="{target}"}}'}
        async with ClientSession() as session, session.get(f"{prometheus.url}/api/v1/query", params=asked) as answer:
            up = await answer.json()
        pids = [prometheus.pid, alertmanager.pid]
    assert [one["labels"]["alertname"] for one in alarm["alerts"]] == ["Seen"]
    assert [sample["value"][1] for sample in up["data"]["result"]] == ["1"]
    assert not [pid for pid in pids if pid and runs(pid)]


def test_the_configurations_of_compose_are_valid(tmp_path: Path) -> None:
    promtool, amtool = builds.prometheus() / "promtool", builds.alertmanager() / "amtool"
    tools.run([str(promtool), "check", "config", str(INFRA / "prometheus" / "prometheus.yml")])
    tools.run([str(amtool), "check-config", str(INFRA / "alertmanager" / "alertmanager.yml")])
    wrong = tmp_path / "prometheus.yml"
    wrong.write_text("scrape_configs: [{}]")
    with pytest.raises(tools.ToolsError, match="job_name is empty"):
        tools.run([str(promtool), "check", "config", str(wrong)])


def test_versions_are_the_same_wherever_they_are_written() -> None:
    pom, compose = (INFRA / "local" / "kafka" / "pom.xml").read_text(), (INFRA / "compose.yaml").read_text()
    modules = {name: (INFRA / "local" / name / "go.mod").read_text() for name in ("influxd", "alertmanager", "compose")}
    assert f"<version>{builds.KAFKA}</version>" in pom
    assert f"github.com/influxdata/influxdb/v2 v{builds.INFLUXDB} " in modules["influxd"]
    assert f"github.com/prometheus/alertmanager v{builds.ALERTMANAGER} " in modules["alertmanager"]
    assert f"github.com/compose-spec/compose-go/v2 v{builds.COMPOSE} " in modules["compose"]
    assert {f"\ngo {'.'.join(map(str, builds.LEAST_GO))}\n" in module for module in modules.values()} == {True}
    images = dict(re.findall(r"image: (\S+):v?([\d.]+)", compose))
    assert images["apache/kafka"] == builds.KAFKA
    assert images["influxdb"] == builds.INFLUXDB
    assert images["prom/alertmanager"] == builds.ALERTMANAGER


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    process = Process("Sh", ["sh", "-c", "echo out of cheese; exit 3"], tmp_path / "log", lambda: False)
    with pytest.raises(ServerError, match=r"^Sh ended with exit code 3; the end of its log:\nout of cheese$"):
        process.start()
    assert process.pid is None


def test_a_server_dies_with_its_parent_however_that_dies() -> None:
    parent = python(
        "from infra.local.servers import Alertmanager as A; a = A(); a.start();"
        " print(a.pid, a._folder.name, flush=True); input()",
        stdin=subprocess.PIPE,
    )
    pid, folder = line(parent).split()
    assert runs(int(pid))
    with parent:
        parent.kill()
    assert eventually(lambda: not runs(int(pid)))
    shutil.rmtree(folder)  # a power cut leaves it


def test_ports_are_not_those_of_outgoing_connections() -> None:
    first, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert max(free_port() for _ in range(200)) < first


INTERRUPTED = """
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have it ignored
from infra.local import cache
def build(folder):
    (folder / "half").touch()
    print(folder, flush=True)
    time.sleep(60)
cache.built("thing-1", build)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_build_is_not_taken_as_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setenv("SONEVAKT_CACHE", str(tmp_path))
    with python(INTERRUPTED, stderr=subprocess.DEVNULL) as building:
        half = Path(line(building))
        building.send_signal(how)
    assert not (tmp_path / "thing-1").exists()
    built = cache.built("thing-1", lambda folder: (folder / "whole").touch())
    assert [path.name for path in built.iterdir()] == ["whole"]
    assert not half.exists()
    assert cache.built("thing-1", lambda _: pytest.fail("built twice")) == built


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONEVAKT_CACHE", str(tmp_path))

    def build(folder: Path) -> None:
        (folder / "half").touch()
        tools.run(["sh", "-c", "echo no jar; exit 1"])

    with pytest.raises(tools.ToolsError, match=r"^sh failed with exit code 1; the end of what it said:\nno jar$"):
        cache.built("thing-1", build)
    assert [path.name for path in tmp_path.iterdir()] == ["thing-1.lock"]


def test_of_two_builds_at_once_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    code = (
        "import time; from infra.local import cache\n"
        "def build(folder): print('built', flush=True); time.sleep(1)\n"
        "cache.built('thing-1', build)"
    )
    both = [
        python(code, stderr=subprocess.DEVNULL, env={**os.environ, "SONEVAKT_CACHE": str(tmp_path)}) for _ in range(2)
    ]
    assert sorted(one.communicate()[0] for one in both) == ["", "built\n"]
    assert [one.returncode for one in both] == [0, 0]


def test_a_missing_tool_is_asked_for_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, says in {"go": "install it$", "mvn": r"\(Debian: apt-get install maven\)$"}.items():
        with pytest.raises(tools.ToolsError, match=rf"^{name} is needed for the local servers .*{says}"):
            tools.need(name)
    (tmp_path / "go").write_text("#!/bin/sh\necho go version go1.24.9 linux/amd64\n")
    (tmp_path / "go").chmod(0o755)
    with pytest.raises(tools.ToolsError, match=r"^go is too old for the local servers: install 1\.25\.10 or newer$"):
        tools.need_version(["go", "version"], builds.LEAST_GO)


COMMAND = """
import os, signal, sys, urllib.request
said = {name: value for name, value in os.environ.items() if name.startswith("SONEVAKT_STACK_")}
token = open(said["SONEVAKT_STACK_INFLUXDB_TOKEN_FILE"]).read()
assert token and token not in str(said), "the token stands in a variable"
assert os.stat(said["SONEVAKT_STACK_INFLUXDB_TOKEN_FILE"]).st_mode & 0o777 == 0o600
print(" ".join(f"{name}={value}" for name, value in said.items()), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
signal.pause()
"""


def test_a_command_is_told_the_addresses_and_asked_to_end_before_the_servers_do() -> None:
    command = [sys.executable, "-m", "infra.local", "run", "--", sys.executable, "-c", COMMAND]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own
        told = Addresses.read(dict(pair.split("=", 1) for pair in line(running).split()))
        servers = children(running.pid)
        running.terminate()
        assert running.wait(60) == 7
    assert len(servers) == 3  # Kafka, InfluxDB and the command
    assert not [pid for pid in servers if runs(pid)]
    assert not told.influxdb_token_file.exists()


def children(pid: int) -> list[int]:
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found
