"""An episode step by step: what came, the zone that the patient is in then, and how far the episode has come.

Words: g, y, r a green, yellow or red registration by the pulse, s a red one by the oxygen saturation, x one that cannot
be judged, u a message that nobody can read while many cannot, a an acknowledgement of the newest worsening, o one of an
older zone change; a number waits so many hours (else 12 between two of them).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest

from pipeline.triage import State, step, unreadable
from pipeline.triage.episodes import RED, TABLE, Came, NoSuchStepError, leads_to
from pipeline.triage.state import encode
from schemas.assessments import PatientStatus, ZoneChange
from schemas.care import Acknowledged, Admitted, Discharged, Limit, Paused
from schemas.paging import PageAction, PageRequest, Tick
from schemas.types import Phase, Zone
from tests.histories import PATIENT, at, enrolled, moved_on, named, read, reading, signed, submitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PULSE: Final = Limit(code="8867-4", unit="/min", yellow_high=100, red_high=120)
SPO2: Final = Limit(code="2708-6", unit="%", yellow_low=84, red_low=80)
VALUES: Final = {"g": 70.0, "y": 105.0, "r": 125.0, "x": 400.0}
HOURS: Final = 12


class Course:
    """A patient's way through `words`."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.hours = 10.0
        self.changes: list[ZoneChange] = []
        self.pages: list[PageRequest] = []
        self.status: PatientStatus | None = None
        for event in (enrolled(), signed(0, PULSE, SPO2)):
            self.take(event)

    def take(self, event: Any) -> None:  # noqa: ANN401 - any message that the fold takes
        self.state, outputs = step(self.state, event if isinstance(event, Tick) else read(event))
        self.hear(outputs)

    def hear(self, outputs: Iterable[object]) -> None:
        for output in outputs:
            match output:
                case ZoneChange():
                    self.changes.append(output)
                case PageRequest(action=PageAction.TRIGGER, step=0):  # see test_ladder for the rest
                    self.pages.append(output)
                case PatientStatus():
                    self.status = output

    def go(self, words: str) -> Course:
        for word in words.split():
            if word.isdigit():
                self.hours += int(word) - HOURS
                continue
            if word == "u" and self.state is not None:
                self.state, outputs = unreadable(self.state, at(self.hours))
                self.hear(outputs)
            elif word in VALUES:
                session = reading("8867-4", VALUES[word], "/min", self.hours)
                self.take(submitted(f"s-{self.hours}", self.hours, session))
            elif word == "s":
                pulse, spo2 = reading("8867-4", 70.0, "/min", self.hours), reading("2708-6", 72.0, "%", self.hours)
                self.take(submitted(f"s-{self.hours}", self.hours, pulse, spo2))
            else:
                self.acknowledge(self.newest() if word == "a" else self.changes[0])
            self.hours += HOURS
        return self

    def newest(self) -> ZoneChange:
        """What the open episode asks to be acknowledged; where there is none, the newest change."""
        episode = None if self.status is None else self.status.episode
        asked = None if episode is None else episode.zone_change_id
        return next((change for change in self.changes if change.zone_change_id == asked), self.changes[-1])

    def acknowledge(self, change: ZoneChange, reason: str = "called") -> None:
        instant = at(self.hours)
        self.take(
            Acknowledged(
                event_id=named(f"ack-{self.hours}"),
                patient=PATIENT,
                at=instant,
                recorded_at=instant,
                zone_change_id=change.zone_change_id,
                by="nurse-1",
                reason_code=reason,
            )
        )

    def told(self) -> tuple[str, str | None]:
        assert self.status is not None
        episode = self.status.episode
        return self.status.zone.value, None if episode is None else episode.state.value


MOVES: Final = {"g": "green", "y": "yellow", "r": "red", "a": "acknowledged"}


def edges() -> Iterator[tuple[str, str, str]]:
    """Every way from one step of an episode to another, found by walking them."""
    seen: set[object] = set()
    ways = [""]
    while ways:
        way = ways.pop(0)
        here = Course().go(way)
        for word, said in MOVES.items():
            if word == "a" and not here.changes:
                continue
            there = Course().go(f"{way} {word}")
            yield _place(here), _place(there), said + _greens(here)
            if (mark := _mark(there)) not in seen:
                seen.add(mark)
                ways.append(f"{way} {word}")


