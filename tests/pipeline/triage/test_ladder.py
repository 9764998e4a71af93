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
from schemas.care import Acknowledged, Cadence
from schemas.paging import FailureReason, Outcome, PageAction, PageRequest, Priority, Receipt, Tick
from schemas.services import CANARY
from schemas.submissions import Correction, CorrectionAction, OnBehalf, Submission
from schemas.types import Zone
from tests.earlier import write
from tests.histories import PATIENT, at, enrolled, history, named, read, reading, signed, spo2, submitted, transferred
from tests.spec.test_ladder import HOUR, PULSE, SERVICES, Climbing, said

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.triage import State

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


# Whom a page reached, and which incident it is of.


def told_to(course: Climbing, action: PageAction) -> list[tuple[str, str | None]]:
    """Which duties were told that, and whom it is for; each ask."""
    return [(page.to, page.contact) for page in course.pages if page.action is action]


def test_the_end_is_told_to_whom_the_pages_reached_also_after_a_restart_or_a_change_of_shift() -> None:
    course = Climbing().go("r")
    course.receipt(course.pages[-1], told="nurse-1")
    course.go("5")
    course.receipt(course.pages[-1], told="nurse-2")
    course.go("15 a g g")
    everybody = [("nurse", "nurse-1"), ("next-nurse", "nurse-2"), ("lead", None)]
    assert told_to(course, PageAction.TRIGGER) == [("nurse", None), ("next-nurse", None), ("lead", None)]
    assert told_to(course, PageAction.ACKNOWLEDGE) == everybody
    assert told_to(course, PageAction.RESOLVE) == everybody


def test_whom_a_page_reached_is_taken_up_also_where_somebody_has_it_before_its_receipt_comes() -> None:
    course = Climbing().go("r a")
    course.receipt(course.pages[0], told="nurse-1")
    course.go("g g")
    assert told_to(course, PageAction.ACKNOWLEDGE) == [("nurse", None)]
    assert told_to(course, PageAction.RESOLVE) == [("nurse", "nurse-1")]


def test_a_step_that_is_asked_again_in_the_next_shift_has_reached_two_and_both_hear_of_the_end() -> None:
    course = Climbing().go("r 5 15 30")
    for minute, who in ((45, "lead-1"), (60, "lead-1"), (75, "lead-2")):
        course.receipt(course.pages[-1], told=who)
        course.go(str(minute))
    course.receipt(course.pages[-1], told="lead-2")
    course.go("a")
    reached = [page for page in course.pages if page.action is PageAction.ACKNOWLEDGE and page.by == "phone"]
    assert [page.contact for page in reached] == ["lead-1", "lead-2"]
    assert len({page.page_id for page in course.pages}) == len(course.pages)


def test_of_a_step_that_is_asked_again_whoever_may_have_got_it_last_hears_of_the_end_too() -> None:
    course = Climbing().go("r 5 15 30")
    course.receipt(course.pages[-1], told="lead-1")
    course.go("45 a")
    reached = [page for page in course.pages if page.action is PageAction.ACKNOWLEDGE and page.by == "phone"]
    assert [page.contact for page in reached] == ["lead-1", None]


def test_whoever_was_told_before_a_worsening_and_not_of_it_hears_that_it_is_over() -> None:
    course = Climbing().go("r")
    course.receipt(course.pages[-1], told="nurse-1")
    course.go("5 a g 20 r")
    course.receipt(course.pages[1], told="nurse-2")  # of next-nurse, dropped by now
    course.receipt(course.pages[-1], told="nurse-3")
    course.go("a g g")
    assert told_to(course, PageAction.RESOLVE) == [
        ("nurse", "nurse-1"),
        ("next-nurse", "nurse-2"),
        ("nurse", "nurse-3"),
    ]


def test_a_receipt_that_says_nothing_new_changes_nothing() -> None:
    course = Climbing().go("r")
    course.receipt(course.pages[-1], told="nurse-1")
    known, count = course.state, len(course.pages)
    course.receipt(course.pages[-1], told="nurse-9")  # the page is known to have reached somebody
    course.receipt(replace(course.pages[-1], page_id=named("of nobody")), told="nurse-1")
    assert (course.state, len(course.pages)) == (known, count)


def test_who_hears_of_the_end_is_bounded() -> None:
    course = Climbing().go("r 5 15")
    for number in range(60):
        course.go(str(30 + 15 * number))
        course.receipt(course.pages[-1], told=f"lead-{number}")
    course.go("a")
    contacts = [contact for _, contact in told_to(course, PageAction.ACKNOWLEDGE)]
    assert contacts == [f"lead-{number}" for number in range(40, 60)]


