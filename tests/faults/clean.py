"""What must come of what lies on the topics: the same records through the fold alone, unharmed."""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.streaming import Output, Record
from agents.streaming.delivery import MAX_BATCH_BYTES, _size
from agents.triage import TriageFold
from pipeline.triage import state as states
from schemas.assessments import ZoneChange
from schemas.codec import Codec, encode
from schemas.dead_letters import OFFSET, PARTITION, PROCESS, REASON, TOPIC, DeadLetterReason
from schemas.paging import Outcome, PageRequest, Receipt
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, PAGES, PATIENT_STATUS, SUBMISSIONS, TICKS, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from schemas.services import Service

FED: Final = (CARE.name, SUBMISSIONS.name, TICKS.name)
SHOWN: Final = 160  # bytes of a message, where it is to be told
MANY: Final = 50_000  # records that are worth a second process
CLOCKWORK: Final = b"clock-"  # how the pseudonyms of those begin of whom time alone decides something
_change: Final = Codec[ZoneChange](ZoneChange)
_request: Final = msgspec.msgpack.Decoder(PageRequest)


class Letter(NamedTuple):
    """A dead letter: where its message came from, why, and who could not work with it."""

    topic: str
    partition: int
    offset: int
    reason: str
    process: str


@dataclass
class Clean:
    """What comes of a clean run.

    Attributes
    ----------
    messages
        Assessments and zone changes, by topic: the digest of each, whatever is repeated, and how it begins.
    by_time
        Changes of zone that time alone decided.
    first
        Page id -> its first request, as the fold asks for it in its turn.
    forms
        Page id -> every form that the request takes while it is open, for a later ask says what is known by then.
    owed
        Pages that nothing takes back: each must be delivered.
    statuses, states
        Patient -> the newest, when every page is delivered.
    letters
        Dead letter -> key and bytes.
    """

    messages: dict[str, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    by_time: set[bytes] = field(default_factory=set)
    first: dict[UUID, PageRequest] = field(default_factory=dict)
    forms: dict[UUID, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    owed: set[UUID] = field(default_factory=set)
    statuses: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    letters: dict[Letter, tuple[bytes | None, bytes]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """Pages as bytes: a field that is the very default is left out of them, and unpickling would make it anew."""
        return {**self.__dict__, "first": {page: encode(request) for page, request in self.first.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """As `__getstate__`."""
        codec = Codec[PageRequest](PageRequest)
        self.__dict__ = {**state, "first": {page: codec.decode(raw) for page, raw in state["first"].items()}}

    def take(self, other: Clean) -> None:
        """Add what came of other partitions."""
        for topic, messages in other.messages.items():
            self.messages[topic] |= messages
        for page, forms in other.forms.items():
            self.forms[page] |= forms
        self.by_time |= other.by_time
        self.owed |= other.owed
        self.first |= other.first
        self.statuses |= other.statuses
        self.states |= other.states
        self.letters |= other.letters


def clean(
    records: Mapping[str, Sequence[Any]],
    partitions: int,
    poisoned: Sequence[Any],
    services: Mapping[str, Service],
) -> Clean:
    """Work the records of every topic that is fed, in the order in which the broker took them.

    Partitions have nothing to do with each other: of many records each processor works some of them.

    Parameters
    ----------
    records
        Topic without prefix -> its records as they lie there, by partition and offset.
    poisoned
        Records of `receipts` that are none.
    services
        As the workers have them.
    """
    fed = [record for name in FED for record in map(_record(name), records.get(name, ()))]
    fed.sort(key=lambda record: record.timestamp_ms)  # stable: a partition's own order stays
    every = [*fed, *map(_record("receipts"), poisoned)]
    shares = (os.cpu_count() or 1) if len(every) > MANY else 1
    work = [[record for record in every if record.partition % shares == share] for share in range(shares)]
    if shares == 1:
        return _part(partitions, services, every)
    whole = Clean()
    with ProcessPoolExecutor(shares, mp_context=get_context("spawn")) as pool:
        for found in pool.map(_part, repeat(partitions), repeat(services), work):
            whole.take(found)
    return whole


def _part(partitions: int, services: Mapping[str, Service], records: Sequence[Record]) -> Clean:
    return _Run(partitions, services).whole(records)


def digest(value: bytes) -> bytes:
    """By what a message is known where there are very many."""
    return blake2b(value, digest_size=16).digest()


class _Run:
    def __init__(self, partitions: int, services: Mapping[str, Service]) -> None:
        metrics = Metrics(CollectorRegistry())
        self.fold = TriageFold(
            prefix="", partitions=partitions, dead_letter_ratio=1.0, metrics=metrics, services=services
        )
        self.held: dict[bytes, bytes] = {}
        self.found = Clean()
        self.pages: Codec[PageRequest] = Codec(PageRequest)

    def whole(self, records: Sequence[Record]) -> Clean:
        for record in records:
            self._work(record)
        for key, raw in list(self.held.items()):
            state = states.decode(raw)
            self.found.owed |= {_request.decode(page.request).page_id for page in state.open_pages.values()}
            for page in state.open_pages.values():
                self._work(self._delivered(key, _request.decode(page.request)))
        self.found.states = {key.decode(): raw for key, raw in self.held.items()}
        return self.found

    def _work(self, record: Record) -> None:
        rest = [record]
        while rest:
            folded = self.fold(rest, self.held)
            rest = rest[folded.taken :]
            self.held.update({key: raw for key, (_, raw) in folded.states.items()})
            for partition, output in folded.outputs:
                self._take(partition, output)
            for key in folded.states:
                for page in states.decode(self.held[key]).open_pages.values():
                    request = _request.decode(page.request)
                    self.found.forms[request.page_id].add(form(request))

    def _take(self, partition: int, output: Output) -> None:
        found = self.found
        if output.topic == DEAD_LETTERS.name:
            headers = {name: value.decode() for name, value in output.headers}
            letter = letter_of(headers)
            found.letters[letter] = (output.key, output.value)
        elif _size(output) > MAX_BATCH_BYTES:
            letter = Letter(output.topic, partition, -1, DeadLetterReason.OVERSIZE_OUTPUT, "triage")
            found.letters[letter] = (output.key, output.value[:1000])
        elif output.topic in {ASSESSMENTS.name, ZONE_CHANGES.name}:
            found.messages[output.topic][digest(output.value)] = output.value[:SHOWN]
            of_clock = output.topic == ZONE_CHANGES.name and (output.key or b"").startswith(CLOCKWORK)
            if of_clock and _change.decode(output.value).assessment_id is None:
                found.by_time.add(digest(output.value))
        elif output.topic == PATIENT_STATUS.name:
            found.statuses[(output.key or b"").decode()] = output.value
        elif output.topic == PAGES.name:
            page = self.pages.decode(output.value)
            found.first.setdefault(page.page_id, page)
            found.forms[page.page_id].add(form(page))

    def _delivered(self, key: bytes, page: PageRequest) -> Record:
        receipt = Receipt(
            receipt_id=page.page_id,
            page_id=page.page_id,
            patient=page.patient,
            ask=page.ask,
            at=page.at,
            outcome=Outcome.DELIVERED,
            attempts=1,
        )
        return Record("receipts", 0, 0, key, encode(receipt), 0)


def letter_of(headers: Mapping[str, str], prefix: str = "") -> Letter:
    """A dead letter by its headers."""
    topic = headers[TOPIC].removeprefix(prefix)
    return Letter(topic, int(headers[PARTITION]), int(headers[OFFSET]), headers[REASON], headers[PROCESS])


def form(page: PageRequest) -> bytes:
    """What a request says, whichever ask it is, and but for whom its duty was reached by: that hangs on receipts."""
    return encode(msgspec.structs.replace(page, ask=1, contact=None))


def _record(name: str) -> Any:  # noqa: ANN401 - a function
    def made(raw: Any) -> Record:  # noqa: ANN401 - aiokafka's record is untyped
        return Record(name, raw.partition, raw.offset, raw.key, raw.value, raw.timestamp, tuple(raw.headers))

    return made
