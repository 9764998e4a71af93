"""What goes between a worker and its handler, and how a worker is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from schemas import dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.dead_letters import DeadLetterReason

CUT_BYTES: Final = 1_000  # of a message that its dead letter cannot hold whole
Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """One message of a source topic, as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int  # when it was written to Kafka
    headers: Headers = ()


class Output(NamedTuple):
    """One message to write, to the partition of the record that it came from."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers = ()


class Folded(NamedTuple):
    """What a fold makes of a batch."""

    outputs: list[tuple[int, Output]]  # (partition, message)
    states: dict[bytes, tuple[int, bytes]]  # key -> (partition, new state)
    taken: int  # so many of the records, from the first on


class Fold(Protocol):
    """Pure work on states: triage. It raises for nothing that a message can hold."""

    def __call__(self, records: Sequence[Record], states: Mapping[bytes, bytes]) -> Folded:
        """Work records in their order, not for long, and say how many; `states` holds what was last confirmed."""

    async def restored(self, states: Iterable[tuple[bytes, bytes]]) -> None:
        """The worker now holds exactly these states."""

    def delivered(self, records: Sequence[Record]) -> None:
        """Everything that came of these records is confirmed."""


@runtime_checkable
class Sink(Protocol):
    """Work that ends outside of Kafka: storing. It retries for ever, and returns once it is done."""

    async def write(self, records: Sequence[Record]) -> list[tuple[int, Output]]:
        """Take a batch in; what is returned is delivered before the batch counts as done."""


@runtime_checkable
class Messenger(Protocol):
    """Work on single messages that take their time and must not wait for each other: paging."""

    async def carry(self, record: Record) -> list[tuple[int, Output]]:
        """Do one; what is returned is delivered before the record counts as done."""


Handler = Fold | Sink | Messenger


class StreamMetrics(Protocol):
    """What a worker tells of itself."""

    def batch(self, records: int, seconds: float) -> None:
        """A batch is done."""

    def offset_jump(self) -> None:
        """Messages were handed over out of turn."""

    def fenced(self) -> None:
        """The process was paused for too long to be sure of what it owns."""

    def pace(self, still_s: float, uncommitted_s: float) -> None:
        """For so long nothing moved with work waiting, and what was done was not committed [s]."""

    def commit_stall(self) -> None:
        """The process ends, for work waits and nothing moves, or no commit comes through."""

    def recovered(self, seconds: float) -> None:
        """State is restored."""

    def restoring(self, seconds: float) -> None:
        """For so long state has been waited for; 0: it is all here [s]."""

    def dead_letter(self, reason: DeadLetterReason) -> None:
        """The worker itself made a dead letter."""


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """How a worker is deployed."""

    app_id: str  # consumer group, and first part of the changelog's name
    broker: str  # host:port[,host:port]
    partitions: int
    sources: tuple[str, ...]
    process: str  # as metrics and dead letters name it
    dead_letters: str  # topic
    compacted: frozenset[str] = frozenset()  # sources in which offsets may be missing
    fleeting: frozenset[str] = frozenset()  # sources whose messages mean nothing once they are old
    table: str | None = None
    instance_id: str | None = None  # static membership
    session_timeout_s: float = 10.0
    heartbeat_s: float = 1.0
    commit_interval_s: float = 0.5
    batch_max: int = 2000
    fetch_max_wait_ms: int = 500
    in_flight: int = 64  # messages of a Messenger at work at once, for each partition
    stall_s: float = 60.0  # so long with work waiting and nothing moving, or committed, ends the process

    @property
    def changelog(self) -> str | None:
        """The table's changelog topic."""
        return f"{self.app_id}-{self.table}-changelog" if self.table else None


def dead_letter(
    topic: str, record: Record, reason: DeadLetterReason, field: str | None = None, *, process: str
) -> tuple[int, Output]:
    """The original bytes of `record`, with why, where from, and who could not work with it."""
    headers = [
        (dead_letters.REASON, reason.value.encode()),
        (dead_letters.PROCESS, process.encode()),
        (dead_letters.TOPIC, record.topic.encode()),
        (dead_letters.PARTITION, str(record.partition).encode()),
        (dead_letters.OFFSET, str(record.offset).encode()),
    ]
    if field is not None:
        headers.append((dead_letters.FIELD, field.encode()))
    return record.partition, Output(topic, record.key, record.value or b"", tuple(headers))


def cut(letter: Output) -> Output:
    """The dead letter with the beginning of its message alone, where the broker does not take it whole."""
    return letter._replace(value=letter.value[:CUT_BYTES], headers=(*letter.headers, (dead_letters.CUT, b"1")))