def incidents(course: Climbing) -> list[tuple[str, int, int]]:
    """Of each page, what it tells, of which incident, and how many earlier ones it names, in the order they began."""
    began = list(dict.fromkeys(page.incident_id for page in course.pages))
    for page in course.pages:
        earlier = [began.index(one) for one in page.earlier_incident_ids]
        assert earlier == sorted(earlier)
        assert page.incident_id not in page.earlier_incident_ids
    return [(page.action.value, began.index(page.incident_id), len(page.earlier_incident_ids)) for page in course.pages]


def test_every_step_of_one_climb_is_of_one_incident_and_a_worsening_takes_its_place() -> None:
    assert incidents(Climbing().go("r 5 a g 20 r a g g")) == [
        ("trigger", 0, 0),
        ("trigger", 0, 0),
        ("acknowledge", 0, 0),
        ("acknowledge", 0, 0),
        ("trigger", 1, 1),
        ("acknowledge", 1, 1),
        ("resolve", 1, 1),
        ("resolve", 1, 1),
    ]


def test_another_service_and_a_red_by_another_vital_sign_have_an_incident_of_their_own() -> None:
    assert incidents(Climbing().go("r t"))[-1] == ("trigger", 1, 1)
    assert incidents(Climbing().go("r a s"))[-1] == ("trigger", 1, 1)


def test_an_incident_is_known_by_the_first_page_that_is_asked_of_it() -> None:
    course = Climbing().go("r 5 a s 20")
    first = {page.incident_id: page.page_id for page in reversed(course.pages) if page.action is PageAction.TRIGGER}
    assert list(first) == list(first.values())


def test_an_end_that_nobody_was_told_of_leaves_its_incident_to_the_red_that_comes_back() -> None:
    taken_back, told = Climbing().go("r d c"), Climbing().go("r d c d")
    assert incidents(taken_back.go("u"))[-1] == ("trigger", 1, 1)
    assert incidents(told.go("u"))[-1] == ("trigger", 1, 0)
    for course in (taken_back, told):
        assert course.state is not None
        assert list(course.state.open_pages) == [course.pages[-1].page_id.bytes]


def test_the_incidents_that_are_closed_with_the_newest_are_bounded() -> None:
    course = Climbing()
    for number in range(12):
        course.go(f"{number * 60} r a g")
    assert max(len(page.earlier_incident_ids) for page in course.pages) == 7
    assert len({page.incident_id for page in course.pages}) == 12


@pytest.mark.parametrize("path", sorted(write.FOLDER.glob("states/2/red-*.msgpack")), ids=lambda path: path.stem)
def test_a_red_of_a_state_that_knows_no_incidents_is_told_of_under_its_episode_until_it_is_asked_anew(
    path: Path,
) -> None:
    state = decode(path.read_bytes())
    assert state.climb is not None
    episode = derive("episode", state.patient, state.climb.episode_ms)
    after, told = step(state, Tick(at=at(24 * 60)))
    pages = [page for page in told if isinstance(page, PageRequest) and page.ask == 1]
    assert bool(pages) == (state.climb.next_ms is not None)
    assert {(page.incident_id, page.earlier_incident_ids) for page in pages} <= {(episode, ())}
    assert after is not None
    taken_over = replace(after, climb=replace(state.climb, next_ms=None))  # as the red was known before
    again = submitted("again", 24 * 61, spo2(80, 24 * 61))
    _, told = step(taken_over, again)
    asked = [page for page in told if isinstance(page, PageRequest) and page.action is PageAction.TRIGGER]
    assert [(page.incident_id, page.earlier_incident_ids) for page in asked] == [(asked[0].page_id, (episode,))]


def test_how_often_a_red_was_taken_back_is_known_of_the_newest_ones() -> None:
    course = Climbing().go("r")
    assert course.state is not None
    pages = Pages(course.state)
    first = named("first")
    assert pages.first(first) == first
    ids = set()
    for _ in range(3):
        pages.take_back(first)
        ids.add(pages.first(first))
    assert len(ids - {first}) == 3
    for number in range(15):
        pages.take_back(named(f"other-{number}"))
    pages.take_back(first)  # once more: it is the newest again
    for number in range(15, 30):
        pages.take_back(named(f"other-{number}"))
    assert pages.first(first) not in ids | {first}
    pages.take_back(named("other-30"))
    assert (len(pages.taken_back), pages.first(first)) == (16, first)


