"""One service's rounds over the real fold: what fails is closed before the next red, and nothing piles up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents.canary import patients
from agents.canary.flight import Flights
from agents.canary.news import News
from agents.canary.sending import RefusedError
from agents.metrics import Metrics
from pipeline.triage.step import step
from schemas.assessments import PatientStatus
from schemas.care import Acknowledged
from schemas.paging import PageAction, PageRequest
from schemas.submissions import Submission

if TYPE_CHECKING:
    from pipeline.triage.state import State
    from schemas.care import CareEvent

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SERVICE = "joint-centre"
FIRST, SECOND = "canary-joint-centre-0", "canary-joint-centre-1"


class Core:
    """Gateway, triage and paging in one: takes what a canary sends and tells what follows, unless told not to."""

    def __init__(self) -> None:
        self.news = News({}, lambda: START)
        self.takes = self.judges = self.pages = True
        self.sessions: list[dict[str, Any]] = []
        self.care_events: list[CareEvent] = []
        self.asked: list[PageRequest] = []
        self._waiting: list[Submission | CareEvent] = []
        self._states: dict[str, State | None] = {}

    async def session(self, body: dict[str, Any]) -> None:
        if not self.takes:
            raise RefusedError("the gateway answers 401")
        self.sessions.append(body)
        self._come(msgspec.convert({**body, "received_at": body["readings"][0]["measured_at"]}, Submission))

    async def care(self, event: CareEvent) -> None:
        self.care_events.append(event)
        self._come(event)

    def judge_again(self) -> None:
        self.judges = True
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._come(event)

    @property
    def reds(self) -> list[str]:
        return [one["patient"] for one in self.sessions if one["readings"][0]["value"] == patients.RED_PULSE]

    @property
    def open(self) -> list[str]:
        return [patient for patient, status in self.news.statuses.items() if status.episode is not None]

    def _come(self, event: Submission | CareEvent) -> None:
        if not self.judges:
            self._waiting.append(event)
            return
        self._states[event.patient], outputs = step(self._states.get(event.patient), event)
        for output in outputs:
            if isinstance(output, PatientStatus):
                self.news.heard(output)
            elif isinstance(output, PageRequest) and output.action is PageAction.TRIGGER:
                self.asked.append(output)
                if self.pages:
                    self.news._pages[output.service, str(output.zone_change_id)] = None
                    self.news._tell()


class Bedside:
    """A service's rounds over a core."""

    def __init__(self, core: Core) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self._at = START
        self.flights = Flights(
            service=SERVICE,
            news=core.news,
            sending=core,  # type: ignore[arg-type] # it has what is asked of it
            metrics=self.metrics,
            clock=self._now,
        )

    async def is_late(self, patient: str) -> None:
        """A round that waits for something that does not come, and is ended."""
        task = asyncio.create_task(self.flights.fly(patient))
        for _ in range(50):  # turns of the loop: more than a whole round takes
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def _now(self) -> datetime:
        self._at += timedelta(seconds=1)
        return self._at


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def bedside(core: Core) -> Bedside:
    return Bedside(core)


async def test_a_round_asks_for_one_page_takes_it_over_and_leaves_nothing_open(core: Core, bedside: Bedside) -> None:
    for _ in range(3):
        await bedside.flights.fly(FIRST)
    taken_over = [event.zone_change_id for event in core.care_events if isinstance(event, Acknowledged)]
    assert taken_over == [page.zone_change_id for page in core.asked]
    assert len(taken_over) == 3
    assert core.open == []


async def test_a_canary_is_enrolled_once(core: Core, bedside: Bedside) -> None:
    await bedside.flights.fly(FIRST)
    await bedside.flights.fly(FIRST)
    assert len([event for event in core.care_events if not isinstance(event, Acknowledged)]) == 2


async def test_a_page_that_does_not_come_is_late_and_is_closed_before_the_next_red(
    core: Core, bedside: Bedside
) -> None:
    core.pages = False
    await bedside.is_late(FIRST)
    assert core.open == [FIRST]
    core.pages = True
    await bedside.flights.fly(SECOND)
    assert core.open == []
    assert core.reds == [FIRST, SECOND]


async def test_while_triage_stands_rounds_send_one_red_and_then_only_the_same_green(
    core: Core, bedside: Bedside
) -> None:
    await bedside.flights.fly(FIRST)
    core.judges = False
    before = len(core.sessions)
    for _ in range(5):
        await bedside.is_late(FIRST)
    sent = {one["submission_id"] for one in core.sessions[before:]}
    assert len(sent) == 2
    assert core.reds == [FIRST, FIRST]
    core.judge_again()
    await bedside.flights.fly(SECOND)
    assert core.open == []
    assert len(core.asked) == 3


async def test_a_gateway_that_refuses_is_told_and_the_next_round_comes_through(core: Core, bedside: Bedside) -> None:
    await bedside.flights.fly(FIRST)
    core.takes = False
    for _ in range(2):
        with pytest.raises(RefusedError):
            await bedside.flights.fly(SECOND)
    core.takes = True
    await bedside.flights.fly(FIRST)
    assert core.open == []


async def test_what_an_earlier_process_left_open_is_closed(core: Core, bedside: Bedside) -> None:
    core.pages = False
    await bedside.is_late(FIRST)
    core.pages = True
    again = Bedside(core)
    again._at = bedside._at
    await again.flights.fly(SECOND)
    assert core.open == []


async def test_two_moments_of_a_clock_that_stands_or_goes_back_are_two(core: Core, bedside: Bedside) -> None:
    moments = iter([START, START, START - timedelta(hours=1)])
    bedside.flights.clock = lambda: next(moments)
    assert [bedside.flights._now() for _ in range(3)] == [START + timedelta(milliseconds=n) for n in range(3)]
    assert core.sessions == []


async def test_only_legs_that_came_to_their_end_are_timed(core: Core, bedside: Bedside) -> None:
    core.pages = False
    await bedside.is_late(FIRST)
    timed = {
        sample.labels["leg"]: sample.value
        for family in bedside.metrics.canary_leg.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    }
    assert {leg for leg, count in timed.items() if count} == {"sent"}