def _greens(course: Course) -> str:
    episode = None if course.state is None else course.state.episode
    if episode is None or not episode.greens or episode.zone != RED:
        return ""
    return " after a green" if episode.greens == 1 else " after greens"


def _place(course: Course) -> str:
    if course.status is None or course.status.last_submission_at is None:
        return "[*]"
    zone, episode = course.told()
    return zone if episode is None else f"{zone}_{episode}"


def _mark(course: Course) -> object:
    """What decides how it goes on, without its times."""
    state = course.state
    if state is None or state.episode is None:
        return _place(course)
    episode = state.episode
    return _place(course), episode.zone, episode.acknowledged, min(episode.greens, 2)


@pytest.mark.parametrize(
    ("words", "zone", "episode"),
    [
        ("g", "green", None),
        ("y", "yellow", "opened"),
        ("r", "red", "opened"),
        ("y r", "red", "worsened"),
        ("y y", "yellow", "opened"),
        # Yellow ends on two greens in a row, or on one a day after it.
        ("y g", "yellow", "leaving"),
        ("y g g", "green", None),
        ("y 6 g 6 g", "green", None),
        ("y 6 g", "yellow", "leaving"),
        ("y 23 g", "yellow", "leaving"),
        ("y 24 g", "green", None),
        ("y g y g", "yellow", "leaving"),
        ("y g x g", "green", None),
        ("y x", "yellow", "opened"),
        # Red never ends without an acknowledgement.
        ("r g", "red", "opened"),
        ("r g g g g", "red", "opened"),
        ("r 48 g", "red", "opened"),
        ("r y", "red", "opened"),
        ("r x", "red", "opened"),
        ("r a", "red", "acknowledged"),
        ("r y a", "red", "acknowledged"),
        ("r g y a", "red", "acknowledged"),
        ("r a g", "yellow", "leaving"),
        ("r a g g", "green", None),
        ("r a y g", "yellow", "leaving"),
        ("r a g y", "yellow", "acknowledged"),
        ("r a r", "red", "acknowledged"),
        ("r a s", "red", "worsened"),
        ("r s a", "red", "acknowledged"),
        ("r a s a", "red", "acknowledged"),
        ("r a s a s", "red", "acknowledged"),
        ("r a s g", "red", "worsened"),
        ("r a r g", "yellow", "leaving"),
        # An acknowledgement that comes after the greens counts from then on.
        ("r g a", "yellow", "leaving"),
        ("r g g a", "green", None),
        # Worse again after leaving red, or after a yellow that was acknowledged, needs a new one.
        ("r a g r", "red", "worsened"),
        ("y a r", "red", "worsened"),
        ("y a r g", "red", "worsened"),
        ("y r o", "red", "worsened"),
        ("y r o g", "red", "worsened"),
        ("y r a g", "yellow", "leaving"),
        # A new episode after the old one.
        ("r a g g r", "red", "opened"),
        ("g y g g y", "yellow", "opened"),
        # While nobody can read what comes the patient is not monitored; what was open before is open after it.
        ("g u", "not_monitored", None),
        ("g u g", "green", None),
        ("g u r", "red", "opened"),
        ("r u", "not_monitored", "opened"),
        ("r u g", "red", "opened"),
        ("r u y", "red", "opened"),
        ("r u x", "red", "opened"),
        ("r a u g", "yellow", "leaving"),
        ("r u g a", "yellow", "leaving"),
        ("y u 6 g", "yellow", "leaving"),
        ("y u g g", "green", None),
        # Taken over in silence, or after what cannot be judged: that is no data, and never green.
        ("r g g 240 a", "no_data", None),
        ("r g g 240 a g", "green", None),
        ("r g 240 a", "yellow", "leaving"),
        ("r g g x a", "no_data", None),
        ("r g g x g a", "green", None),
        ("r a 240 g", "yellow", "leaving"),
        ("y u r", "red", "worsened"),
        ("y a u r", "red", "worsened"),
    ],
)
def test_every_transition(words: str, zone: str, episode: str | None) -> None:
    assert Course().go(words).told() == (zone, episode)


