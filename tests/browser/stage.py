"""A board with simulated patients and without a broker: its read model is told directly what the fold decides."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid5

from aiohttp import web
from prometheus_client import CollectorRegistry

from agents import pathways, wallclock
from agents.board.around import CSRF, PERSON
from agents.board.desk import Desk
from agents.board.model import Model
from agents.board.serving import board
from agents.health import Health
from agents.http import serving
from agents.metrics import Metrics
from pipeline import cohort as cohorts
from pipeline.triage import step
from schemas import topics
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.codec import encode
from schemas.paging import Outcome, PageRequest, Receipt, Tick
from schemas.people import Person, Role
from schemas.services import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from datetime import datetime

    from aiohttp.typedefs import Handler, Middleware

SERVICES = {
    "simulated-joint-centre": Service(name="Simulated joint centre"),
    "simulated-hospital": Service(name="Simulated hospital"),
    "simulated-district-a": Service(name="Simulated district A"),
    "simulated-district-b": Service(name="Simulated district B"),
    "simulated-district-c": Service(name="Simulated district C"),
}
TOPIC_OF = {
    Assessment: topics.ASSESSMENTS.name,
    PatientStatus: topics.PATIENT_STATUS.name,
    ZoneChange: topics.ZONE_CHANGES.name,
    PageRequest: topics.PAGES.name,
}


def person(*roles: Role, ref: str = "nurse-1", name: str = "Nurse One", services: Collection[str] = SERVICES) -> Person:
    """Somebody signed in."""
    return Person(ref=ref, name=name, roles=frozenset(roles or (Role.NURSE,)), services=frozenset(services))


def signed_in_as(people: Mapping[str, Person]) -> Middleware:
    """Stands in for signing in: the cookie `who` says who it is; without one it is the first of `people`."""

    @web.middleware
    async def signing(request: web.Request, handler: Handler) -> web.StreamResponse:
        known = people.get(request.cookies.get("who", next(iter(people), "")))
        if known is not None:
            request[PERSON], request[CSRF] = known, f"token-of-{known.ref}"
        return await handler(request)

    return signing


class Entry(NamedTuple):
    """One line of the access log."""

    person: str
    action: str
    patient: str | None
    service: str | None
    outcome: str


class Access:
    """An access log in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def add(self, person_ref: str, action: str, patient: str | None, service: str | None, outcome: str) -> None:
        self.entries.append(Entry(person_ref, action, patient, service, outcome))


class Whole:
    """A reader that has read everything."""

    def up_to_date(self) -> bool:
        return True


def told(model: Model) -> dict[str, Any]:
    """Where each topic's messages go in a model."""
    return {source.topic: source.take for source in chain(*model.sources())}


def tell(model: Model, message: Any, topic: str | None = None) -> None:  # noqa: ANN401 - any message
    """Have a model read one message."""
    raw = encode(message)
    told(model)[topic or TOPIC_OF[type(message)]](message.patient.encode(), raw, 0)


def fold(model: Model, events: list[Any], now: datetime) -> None:  # noqa: C901 - a small main path of its own
    """Have a model read what is decided about simulated patients up to `now`."""
    takers = told(model)
    states: dict[str, Any] = {}

    def take(name: str, message: Any) -> None:  # noqa: ANN401 - any message
        takers[name](message.patient.encode(), encode(message), 0)

    statuses: dict[str, PatientStatus] = {}
    day = min(event.at for event in events).date()

    def tick(at: datetime) -> None:
        for patient, state in list(states.items()):
            states[patient], outputs = step(state, Tick(at=at))
            keep(outputs)

    def keep(outputs: Any) -> None:  # noqa: ANN401 - outputs of the fold
        for output in outputs:
            if isinstance(output, PatientStatus):
                statuses[output.patient] = output
            elif type(output) in TOPIC_OF:
                take(TOPIC_OF[type(output)], output)
                if isinstance(output, PageRequest):
                    deliver(output)

    def deliver(page: PageRequest) -> None:
        receipt = Receipt(
            receipt_id=uuid5(page.page_id, str(page.ask)),
            page_id=page.page_id,
            patient=page.patient,
            ask=page.ask,
            outcome=Outcome.DELIVERED,
            at=page.at,
            attempts=1,
            told="nurse-2",
        )
        take(topics.RECEIPTS.name, receipt)
        states[page.patient], outputs = step(states[page.patient], receipt)
        keep(outputs)

    for event in events:
        if event.at.date() != day:
            tick(event.at.replace(hour=0, minute=0, second=0, microsecond=0))
            day = event.at.date()
        if event.topic is topics.CARE:
            take(topics.CARE.name, event.message)
        states[event.message.patient], outputs = step(states.get(event.message.patient), event.message)
        keep(outputs)
    tick(now)
    for status in statuses.values():
        take(topics.PATIENT_STATUS.name, status)


def cohort(patients: int, days: int, now: datetime, seed: int = 7) -> list[Any]:
    """Events of simulated patients whose last day is today; staff have not come to the last days."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    events = [event for event in cohorts.simulate(seed, start, days + 1, patients).events if event.at < now]
    recent = now - timedelta(hours=72)
    return [event for event in events if not (event.at > recent and type(event.message).__name__ == "Acknowledged")]


def desk(model: Model, access: Access, **more: Any) -> Desk:  # noqa: ANN401 - what stands around
    """A desk over a model that has read everything."""
    return Desk(
        model=model,
        listing=Whole(),  # type: ignore[arg-type] # a reader's one question
        history=Whole(),  # type: ignore[arg-type] # the same
        access=access,
        pathways=pathways.load(),
        services=SERVICES,
        **more,
    )


@asynccontextmanager
async def shown(desk_: Desk, people: Mapping[str, Person], port: int = 0) -> AsyncIterator[str]:
    """Serve a board while the block runs; yields its address."""
    metrics = Metrics(CollectorRegistry())
    app = board(Health("board", metrics, {}), metrics, desk_, signed_in=signed_in_as(people))
    async with serving(app, host="127.0.0.1", port=port) as taken:
        yield f"http://127.0.0.1:{taken}"


def full(patients: int = 60, days: int = 40) -> Model:
    """A model with simulated patients up to now."""
    now = wallclock.now()
    model = Model(Metrics(CollectorRegistry()))
    fold(model, cohort(patients, days, now), now)
    return model
