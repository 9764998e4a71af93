"""A simulated year of a service as points: what patients send, what befalls them, and what staff do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.storing.care_points import of_care_event
from agents.storing.sink import STORED
from pipeline.cohort.befalling import befalls, taken_over
from pipeline.cohort.enrolment import care
from pipeline.cohort.events import named
from pipeline.cohort.people import person
from pipeline.cohort.sessions import sessions
from pipeline.triage import step
from pipeline.triage.instants import from_ms
from pipeline.triage.step import wakes_at
from schemas.assessments import ZoneChange
from schemas.paging import FailureReason, Outcome, PageRequest, Receipt, Tick
from schemas.submissions import Answer, Submission
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.stores.port import Point, TimeSeriesStore
    from pipeline.cohort.events import Event

SEED: Final = 20
STOP: Final = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=1)  # midnight in Oslo, where the year ends
EXPERIENCE: Final = "patient-experience"
ITEMS: Final = ("safe", "informed", "easy", "reached")
_BATCH: Final = 20_000  # points
_ASKED: Final = 0.08  # share of registrations that come with the questionnaire on experience
_TELLS: Final = {topic.message: tell for topic, tell in STORED if isinstance(topic.message, type)}
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})


def points(number: int, patients: int, days: int, stop: datetime = STOP) -> Iterator[Point]:
    """Every point about one simulated patient of so many, followed for so many days up to `stop`."""
    one = person(SEED, number, stop - timedelta(days=days), days, patients)
    random = Random(f"{SEED}-{number}-experience")
    waiting: list[tuple[datetime, int, Any]] = []
    for place, event in enumerate([*care(one), *befalls(SEED, one, stop), *sessions(SEED, one, stop)]):
        heappush(waiting, (event.at, place, _asked(random, event)))
    place, state, ticked = len(waiting), None, STOP - timedelta(days=10_000)
    while waiting:
        wakes = None if state is None else wakes_at(state)
        if wakes is not None and ticked < from_ms(wakes) <= min(waiting[0][0], stop):
            ticked = from_ms(wakes)
            message: Any = Tick(at=ticked)
        else:
            at, _, message = heappop(waiting)
            if at >= stop:
                return
        if not isinstance(message, Tick | Submission) and hasattr(message, "event_id"):
            yield from of_care_event(message)
        state, outputs = _heard(state, message)
        for output in outputs:
            if type(output) in _TELLS:
                yield from _TELLS[type(output)](output)
            if isinstance(output, ZoneChange) and output.to_zone in _ALERTS and not output.retracted:
                answer, place = taken_over(SEED, output), place + 1
                if answer is not None:
                    heappush(waiting, (answer.at, place, answer.message))


async def fill(stores: list[TimeSeriesStore], patients: int, days: int, stop: datetime = STOP) -> int:
    """Write everything about so many patients to each store; returns how many points that were."""
    count, batch = 0, []
    for number in range(1, patients + 1):
        batch += points(number, patients, days, stop)
        if len(batch) >= _BATCH or number == patients:
            for store in stores:
                refused = await store.write(batch)
                if refused:
                    raise RuntimeError(f"the store refused {len(refused)} points")
            count, batch = count + len(batch), []
    return count


def _asked(random: Random, event: Event) -> Any:  # noqa: ANN401 - a message of any topic
    """The message of an event, now and then with the questionnaire on experience."""
    message = event.message
    if not isinstance(message, Submission) or random.random() > _ASKED:
        return message
    answers = tuple(
        Answer(questionnaire=EXPERIENCE, questionnaire_version=1, link_id=item, value=random.choice((2, 3, 3, 4, 4)))
        for item in ITEMS
    )
    return msgspec.structs.replace(message, answers=(*message.answers, *answers))


def _heard(state: Any, message: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - whatever the fold takes
    """The state after a message and after every page that it asks for was delivered, and all that is told of it."""
    waiting, found = [message], []
    while waiting:
        state, outputs = step(state, waiting.pop(0))
        receipts = [_delivered(output) for output in outputs if isinstance(output, PageRequest)]
        found += [*outputs, *receipts]
        waiting += receipts
    return state, found


def _delivered(page: PageRequest) -> Receipt:
    failed = named(f"{page.page_id}").int % 50 == 0 and page.ask == 1
    return Receipt(
        receipt_id=named(f"{page.page_id}-{page.ask}"),
        page_id=page.page_id,
        patient=page.patient,
        ask=page.ask,
        outcome=Outcome.FAILED if failed else Outcome.DELIVERED,
        reason=FailureReason.TIMEOUT if failed else None,
        at=page.at + timedelta(seconds=2),
        attempts=1,
    )