def test_the_table_has_every_step_that_can_be_asked_for() -> None:
    calm = {Came.WORSE_THAN_GREEN, Came.GREEN, Came.GREEN_AGAIN, Came.GREEN_LATER}
    asked = {(zone, taken, came) for zone in (Zone.YELLOW, Zone.RED) for taken in (False, True) for came in calm}
    asked |= {(zone, False, came) for zone in (Zone.YELLOW, Zone.RED) for came in set(Came) - calm}
    assert set(TABLE) == asked


def test_a_step_that_the_table_does_not_have_is_named() -> None:
    with pytest.raises(NoSuchStepError, match=r"^red, acknowledged: acknowledged$"):
        leads_to(Zone.RED, Came.TAKEN_OVER, acknowledged=True)
    with pytest.raises(NoSuchStepError, match=r"^green, not acknowledged: a first green$"):
        leads_to(Zone.GREEN, Came.GREEN, acknowledged=False)


def test_an_acknowledgement_during_a_pause_holds_after_it() -> None:
    course = Course().go("r g")
    begin = course.hours
    pause = Paused(
        event_id=named("pause"), patient=PATIENT, at=at(begin), recorded_at=at(begin), ends_at=at(begin + 20)
    )
    course.take(pause)
    course.hours += 5
    course.acknowledge(course.newest())
    course.hours = begin + 24
    assert course.go("g").told() == ("yellow", "leaving")
    assert course.go("g").told() == ("green", None)


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("y", 0), ("r", 1), ("r g r g r", 1), ("r a r", 1),
        ("r s", 1),  # whoever looks sees both
        ("r a s", 2),  # nobody has taken that over
        ("r a s a s", 2), ("r a g r", 2), ("r a g g r", 2), ("y a r", 1),
    ],
)  # fmt: skip
def test_a_patient_is_paged_once_an_episode_and_again_on_worsening(words: str, pages: int) -> None:
    assert len(Course().go(words).pages) == pages


def test_after_a_pause_an_acknowledgement_alone_is_no_green() -> None:
    for before in ("r g g", "r g g 100"):
        course = Course().go(before)
        begin = course.hours
        pause = Paused(
            event_id=named("pause"), patient=PATIENT, at=at(begin), recorded_at=at(begin), ends_at=at(begin + 500)
        )
        course.take(pause)
        course.hours = begin + 501
        assert course.go("a").told() == ("no_data", None)
        assert course.status is not None
        assert [reason.rule for reason in course.status.reasons] == ["awaiting_registration"]


def test_what_is_missing_is_told_beside_the_zone_that_an_episode_keeps() -> None:
    def told(words: str) -> list[str]:
        status = Course().go(words).status
        assert status is not None
        return [reason.rule for reason in status.reasons]

    assert told("r g 240 a") == ["leaving_red", "overdue"]
    assert told("r g g 240 a") == ["overdue"]
    assert told("r g g x a") == ["quality", "nothing_to_judge"]
    assert told("r x") == ["limit_high", "quality", "nothing_to_judge"]


def test_silence_ends_no_episode() -> None:
    course = Course().go("r a")
    course.take(Tick(at=at(24 * 40)))
    assert course.told() == ("red", "acknowledged")
    assert [reason.rule for reason in course.status.reasons if course.status] == ["limit_high", "overdue"]


def test_on_the_way_out_of_red_the_reasons_are_those_of_the_way_out() -> None:
    course = Course().go("r a g")
    course.take(Tick(at=at(24 * 40)))
    assert course.status is not None
    assert [reason.rule for reason in course.status.reasons] == ["leaving_red", "overdue"]


def test_what_was_red_before_a_pause_is_red_after_it() -> None:
    course = Course().go("r")
    instant = at(course.hours)
    pause = Paused(
        event_id=named("pause"), patient=PATIENT, at=instant, recorded_at=instant, ends_at=instant + timedelta(days=3)
    )
    course.take(pause)
    assert course.told() == ("not_monitored", "opened")
    course.take(Tick(at=instant + timedelta(days=3)))
    assert course.told() == ("red", "opened")
    assert len(course.pages) == 1


