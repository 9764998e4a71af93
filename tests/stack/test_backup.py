"""Backup and restore as docs/operations.md tells them, block by block, on real Kafka and InfluxDB of the test's own.

A few patients are followed while everything is backed up under running processes; then all of it is destroyed and put
back. Messages, states, places of groups, points, names, the access log and users are as before, and the next session is
judged by what the restored state knows. At last InfluxDB is lost without a backup, and written again out of Kafka.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry

from agents import processes, wallclock
from agents.access import verifying
from agents.broker.clients import started
from agents.broker.lag import caught_up
from agents.directory.identity import Identity
from agents.keys import add, load
from agents.metrics import Metrics
from agents.people import opening
from agents.people.users import UserFile
from agents.recordings.events import Event
from agents.replay.feed import Feed
from agents.settings import read
from agents.stores.influxdb import InfluxDBStore
from agents.storing.sink import STORED
from benchmarks.fold import care, session
from infra.local.servers import InfluxDB, Kafka
from pipeline.triage import step
from pipeline.triage.state import decode
from schemas.assessments import Assessment
from schemas.codec import Codec
from schemas.topics import ASSESSMENTS, CARE, SUBMISSIONS, TOPICS
from schemas.types import Zone
from tests.docs.guide import blocks
from tests.faults.product import COMMAND, Member

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from datetime import datetime

    from agents.settings import Settings
    from schemas.submissions import Submission

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
GUIDE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
PARTITIONS: Final = 3
DAYS: Final = 16  # enough for an own normal
PATIENTS: Final = tuple(f"p-{number}" for number in range(6))
BOARD_USER: Final = 10_001  # whoever the board runs as, whom its files must belong to again
WITHIN_S: Final = 90.0
SONEVAKT: Final = f"""
sonevakt() {{ '{sys.executable}' -c 'from agents.commands import main; main()' "$@"; }}
"""


def block(heading: str, number: int = 0) -> str:
    """What the guide tells its reader to type under a heading."""
    return [one.text for one in blocks(GUIDE) if one.heading == heading and one.kind == "sh"][number]


class Kept(NamedTuple):
    """Everything that must be as it was."""

    messages: dict[tuple[str, int], list[tuple[Any, ...]]]  # by partition: offset, time, key, value, headers
    places: dict[tuple[str, str, int], int]  # of each group
    points: dict[str, pd.DataFrame]
    names: dict[str, Identity]
    entries: int  # of the access log
    users: frozenset[str]


class Installation:
    """Servers, settings and processes of one centre, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka, self.influxdb = Kafka(), InfluxDB()
        self.board, self.secrets = folder / "board", folder / "secrets"
        self.members: list[Member] = []

    def prepare(self) -> None:
        """Start the servers, and make what an operator makes by hand."""
        self.kafka.start()
        self.influxdb.start()
        for place in (self.board, self.secrets):
            place.mkdir(mode=0o700)
        for name in ("directory.key", "access.key"):
            add(self.secrets / name)
        token = self.secrets / "influxdb.token"
        token.touch(mode=0o600)
        token.write_text(self.influxdb.token)

    def close(self) -> None:
        self.kafka.close()
        self.influxdb.close()

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every process."""
        return {
            "SONEVAKT_BROKER": f"kafka://{self.kafka.bootstrap}",
            "SONEVAKT_STORE": self.influxdb.url.replace("http:", "influxdb:"),
            "SONEVAKT_INFLUXDB_TOKEN_FILE": str(self.secrets / "influxdb.token"),
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_SESSION_TIMEOUT_S": "6",
            "SONEVAKT_SETTLE_SECONDS": "1",
            "SONEVAKT_INSTANCE": "one",
            "SONEVAKT_USERS_FILE": str(self.board / "users.json"),
            "SONEVAKT_SESSIONS_FILE": str(self.board / "sessions.sqlite"),
            "SONEVAKT_DIRECTORY": f"sqlite:///{self.board / 'directory.sqlite'}",
            "SONEVAKT_DIRECTORY_KEY_FILE": str(self.secrets / "directory.key"),
            "SONEVAKT_ACCESS_FOLDER": str(self.board / "access"),
            "SONEVAKT_ACCESS_KEY_FILE": str(self.secrets / "access.key"),
        }

    @property
    def places(self) -> dict[str, str]:
        """Where things lie, as the guide's blocks name them."""
        kafka, influxdb = (server._folder for server in (self.kafka, self.influxdb))
        assert kafka is not None
        assert influxdb is not None
        return {
            "KAFKA_DATA": f"{kafka.name}/data",
            "INFLUXDB_DATA": influxdb.name,
            "BOARD_DATA": str(self.board),
            "SECRETS": str(self.secrets),
            "BACKUP": str(self.folder / "backup"),
            "KEYS_BACKUP": str(self.folder / "safe"),
        }

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        return {**ours, **self.variables, **self.places}

    @property
    def settings(self) -> Settings:
        return read(self.variables)

    async def enter(self, text: str, *, fails: int = 0, since: datetime | None = None) -> str:
        """Type a block of the guide into a shell that ends at the first error, `since` for its own date."""
        if since is not None:
            dated = text.replace("2026-03-01T00:00:00+01:00", since.isoformat())
            assert dated != text
            text = dated
        typed = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", SONEVAKT + text),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await typed.communicate())[0].decode()
        assert typed.returncode == fails, f"{text}\n{said}"
        return said

    def begin(self, *names: str) -> None:
        """Start processes, which are started again whenever they end."""
        self.members += [
            Member(name, (*COMMAND, name), self.environment, self.folder / f"{name}.log") for name in names
        ]

    async def end(self, *names: str) -> None:
        """Stop those, or all."""
        leaving = [one for one in self.members if one.name in names or not names]
        self.members = [one for one in self.members if one not in leaving]
        await asyncio.gather(*(one.leave() for one in leaving))

    async def through(self) -> None:
        """Wait until triage and storing have done all that was written."""
        bootstrap = self.kafka.bootstrap
        async with asyncio.timeout(WITHIN_S):
            await caught_up(bootstrap, "triage", [CARE.name, SUBMISSIONS.name])
            await caught_up(bootstrap, "storing", [topic.name for topic, _ in STORED])

    async def send(self, events: list[Event]) -> None:
        feed = Feed(self.kafka.bootstrap, prefix="", partitions=PARTITIONS, group="")
        async with feed.producing() as producer:
            await feed.send_all(producer, events)

    # What there is.

    async def kept(self) -> Kept:
        found = verifying.verify(self.board / "access", load("access_key_file", str(self.secrets / "access.key")))
        assert (found.broken, found.half) == (None, False)
        async with opening.opened_directory(self.settings) as directory:
            names = await directory.many(PATIENTS)
        return Kept(
            messages=await self._messages(),
            places=await self._places(),
            points=await self.points(),
            names=names,
            entries=found.entries,
            users=frozenset(UserFile(self.board / "users.json").read()),
        )

    async def _messages(self) -> dict[tuple[str, int], list[tuple[Any, ...]]]:
        names = [*(topic.name for topic in TOPICS), processes.changelog(self.settings)]
        places = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        found: dict[tuple[str, int], list[tuple[Any, ...]]] = {(one.topic, one.partition): [] for one in places}
        async with started(consumer), asyncio.timeout(WITHIN_S):
            consumer.assign(places)
            until = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            while any([await consumer.position(place) < end for place, end in until.items()]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[place.topic, place.partition] += [
                        (one.offset, one.timestamp, one.key, one.value, one.headers) for one in records
                    ]
        return found

    async def _places(self) -> dict[tuple[str, str, int], int]:
        async with started(AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)) as admin:
            return {
                (name, place.topic, place.partition): told.offset
                for name in ("triage", "storing")
                for place, told in (await admin.list_consumer_group_offsets(name)).items()
            }

    async def points(self, bucket: str = "sonevakt") -> dict[str, pd.DataFrame]:
        """Every point of InfluxDB, by measurement, in an order of their own."""
        store = InfluxDBStore(
            self.influxdb.url,
            org="sonevakt",
            bucket=bucket,
            token=self.influxdb.token,
            metrics=Metrics(CollectorRegistry()),
            timeout_s=60,
        )
        now = wallclock.now()
        try:
            frames = {
                name: await store.read(name, start=now - timedelta(days=60), stop=now + timedelta(days=1))
                for name in ("reading", "answer", "assessment", "zone_change", "status", "page", "care_event")
            }
        finally:
            await store.close()
        return {name: in_order(frame) for name, frame in frames.items()}


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(sorted(frame.columns), ignore_index=True, key=lambda column: column.astype(str))


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path)
    try:
        found.prepare()
        yield found
    finally:
        found.close()


