"""A year of a thousand followed patients in InfluxDB: simulated people, the real fold, the real points.

Registrations are daily for 14 days and weekly from then on, as `pipeline.cohort` has them, with its gaps, late uploads,
mistakes, corrections and deteriorations. Beside them stands what a year brings: acknowledgements, receipts of pages,
transfers between services, pauses, admissions, emergency contacts, equipment. The same seed makes the same points.
"""

from __future__ import annotations

import http.client
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random
from time import sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from agents.stores.line_protocol import encode
from agents.storing.sink import STORED
from pipeline.cohort.enrolment import care
from pipeline.cohort.events import named
from pipeline.cohort.people import SERVICES, person
from pipeline.cohort.sessions import sessions
from pipeline.triage import step
from pipeline.triage.instants import from_ms
from pipeline.triage.step import wakes_at
from schemas.assessments import ZoneChange
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    Discharged,
    EmergencyContact,
    EquipmentHandedOut,
    Paused,
    PhaseChanged,
    Transferred,
)
from schemas.paging import Outcome, PageRequest, Receipt, Tick
from schemas.types import Phase, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.cohort.people import Patient

FOLLOWED: Final = 1_000
EVERYBODY: Final = 1_081  # with those at home from hospital, who are followed for days
DAYS: Final = 365
SEED: Final = 20
LINES: Final = 5_000  # of one request
PAUSES_S: Final = (1.0, 5.0, 15.0)
HALF: Final = 500  # patients whom one process simulates before it writes what is left over
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})
_TELLS: Final = {topic.message: tell for topic, tell in STORED if isinstance(topic.message, type)}


class Where(NamedTuple):
    """A bucket, and who may write to it."""

    url: str
    org: str
    bucket: str
    token: str


class Made(NamedTuple):
    """What was written."""

    registrations: int
    points: int