def test_an_ended_follow_up_ends_its_episode() -> None:
    course = Course().go("r")
    course.take(moved_on(course.hours, Phase.ENDED))
    assert course.told() == ("not_monitored", None)


def test_an_acknowledgement_of_what_was_taken_back_does_not_count() -> None:
    course = Course().go("r")
    unknown = course.changes[-1].__class__(
        **{
            **{name: getattr(course.changes[-1], name) for name in course.changes[-1].__struct_fields__},
            "zone_change_id": UUID(int=7),
        }
    )
    course.acknowledge(unknown)
    course.hours += HOURS
    assert course.go("g").told() == ("red", "opened")


def baseline_days(course: Course) -> int:
    """Daily values behind the newest baseline of the pulse."""
    assert course.state is not None
    return len(course.state.series[2].days)


def test_nothing_is_learnt_while_an_episode_is_open() -> None:
    learnt = baseline_days(Course().go("g 24 g 24 g"))
    assert learnt == 3
    assert baseline_days(Course().go("g 24 g 24 g r 24 g 24 g")) == learnt


def test_nothing_is_learnt_in_hospital_and_14_days_after() -> None:
    course = Course().go("g 24")
    instant = at(course.hours)
    course.take(Admitted(event_id=named("in"), patient=PATIENT, at=instant, recorded_at=instant, acute=True))
    course.hours += 1
    course.go("g 24 g 24")
    left = at(course.hours)
    course.take(Discharged(event_id=named("out"), patient=PATIENT, at=left, recorded_at=left))
    course.hours += 1
    course.go("g 24 " * 13)
    assert baseline_days(course) == 1
    course.go("24 g 24 g")
    assert baseline_days(course) > 1


def test_nothing_is_learnt_after_a_declared_exacerbation() -> None:
    course = Course().go("g 24 y")
    course.acknowledge(course.changes[-1], reason="exacerbation")
    course.go("24 g 24 g 24 g 24 g")
    assert course.told()[0] == Zone.GREEN
    assert baseline_days(course) == 1


def test_years_of_acknowledgements_fill_no_history() -> None:
    course = Course()
    for _ in range(220):
        course.go("r a g g")
    assert course.told() == ("green", None)
    assert len(course.pages) == 220
    revisions = course.status
    assert revisions is not None
    assert revisions.revision == 2 + 220 * 3  # acknowledgements are not counted, so that they can be forgotten


def test_a_fresh_red_after_one_that_came_too_late_must_be_taken_over_itself() -> None:
    course = Course()
    late = submitted("stale", 24, reading("8867-4", 125, "/min", 24), late=90)
    course.take(late)
    course.hours = 115
    course.go("a")
    assert course.told() == ("red", "acknowledged")
    course.take(submitted("fresh", 118, reading("8867-4", 126, "/min", 118)))
    assert course.told() == ("red", "worsened")
    assert len(course.pages) == 1


def test_a_derived_id_is_the_same_in_every_version() -> None:
    """Consumers drop what they have seen by its id, and acknowledgements name zone changes by it."""
    course = Course().go("r")
    assert str(course.changes[-1].zone_change_id) == "1c24d196-d84e-5833-bb54-6e955d0e3aaf"
    assert str(course.pages[-1].page_id) == "dd384f1b-cb87-54a1-b5fd-dd6660913920"
    assert str(course.changes[-1].assessment_id) == "3a217ba0-7635-50dc-92ab-7ec9036beaba"


def test_a_year_of_daily_alerts_each_taken_over_stays_under_16_kib() -> None:
    course = Course()
    for _ in range(365):
        course.go("r a")
    assert course.state is not None
    assert len(encode(course.state)) < 16_384


def test_a_forgotten_acknowledgement_that_comes_again_changes_nothing() -> None:
    course = Course().go("r")
    first = course.changes[-1]
    hours = course.hours
    course.acknowledge(first)
    course.hours += HOURS
    course.go("g g " + "r a g g " * 120)
    before = course.state
    course.hours = hours
    course.acknowledge(first)
    assert course.state == before
