"""The fold of pipeline/triage over batches of Kafka records, one state write per patient and batch."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeGuard

import msgspec
import structlog

from agents import wallclock
from agents.partitioner import partition_for
from agents.streaming import Folded, Output, Record, dead_letter
from agents.streaming.received import came_at
from agents.triage.letters import Letters
from agents.triage.waiting import Waiting
from agents.triage.watchlist import Watchlist
from pipeline.triage import RULES, Refused, State, lost, standing, step, unreadable, wakes_at
from pipeline.triage.instants import from_ms, to_ms
from pipeline.triage.rosters import NO_SERVICES
from pipeline.triage.state import UnreadableStateError, encode
from pipeline.triage.zones import SEVERITY
from schemas import topics
from schemas.assessments import Assessment, PatientStatus, ZoneChange
from schemas.care import Acknowledged
from schemas.codec import UNREADABLE, Codec, UnreadableError
from schemas.codec import encode as to_json
from schemas.dead_letters import DeadLetterReason
from schemas.paging import PageRequest, Tick
from schemas.services import CANARY
from schemas.submissions import Submission
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agents.metrics import Metrics
    from agents.streaming.records import Headers
    from pipeline.triage import Output as Decision
    from pipeline.triage import Rules
    from schemas.services import Service

PROCESS: Final = "triage"
DECODED_STATES: Final = 20_000  # kept decoded; each takes about 10 KiB
SLICE_S: Final = 0.5  # longer than this no batch keeps the worker from its pulse; the rest comes next [s]
HURRIED_SLICE_S: Final = 0.1  # the same while something else needs many turns of the loop [s]
DUE_AT_ONCE: Final = 10_000  # patients whom one tick finds due; the rest waits for the next
TRY_AGAIN_MS: Final = 300_000  # one for whom a tick failed
RESTORED_AT_ONCE: Final = 1_000  # states between two pulses of the worker
NOT_MONITORED: Final = SEVERITY[Zone.NOT_MONITORED]
# What the patient sent or staff decided, and no decision will ever rest on.
UNHEARD: Final = frozenset({DeadLetterReason.HISTORY_FULL, DeadLetterReason.FUTURE})
SOURCES: Final = (topics.SUBMISSIONS, topics.CARE, topics.TICKS, topics.RECEIPTS)
_log = structlog.get_logger()


class TriageFold:
    """A `agents.streaming.Fold`.

    Parameters
    ----------
    prefix, partitions
        Of the topics.
    dead_letter_ratio
        Above this share of dead letters the patients concerned show as not monitored.
    services
        By name, whom an alert climbs to.

    Attributes
    ----------
    hurries
        Whether its slices are short, for something beside it is urgent.
    """

    def __init__(  # noqa: PLR0913 - what the fold hangs on
        self,
        *,
        prefix: str,
        partitions: int,
        dead_letter_ratio: float,
        metrics: Metrics,
        rules: Rules = RULES,
        services: Mapping[str, Service] = NO_SERVICES,
    ) -> None:
        self.prefix = prefix
        self.partitions = partitions
        self.metrics = metrics
        self.rules = rules
        self.services = services
        self.hurries = False
        self.letters = Letters(dead_letter_ratio)
        self.watchlist = Watchlist()
        self.waiting = Waiting(metrics, services)
        self.decoded: OrderedDict[bytes, tuple[bytes, State]] = OrderedDict()
        self.zones: dict[bytes, int] = {}
        self.lost: set[bytes] = set()  # whose states cannot be read
        self.due: dict[int, tuple[int, list[bytes]]] = {}  # by partition: a tick's offset, and whose turn it still is
        self.codecs = {prefix + topic.name: Codec[object](topic.message) for topic in SOURCES}
        self.topic_of = {
            Assessment: prefix + topics.ASSESSMENTS.name,
            ZoneChange: prefix + topics.ZONE_CHANGES.name,
            PageRequest: prefix + topics.PAGES.name,
            PatientStatus: prefix + topics.PATIENT_STATUS.name,
        }
        self.dead_letters = prefix + topics.DEAD_LETTERS.name
        self.submissions = prefix + topics.SUBMISSIONS.name

    @property
    def sources(self) -> tuple[str, ...]:
        """The topics that it reads."""
        return tuple(self.codecs)

    def __call__(self, records: Sequence[Record], states: Mapping[bytes, bytes]) -> Folded:
        """Work as many of the records, in their order, as a slice of time takes.

        One at least, but for a tick for which so many are due that it takes more than one slice: it comes again.
        """
        batch = _Batch(self, states)
        began, most_s = monotonic(), HURRIED_SLICE_S if self.hurries else SLICE_S
        for record in records:
            if not batch.take(record, began + most_s) or monotonic() - began > most_s:
                break
        return batch.close()

    def read(self, record: Record) -> object:
        """The message in a record.

        Raises
        ------
        UnreadableError
            It is none, belongs to nobody, or claims to come from after it was written: that would move the patient's
            time forward, past all that comes.
        """
        event = self.codecs[record.topic].decode(record.value)
        if isinstance(event, Tick):
            return event
        if not record.key:
            raise UnreadableError(DeadLetterReason.MISSING_PATIENT, None, "a record without a key has no patient")
        if record.key != getattr(event, "patient", "").encode():
            raise UnreadableError(DeadLetterReason.WRONG_KEY, "patient", "is not the record's key")
        latest_ms = record.timestamp_ms + self.rules.future_tolerance_ms
        for field in ("received_at", "recorded_at"):
            at = getattr(event, field, None)
            if at is not None and to_ms(at) > latest_ms:
                raise UnreadableError(DeadLetterReason.FUTURE, field, "lies after the message was written")
        return event

    async def restored(self, states: Iterable[tuple[bytes, bytes]]) -> None:
        """Start from these states: who is due when, and who stands where."""
        self.watchlist.clear()
        self.waiting.clear()
        self.zones.clear()
        self.decoded.clear()
        self.lost.clear()
        self.due.clear()
        for number, (key, raw) in enumerate(states):
            if number % RESTORED_AT_ONCE == 0:
                await asyncio.sleep(0)  # the worker's pulse goes on
            self._restore(key, raw)
        self.show_zones()
        self.waiting.show()

    def _restore(self, key: bytes, raw: bytes) -> None:
        """One patient; of one who is lost, or was and is not any more, the next tick tells."""
        at_ms: int | None = 0
        try:
            state = lost.read(raw)
            self.stands(key, state.marks[-1].zone if state.marks else state.base.zone, ill=not tries(state))
            self.waiting.keep(key, state)
            if not lost.is_aside(raw):
                at_ms = wakes_at(state)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other patients are restored
            _log.error("state_unreadable", process=PROCESS, error=type(error).__name__)
            self.lost.add(key)
            self.zones[key] = NOT_MONITORED
            if lost.is_aside(raw):
                at_ms = None
        self.watchlist.put(partition_for(key, self.partitions), key, at_ms)

    def delivered(self, records: Sequence[Record]) -> None:
        """What came of the submissions among `records` is confirmed: tell how long that took."""
        now_ms = to_ms(wallclock.now())
        for record in records:
            if record.topic == self.submissions:
                self.metrics.received_to_assessed.observe(max(0, now_ms - record.timestamp_ms) / 1000)

    def stands(self, key: bytes, zone: int, *, ill: bool) -> None:
        """A patient is in a zone; nobody counts one who is not ill and only tries the alarm path."""
        if ill:
            self.zones[key] = zone
        else:
            self.zones.pop(key, None)

    def show_zones(self) -> None:
        """Show how many patients stand where."""
        standing_in = Counter(self.zones.values())
        for zone, severity in SEVERITY.items():
            self.metrics.patients.labels(zone.value).set(standing_in[severity])
        self.metrics.unreadable_states.set(len(self.lost))


class _Batch:
    """One batch on its way through."""

    def __init__(self, fold: TriageFold, states: Mapping[bytes, bytes]) -> None:
        self._fold = fold
        self._stored = states
        self._taken = 0
        self._states: dict[bytes, State | None] = {}
        self._changed: dict[bytes, int] = {}  # key -> partition
        self._lost: set[bytes] = set()  # whose states turned out not to be readable
        self._later: dict[bytes, int] = {}  # key -> when to try again [ms]
        self._woken: dict[bytes, int] = {}  # the same, of those that a tick found due
        self._outputs: list[tuple[int, Output]] = []
        self._statuses: dict[bytes, tuple[int, PatientStatus]] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()

    def take(self, record: Record, until: float) -> bool:
        """Work one record; False where it is a tick that was not through at `until`, which must come again."""
        try:
            event = self._fold.read(record)
            if isinstance(event, Tick) and not self._tick(record, event, until):
                return False
            if not isinstance(event, Tick):
                state = self._known(record.partition, record.key or b"", record.timestamp_ms)
                self._fold.letters.count(dead=False)
                self._step(record, event, state)
        except UnreadableError as error:
            self._bury(record, error.reason, error.field)
        self._taken += 1
        return True

    def close(self) -> Folded:
        """Everything that came of the batch."""
        fold = self._fold
        for partition, status in self._statuses.values():
            self._write(partition, status, ())
        states = {}
        for key, partition in self._changed.items():
            state = self._states.get(key)
            raw = self._stored.get(key) if state is None else encode(state)
            if raw is None:
                continue
            if key in self._lost:
                states[key] = (partition, lost.put_aside(raw))
            if state is None or key in self._lost:
                continue
            states[key] = (partition, raw)
            fold.metrics.state_bytes.observe(len(raw))
            fold.decoded[key] = (raw, state)
            fold.waiting.keep(key, state)
            fold.lost.discard(key)
            self._woken[key] = partition
        fold.lost |= self._lost
        for key, partition in self._woken.items():
            self._put_on_watchlist(partition, key)
        while len(fold.decoded) > DECODED_STATES:
            fold.decoded.popitem(last=False)
        self._count()
        return Folded(self._outputs, states, self._taken)

    def _step(self, record: Record, event: object, state: State | None) -> None:
        key = record.key or b""
        try:
            rules, services = self._fold.rules, self._fold.services
            after, decisions = step(state, event, rules, services)  # type: ignore[arg-type] # what the codecs decode
        except UNREADABLE:
            raise _unreadable_state() from None
        if decisions and isinstance(decisions[0], Refused):
            self._bury(record, decisions[0].reason, decisions[0].field)
            return
        self._keep(record.partition, key, state, after)
        headers = came_at(record) if record.topic == self._fold.submissions else ()
        self._tell(record.partition, key, decisions, headers)
        if isinstance(event, Submission) and key in self._fold.zones:
            first = next((one for one in decisions if _judges(one, event)), None)
            if first is not None and first.service is not None:
                self._counts["session", first.service] += 1
        elif isinstance(event, Acknowledged) and state is not None and after is not None:
            self._fold.waiting.acknowledged(state, after, to_ms(event.at))

    def _tick(self, record: Record, tick: Tick, until: float) -> bool:
        """Let time come to the tick's instant, and never past the broker's: the clock's machine may be wrong."""
        now_ms = min(to_ms(tick.at), record.timestamp_ms)
        self._fold.waiting.passed(now_ms)
        tick = msgspec.structs.replace(tick, at=from_ms(now_ms))
        offset, due = self._fold.due.pop(record.partition, (-1, []))
        if offset != record.offset:
            due = self._fold.watchlist.due(record.partition, now_ms, DUE_AT_ONCE)[::-1]
        while due:
            self._wake(record, tick, now_ms, due.pop())
            if due and monotonic() > until:
                self._fold.due[record.partition] = record.offset, due
                return False
        return True

    def _wake(self, record: Record, tick: Tick, now_ms: int, key: bytes) -> None:
        """Let time come to the tick's instant for one patient."""
        self._woken[key] = record.partition
        try:
            state = self._known(record.partition, key, now_ms)
            if state is None:
                return
            after, decisions = step(state, tick, self._fold.rules, self._fold.services)
        except (UnreadableError, *UNREADABLE):
            self._lose(record.partition, key, now_ms)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the other patients' time goes on
            self._fold.metrics.dead_letters.labels(PROCESS, DeadLetterReason.INTERNAL_ERROR.value).inc()
            _log.error("tick_failed", error=type(error).__name__, partition=record.partition)
            self._later[key] = now_ms + TRY_AGAIN_MS
            return
        self._keep(record.partition, key, state, after)
        self._tell(record.partition, key, decisions, ())

    def _put_on_watchlist(self, partition: int, key: bytes) -> None:
        """By what is known now; one whose state cannot be read is lost, and that was told."""
        at_ms = self._later.get(key)
        if at_ms is None:
            with contextlib.suppress(UnreadableError):
                state = self._state(key)
                at_ms = None if state is None else wakes_at(state)
        self._fold.watchlist.put(partition, key, at_ms)

    def _bury(self, record: Record, reason: DeadLetterReason, field: str | None) -> None:
        """A dead letter; where there are too many, or it may hold what counts, its patient shows as not monitored."""
        fold = self._fold
        fold.letters.count(dead=True)
        self._outputs.append(dead_letter(fold.dead_letters, record, reason, field, process=PROCESS))
        fold.metrics.dead_letters.labels(PROCESS, reason.value).inc()
        if record.key is None:
            return
        if reason is DeadLetterReason.UNREADABLE_STATE:
            self._lose(record.partition, record.key, record.timestamp_ms)
        elif fold.letters.alarming or reason in UNHEARD:
            self._not_monitored(record.partition, record.key, record.timestamp_ms)

    def _not_monitored(self, partition: int, key: bytes, at_ms: int) -> None:
        """Until the patient's next message that can be read, nobody knows how the patient is."""
        try:
            state = self._known(partition, key, at_ms)
            if state is not None:
                after, decisions = unreadable(state, from_ms(at_ms), self._fold.rules, self._fold.services)
                self._keep(partition, key, state, after)
                self._tell(partition, key, decisions, ())
        except (UnreadableError, *UNREADABLE):
            self._lose(partition, key, at_ms)

    def _lose(self, partition: int, key: bytes, at_ms: int) -> None:
        """Tell that nobody watches the patient, and keep what cannot be read as it is; once is enough."""
        self._lost.add(key)
        self._woken[key] = partition
        if lost.is_aside(self._stored.get(key)) and key not in self._changed:
            return
        self._changed[key] = partition
        self._tell(partition, key, (lost.lost(key.decode(), from_ms(at_ms)),), ())

    def _known(self, partition: int, key: bytes, at_ms: int) -> State | None:
        """The patient's state; that one who was lost is watched again is told, whatever comes of the event."""
        state = self._state(key)
        if state is not None and key not in self._states and lost.is_aside(self._stored.get(key)):
            self._keep(partition, key, None, state)
            found = lost.found(state, from_ms(at_ms), self._fold.rules, self._fold.services)
            self._tell(partition, key, (found,), ())
        return state

    def _state(self, key: bytes) -> State | None:
        if key in self._lost:
            raise _unreadable_state()
        if key in self._states:
            return self._states[key]
        raw = self._stored.get(key)
        if raw is None:
            return None
        held = self._fold.decoded.get(key)
        if held is not None and held[0] == raw:
            self._fold.decoded.move_to_end(key)
            return held[1]
        try:
            return lost.read(raw)
        except UnreadableStateError:
            raise _unreadable_state() from None

    def _keep(self, partition: int, key: bytes, before: State | None, after: State | None) -> None:
        if after is not before:
            self._states[key] = after
            self._changed[key] = partition

    def _tell(self, partition: int, key: bytes, decisions: Iterable[Decision], headers: Headers) -> None:
        told = [decision for decision in decisions if not isinstance(decision, Refused)]
        ill = not any(isinstance(decision, PatientStatus) and decision.pathway == CANARY for decision in told)
        for decision in told:
            if isinstance(decision, PatientStatus):
                self._statuses[key] = (partition, decision)  # the newest of the batch is enough
                self._fold.stands(key, SEVERITY[decision.zone], ill=ill)
            else:
                self._write(partition, decision, headers)
                if ill:
                    self._tally(decision)

    def _write(
        self,
        partition: int,
        decision: Assessment | ZoneChange | PageRequest | PatientStatus,
        headers: Headers,
    ) -> None:
        topic = self._fold.topic_of[type(decision)]
        self._outputs.append((partition, Output(topic, decision.patient.encode(), to_json(decision), headers)))

    def _tally(self, decision: Assessment | ZoneChange | PageRequest) -> None:
        if isinstance(decision, Assessment):
            self._counts["assessment", decision.zone.value] += 1
            for reading in decision.readings:
                self._counts["reading", reading.vital or "unknown", reading.quality.value] += 1
        elif isinstance(decision, ZoneChange) and not decision.retracted:
            self._counts["change", decision.from_zone.value, decision.to_zone.value] += 1

    def _count(self) -> None:
        metrics = self._fold.metrics
        for (what, *labels), times in self._counts.items():
            if what == "assessment":
                metrics.assessments.labels(*labels).inc(times)
            elif what == "session":
                metrics.sessions.labels(*labels).inc(times)
            elif what == "reading":
                metrics.readings.labels(*labels).inc(times)
            else:
                metrics.zone_changes.labels(*labels).inc(times)
        self._fold.show_zones()
        self._fold.waiting.show()


def _judges(decision: Decision, session: Submission) -> TypeGuard[Assessment]:
    return isinstance(decision, Assessment) and decision.submission_id == session.submission_id


def tries(state: State) -> bool:
    """Whether a state is of nobody ill, who tries the alarm path."""
    return standing.course(state.care).at(max(state.clock_ms, state.decided_ms)).pathway == CANARY


def _unreadable_state() -> UnreadableError:
    return UnreadableError(DeadLetterReason.UNREADABLE_STATE, None, "the patient's state")