def corrected(session: Submission, name: str, hours: float, *, back: bool) -> Correction:
    """Of a session: taken back, or given again as it was."""
    return Correction(
        correction_id=named(name),
        submission_id=session.submission_id,
        patient=PATIENT,
        recorded_at=at(hours),
        action=CorrectionAction.REPLACED if back else CorrectionAction.ENTERED_IN_ERROR,
        readings=session.readings if back else (),
    )


def test_no_page_of_a_red_that_is_back_has_an_id_of_before_though_no_time_has_passed() -> None:
    """The clock of the patient is ahead: what is recorded before it does not move it."""
    course = Climbing()
    course.take(pulse("ahead", 70, HOUR - 1, late=25))
    red = pulse("red", 125, HOUR)
    course.take(red)
    for number in range(3):
        course.go("1500 t")  # to the hospital, which is told from its first step on
        course.go("1510")
        course.take(corrected(red, f"void-{number}", HOUR + number + 0.1, back=False))
        course.take(corrected(red, f"back-{number}", HOUR + number + 0.2, back=True))
    asked = [page for page in course.pages if page.ask == 1]
    assert len([page for page in asked if page.action is PageAction.RESOLVE]) > 3
    assert len({page.page_id for page in asked}) == len(asked)


def learnt_of_when_it_was_over() -> tuple[Climbing, Submission]:
    """A red that was taken over, learnt of after two greens, taken back, and given again: told, and told to be over."""
    late = pulse("late", 127, HOUR, late=1)
    in_turn = Climbing()
    in_turn.take(late)
    course = Climbing()
    course.minute = 10
    course.acknowledge(in_turn.newest)
    course.go("20 g g")
    for event in (
        late,
        corrected(late, "void", HOUR + 1.1, back=False),
        corrected(late, "back", HOUR + 1.2, back=True),
    ):
        course.take(event)
    return course, late


def waiting(course: Climbing) -> list[PageRequest]:
    """The pages by which somebody must look, and that nobody got yet."""
    assert course.state is not None
    pages = Pages(course.state)
    found = [pages.find(key) for key in course.state.open_pages]
    return [page for page in found if page is not None and page.action is PageAction.TRIGGER]


def test_a_page_of_a_red_that_was_back_is_asked_no_more_once_that_is_taken_back_too() -> None:
    course, late = learnt_of_when_it_was_over()
    assert [page.page_id for page in waiting(course)] == [course.pages[-2].page_id]
    course.take(corrected(late, "void again", HOUR + 1.3, back=False))
    assert waiting(course) == []


def test_a_page_of_a_red_that_is_back_is_asked_again_as_that_is_known_by_then() -> None:
    course, _ = learnt_of_when_it_was_over()
    before = waiting(course)
    course.take(pulse("earlier", 105, HOUR - 1, late=2.3))  # from yellow to red by now, not from no data
    (known,) = waiting(course)
    assert [page.page_id for page in before] == [known.page_id]
    assert known.zone_change_id != before[0].zone_change_id


@pytest.mark.parametrize("words", ["r a", "r a g g"])
def test_a_red_that_was_too_old_to_be_paged_and_is_not_by_now_is_asked_about_under_another_id(words: str) -> None:
    course = Climbing().go(words)
    plans = ((2, 80.0), (3, 1.0))  # the second one was written down before the first, and comes after it
    for version, recorded in plans:
        plan = signed(0, PULSE, version=version, recorded=HOUR + recorded, cadence=Cadence(grace_minutes=10_080))
        course.take(plan)
    asked = [page.page_id for page in course.pages if page.action is PageAction.TRIGGER]
    assert len(set(asked)) == len(asked) == 2


# What is learnt late.


