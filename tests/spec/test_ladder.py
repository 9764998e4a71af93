"""A red that nobody has acknowledged, minute by minute: who is asked, in order, and what stops it.

Words: r, y, g a red, yellow or green registration of the pulse, s one that is red by the oxygen saturation; a an
acknowledgement of the newest worsening, o one of an older zone change; d the newest page was delivered, f it failed, b
it failed because others are told first; c the newest registration is taken back by a correction, u it is given again by
the next; t the hospital becomes responsible, p a pause of two days begins, e the follow-up ends. A number: the clock
ticks at that minute after the first registration. Everything is stored and read again after each word.

Without configuration the ladder is: the nurse at once, the next nurse after 5 minutes, the lead after 15, the lead by
phone after 30 and every 15 minutes from then on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from msgspec.structs import replace

from pipeline.triage import State, step
from pipeline.triage.state import decode, encode
from schemas.assessments import PatientStatus, ZoneChange
from schemas.care import Acknowledged, Cadence, Limit, Paused
from schemas.paging import FailureReason, Outcome, PageAction, PageRequest, Receipt, Tick
from schemas.services import EscalationStep, Ladder, Roster, Service, Shift
from schemas.submissions import Correction, CorrectionAction, Submission
from schemas.types import Phase, Weekday
from tests.histories import PATIENT, at, enrolled, moved_on, named, read, reading, signed, submitted, transferred

if TYPE_CHECKING:
    from uuid import UUID

PULSE: Final = Limit(code="8867-4", unit="/min", yellow_high=100, red_high=120)
SATURATION: Final = Limit(code="2708-6", unit="%", red_low=85)
VALUES: Final = {"g": ("8867-4", 70.0, "/min"), "y": ("8867-4", 105.0, "/min"), "r": ("8867-4", 125.0, "/min")}
VALUES["s"] = ("2708-6", 80.0, "%")
FAILURES: Final = {"f": FailureReason.TIMEOUT, "b": FailureReason.BUSY}
HOUR: Final = 10
HOSPITAL: Final = Service(
    name="The hospital",
    ladder=Ladder(
        red=(EscalationStep(after_minutes=0, to="ward"), EscalationStep(after_minutes=2, to="doctor", by="call"))
    ),
)
SERVICES: Final = {"hospital": HOSPITAL}


class Climbing:
    """A patient's way through `words`."""

    def __init__(self, services: dict[str, Service] = SERVICES, *, pathway: str = "copd") -> None:
        self.services = services
        self.state: State | None = None
        self.minute = 0
        self.after_ms = 0  # so that what happens in one minute has an order
        self.number = 0
        self.changes: list[ZoneChange] = []
        self.pages: list[PageRequest] = []
        self.receipts = 0
        self.status: PatientStatus | None = None
        self.sessions: list[Submission] = []
        plan = signed(0, PULSE, SATURATION, cadence=Cadence(grace_minutes=10_080))
        for event in (replace(enrolled(), pathway=pathway), plan):
            self.take(event)

    @property
    def hours(self) -> float:
        return HOUR + self.minute / 60 + self.after_ms / 3_600_000

    @property
    def newest(self) -> UUID:
        """The zone change that an acknowledgement must name."""
        assert self.status is not None
        assert self.status.episode is not None
        return self.status.episode.zone_change_id

    def take(self, event: Any) -> None:  # noqa: ANN401 - any message that the fold takes
        message = event if isinstance(event, Tick | Receipt) else read(event)
        self.state, outputs = step(self.state, message, services=self.services)
        if self.state is not None:
            self.state = decode(encode(self.state))
        for output in outputs:
            match output:
                case ZoneChange():
                    self.changes.append(output)
                case PageRequest():
                    self.pages.append(output)
                case PatientStatus():
                    self.status = output

    def go(self, words: str) -> Climbing:
        for word in words.split():
            self.number += 1
            if word.isdigit():
                self.minute, self.after_ms = int(word), 0
                self.take(Tick(at=at(self.hours)))
            else:
                self._do(word)
                self.after_ms += 1
        return self

    def _do(self, word: str) -> None:
        fields = {"patient": PATIENT, "at": at(self.hours), "recorded_at": at(self.hours)}
        match word:
            case "r" | "y" | "g" | "s":
                self.sessions.append(submitted(f"s-{self.number}", self.hours, reading(*VALUES[word], self.hours)))
                self.take(self.sessions[-1])
            case "a":
                self.acknowledge(self.newest)
            case "o":
                self.acknowledge(self.changes[0].zone_change_id)
            case "d" | "f" | "b":
                self.receipt(self.pages[-1], FAILURES.get(word))
            case "c" | "u":
                back = word == "u"
                self.take(
                    Correction(
                        correction_id=named(f"c-{self.number}"),
                        submission_id=self.sessions[-1].submission_id,
                        patient=PATIENT,
                        recorded_at=at(self.hours),
                        action=CorrectionAction.REPLACED if back else CorrectionAction.ENTERED_IN_ERROR,
                        readings=self.sessions[-1].readings if back else (),
                    )
                )
            case "t":
                self.take(transferred(self.hours))
            case "p":
                self.take(Paused(event_id=named("p"), ends_at=at(self.hours + 48), **fields))
            case "e":
                self.take(moved_on(self.hours, Phase.ENDED))

    def acknowledge(self, change: UUID, hours: float | None = None) -> None:
        instant = at(self.hours if hours is None else hours)
        self.take(
            Acknowledged(
                event_id=named(f"ack-{self.number}"),
                patient=PATIENT,
                at=instant,
                recorded_at=instant,
                zone_change_id=change,
                by="nurse-1",
                reason_code="called",
            )
        )

    def receipt(self, page: PageRequest, reason: FailureReason | None = None, told: str | None = None) -> None:
        self.receipts += 1
        self.take(
            Receipt(
                receipt_id=named(f"receipt-{self.receipts}"),
                page_id=page.page_id,
                patient=PATIENT,
                ask=page.ask,
                outcome=Outcome.FAILED if reason else Outcome.DELIVERED,
                at=at(self.hours),
                attempts=1,
                reason=reason,
                told=told,
            )
        )

    def asked(self) -> list[str]:
        """Who was asked to look, each ask once."""
        return [said(page) for page in self.pages if page.action is PageAction.TRIGGER and page.ask == 1]

    def respond_by(self) -> float | None:
        """By when somebody must look [min after the first registration]."""
        assert self.status is not None
        by = self.status.respond_by_at
        return None if by is None else round((by - at(HOUR)) / timedelta(minutes=1), 2)