def write(where: Where, stop: datetime, *, patients: int = EVERYBODY, days: int = DAYS, processes: int = 2) -> Made:
    """Simulate `patients` over `days` up to `stop` and write every point."""
    share = -(-patients // processes)
    with ProcessPoolExecutor(processes) as pool:
        parts = [
            pool.submit(_write_some, where, stop, range(first, min(first + share, patients + 1)), patients, days)
            for first in range(1, patients + 1, share)
        ]
        made = [part.result() for part in parts]
    return Made(sum(one.registrations for one in made), sum(one.points for one in made))


def _write_some(where: Where, stop: datetime, numbers: Sequence[int], patients: int, days: int) -> Made:
    writer, registrations = _Writer(where), 0
    start = (stop - timedelta(days=days)).astimezone(UTC)
    for number in numbers:
        one = person(SEED, number, start, days, patients)
        for message in _told(one, stop):
            registrations += hasattr(message, "assessment_id") and hasattr(message, "rules_version")
            for point in _tell(message)(message):
                writer.take(encode(point))
    writer.close()
    return Made(registrations, writer.written)


def _tell(message: Any) -> Any:  # noqa: ANN401 - whatever is stored
    return _TELLS.get(type(message)) or next(tell for topic, tell in STORED if topic.name == "care")


def _told(one: Patient, stop: datetime) -> Iterator[Any]:
    """Every message about a patient that is stored, in the order in which the fold tells it."""
    random = Random(f"{SEED}-{one.name}-year")
    waiting: list[tuple[float, int, Any]] = []
    count = 0

    def put(at: datetime, message: Any) -> None:  # noqa: ANN401 - whatever the fold takes
        nonlocal count
        count += 1
        heappush(waiting, (at.timestamp(), count, message))

    for event in (*care(one), *sessions(SEED, one, stop)):
        put(event.at, event.message)
    for message in _year(random, one, stop):
        put(message.recorded_at, message)
    put(stop, None)  # the end
    state = None
    while waiting:
        at_s, _, message = heappop(waiting)
        while state is not None and (wakes := wakes_at(state)) is not None and wakes <= at_s * 1000:
            state, outputs = step(state, Tick(at=from_ms(wakes)))
            yield from outputs
            _answer(random, from_ms(wakes), outputs, put)
        if message is None:
            break
        state, outputs = step(state, message)
        if isinstance(message, CareEvent | Receipt):
            yield message
        yield from outputs
        _answer(random, datetime.fromtimestamp(at_s, UTC), outputs, put)


def _answer(random: Random, at: datetime, outputs: Sequence[Any], put: Any) -> None:  # noqa: ANN401 - the above
    """Pages are delivered within seconds, alerts taken over within hours."""
    for output in outputs:
        if isinstance(output, PageRequest):
            delivered = max(at, output.at) + timedelta(seconds=random.uniform(0.5, 8))
            put(
                delivered,
                Receipt(
                    receipt_id=named(f"{output.page_id}-{output.ask}"),
                    page_id=output.page_id,
                    patient=output.patient,
                    ask=output.ask,
                    outcome=Outcome.DELIVERED,
                    at=delivered,
                    attempts=1,
                ),
            )
        elif isinstance(output, ZoneChange) and output.to_zone in _ALERTS and not output.retracted:
            fast = output.to_zone is Zone.RED
            taken = at + timedelta(minutes=random.uniform(1, 12) if fast else random.uniform(10, 180))
            put(
                taken,
                Acknowledged(
                    event_id=named(f"{output.zone_change_id}-acknowledged"),
                    patient=output.patient,
                    at=taken,
                    recorded_at=taken,
                    zone_change_id=output.zone_change_id,
                    by="simulated-nurse",
                    reason_code=random.choice(("true", "true", "true", "technique", "already-known", "not-said")),
                ),
            )


def _year(random: Random, one: Patient, stop: datetime) -> Iterator[Any]:
    """What happens in a year beside registrations."""
    until = min(one.ends_at or stop, stop)
    span = (until - one.enrolled_at) / timedelta(days=1)

    def about(what: str, at: datetime) -> dict[str, Any]:
        return {"event_id": named(f"{one.name}-{what}"), "patient": one.name, "at": at, "recorded_at": at}

    def sometime(first: float = 0.02, last: float = 0.9) -> datetime:
        return one.enrolled_at + timedelta(days=random.uniform(first, last) * span)

    yield EquipmentHandedOut(**about("cuff", one.enrolled_at), device=f"sim-blood-{one.name[4:]}", kind="cuff")
    yield EquipmentHandedOut(**about("oximeter", one.enrolled_at), device=f"sim-oxygen-{one.name[4:]}", kind="oximeter")
    if one.group.several_a_day:
        return
    yield PhaseChanged(**about("follow-up", one.enrolled_at + timedelta(days=20)), phase=Phase.FOLLOW_UP)
    if random.random() < 0.15:
        others = [service for service in SERVICES if service != one.service]
        yield Transferred(**about("transferred", sometime()), service=random.choice(others))
    for number in range(random.choice((0, 1, 1, 2))):
        at = sometime()
        yield Paused(**about(f"pause-{number}", at), ends_at=at + timedelta(days=random.uniform(4, 20)))
    for number in range(random.choice((0, 0, 0, 1, 1, 2))):
        at = sometime(last=0.85)
        yield Admitted(**about(f"admitted-{number}", at), acute=random.random() < 0.7)
        yield Discharged(**about(f"discharged-{number}", at + timedelta(days=random.uniform(1, 9))))
    for number in range(random.choice((0, 0, 1, 2))):
        kind = random.choice(("out-of-hours", "emergency-room"))
        yield EmergencyContact(**about(f"emergency-{number}", sometime()), kind=kind)


class _Writer:
    """Lines to one bucket, some thousands at once; a request that is not taken ends it all."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._connection = http.client.HTTPConnection(urlsplit(where.url).netloc, timeout=120)
        self._lines: list[bytes] = []
        self.written = 0

    def take(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) >= LINES:
            self._send()

    def close(self) -> None:
        self._send()
        self._connection.close()

    def _send(self) -> None:
        if not self._lines:
            return
        path = f"/api/v2/write?org={quote(self._where.org)}&bucket={quote(self._where.bucket)}&precision=ns"
        headers = {"Authorization": f"Token {self._where.token}"}
        for pause_s in (*PAUSES_S, None):
            self._connection.request("POST", path, b"\n".join(self._lines), headers)
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status == http.client.NO_CONTENT:
                break
            if answer.status < http.client.INTERNAL_SERVER_ERROR or pause_s is None:
                raise SystemExit(f"InfluxDB answers {answer.status} to a write: {said[:300]!r}")
            sleep(pause_s)  # it is busy: a write may be sent again, as points are known by what they are
        self.written += len(self._lines)
        self._lines = []