def test_a_late_red_of_an_episode_that_is_over_is_told_so_and_no_end_is_told_of_the_one_that_is_open() -> None:
    """The second red was taken for a worsening of the first episode, until a green between them was learnt of."""
    other = submitted("other", HOUR + 3 / 60, reading("2708-6", 80, "%", HOUR + 3 / 60), late=0.5)
    in_turn = Climbing().go("r a")
    in_turn.take(other)
    course = Climbing().go("r a")
    course.minute, course.number = 4, 9
    course.acknowledge(in_turn.newest)
    course.go("5 g 20 r")
    opened = course.pages[-1].episode_id
    course.minute = 25
    course.take(pulse("between", 70, HOUR + 10 / 60, late=0.2))
    assert course.status is not None
    assert course.status.episode is not None
    assert course.status.episode.opened_at == at(HOUR + 20 / 60)
    before = len(course.pages)
    course.take(other)
    assert [(page.action.value, said(page)) for page in course.pages[before:]] == [
        ("trigger", "nurse"),
        ("resolve", "nurse"),
    ]
    assert opened not in {page.episode_id for page in course.pages[before:]}
    course.go("30")
    assert course.asked()[-1] == "next-nurse"
    assert course.pages[-1].episode_id == opened


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
            submission_id=course.sessions[-1].submission_id,
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
        self.came_back = 0
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
                told=random.choice([None, "nurse-1", "nurse-2"]),
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
            open_already = before is not None and page.page_id.bytes in before.open_pages
            if page.ask > 1 and not open_already:
                self.wrong.append(f"{page.page_id} was asked again though nobody waits for it")
            if page.ask == 1 and page.page_id in {known.page_id for known in self.pages}:
                self.wrong.append(f"{page.page_id} was asked for twice")
            if page.action is not PageAction.TRIGGER:
                continue
            acknowledged = episode is None or (episode.acknowledged and episode.change == page.zone_change_id.bytes)
            if page.step and acknowledged and page.zone_change_id not in born:
                self.wrong.append(f"step {page.step} was asked of a red that somebody has, or that is over")
        self.pages += asked
        if self.state is not None:
            self.came_back = max(self.came_back, *self.state.taken_back.values(), 0)
            self.check(self.state)

    def check(self, state: State) -> None:
        """An open red that somebody was asked to look at, and that nobody has, is told to nobody as over."""
        climb, pages = state.climb, Pages(state)
        if state.episode is None or state.episode.acknowledged or climb is None or climb.next_ms is None:
            return
        over = [
            request
            for _, request in pages.of(derive("episode", PATIENT, climb.episode_ms))
            if request.action is PageAction.RESOLVE
        ]
        if over:
            self.wrong.append(f"{climb.change.hex()} is open, and a page says that it is over")

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


def with_reds_that_come_back(random: Random, events: list[Any]) -> list[Any]:
    """`events`, of whose sessions some are taken back by a correction and given again by the next, once or twice."""
    more: list[Any] = []
    for session in events:
        if not isinstance(session, Submission) or random.random() < 0.4:
            continue
        for number in range(random.choice([2, 2, 4])):
            back = number % 2
            correction = Correction(
                correction_id=named(f"back-{session.submission_id}-{number}"),
                submission_id=session.submission_id,
                patient=PATIENT,
                recorded_at=session.received_at + timedelta(minutes=10 * (number + 1)),
                action=CorrectionAction.REPLACED if back else CorrectionAction.ENTERED_IN_ERROR,
                readings=session.readings if back else (),
            )
            more.append(read(correction))
    return [*events, *more]


class Recorded(Climbing):
    """A way whose events are kept."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        super().__init__()

    def take(self, event: Any) -> None:  # noqa: ANN401 - any message that the fold takes
        if not isinstance(event, Tick | Receipt):
            self.events.append(read(event))
        super().take(event)


def busy_day(random: Random) -> list[Any]:
    """Reds, greens, acknowledgements and corrections within hours, most in turn and some told late."""
    course = Recorded()
    minute = 0
    for _ in range(random.randrange(6, 25)):
        minute += random.choice([1, 3, 10, 40])
        word = random.choice("rrsyggggaaaoccut")
        no_alert = course.status is None or course.status.episode is None
        if (word == "a" and no_alert) or (word in "cu" and not course.sessions):
            continue
        course.go(f"{minute} {word}")
    keys = {id(event): place + random.choice([0, 0, 0, 0, 4, 9]) for place, event in enumerate(course.events)}
    return sorted(course.events, key=lambda event: keys[id(event)])


@some
@given(RANDOM)
def test_however_a_busy_day_is_told_no_open_red_is_told_to_be_over_and_no_page_is_asked_for_twice(
    random: Random,
) -> None:
    for _ in range(5):
        assert Climbed(busy_day(random), random, restarts=True).wrong == []


@some
@given(RANDOM)
def test_whatever_comes_back_no_page_has_the_id_of_an_earlier_one(random: Random) -> None:
    events = with_reds_that_come_back(random, with_acknowledgements(random, history(random)))
    in_turn = sorted(events, key=lambda event: getattr(event, "received_at", None) or event.recorded_at)
    shuffled = random.sample(events, len(events))
    for order in (in_turn, shuffled):
        assert Climbed(order, random, restarts=True).wrong == []


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