@asynccontextmanager
async def at_work(centre: Installation) -> AsyncIterator[None]:
    """Whatever happens, nobody is left running."""
    try:
        yield
    finally:
        await centre.end()


def sessions(now: datetime) -> dict[str, list[Submission]]:
    """Daily registrations of each patient up to yesterday, and one of today that is not sent yet."""
    start = now - timedelta(days=DAYS)
    return {
        patient: [session(patient, day, Random(f"{patient}-{day}"), start) for day in range(DAYS)]  # noqa: S311 - no secret
        for patient in PATIENTS
    }


async def named(centre: Installation) -> None:
    """People, names and looks, as the board writes them."""
    await centre.enter('echo "a long enough passphrase" | sonevakt users add nurse-1 --name "Nurse One" --role nurse')
    async with opening.opened(centre.settings, Metrics(CollectorRegistry())) as people:
        for number, patient in enumerate(PATIENTS):
            await people.directory.put(patient, Identity(name=f"Patient {number}", telephone=f"+47 000 {number:05d}"))
            await people.access.add("nurse-1", "edit_identity", patient, "joint-centre")
            await people.access.add("nurse-1", "see_patient", patient, "joint-centre")
    if os.geteuid() == 0:  # as in a container
        for path in (centre.board, *centre.board.rglob("*")):
            os.chown(path, BOARD_USER, BOARD_USER)


