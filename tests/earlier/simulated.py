"""Simulated patients of whom something is kept for ever, and one message of every kind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from pipeline import cohort
from pipeline.triage import State, standing, step, unreadable
from pipeline.triage.content import unpack
from pipeline.triage.instants import from_ms
from pipeline.triage.state import ID_BYTES
from pipeline.triage.vitals import name_of_series
from pipeline.triage.zones import BY_SEVERITY
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import (
    Acknowledged,
    Admitted,
    ContactKind,
    ContactMade,
    Discharged,
    EmergencyContact,
    EquipmentHandedOut,
    EquipmentReturned,
    JointConsultation,
    Paused,
)
from schemas.dead_letters import DeadLetterAct, DeadLetterAction
from schemas.paging import FailureReason, Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Answer, Context, Correction, CorrectionAction, EntryMode, OnBehalf, Reading
from schemas.types import Phase
from tests.histories import (
    EVERY_SIGNAL,
    PATIENT,
    SPO2_LIMITS,
    START,
    at,
    enrolled,
    moved_on,
    named,
    reading,
    signed,
    spo2,
    submitted,
    transferred,
)

if TYPE_CHECKING:
    from pipeline.triage.state import Content

DAYS: Final = 24  # hours in one
BREATH: Final = Answer(questionnaire="copd-daily", questionnaire_version=1, link_id="breath", value=0)


class Walk:
    """A patient's events through the fold, and everything that came of them."""

    def __init__(self, *events: Any) -> None:  # noqa: ANN401 - any messages
        self.state: State | None = None
        self.told: list[Any] = []
        for event in events:
            self.take(event)

    def take(self, event: Any) -> None:  # noqa: ANN401 - any message
        """One more event."""
        self.state, told = step(self.state, event)
        self.told += told

    def newest(self, kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind
        """The newest of what was told."""
        return [one for one in self.told if isinstance(one, kind)][-1]


def begun(**more: Any) -> list[Any]:  # noqa: ANN401 - fields of a plan
    """Enrolled, with a plan."""
    return [enrolled(), signed(0, SPO2_LIMITS, **more)]


def daily(days: int, *values: float, start: int = 0) -> list[Any]:
    """A session a day, each with the next of these saturations."""
    return [
        submitted(f"day-{day}", day * DAYS + 8, spo2(values[day % len(values)], day * DAYS + 8))
        for day in range(start, start + days)
    ]


def corrected(name: str, hours: float, *readings: Reading) -> Correction:
    """Of the session of that name: replaced, or entered in error where there are no readings."""
    return Correction(
        correction_id=named(f"correction-{name}-{hours}"),
        submission_id=named(name),
        patient=PATIENT,
        recorded_at=at(hours),
        action=CorrectionAction.REPLACED if readings else CorrectionAction.ENTERED_IN_ERROR,
        readings=readings,
    )


def of_care(event: Any, hours: float, **fields: Any) -> Any:  # noqa: ANN401 - any kind of care event, and its fields
    """A care event."""
    ident = named(f"{event.__name__}-{hours}")
    return event(event_id=ident, patient=PATIENT, at=at(hours), recorded_at=at(hours + 1), **fields)


def receipt(
    request: PageRequest, outcome: Outcome, reason: FailureReason | None = None, told: str | None = None
) -> Receipt:
    """What became of a page, and whom it reached."""
    return Receipt(
        receipt_id=named(f"receipt-{request.page_id}-{outcome.value}"),
        page_id=request.page_id,
        patient=request.patient,
        ask=request.ask,
        outcome=outcome,
        at=request.at + timedelta(seconds=3),
        attempts=4,
        reason=reason,
        told=told,
    )


def red() -> Walk:
    """In a red that nobody was reached for."""
    return Walk(*begun(), *daily(12, 95, 94), submitted("red", 300, spo2(82, 300)))


def half_way_up() -> Walk:
    """A red that nobody has answered for a while, and of which another service is told by now."""
    walk = red()
    for event in (Tick(at=at(300.3)), transferred(300.4), Tick(at=at(300.5))):
        walk.take(event)
    return walk


def on_behalf() -> Walk:
    """What staff entered by telephone."""
    session = msgspec.structs.replace(submitted("phone", 30, spo2(95, 30)), on_behalf=OnBehalf.PHONE)
    return Walk(*begun(), session, corrected("phone", 31, spo2(94, 30)))


def every_signal() -> Walk:
    """With everything that a plan can prescribe, and sessions of every vital for forty days."""
    random = Random(5)  # noqa: S311 - a simulation
    walk = Walk(*begun(**EVERY_SIGNAL))
    for day in range(40):
        hours = day * DAYS + 8
        readings = (
            spo2(random.choice([94, 95, 96]), hours),
            reading("8867-4", random.choice([70, 72, 75]), "/min", hours),
            reading("8310-5", random.choice([36.6, 36.8, 37.0]), "Cel", hours),
            reading("29463-7", 80_000 + 10 * random.randrange(20), "g", hours, "scale-1"),
            reading("99999-9", 1, "x", hours),
        )
        walk.take(submitted(f"day-{day}", hours, *readings, answers=(BREATH,)))
    return walk


def rare_fields() -> Walk:
    """With what few readings tell."""
    oxygen = Reading(
        code="2708-6",
        value=91,
        unit="%",
        measured_at=at(30),
        entry_mode=EntryMode.MANUAL,
        attempt=2,
        context=Context(oxygen_l_min=2, at_rest=True),
    )
    return Walk(*begun(), *daily(1, 95), submitted("oxygen", 30, oxygen))


def corrections() -> Walk:
    """A session replaced twice, one entered in error, and a correction of one that never came."""
    return Walk(
        *begun(),
        *daily(6, 95),
        corrected("day-1", 40, spo2(93, 31)),
        corrected("day-1", 41, spo2(94, 30)),
        corrected("day-2", 60),
        corrected("never-came", 70, spo2(96, 69)),
    )


def failed_page() -> Walk:
    """A red whose page was not delivered."""
    walk = red()
    walk.take(receipt(walk.newest(PageRequest), Outcome.FAILED, FailureReason.TIMEOUT))
    return walk


def taken_over() -> Walk:
    """A red that was delivered and acknowledged, on the way out of it."""
    walk = red()
    walk.take(receipt(walk.newest(PageRequest), Outcome.DELIVERED))
    change = walk.newest(ZoneChange).zone_change_id
    walk.take(of_care(Acknowledged, 302, zone_change_id=change, by="nurse-1", reason_code="exacerbation"))
    walk.take(submitted("better", 330, spo2(93, 330)))
    return walk


def worse_again() -> Walk:
    """A red that reached a nurse who took it over, and a worsening that reached another, who has not."""
    walk = red()
    for number, who in enumerate(("nurse-1", "nurse-2")):
        walk.take(receipt(walk.newest(PageRequest), Outcome.DELIVERED, told=who))
        if not number:
            change = walk.newest(ZoneChange).zone_change_id
            walk.take(of_care(Acknowledged, 302, zone_change_id=change, by="nurse-1", reason_code="called"))
            walk.take(submitted("better", 330, spo2(95, 330)))
            walk.take(submitted("worse", 340, spo2(81, 340)))
    return walk


def back_by_a_correction() -> Walk:
    """A red that was taken back as entered in error, and is red after all."""
    walk = red()
    for event in (corrected("red", 301), corrected("red", 302, spo2(82, 300))):
        walk.take(event)
    return walk


def through_the_service() -> Walk:
    """Moved, transferred, in hospital, paused, and back."""
    return Walk(
        *begun(),
        *daily(4, 95),
        moved_on(100, Phase.FOLLOW_UP),
        transferred(110),
        of_care(Admitted, 120, acute=True),
        of_care(Discharged, 168),
        of_care(Paused, 170, ends_at=at(260)),
        *daily(4, 95, start=12),
    )


def forgotten() -> Walk:
    """Half a year of one simulated patient: the oldest is forgotten, and the base stands where it was."""
    events = cohort.simulate(11, START, 200, 12).events
    busiest, _ = Counter(event.message.patient for event in events).most_common(1)[0]
    return Walk(*(event.message for event in events if event.message.patient == busiest))


def not_understood() -> Walk:
    """Shown as not monitored, as messages of the patient could not be read."""
    walk = Walk(*begun(), *daily(5, 95))
    assert walk.state is not None
    walk.state, told = unreadable(walk.state, at(110))
    walk.told += told
    return walk


def overdue() -> Walk:
    """Who sent nothing in time."""
    return Walk(*begun(), *daily(1, 95), Tick(at=at(60)))


WALKS: Final = {
    "only-enrolled": lambda: Walk(enrolled()),
    "plain": lambda: Walk(*begun(), *daily(20, 95, 94, 96)),
    "every-signal": every_signal,
    "rare-fields": rare_fields,
    "corrections-and-one-that-waits": corrections,
    "red-with-an-open-page": red,
    "red-with-a-failed-page": failed_page,
    "red-taken-over": taken_over,
    "red-half-way-up-the-ladder": half_way_up,
    "red-worse-again": worse_again,
    "red-back-by-a-correction": back_by_a_correction,
    "entered-on-behalf": on_behalf,
    "through-the-service": through_the_service,
    "forgotten-base": forgotten,
    "messages-not-understood": not_understood,
    "overdue": overdue,
}


def state_of(walk: Walk) -> State:
    """Where it ended."""
    assert walk.state is not None
    return walk.state


def next_session(state: State, value: float) -> Any:  # noqa: ANN401 - a submission
    """A saturation that comes a day after all that is known, in bytes that mean the same for ever."""
    when = from_ms(max(state.clock_ms, state.decided_ms, state.last_ms)) + timedelta(days=1)
    measured = Reading(code="2708-6", value=value, unit="%", measured_at=when, device="oximeter-1")
    session = submitted(f"next-{value}", 0, measured)
    return msgspec.structs.replace(session, patient=state.patient, received_at=when)


def act(action: DeadLetterAction, why: str | None = None) -> DeadLetterAct:
    """What an operator did about the dead letter of a submission."""
    return DeadLetterAct(
        at=START, topic="submissions", partition=3, offset=1042, action=action, by="operator-1", why=why
    )


def messages() -> dict[str, dict[str, Any]]:
    """Topic -> name -> a message, of every kind there is."""
    far, signals, replaced, leaving = red(), every_signal(), corrections(), taken_over()
    request = far.newest(PageRequest)
    known = worse_again()
    known.take(corrected("worse", 341))
    retraction = Walk(
        *begun(), *daily(1, 95), submitted("wrong", 30, spo2(82, 30)), corrected("wrong", 31, spo2(95, 30))
    )
    change = far.newest(ZoneChange).zone_change_id
    care = {
        "enrolled": enrolled(),
        "phase_changed": moved_on(100, Phase.FOLLOW_UP),
        "transferred": transferred(110),
        "plan_signed": signed(0, SPO2_LIMITS, **EVERY_SIGNAL),
        "paused": of_care(Paused, 170, ends_at=at(260)),
        "equipment_handed_out": of_care(EquipmentHandedOut, 1, device="oximeter-1", kind="oximeter"),
        "equipment_returned": of_care(EquipmentReturned, 900, device="oximeter-1"),
        "admitted": of_care(Admitted, 120, acute=True),
        "discharged": of_care(Discharged, 168),
        "emergency_contact": of_care(EmergencyContact, 119, kind="emergency-room"),
        "joint_consultation": of_care(JointConsultation, 130, services=("joint-centre", "hospital")),
        "contact_made": of_care(ContactMade, 301, kind=ContactKind.CALL, reached=True, by="nurse-1"),
        "acknowledged": of_care(
            Acknowledged, 302, zone_change_id=change, by="nurse-1", reason_code="called", note="is better"
        ),
    }
    return {
        "submissions": {
            "submission": next_session(state_of(signals), 95),
            "with-answers": submitted("answers", 8, spo2(95, 8), answers=(BREATH,)),
            "correction-replaced": corrected("day-1", 40, spo2(93, 31)),
            "correction-entered-in-error": corrected("day-2", 60),
        },
        "care": care,
        "ticks": {"tick": Tick(at=START)},
        "receipts": {
            "delivered": receipt(request, Outcome.DELIVERED),
            "failed": receipt(request, Outcome.FAILED, FailureReason.TIMEOUT),
            "told": receipt(request, Outcome.DELIVERED, told="nurse-1"),
        },
        "pages": {
            "red": request,
            "second-step": next(page for page in half_way_up().told if isinstance(page, PageRequest) and page.step),
            "acknowledge": leaving.newest(PageRequest),
            "acknowledge-whom-it-reached": known.newest(PageRequest),
        },
        "assessments": {
            "red": far.newest(Assessment),
            "every-signal": signals.newest(Assessment),
            "corrected": replaced.newest(Assessment),
            "leaving": leaving.newest(Assessment),
            "on-behalf": on_behalf().newest(Assessment),
        },
        "zone-changes": {
            "to-red": far.newest(ZoneChange),
            "retracted": next(one for one in retraction.told if isinstance(one, ZoneChange) and one.retracted),
        },
        "patient-status": {
            "red": far.newest(PatientStatus),
            "every-signal": signals.newest(PatientStatus),
            "not-monitored": not_understood().newest(PatientStatus),
            "half-way-up": half_way_up().newest(PatientStatus),
        },
        "dead-letter-acts": {
            "retried": act(DeadLetterAction.RETRIED),
            "discarded": act(DeadLetterAction.DISCARDED, why="Sent by a test of the vendor."),
        },
    }


def meaning(state: State) -> dict[str, Any]:
    """What a state says, in facts that no later rule may change."""
    return {
        "patient": state.patient,
        "zone": BY_SEVERITY[state.marks[-1].zone if state.marks else state.base.zone].value,
        "care_events": standing.count(state.care),
        "sessions": [str(UUID(bytes=session.id)) for session in state.sessions],
        "sent_readings": [_sent(unpack(session.content)) for session in state.sessions],
        "corrections": [session.corrected for session in state.sessions],
        "forgotten": len(state.forgotten) // ID_BYTES,
        "daily_values": {name_of_series(index): len(series.values) for index, series in sorted(state.series.items())},
        "open_pages": [str(UUID(bytes=page_id)) for page_id in state.open_pages],
        "asked_again": [page.again_ms is not None for page in state.open_pages.values()],
        "waiting_corrections": [str(UUID(bytes=session_id)) for session_id in state.pending],
        "in_episode": state.episode is not None,
        "climbs": state.climb is not None and state.climb.next_ms is not None,
        "told": [] if state.climb is None else [duty.contact for duty in (*state.climb.before, *state.climb.asked)],
        "incidents": [] if state.climb is None else [str(UUID(bytes=one)) for one in state.climb.incidents],
        "taken_back": sorted(state.taken_back.values()),
    }


def _sent(content: Content) -> int:
    return len(content.sent.rows) if content.sent else 0


def judged(state: State) -> str:
    """The zone of a very low saturation that comes next."""
    _, told = step(state, next_session(state, 80))
    return next(one.zone.value for one in told if isinstance(one, Assessment))