def said(page: PageRequest) -> str:
    by = f" by {page.by}" if page.by else ""
    return f"{page.to}{by}" + ("" if page.service == "joint-centre" else f" of the {page.service}")


@pytest.mark.parametrize(
    ("words", "asked", "next_minute"),
    [
        # Each step at its minute, and not a minute before.
        ("r", ["nurse"], 5),
        ("r 4", ["nurse"], 5),
        ("r 5", ["nurse", "next-nurse"], 15),
        ("r 6", ["nurse", "next-nurse"], 15),
        ("r 5 14", ["nurse", "next-nurse"], 15),
        ("r 5 15", ["nurse", "next-nurse", "lead"], 30),
        ("r 5 15 29", ["nurse", "next-nurse", "lead"], 30),
        ("r 5 15 30", ["nurse", "next-nurse", "lead", "lead by phone"], 45),
        # The last one is asked again for as long as nobody answers.
        ("r 5 15 30 44", ["nurse", "next-nurse", "lead", "lead by phone"], 45),
        ("r 5 15 30 45", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone"], 60),
        ("r 5 15 30 45 60", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone", "lead by phone"], 75),
        # A late tick asks all that is due, counts from when it was due, and of what is repeated asks the newest.
        ("r 16", ["nurse", "next-nurse", "lead"], 30),
        ("r 33 45", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone"], 60),
        ("r 1000", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone"], 1005),
        # Delivered is not acknowledged.
        ("r d 5 d 15", ["nurse", "next-nurse", "lead"], 30),
        # An acknowledgement of the newest worsening stops it at once.
        ("r 4 a 5 15 1000", ["nurse"], None),
        ("r d 5 d a 15 30", ["nurse", "next-nurse"], None),
        ("r 5 15 30 45 a 60", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone"], None),
        ("y r o 6", ["nurse", "next-nurse"], 15),
        # What did not come through is silence at once, and once for each step; what waits for others is not.
        ("r f", ["nurse", "next-nurse"], 15),
        ("r f f", ["nurse", "next-nurse", "lead"], 30),
        ("r f f f", ["nurse", "next-nurse", "lead", "lead by phone"], 15),
        ("r f f f f 14", ["nurse", "next-nurse", "lead", "lead by phone"], 15),
        ("r f f f f 16", ["nurse", "next-nurse", "lead", "lead by phone", "lead by phone"], 30),
        ("r f 5 14", ["nurse", "next-nurse"], 15),
        ("r f 15", ["nurse", "next-nurse", "lead"], 30),
        ("r b 4", ["nurse"], 5),
        ("r b 5", ["nurse", "next-nurse"], 15),
        # Red again, or calmer, is no worsening; a new red after the way out of one is, and begins anew.
        ("r 3 r 5", ["nurse", "next-nurse"], 15),
        ("r 3 g 5", ["nurse", "next-nurse"], 15),
        ("r 3 y 5", ["nurse", "next-nurse"], 15),
        ("r 5 a g 20 r", ["nurse", "next-nurse", "nurse"], 25),
        ("r 5 a g 20 r 25", ["nurse", "next-nurse", "nurse", "next-nurse"], 35),
        ("y 3 r 8", ["nurse", "next-nurse"], 18),
        # Red by another vital sign is no worsening while somebody is asked to look, and is one once somebody has it.
        ("r 3 s 5", ["nurse", "next-nurse"], 15),
        ("r d 3 s 15", ["nurse", "next-nurse", "lead"], 30),
        ("r 3 s 4 a 5 15", ["nurse"], None),
        ("r 3 a 4 s", ["nurse", "nurse"], 9),
        ("r 3 a 4 s 9", ["nurse", "nurse", "next-nurse"], 19),
        ("r 3 a 4 s r a 9", ["nurse", "nurse"], None),
        ("s 3 a r", ["nurse", "nurse"], 8),
        # A red that was taken back and comes back begins anew, as often as it does.
        ("r 3 c 5 u", ["nurse", "nurse"], 10),
        ("r 3 c 5 u 10", ["nurse", "nurse", "next-nurse"], 20),
        ("r c u", ["nurse", "nurse"], 5),
        ("r c u c u c 100", ["nurse", "nurse", "nurse"], None),
        ("r 5 a 6 c u 100", ["nurse", "next-nurse", "nurse"], None),  # whoever had it has it still
        # Taken back, ended: nobody is asked any more. A pause stops nothing.
        ("r 4 c 5 15", ["nurse"], None),
        ("r 4 e 5 15", ["nurse"], None),
        ("r 4 p 5 15", ["nurse", "next-nurse", "lead"], 30),
        ("r 4 p a 5 15", ["nurse"], None),
        # Another service that is responsible is told from its first step on, by its own ladder.
        ("r 3 t", ["nurse", "ward of the hospital"], 5),
        ("r 3 t 4", ["nurse", "ward of the hospital"], 5),
        ("r 3 t 5", ["nurse", "ward of the hospital", "doctor by call of the hospital"], 20),
        ("r 5 6 t 8 a 23", ["nurse", "next-nurse", "ward of the hospital", "doctor by call of the hospital"], None),
        ("r a t 100", ["nurse"], None),
    ],
)
def test_who_is_asked_to_look_at_a_red(words: str, asked: list[str], next_minute: float | None) -> None:
    course = Climbing().go(words)
    assert course.asked() == asked
    assert course.respond_by() == next_minute


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("r", []),
        ("r a", ["acknowledge nurse"]),
        ("r 5 a", ["acknowledge nurse", "acknowledge next-nurse"]),
        ("r 30 a", ["acknowledge nurse", "acknowledge next-nurse", "acknowledge lead", "acknowledge lead by phone"]),
        ("r a g g", ["acknowledge nurse", "resolve nurse"]),
        ("r g a", ["acknowledge nurse"]),
        ("r g g a", ["resolve nurse"]),
        ("r c", ["resolve nurse"]),
        ("r c u c", ["resolve nurse", "resolve nurse"]),
        ("r c u a g g", ["resolve nurse", "acknowledge nurse", "resolve nurse"]),
        # Who did not hear in time that it was over before it was red again hears of the end of that.
        (
            "r 5 c u a g g",
            ["resolve nurse", "resolve next-nurse", "acknowledge nurse", "resolve nurse", "resolve next-nurse"],
        ),
        ("r 5 c d u a g g", ["resolve nurse", "resolve next-nurse", "acknowledge nurse", "resolve nurse"]),
        ("r a c u", ["acknowledge nurse", "resolve nurse", "acknowledge nurse"]),
        ("r s a", ["acknowledge nurse"]),
        ("r a s a g g", ["acknowledge nurse", "acknowledge nurse", "resolve nurse"]),
        ("r 5 e", ["resolve nurse", "resolve next-nurse"]),
        ("r t a", ["acknowledge nurse", "acknowledge ward of the hospital"]),
        # Who was asked about the worsening hears who has it; who was asked of the episode hears that it is over.
        (
            "r 5 a g 20 r a g g",
            ["acknowledge nurse", "acknowledge next-nurse", "acknowledge nurse", "resolve nurse", "resolve next-nurse"],
        ),
        # Nobody was asked: nobody is told.
        ("y a", []),
        ("y g g", []),
    ],
)
def test_who_is_told_that_somebody_has_it_or_that_it_is_over(words: str, told: list[str]) -> None:
    pages = Climbing().go(words).pages
    assert [f"{page.action.value} {said(page)}" for page in pages if page.action is not PageAction.TRIGGER] == told


@pytest.mark.parametrize(
    ("words", "step_asked", "respond_by"),
    [
        ("g", None, None),
        ("r", 0, 5),
        ("r 5", 1, 15),
        ("r 50", 3, 60),
        ("r 5 a", None, None),
        ("y", None, 240),
        ("y 100 y", None, 240),
        ("y a", None, None),
        ("y 10 r", 0, 15),
        ("r a g", None, None),
    ],
)
def test_what_a_status_says_of_it(words: str, step_asked: int | None, respond_by: float | None) -> None:
    course = Climbing().go(words)
    assert course.status is not None
    assert course.status.step == step_asked
    assert course.respond_by() == respond_by


@pytest.mark.parametrize(
    ("shifts", "overdue", "respond_by"),
    [
        # Without a roster at 8 the next morning, by the service's clock (Oslo; summer time from 29 March on).
        ([], "2026-03-27 20:00", "2026-03-28 07:00"),
        ([], "2026-03-28 20:00", "2026-03-29 06:00"),
        ([], "2026-03-29 05:59", "2026-03-29 06:00"),
        ([], "2026-03-29 06:00", "2026-03-30 06:00"),
        # By the roster: the next shift that starts, and never the one that has begun.
        (["07:00-15:00", "15:00-23:00"], "2026-03-27 06:00", "2026-03-27 14:00"),
        (["07:00-15:00", "15:00-23:00"], "2026-03-27 05:59", "2026-03-27 06:00"),
        (["07:00-15:00", "15:00-23:00"], "2026-03-28 14:00", "2026-03-29 05:00"),
    ],
)
def test_who_has_sent_nothing_is_looked_at_in_the_next_shift(shifts: list[str], overdue: str, respond_by: str) -> None:
    duties = tuple(
        Shift(days=tuple(Weekday), starts=times[:5], ends=times[6:], duty={"nurse": "nurse-1"}) for times in shifts
    )
    service = Service(name="The joint centre", roster=Roster(shifts=duties) if duties else None)
    due = datetime.strptime(overdue, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    course = Climbing({"joint-centre": service})
    times = (f"{due:%H:%M}",)
    cadence = Cadence(times=times, grace_minutes=0)
    for event in (enrolled(zone="UTC"), signed(0, PULSE, version=2, cadence=cadence)):
        course.take(replace(event, event_id=named(f"again-{event.event_id}")))
    day = (due - at(0)).days - 1
    course.take(submitted("before", 24 * day, reading("8867-4", 70, "/min", 24 * day)))
    course.take(Tick(at=due))
    assert course.status is not None
    assert (course.status.zone.value, course.status.since_at) == ("no_data", due)
    assert course.status.respond_by_at == datetime.strptime(respond_by, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def test_who_has_nothing_to_send_yet_is_not_waited_for() -> None:
    course = Climbing()
    assert course.status is not None
    assert (course.status.zone.value, course.status.respond_by_at) == ("no_data", None)