def owners(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Of the board's files, but for sessions, locks, and what SQLite has beside a file in use."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        if not path.name.startswith("sessions.sqlite") and not path.name.endswith(("-wal", "-shm", ".lock")):
            told = path.stat()
            found[str(path.relative_to(folder))] = told.st_uid, told.st_gid, told.st_mode
    return found


async def test_a_centre_that_is_destroyed_is_put_back_as_the_guide_tells_and_goes_on_as_if_nothing_had_been(
    centre: Installation,
) -> None:
    now = wallclock.now()
    yesterday = now - timedelta(days=1)
    sent = sessions(now)
    await centre.enter(block("Install without Docker", 1).splitlines()[0])  # sonevakt topics apply
    await named(centre)
    async with at_work(centre):
        centre.begin("triage", "storing")
        await centre.send(
            [Event(one.at, CARE, one) for patient in PATIENTS for one in care(patient, sent[patient][0].received_at)]
        )
        await centre.send(
            [Event(one.received_at, SUBMISSIONS, one) for patient in PATIENTS for one in sent[patient][:-1]]
        )
        await centre.through()
        before, whose = await centre.kept(), owners(centre.board)

        await back_up(centre)
        await centre.enter(block("Is it good"))

        # What comes after the backup is lost with everything else; the processes have gone on.
        late = sent[PATIENTS[0]][-1]
        await centre.send([Event(late.received_at, SUBMISSIONS, late)])
        await centre.through()
        assert len(before.points["assessment"]) + 1 == len((await centre.points())["assessment"])
        await centre.end()
        destroy(centre)

        await restore(centre, yesterday)
        assert owners(centre.board) == whose
        same(await centre.kept(), before)

        # The next session of everybody is judged by what was known of them.
        wanted = judged(before, sent)
        centre.begin("triage", "storing")
        await centre.send([Event(sent[one][-1].received_at, SUBMISSIONS, sent[one][-1]) for one in PATIENTS])
        await centre.through()
        after = await centre.kept()
        assert newest_states(after) == {patient: state for patient, (state, _) in wanted.items()}
        news = assessments(after)
        for patient, (_, assessment) in wanted.items():
            assert news[assessment.assessment_id] == assessment
            assert any(reading.deviation for reading in assessment.readings), patient  # an own normal was known
        assert "everything is accounted for" in await centre.enter(block("Restore", 4), since=yesterday)
        assert [one.ends for one in centre.members if one.ends] == []

        await written_again(centre, after)


def there_is_something(kept: Kept) -> None:
    """Or nothing could be missed."""
    assert set(newest_states(kept)) == set(kept.names) == set(PATIENTS)
    counted = {name: len(frame) for name, frame in kept.points.items()}
    of_sessions = len(PATIENTS) * (DAYS - 1)
    assert counted.items() >= {"assessment": of_sessions, "reading": 3 * of_sessions, "answer": 5 * of_sessions}.items()
    assert len(assessments(kept)) == of_sessions
    assert {group for group, _, _ in kept.places} == {"triage", "storing"}
    assert (kept.entries, kept.users) == (2 * len(PATIENTS), {"nurse-1"})


async def back_up(centre: Installation) -> None:
    """Every block under "Back up", with the servers stopped when the guide says so and the processes running."""
    await asyncio.to_thread(Path(centre.places["KEYS_BACKUP"]).mkdir)
    centre.kafka.stop()
    await centre.enter(block("Kafka"))
    centre.kafka.start()
    centre.influxdb.stop()
    await centre.enter(block("InfluxDB"))
    centre.influxdb.start()
    await centre.enter(block("The board"))
    await centre.enter(block("Keys and secrets"))


def destroy(centre: Installation) -> None:
    """The machine is gone."""
    centre.kafka.kill()
    centre.influxdb.kill()
    for name in ("KAFKA_DATA", "INFLUXDB_DATA", "BOARD_DATA", "SECRETS"):
        shutil.rmtree(centre.places[name])


async def restore(centre: Installation, since: datetime) -> None:
    """Every step under "Restore" up to where the processes are started."""
    shutil.copytree(centre.places["KEYS_BACKUP"], centre.places["SECRETS"])
    await centre.enter(block("Restore", 0))
    centre.kafka.start()
    centre.influxdb.start()
    looked = await centre.enter(block("Restore", 1))
    assert "created" not in looked
    assert "the log is intact" in looked
    assert "FAIL" not in looked
    # What storing is set back by is at its own place again when it has caught up; until then the places differ.
    assert "start storing" in await centre.enter(block("Restore", 2), since=since)


def same(found: Kept, wanted: Kept) -> None:
    """Everything is as it was, but that storing was set back."""
    assert found.messages == wanted.messages
    assert {one: at for one, at in found.places.items() if one[0] == "triage"} == {
        one: at for one, at in wanted.places.items() if one[0] == "triage"
    }
    assert any(found.places[one] < at for one, at in wanted.places.items() if one[0] == "storing")
    equal(found.points, wanted.points)
    assert (found.names, found.entries, found.users) == (wanted.names, wanted.entries, wanted.users)
    assert len(found.names) == len(PATIENTS)


def equal(found: Mapping[str, pd.DataFrame], wanted: Mapping[str, pd.DataFrame]) -> None:
    assert set(found) == set(wanted)
    for name, frame in wanted.items():
        pd.testing.assert_frame_equal(found[name], frame, obj=name)


def newest_states(kept: Kept) -> dict[str, Any]:
    """Each patient's state as the changelog has it."""
    found = {}
    for (topic, _), records in kept.messages.items():
        if topic == "triage-state-changelog":
            found.update({key.decode(): decode(value) for _, _, key, value, _ in records})
    return found


def assessments(kept: Kept) -> dict[Any, Assessment]:
    """The newest revision of each."""
    codec: Codec[Assessment] = Codec(Assessment)
    found: dict[Any, Assessment] = {}
    for (topic, _), records in kept.messages.items():
        if topic == ASSESSMENTS.name:
            for _, _, _, value, _ in records:
                one = codec.decode(value)
                found[one.assessment_id] = one
    return found


def judged(kept: Kept, sent: Mapping[str, list[Submission]]) -> dict[str, tuple[Any, Assessment]]:
    """State and assessment that follow from the state that was backed up, by the fold alone."""
    found = {}
    for patient, state in newest_states(kept).items():
        after, told = step(state, sent[patient][-1])
        found[patient] = after, next(one for one in told if isinstance(one, Assessment))
    assert Zone.NOT_MONITORED not in {assessment.zone for _, assessment in found.values()}
    return found


async def written_again(centre: Installation, wanted: Kept) -> None:
    """InfluxDB is lost, and there is no backup of it: what Kafka keeps is written to an empty one."""
    refused = await centre.enter(block("InfluxDB from Kafka").strip() + " --yes", fails=1)
    assert "storing is at work" in refused
    await centre.end("storing")
    centre.influxdb.close()
    centre.influxdb.start()
    (centre.secrets / "influxdb.token").write_text(centre.influxdb.token)
    assert all(frame.empty for frame in (await centre.points()).values())
    await centre.enter(block("InfluxDB from Kafka").strip() + " --yes")
    centre.begin("storing")
    await centre.through()
    found = await centre.points()
    # Of statuses a compacted topic keeps the newest; this one is too young to have lost any.
    equal(found, wanted.points)
