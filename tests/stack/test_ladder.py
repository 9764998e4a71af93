"""A red climbs its ladder on the real broker, with triage and paging killed before every step, until somebody has it.

Minutes are real here: a step is due by the broker's time, and nobody can turn that.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from contextlib import AsyncExitStack
from datetime import timedelta
from secrets import token_bytes, token_urlsafe
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer

from agents import processes, wallclock
from agents.broker import topics
from agents.broker.clients import started
from agents.http import serving
from agents.paging.receiver import Receiver
from agents.paging.signing import SigningSecret
from agents.people import demo
from agents.replay.feed import Feed
from agents.settings import Settings
from infra.local.process import free_port
from schemas.assessments import EpisodeState
from schemas.services import NURSE, Contact, EscalationStep, Ladder, Service, Webhook
from schemas.topics import CARE, PAGES, PATIENT_STATUS
from tests.faults.product import COMMAND, Member
from tests.faults.workload import followed, session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
NAMES: Final = ("triage", "paging", "clock", "board")
PARTITIONS: Final = 2
WITHIN_S: Final = 120.0  # a step is a minute after the last
SERVICE: Final = "lungs"
DUTIES: Final = (NURSE, "next-nurse", "lead")
STEPS: Final = ("nurse/app", "next-nurse/app", "lead/app", "lead/phone")
AGAIN: Final = "lead/phone"


class Centre:
    """A service with its staff's receivers, and the processes that a red passes."""

    names: tuple[str, ...] = NAMES

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.settings = Settings(
            broker=f"kafka://{bootstrap}",
            topic_prefix=f"ladder-{uuid4().hex[:8]}-",
            partitions=PARTITIONS,
            session_timeout_s=6.0,
        )
        self.folder = folder
        self.members: dict[str, Member] = {}
        self.rang: list[tuple[str, dict[str, Any]]] = []  # (duty and way, page), in the order in which they came
        self.pages: list[tuple[int, dict[str, Any]]] = []  # (the broker's time [ms], request)
        self.statuses: dict[str, dict[str, Any]] = {}
        self.cared: dict[str, int] = {}  # patient -> when the broker took the newest care event [ms]

    async def start(self, stack: AsyncExitStack) -> None:
        """Everything, as a deployment has it."""
        await topics.apply(
            self.settings.bootstrap,
            prefix=self.settings.topic_prefix,
            partitions=PARTITIONS,
            replication=1,
            changelogs=(processes.changelog(self.settings),),
        )
        await self._receivers(stack)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SONEVAKT_")}
        (self.folder / "link.key").write_text(token_urlsafe(32))
        self.logins = demo.people(self.folder, [SERVICE], wallclock.now())  # without anybody to let in no board starts
        port = free_port()
        self.board = f"http://127.0.0.1:{port}"
        self._env = {
            **ours,
            **demo.variables_in(self.folder),
            "SONEVAKT_BROKER": self.settings.broker,
            "SONEVAKT_TOPIC_PREFIX": self.settings.topic_prefix,
            "SONEVAKT_PARTITIONS": str(PARTITIONS),
            "SONEVAKT_SESSION_TIMEOUT_S": "6",
            "SONEVAKT_TICK_SECONDS": "0.5",
            "SONEVAKT_SERVICES_FILE": str(self.folder / "services.json"),
            "SONEVAKT_LINK_KEY_FILE": str(self.folder / "link.key"),
            "SONEVAKT_STORE": f"sqlite:///{self.folder / 'store.sqlite'}",
            "SONEVAKT_BOARD_PORT": str(port),
            "SONEVAKT_BOARD_URL": self.board,
            **self.more(),
        }
        for name in self.names:
            self.members[name] = Member(name, (*COMMAND, name), self._env, self.folder / f"{name}.log")
            stack.push_async_callback(self.members[name].leave)
        prefix = self.settings.topic_prefix
        consumer = AIOKafkaConsumer(
            *(prefix + topic.name for topic in (PAGES, PATIENT_STATUS, CARE)),
            bootstrap_servers=self.settings.bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
        )
        await stack.enter_async_context(started(consumer))
        hearing = asyncio.create_task(self._hear(consumer))
        stack.callback(hearing.cancel)
        self.feed = Feed(self.settings.bootstrap, prefix=prefix, partitions=PARTITIONS, group="")
        self.producer = await stack.enter_async_context(self.feed.producing())

    def more(self) -> dict[str, str]:
        """What other processes need beside."""
        return {}

    async def _receivers(self, stack: AsyncExitStack) -> None:
        """One for each duty and way, so that it is seen by which a page came."""
        key = token_bytes(32)
        (self.folder / "secret").write_text(f"whsec_{b64encode(key).decode()}")
        contacts = {}
        for duty in DUTIES:
            ways = {}
            for way in ("app", "phone"):
                receiver = Receiver({SERVICE: SigningSecret(key)}, wallclock.now)
                receiver.taken = _Told(self.rang, f"{duty}/{way}")  # type: ignore[assignment] # it is told in order
                port = await stack.enter_async_context(serving(receiver.application(), host="127.0.0.1", port=0))
                ways[way] = Webhook(url=f"http://127.0.0.1:{port}/pages/{SERVICE}", secret_file="secret")  # noqa: S106 - a file's name
            contacts[duty] = Contact(ways=ways, usual="app")
        ladder = Ladder(
            red=(
                EscalationStep(after_minutes=0, to=NURSE),
                EscalationStep(after_minutes=1, to="next-nurse"),
                EscalationStep(after_minutes=2, to="lead"),
                EscalationStep(after_minutes=3, to="lead", by="phone"),
            ),
            repeat_minutes=1,
        )
        services = {SERVICE: Service(name=SERVICE, ladder=ladder, contacts=contacts)}
        (self.folder / "services.json").write_bytes(msgspec.json.encode(services))

    async def _hear(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            topic = record.topic.removeprefix(self.settings.topic_prefix)
            if topic == PAGES.name:
                self.pages.append((record.timestamp, msgspec.json.decode(record.value)))
            elif topic == CARE.name:
                self.cared[record.key.decode()] = record.timestamp
            else:
                self.statuses[record.key.decode()] = msgspec.json.decode(record.value)

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for a condition."""

        async def said() -> bool:
            return bool(holds())

        await self.until_true(said, what)

    async def until_true(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for a condition that must be asked for."""
        for _ in range(int(WITHIN_S / 0.05)):
            if await holds():
                return
            await asyncio.sleep(0.05)
        told = "\n".join(f"{name}: {member.tail(1000)}" for name, member in self.members.items())
        raise AssertionError(f"not within {WITHIN_S:g} s: {what}\n{self.rang}\n{told}")

    def told(self, patient: str, action: str) -> list[str]:
        """By whom and which way pages of that action were taken, in order."""
        return [way for way, page in self.rang if page["patient"] == patient and page["action"] == action]

    async def red(self, patient: str) -> None:
        """Follow a patient, and hand in a red."""
        now = wallclock.now()
        for event in followed(patient, now - timedelta(days=1), service=SERVICE):
            await self.feed.send(self.producer, event)
        await self.until(lambda: patient in self.statuses, "the patient is followed")
        await self.feed.send(self.producer, session(patient, now, 0, red=True))

    def kill(self) -> None:
        """Kill -9 of triage and paging; they are started again."""
        for name in ("triage", "paging"):
            assert self.members[name].kill()


class _Told(dict[str, dict[str, Any]]):
    """What a receiver took, told to a common list too."""

    def __init__(self, rang: list[tuple[str, dict[str, Any]]], way: str) -> None:
        super().__init__()
        self._rang = rang
        self._way = way

    def __setitem__(self, page_id: str, page: dict[str, Any]) -> None:
        super().__setitem__(page_id, page)
        self._rang.append((self._way, page))


async def test_every_step_is_told_once_through_kills_and_an_acknowledgement_ends_it(
    tmp_path: Path, kafka_bootstrap: str
) -> None:
    centre = Centre(kafka_bootstrap, tmp_path)
    async with AsyncExitStack() as stack:
        await centre.start(stack)
        await centre.red("p-taken")
        await centre.red("p-climbs")
        await centre.until(lambda: centre.told("p-taken", "trigger"), "the nurse is told of one")
        link = next(page["link"] for _, page in centre.rang if page["patient"] == "p-taken")
        await acknowledge(centre, link)
        await centre.until(lambda: centre.told("p-taken", "acknowledge"), "whoever was told hears that it is taken")
        taken = EpisodeState.ACKNOWLEDGED.value
        await centre.until(lambda: episode(centre, "p-taken") == taken, "the board hears that it is taken")
        assert centre.told("p-taken", "acknowledge") == ["nurse/app"]

        for number in range(1, len(STEPS) + 1):
            await centre.until(lambda n=number: len(centre.told("p-climbs", "trigger")) >= n, f"step {number} is told")
            assert centre.told("p-climbs", "trigger") == list(STEPS[:number])
            centre.kill()
        await centre.until(lambda: len(centre.told("p-climbs", "trigger")) > len(STEPS), "the last one is told again")
        assert centre.told("p-climbs", "trigger") == [*STEPS, AGAIN]
        assert centre.told("p-taken", "trigger") == ["nurse/app"]  # five minutes on

        newest = [page["link"] for _, page in centre.rang if page["patient"] == "p-climbs"][-1]
        await acknowledge(centre, newest)
        everybody = sorted({*STEPS, AGAIN})
        await centre.until(
            lambda: sorted(centre.told("p-climbs", "acknowledge")) == everybody, "everybody who was told hears of it"
        )
        climbed = [page for _, page in centre.pages if page["patient"] == "p-climbs"]
        ends = {(page.get("to", NURSE), page.get("contact")) for page in climbed if page.get("action") == "acknowledge"}
        assert ends == {(duty, duty) for duty in DUTIES}  # the fold knows by the receipts whom the pages reached
        assert len({page["incident_id"] for page in climbed}) == 1
        steps = [page["step"] for _, page in centre.rang if page["patient"] == "p-climbs"]
        assert steps[: len(STEPS)] == [0, 1, 2, 3]
        in_time(centre, "p-taken")
        in_time(centre, "p-climbs")


def episode(centre: Centre, patient: str) -> str:
    """In which state the patient's episode is."""
    state: str = centre.statuses[patient]["episode"]["state"]
    return state


def in_time(centre: Centre, patient: str) -> None:
    """Nobody was asked to look after the acknowledgement; how long it took is printed."""
    asked = [at for at, page in centre.pages if page["patient"] == patient and "action" not in page]
    ended = [at for at, page in centre.pages if page["patient"] == patient and page.get("action") == "acknowledge"]
    assert asked
    assert ended
    print(f"{patient}: acknowledged to the ladder's end {ended[0] - centre.cared[patient]} ms")  # noqa: T201 - for whoever asks by -s
    assert max(asked) <= centre.cared[patient] <= min(ended)


async def opens(http: aiohttp.ClientSession, link: str) -> bool:
    """Whether the board is there and knows of the alert."""
    try:
        async with http.get(link) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def acknowledge(centre: Centre, link: str) -> None:
    """Follow a link as a person does: read, then send the form; the board may not know of the alert yet."""
    origin = link[: link.index("/a/")]
    form = {"reason": "true", "note": ""}
    async with aiohttp.ClientSession() as http:
        await centre.until_true(lambda: opens(http, link), "the board opens the link")
        async with http.post(link, data=form, headers={"Origin": origin}) as answer:
            assert answer.status == 200, await answer.text()
