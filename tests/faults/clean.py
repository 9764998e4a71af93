"""What must come of what lies on the topics: the same records through the fold alone, in one process, unharmed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.streaming import Output, Record
from agents.streaming.delivery import MAX_BATCH_BYTES, _size
from agents.triage import TriageFold
from pipeline.triage import state as states
from schemas.codec import Codec, encode
from schemas.dead_letters import OFFSET, PARTITION, PROCESS, REASON, TOPIC, DeadLetterReason
from schemas.paging import Outcome, PageRequest, Receipt
from schemas.topics import ASSESSMENTS, CARE, DEAD_LETTERS, PAGES, PATIENT_STATUS, SUBMISSIONS, TICKS, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from schemas.services import Service

FED: Final = (CARE.name, SUBMISSIONS.name, TICKS.name)
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
        Assessments and zone changes, by topic: each once, whatever is repeated.
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

    messages: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    first: dict[UUID, PageRequest] = field(default_factory=dict)
    forms: dict[UUID, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    owed: set[UUID] = field(default_factory=set)
    statuses: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    letters: dict[Letter, tuple[bytes | None, bytes]] = field(default_factory=dict)


def clean(
    records: Mapping[str, Sequence[Any]],
    partitions: int,
    poisoned: Sequence[Any],
    services: Mapping[str, Service],
) -> Clean:
    """Work the records of every topic that is fed, in the order in which the broker took them.

    Parameters
    ----------
    records
        Topic without prefix -> its records as they lie there, by partition and offset.
    poisoned
        Records of `receipts` that are none.
    services
        As the workers have them.
    """
    return _Run(partitions, services).whole(records, poisoned)


class _Run:
    def __init__(self, partitions: int, services: Mapping[str, Service]) -> None:
        metrics = Metrics(CollectorRegistry())
        self.fold = TriageFold(
            prefix="", partitions=partitions, dead_letter_ratio=1.0, metrics=metrics, services=services
        )
        self.held: dict[bytes, bytes] = {}
        self.found = Clean()
        self.pages: Codec[PageRequest] = Codec(PageRequest)

    def whole(self, records: Mapping[str, Sequence[Any]], poisoned: Sequence[Any]) -> Clean:
        fed = [record for name in FED for record in map(_record(name), records.get(name, ()))]
        fed.sort(key=lambda record: record.timestamp_ms)  # stable: a partition's own order stays
        for record in (*fed, *map(_record("receipts"), poisoned)):
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
            found.messages[output.topic].add(output.value)
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
