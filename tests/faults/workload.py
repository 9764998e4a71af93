"""What is fed, and what must come of it: the same events through the fold alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from agents import wallclock
from agents.partitioner import partition_for
from agents.recordings.events import Event
from pipeline import cohort
from pipeline.triage import RULES, Refused, State, step
from schemas.assessments import Assessment, ZoneChange
from schemas.care import Acknowledged
from schemas.codec import encode
from schemas.paging import Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Answer, Submission
from schemas.topics import ASSESSMENTS, CARE, PAGES, RECEIPTS, SUBMISSIONS, TICKS, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAYS: Final = 130  # longer than the history that a state keeps
A_DAY: Final = 0.29  # about so many registrations of a patient [1/d]
POISON: Final = (
    b"",
    b"{not json",
    b'{"type":"submission","readings":"all"}',
    b'{"schema_version":99,"type":"submission"}',
    b"\xff\xfe\x00",
)
READ: Final = (SUBMISSIONS.name, CARE.name, TICKS.name, RECEIPTS.name, ASSESSMENTS.name, ZONE_CHANGES.name, PAGES.name)
BIG: Final = "sim-big"
LONG_TEXT: Final = "x" * 900
ROOMY_RULES: Final = msgspec.structs.replace(RULES, open_pages=10_000)  # nobody gets any page before the end


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Events in the order in which they are fed, and what the fold alone makes of them.

    Attributes
    ----------
    care, submissions
        The first are all worked off before the second begin, so the order in which triage sees them is one.
    ends
        The tick that comes last.
    messages
        Everything that triage must say, by topic: each message once, whatever is repeated.
    newest
        Assessment id -> its newest revision.
    standing
        Zone changes that are not retracted in the end.
    pages
        Page id -> its first request: of every step of the ladder that is asked by `ends`, and of what is told where a
        red was taken over or is over.
    lasting
        Pages that somebody must get, whatever comes later: nobody took them over, and no newer one took their place.
    states
        Patient -> state when every page is delivered.
    refused
        Submissions that belong to the dead letters.
    """

    care: list[Event]
    submissions: list[Event]
    ends: Tick
    messages: dict[str, set[bytes]] = field(default_factory=dict)
    newest: dict[UUID, Assessment] = field(default_factory=dict)
    standing: dict[UUID, ZoneChange] = field(default_factory=dict)
    pages: dict[UUID, PageRequest] = field(default_factory=dict)
    lasting: set[UUID] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)
    refused: set[UUID] = field(default_factory=set)

    @property
    def services(self) -> set[str]:
        """Whom pages go to."""
        return {page.service for page in self.pages.values()}


def workload(seed: int, sessions: int, days: int = DAYS) -> Workload:
    """About so many `sessions` of simulated patients over so many `days`, numbered by `seed`."""
    patients = max(2, round(sessions / days / A_DAY))
    simulated = cohort.simulate(seed, START - timedelta(days=days - DAYS), days, patients)
    events = [Event(*event) for event in simulated.events]
    care = [event for event in events if event.topic is CARE and not _unanswered(event)]
    submissions = [event for event in events if event.topic is not CARE]
    submissions.insert(len(submissions) // 2, _too_much(seed))
    made = Workload(care=care, submissions=submissions, ends=Tick(at=wallclock.now().replace(microsecond=0)))
    _work(made, [event.message for event in (*care, *submissions)])
    return made


def partition(event: Event, partitions: int) -> int:
    """Where an event is fed."""
    return partition_for(event.message.patient.encode(), partitions)


def _unanswered(event: Event) -> bool:
    """Of every third patient nobody takes anything over: what is red stays so, and climbs."""
    return isinstance(event.message, Acknowledged) and event.message.patient[-1] in "147"


def _too_much(seed: int) -> Event:
    """A session that a message may hold and a state may not."""
    at = START + timedelta(days=DAYS // 2)
    answers = tuple(
        Answer(questionnaire="copd-daily", questionnaire_version=1, link_id=f"q{number}", value=LONG_TEXT)
        for number in range(500)
    )
    identity = uuid5(NAMESPACE_OID, f"{seed}-big")
    return Event(at, SUBMISSIONS, Submission(submission_id=identity, patient=BIG, received_at=at, answers=answers))


def _work(made: Workload, messages: Iterable[object]) -> None:
    states: dict[str, State | None] = {}
    for message in messages:
        patient: str = message.patient  # type: ignore[attr-defined] # every event has one
        states[patient], outputs = step(states.get(patient), message, ROOMY_RULES)  # type: ignore[arg-type] # of the cohort
        _take(made, outputs)
        if isinstance(message, Submission) and outputs and isinstance(outputs[0], Refused):
            made.refused.add(message.submission_id)
    for patient, state in states.items():
        after, outputs = step(state, made.ends, ROOMY_RULES)
        _take(made, outputs)
        made.lasting.update(UUID(bytes=page_id) for page_id in (after.open_pages if after is not None else ()))
        for page in [page for page in made.pages.values() if page.patient == patient]:
            receipt = Receipt(
                receipt_id=page.page_id,
                page_id=page.page_id,
                patient=patient,
                ask=1,
                at=made.ends.at,
                outcome=Outcome.DELIVERED,
                attempts=1,
            )
            after, _ = step(after, receipt, RULES)
        if after is not None:
            made.states[patient] = after


def _take(made: Workload, outputs: Iterable[object]) -> None:
    for output in outputs:
        match output:
            case Assessment():
                known = made.newest.get(output.assessment_id)
                if known is None or known.revision <= output.revision:
                    made.newest[output.assessment_id] = output
                made.messages.setdefault(ASSESSMENTS.name, set()).add(encode(output))
            case ZoneChange():
                made.standing.pop(output.zone_change_id, None)
                if not output.retracted:
                    made.standing[output.zone_change_id] = output
                made.messages.setdefault(ZONE_CHANGES.name, set()).add(encode(output))
            case PageRequest():
                made.pages.setdefault(output.page_id, msgspec.structs.replace(output, ask=1))
