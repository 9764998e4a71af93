"""A climb survives restarts, transfers, wrong clocks and whatever order things are learnt in; and ends when it must."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.triage import RULES, step, unreadable, wakes_at
from pipeline.triage.ids import derive
from pipeline.triage.pages import Pages
from pipeline.triage.state import decode, encode
from schemas.assessments import Assessment
from schemas.care import Acknowledged
from schemas.paging import FailureReason, Outcome, PageAction, PageRequest, Priority, Receipt, Tick
from schemas.services import CANARY
from schemas.submissions import Correction, CorrectionAction, OnBehalf
from schemas.types import Zone
from tests.earlier import write
from tests.histories import PATIENT, at, enrolled, history, named, read, reading, signed, submitted, transferred
from tests.spec.test_ladder import HOUR, PULSE, SERVICES, Climbing, said

if TYPE_CHECKING:
    from pathlib import Path

some = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
RANDOM = st.integers(min_value=0, max_value=2**32).map(Random)


def pulse(name: str, value: float, hours: float, *, late: float = 0) -> Any:  # noqa: ANN401 - a submission
    return submitted(name, hours, reading("8867-4", value, "/min", hours), late=late)


# What a page says.


def test_every_page_of_an_episode_names_it_and_each_has_an_id_of_its_own() -> None:
    pages = Climbing().go("r 5 15 30 45 60 a g 70 r 75 a g g").pages
    assert len({page.page_id for page in pages}) == len(pages)
    assert {page.episode_id for page in pages} == {derive("episode", PATIENT, round(at(HOUR).timestamp() * 1000))}
    asked = [page for page in pages if page.action is PageAction.TRIGGER]
    assert [page.step for page in asked] == [0, 1, 2, 3, 3, 3, 0, 1]
    assert {page.priority for page in asked} == {Priority.HIGH}
    assert {page.priority for page in pages if page not in asked} == {Priority.LOW}
    assert {page.test for page in pages} == {False}


def test_a_repeat_that_takes_the_place_of_one_not_delivered_leaves_no_more_open_than_there_are_steps() -> None:
    course = Climbing().go("r 5 15 30 " + " ".join(str(minute) for minute in range(45, 1500, 15)))
    assert course.state is not None
    assert len(course.asked()) == 4 + 97
    assert len(course.state.open_pages) == 4


def test_after_an_acknowledgement_no_page_that_asks_to_look_is_asked_again() -> None:
    course = Climbing().go("r f 3 f a 4 5 6 10 20")
    again = course.pages[next(i for i, page in enumerate(course.pages) if page.action is PageAction.ACKNOWLEDGE) :]
    assert {page.action for page in again} == {PageAction.ACKNOWLEDGE}


def test_that_somebody_has_it_is_told_until_it_is_delivered_and_never_climbs() -> None:
    course = Climbing().go("r d a f")
    assert [page.ask for page in course.pages if page.action is PageAction.ACKNOWLEDGE] == [1]
    course.go("1")
    assert [(said(page), page.ask) for page in course.pages if page.action is PageAction.ACKNOWLEDGE] == [
        ("nurse", 1),
        ("nurse", 2),
    ]
    course.go("d 100")
    assert course.state is not None
    assert (course.state.open_pages, course.asked()) == ({}, ["nurse"])


def test_what_is_told_of_the_end_pushes_out_no_page_by_which_somebody_must_look() -> None:
    course = Climbing().go("r")
    assert course.state is not None
    (page,), pages = course.pages, Pages(course.state)
    for number in range(RULES.open_pages + 5):
        pages.ask(replace(page, page_id=named(f"told-{number}"), action=PageAction.RESOLVE))
    kept = list(pages.kept(RULES.open_pages))
    assert kept == [page.page_id.bytes, *(named(f"told-{number}").bytes for number in range(6, 25))]
    assert list(pages.kept(1)) == [page.page_id.bytes]


# What is learnt late.


def test_an_earlier_red_learnt_of_later_pages_nobody_twice_and_loses_no_step() -> None:
    course = Climbing().go("r 5 6")
    course.take(pulse("earlier", 126, HOUR - 1, late=1.1))
    assert course.asked() == ["nurse", "next-nurse"]
    course.go("15")
    assert course.asked() == ["nurse", "next-nurse", "lead"]
    assert course.pages[-1].zone_change_id == course.newest
    assert len({page.episode_id for page in course.pages}) == 1
    course.go("a 100")
    assert course.asked() == ["nurse", "next-nurse", "lead"]


def test_a_page_not_delivered_is_asked_again_as_the_red_is_known_by_then() -> None:
    course = Climbing().go("r f")
    course.take(pulse("earlier", 105, HOUR - 1, late=1.01))  # from yellow to red by now, not from no data
    course.go("1 2")
    again = [page for page in course.pages if page.ask == 2]
    assert [page.page_id for page in again] == [course.pages[0].page_id]
    assert [page.zone_change_id for page in again] == [course.newest]


def test_a_red_that_was_taken_over_as_it_is_not_known_any_more_begins_anew() -> None:
    """Nobody has taken over what is known now, so nobody may rest."""
    course = Climbing().go("r 5 a 6")
    course.take(pulse("earlier", 105, HOUR - 1, late=1.1))
    assert course.asked() == ["nurse", "next-nurse", "nurse"]
    assert len({page.page_id for page in course.pages}) == len(course.pages)
    course.go("a 100")
    assert course.asked() == ["nurse", "next-nurse", "nurse"]


@pytest.mark.parametrize(
    ("greens", "told"),
    [
        ("", ["trigger nurse", "acknowledge nurse"]),
        ("20 g g", ["trigger nurse", "resolve nurse"]),
    ],
)
def test_a_red_learnt_of_when_somebody_has_it_or_it_is_over_is_told_with_that(greens: str, told: list[str]) -> None:
    late = pulse("late", 127, HOUR, late=1)
    in_turn = Climbing()
    in_turn.take(late)
    course = Climbing()
    course.minute = 10
    course.acknowledge(in_turn.newest)
    course.go(greens)
    course.take(late)
    assert [f"{page.action.value} {said(page)}" for page in course.pages] == told
    course.go("100")
    assert len(course.pages) == len(told)
    course.receipt(course.pages[0], FailureReason.TIMEOUT)  # learnt of in time, so somebody must get it
    course.go("110")
    assert [(page.page_id, page.ask) for page in course.pages[len(told) :]] == [(course.pages[0].page_id, 2)]


def test_that_somebody_had_the_red_before_is_told_no_more_once_it_is_worse() -> None:
    course = Climbing().go("r a g 20 r")
    assert course.state is not None
    assert list(course.state.open_pages) == [course.pages[-1].page_id.bytes]
    assert course.pages[-1].action is PageAction.TRIGGER


def test_a_red_that_turns_out_to_be_a_new_episode_ends_the_one_before_it() -> None:
    """The red of minute 0 was taken over at minute 40, after two greens, and that is learnt after the next red."""
    course = Climbing().go("r 5 g 6 g 100 r 101")
    course.pages.clear()
    change = course.newest
    course.minute = 40
    course.acknowledge(change)
    assert [f"{page.action.value} {said(page)}" for page in course.pages] == [
        "resolve nurse",
        "resolve next-nurse",
        "resolve lead",
        "resolve lead by phone",
        "trigger nurse",
    ]
    assert len({page.episode_id for page in course.pages}) == 2


def test_a_worsening_that_is_taken_back_goes_on_for_the_red_before_it() -> None:
    course = Climbing().go("r p")
    instant = HOUR + 49
    course.minute = 49 * 60
    course.go("r")
    course.take(Tick(at=at(instant)))
    before = course.asked()
    course.take(
        Correction(
            correction_id=named("void"),
            submission_id=course.sessions[-1],
            patient=PATIENT,
            recorded_at=at(instant + 0.01),
            action=CorrectionAction.ENTERED_IN_ERROR,
        )
    )
    assert course.state is not None
    assert course.state.climb is not None
    assert course.state.climb.next_ms is not None
    assert course.asked() == before
    course.go("a 10000")
    assert course.asked() == before


def test_an_acknowledgement_by_a_clock_behind_that_of_the_device_counts() -> None:
    course = Climbing()
    ahead = submitted("ahead", HOUR, reading("8867-4", 125, "/min", HOUR + 0.1))
    course.take(ahead)
    course.acknowledge(course.newest, HOUR + 0.01)
    course.go("30")
    assert course.asked() == ["nurse"]
    assert course.status is not None
    assert course.status.episode is not None
    assert course.status.episode.acknowledged


def test_a_red_that_nobody_took_over_outlives_messages_that_could_not_be_read() -> None:
    course = Climbing().go("r")
    assert course.state is not None
    after, _ = unreadable(course.state, at(HOUR + 0.01))
    course.state = after
    course.go("5 10 g 15")
    assert course.status is not None
    assert course.status.zone is Zone.RED
    assert course.asked() == ["nurse", "next-nurse", "lead"]


# Clocks, services and versions.


def test_a_receipt_from_a_clock_far_ahead_delays_no_step() -> None:
    course = Climbing().go("r")
    course.minute = 100_000
    course.go("f f f")
    assert course.asked() == ["nurse", "next-nurse", "lead", "lead by phone"]
    assert course.respond_by() == 45


def test_a_transfer_is_followed_at_its_instant_however_late_the_tick() -> None:
    course = Climbing().go("r")
    future = HOUR + 7 / 60
    course.take(transferred(future, recorded=HOUR))
    assert course.asked() == ["nurse"]
    course.go("20")
    hospital = ["ward of the hospital", "doctor by call of the hospital"]
    assert course.asked() == ["nurse", "next-nurse", *hospital]
    assert course.respond_by() == 7 + 2 + 15


@pytest.mark.parametrize("path", sorted(write.FOLDER.glob("states/1/red-with*.msgpack")), ids=lambda path: path.stem)
def test_a_red_of_a_state_that_knows_no_ladder_goes_on_from_its_first_step(path: Path) -> None:
    state = decode(path.read_bytes())
    (known,) = state.open_pages
    assert wakes_at(state) is not None
    began = 300
    state, told = step(state, Tick(at=at(began) + timedelta(minutes=5)))
    asked = [page for page in told if isinstance(page, PageRequest)]
    assert [said(page) for page in asked if page.page_id.bytes != known] == ["next-nurse"]
    state, told = step(state, Tick(at=at(began) + timedelta(minutes=30)))
    assert [said(page) for page in told if isinstance(page, PageRequest) and page.page_id.bytes != known] == [
        "lead",
        "lead by phone",
    ]


def test_the_alarm_path_s_own_test_is_paged_to_itself_alone_and_marked() -> None:
    course = Climbing(pathway=CANARY).go("r 14 15 30 a g g")
    assert course.asked() == [CANARY, CANARY, CANARY]
    assert {page.test for page in course.pages} == {True}
    assert [page.to for page in course.pages] == [CANARY] * len(course.pages)


def test_staff_who_entered_a_registration_are_told_of_in_every_revision_of_it() -> None:
    course = Climbing()
    found: list[OnBehalf | None] = []
    session = replace(pulse("phone", 70, HOUR), on_behalf=OnBehalf.PHONE, entered_by="nurse-1")
    correction = Correction(
        correction_id=named("better"),
        submission_id=named("phone"),
        patient=PATIENT,
        recorded_at=at(HOUR + 1),
        action=CorrectionAction.REPLACED,
        readings=(reading("8867-4", 72, "/min", HOUR),),
    )
    for event in (session, correction, pulse("earlier", 71, HOUR - 1, late=3)):
        course.state, told = step(course.state, read(event))
        found += [one.on_behalf for one in told if isinstance(one, Assessment) and one.submission_id == named("phone")]
    assert found == [OnBehalf.PHONE] * 3


def test_who_wrote_a_care_event_down_is_not_kept() -> None:
    course = Climbing()
    assert course.state is not None
    signed_by = Climbing()
    for state in (None, course.state):
        signed_by.state = state
        for event in (enrolled(), signed(0, PULSE)):
            signed_by.take(replace(event, recorded_by="nurse-7"))
        assert signed_by.state is not None
        assert b"nurse-7" not in encode(signed_by.state)


# Any history.


class Climbed:
    """What was asked in the course of a history, between whose events a clock ticks and pages fail."""

    def __init__(self, events: list[Any], random: Random, *, restarts: bool) -> None:
        self.state: Any = None
        self.pages: list[PageRequest] = []
        self.wrong: list[str] = []
        self.failed: set[bytes] = set()
        for event in events:
            self.take(event, restarts=restarts)
            for _ in range(random.randrange(3)):
                self.take(self.beside(random), restarts=restarts)
        self.take(Tick(at=at(24 * 90)), restarts=restarts)

    def beside(self, random: Random) -> Any:  # noqa: ANN401 - a tick or a receipt
        if self.pages and random.random() < 0.5:
            page = random.choice(self.pages[-4:])
            reason = random.choice([None, FailureReason.TIMEOUT, FailureReason.BUSY])
            if reason is FailureReason.TIMEOUT:
                self.failed.add(page.page_id.bytes)
            return Receipt(
                receipt_id=named(f"receipt-{random.random()}"),
                page_id=page.page_id,
                patient=PATIENT,
                ask=page.ask,
                outcome=Outcome.FAILED if reason else Outcome.DELIVERED,
                at=page.at + timedelta(minutes=random.randrange(100)),
                attempts=1,
                reason=reason,
            )
        wakes = None if self.state is None else wakes_at(self.state)
        return Tick(at=at(0) if wakes is None else at(0) + timedelta(milliseconds=wakes - at(0).timestamp() * 1000))

    def take(self, event: Any, *, restarts: bool) -> None:  # noqa: ANN401 - any message
        before = self.state
        self.state, told = step(before, event, services=SERVICES)
        if restarts and self.state is not None:
            self.state = decode(encode(self.state))
        asked = [page for page in told if isinstance(page, PageRequest)]
        episode = None if self.state is None else self.state.episode
        born = {page.zone_change_id for page in asked if page.step == 0}
        for page in asked:
            if page.action is not PageAction.TRIGGER:
                continue
            open_already = before is not None and page.page_id.bytes in before.open_pages
            if page.ask > 1 and not open_already:
                self.wrong.append(f"{page.page_id} was asked again though nobody waits for it")
            if page.ask == 1 and page.page_id in {known.page_id for known in self.pages}:
                self.wrong.append(f"{page.page_id} was asked for twice")
            acknowledged = episode is None or (episode.acknowledged and episode.change == page.zone_change_id.bytes)
            if page.step and acknowledged and page.zone_change_id not in born:
                self.wrong.append(f"step {page.step} was asked of a red that somebody has, or that is over")
        self.pages += asked

    def climbs(self) -> object:
        """Whether somebody must still look: the newest worsening, if it was ever asked for and nobody has it."""
        episode, climb = self.state.episode, self.state.climb
        return None if episode is None else (episode.acknowledged, climb is not None and climb.next_ms is not None)


def with_acknowledgements(random: Random, events: list[Any]) -> list[Any]:
    known = Climbed(events, Random(1), restarts=False)  # noqa: S311 - a simulation
    changes = {page.zone_change_id: page for page in known.pages if page.action is PageAction.TRIGGER}
    more = [
        Acknowledged(
            event_id=named(f"ack-{change}"),
            patient=PATIENT,
            at=page.at + timedelta(minutes=minutes),
            recorded_at=page.at + timedelta(minutes=minutes),
            zone_change_id=change,
            by="nurse-1",
            reason_code="true",
        )
        for change, page in changes.items()
        if (minutes := random.choice([0, 4, 5, 40, 4000, None])) is not None
    ]
    return [*events, *map(read, more)]


@some
@given(RANDOM)
def test_whatever_the_order_no_step_is_asked_twice_and_none_after_an_acknowledgement(random: Random) -> None:
    events = with_acknowledgements(random, history(random))
    shuffled = random.sample(events, len(events)) + random.sample(events, len(events) // 3)
    assert Climbed(shuffled, random, restarts=True).wrong == []


@some
@given(RANDOM, st.integers(min_value=0, max_value=2**32))
def test_a_restart_between_all_steps_asks_the_very_same_pages(random: Random, seed: int) -> None:
    events = with_acknowledgements(random, history(random))
    in_one, in_parts = (Climbed(events, Random(seed), restarts=restarts) for restarts in (False, True))  # noqa: S311
    assert in_parts.pages == in_one.pages
    assert in_parts.state == in_one.state


@some
@given(RANDOM, st.integers(min_value=0, max_value=2**32))
def test_whatever_the_order_the_same_episodes_end_taken_over_or_are_still_climbed_for(
    random: Random, seed: int
) -> None:
    events = with_acknowledgements(random, history(random))
    shuffled = random.sample(events, len(events)) + random.sample(events, len(events) // 3)
    ends = [Climbed(order, Random(seed), restarts=True) for order in (events, shuffled)]  # noqa: S311
    episodes = [end.state.episode for end in ends]
    assert episodes[0] == episodes[1]
    for end in ends:
        episode = end.state.episode
        if episode is not None and episode.acknowledged:
            assert end.climbs() == (True, False)
        asked = {page.zone_change_id.bytes for page in end.pages if page.action is PageAction.TRIGGER}
        if episode is not None and not episode.acknowledged and episode.zone == 3 and episode.change in asked:
            assert end.climbs() == (False, True)
