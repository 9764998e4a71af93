"""A worker: polls, hands batches to its handler, delivers, and only then declares them done.

Answers, on faust-streaming 0.15.3: what an agent raises acknowledges the message that it raised on (upstream #527), and
so does a cancelled `take()`. Here the agent raises nothing, acknowledges nothing, and ends the process instead.
"""

from __future__ import annotations

import asyncio
import os
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from agents import wallclock
from agents.streaming import version
from agents.streaming.admission import Admission, OffsetGapError
from agents.streaming.app import SafeApp
from agents.streaming.delivery import Delivery
from agents.streaming.fence import Fence
from agents.streaming.pace import Pace
from agents.streaming.records import Folded, Messenger, Output, Record, Sink, cut, dead_letter
from agents.streaming.underway import Underway
from schemas.dead_letters import DeadLetterReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agents.streaming.records import Fold, Handler, StreamMetrics, StreamSettings

EXIT_GAP: Final = 70
EXIT_STALLED: Final = 71
EXIT_CRASHED: Final = 72
EXIT_FENCED: Final = 73
DONE_WITHIN: Final = 0.5  # of the session, for a batch at work to be done once its partitions went away
GIVEN_UP_WITHIN: Final = 0.3  # of it, for a batch to be given up after that
_WATCH_S: Final = 1.0
_log = structlog.get_logger()


class Health(NamedTuple):
    """Whether the worker does its work."""

    loop_lag_s: float
    assigned: int  # source partitions
    recovered: bool
    behind: bool  # messages wait that it has not worked
    still_s: float  # since anything was last done while something waited [s]
    uncommitted_s: float  # since what is done and not committed was done [s]


class Place(NamedTuple):
    """How far a worker is in one partition."""

    generation: int
    next: int  # offset of the first record that is not done
    waits: bool  # whether there is such a record
    late_s: float  # how old what was last taken up was by then, 0 once nothing was left behind it [s]


def end_process(code: int, reason: str) -> None:
    """End at once, acknowledging nothing: what was under way is read again."""
    _log.error("worker_ends", reason=reason, status=code)
    os._exit(code)


class StreamWorker:
    """One consumer group's member.

    Parameters
    ----------
    settings, handler, metrics
        How it is deployed, what it does, whom it tells.
    die
        How the process ends where going on would lose something; tests put their own.
    """

    def __init__(
        self,
        settings: StreamSettings,
        handler: Handler,
        metrics: StreamMetrics,
        die: Callable[[int, str], None] = end_process,
    ) -> None:
        version.check()
        self.settings = settings
        self.handler = handler
        self.metrics = metrics
        self._die = die
        self.fence = Fence(settings.session_timeout_s, self._fenced)
        self.app = SafeApp(settings, self._restored, metrics.offset_jump, self.fence.alive)
        self.delivery = Delivery(settings.broker, settings.dead_letters, self.fence.check, lambda: self.fence.leased)
        self._admission = Admission(settings.compacted)
        self._writing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._gone = asyncio.Event()  # partitions went away, and what is under way keeps them for too long
        self._pace = Pace(settings.stall_s)
        self._busy = False
        self._to_commit: dict[TP, int] = {}
        self._began = monotonic()
        self._recovered_generation: int | None = None
        self._table: Any = None
        self._held: Underway | None = None
        self._assigned: set[TP] = set()
        self._late_s: dict[TP, float] = {}
        self._wire()

    # Life.

    async def run(self) -> int:
        """Work until `stop`; the exit code."""
        watch = [asyncio.create_task(self.fence.beat()), asyncio.create_task(self._watch())]
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                await stopping
        finally:
            ended = (*watch, starting, stopping)
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
            await self.app.stop()
            await self.delivery.stop()
        return 0

    async def _start(self) -> None:
        await self.delivery.start()
        await self.app.start()

    def stop(self) -> None:
        """End in order: what is done is committed, what is not is read again."""
        self._stopping.set()

    def health(self) -> Health:
        """How it is."""
        behind = self._behind()
        return Health(
            loop_lag_s=self.fence.lag_s,
            assigned=len(self._sources()),
            recovered=self._recovered_generation is not None
            and self._recovered_generation == self.app.consumer_generation_id,
            behind=behind,
            still_s=self._pace.still_s if behind else 0.0,
            uncommitted_s=0.0 if self._is_committed() else self._pace.uncommitted_s,
        )

    # For what is told ahead of its turn.

    def places(self, topic: str) -> dict[int, Place]:
        """How far it is in its partitions of `topic`; none of those of which nothing was taken up yet."""
        generation = self.app.consumer_generation_id
        if self._recovered_generation != generation:
            return {}
        found = {}
        for tp in self._sources():
            place = self._next_and_end(tp) if tp.topic == topic and tp in self._late_s else None
            if place is not None:
                found[tp.partition] = Place(generation, place[0], place[0] < place[1], self._late_s[tp])
        return found

    def confirmed(self, key: bytes) -> bytes | None:
        """The state of `key` that the broker has."""
        state: bytes | None = self._table.data.get(key)
        return state

    async def add(self, generation: int, topic: str, partition: int, outputs: Sequence[Output]) -> bool:
        """Write something that repeats do not harm, beside the batch at work; False where `partition` went away."""
        source, holds = TP(topic, partition), self._holds(generation)
        addressed = [(partition, output) for output in outputs]
        return await self.delivery.send(addressed, lambda: holds() and source in self._assigned) is not None

    # How Faust calls us.

    def _wire(self) -> None:
        settings, app = self.settings, self.app
        topic = app.topic(*settings.sources, key_type=bytes, value_type=bytes, value_serializer="raw")
        if settings.table is not None:
            self._table = app.Table(
                settings.table,
                key_type=bytes,
                value_type=bytes,
                partitions=settings.partitions,
            )
        app.agent(topic, concurrency=1, name=f"{settings.app_id}-agent")(self._agent)
        app.on_partitions_revoked.connect(self._revoked, weak=False)
        app.on_partitions_assigned.connect(self._assign, weak=False)

    async def _agent(self, stream: Any) -> None:  # noqa: ANN401 - Faust's stream is untyped
        queue = stream.channel.queue
        async for event in stream.noack().events():
            polls = [event]
            held = len(event.value)
            while not queue.empty() and held < self.settings.batch_max:
                polls.append(queue.get_nowait())
                held += len(polls[-1].value)
            async with self._writing:
                try:
                    await self._work(polls)
                except OffsetGapError as error:
                    self.metrics.offset_jump()
                    self._die(EXIT_GAP, f"offsets are missing in {error}")
                except Exception as error:  # noqa: BLE001 - Faust acknowledges what an agent raises on: end instead
                    self._die(EXIT_CRASHED, type(error).__name__)

    async def _assign(self, *sent: Any, **_: Any) -> None:  # noqa: ANN401 - a signal's arguments: app, partitions
        self._assigned = set(sent[1])
        self.fence.alive(monotonic())
        self._gone.clear()
        self._late_s.clear()
        self._began = monotonic()

    async def _revoked(self, *sent: Any, **_: Any) -> None:  # noqa: ANN401 - a signal's arguments: app, partitions
        """The group moves on only when the batch at work is done, or given up."""
        self._assigned -= set(sent[1])
        if await self._at_rest(DONE_WITHIN):
            return
        self._gone.set()  # a store that is away may keep a sink for hours: it gives up, and another writes the batch
        if not await self._at_rest(GIVEN_UP_WITHIN):
            # Another works on from what is written now: what is under way must not be written after it.
            self.metrics.fenced()
            lease = "" if self.fence.leased else ", for which there is no lease"
            self._die(EXIT_FENCED, f"partitions went away while a batch was being written{lease}")

    async def _at_rest(self, share: float) -> bool:
        """Whether no batch is at work, within so much of the session."""
        try:
            async with asyncio.timeout(share * self.settings.session_timeout_s):
                async with self._writing:
                    return True
        except TimeoutError:
            return False

    async def _restored(self, generation: int) -> None:
        if self._table is not None and not isinstance(self.handler, Sink | Messenger):
            await self.handler.restored(list(self._table.data.items()))
        self._recovered_generation = generation
        self._pace.moved()
        self.metrics.recovered(monotonic() - self._began)

    def _fenced(self) -> None:
        self.metrics.fenced()
        self._die(EXIT_FENCED, "paused for too long to be sure of what it owns")

    # One batch.

    async def _work(self, polls: Sequence[Any]) -> None:
        began = monotonic()
        generation = self.app.consumer_generation_id
        good: list[Record] = []
        last: dict[TP, int] = {}
        for poll in polls:
            message = poll.message
            if message.generation_id != generation:
                continue
            tp = TP(message.topic, message.partition)
            self._late_s[tp] = wallclock.now().timestamp() - poll.value[0].timestamp / 1000
            for raw in self._admission.admit(generation, self.app.expected, tp, poll.value):
                good.append(
                    Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.timestamp, tuple(raw.headers))
                )
                last[tp] = raw.offset + 1
        if not good:
            return
        self._busy = True
        try:
            if isinstance(self.handler, Messenger):
                await self._carry(self.handler, generation, good)
                return
            if isinstance(self.handler, Sink):
                outputs = await self._written(self.handler, good)
                if outputs is None or not await self._deliver(generation, outputs):
                    return
            elif not await self._fold(self.handler, generation, good):
                return
        finally:
            self._busy = False
            self._pace.moved()
        self._done(generation, last)
        self.metrics.batch(len(good), monotonic() - began)

    async def _written(self, sink: Sink, records: list[Record]) -> list[tuple[int, Output]] | None:
        """What the sink made of the records; None where it was given up, and another worker writes them."""
        writing, gone = asyncio.ensure_future(sink.write(records)), asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({writing, gone}, return_when=asyncio.FIRST_COMPLETED)
            return await writing if writing.done() else None
        finally:
            for task in (writing, gone):
                task.cancel()
            await asyncio.gather(writing, gone, return_exceptions=True)

    async def _fold(self, fold: Fold, generation: int, records: list[Record]) -> bool:
        states: Mapping[bytes, bytes] = self._table.data if self._table is not None else {}
        waiting = sorted(records, key=lambda record: record.timestamp_ms)  # whatever the topics they came by
        while waiting:
            folded = self._bisect(fold, waiting, states)
            worked, waiting = waiting[: folded.taken], waiting[folded.taken :]
            if not await self._deliver(generation, folded.outputs):
                return False
            if folded.states and not await self._keep(generation, folded.states, worked):
                return False
            fold.delivered(worked)
            await asyncio.sleep(0)
        return True

    async def _keep(self, generation: int, states: dict[bytes, tuple[int, bytes]], records: list[Record]) -> bool:
        """Write states to the changelog, and hold them for true once they are there."""
        changelog = self.settings.changelog or ""
        writes = [(partition, Output(changelog, key, state)) for key, (partition, state) in states.items()]
        too_large = await self.delivery.send(writes, self._holds(generation))
        if too_large is None:
            return False
        refused = {output.key for _, output in too_large}
        if refused:
            await self._too_large(generation, refused, records)
        data = self._table.data
        for key, (_, state) in states.items():
            if key not in refused:
                data[key] = state
        return True

    def _holds(self, generation: int) -> Callable[[], bool]:
        """Whether the partitions are still this worker's, asked before every attempt to write."""
        return lambda: generation == self.app.consumer_generation_id

    def _bisect(self, fold: Fold, records: list[Record], states: Mapping[bytes, bytes]) -> Folded:
        """Fold, so that a record on which the fold fails becomes a dead letter and takes no other along."""
        try:
            return fold(records, states)
        except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours go on and this one is named
            if len(records) == 1:
                _log.error(
                    "fold_failed",
                    error=type(error).__name__,
                    topic=records[0].topic,
                    partition=records[0].partition,
                    offset=records[0].offset,
                )
                self.metrics.dead_letter(DeadLetterReason.INTERNAL_ERROR)
                letter = _letter(self.settings, records[0], DeadLetterReason.INTERNAL_ERROR)
                return Folded([letter], {}, 1)
        half = len(records) // 2
        first = self._bisect(fold, records[:half], states)
        if first.taken < half:
            return first
        known = {**states, **{key: state for key, (_, state) in first.states.items()}} if first.states else states
        second = self._bisect(fold, records[half:], known)
        return Folded(first.outputs + second.outputs, {**first.states, **second.states}, half + second.taken)

    async def _deliver(self, generation: int, outputs: list[tuple[int, Output]]) -> bool:
        """Write outputs; False where the partitions went to another meanwhile."""
        refused = await self.delivery.send(outputs, self._holds(generation))
        for partition, output in refused or ():
            if output.topic == self.settings.dead_letters:  # told already, by a topic that was set to take less
                letter = partition, cut(output)
            else:
                reason = DeadLetterReason.OVERSIZE_OUTPUT
                self.metrics.dead_letter(reason)
                origin = Record(output.topic, partition, -1, output.key, output.value, 0)
                letter = partition, cut(_letter(self.settings, origin, reason)[1])
            if await self.delivery.send([letter], self._holds(generation)):
                raise RuntimeError("the topic of dead letters does not take a thousand bytes")
        self.fence.check()
        return refused is not None and self._holds(generation)()

    async def _too_large(self, generation: int, keys: set[bytes | None], records: list[Record]) -> None:
        """A state that the broker does not take stays as it was, and what it would have held is named."""
        letters = []
        for record in records:
            if record.key in keys:
                self.metrics.dead_letter(DeadLetterReason.OVERSIZE_STATE)
                letters.append(_letter(self.settings, record, DeadLetterReason.OVERSIZE_STATE))
        await self._deliver(generation, letters)

    def _done(self, generation: int, last: Mapping[TP, int]) -> None:
        for tp, offset in last.items():
            self.app.done[generation, tp] = offset
            place = self._next_and_end(tp)
            if place is not None and place[0] >= place[1]:
                self._late_s[tp] = 0.0
        self._pace.done()

    # Single messages.

    async def _carry(self, messenger: Messenger, generation: int, records: list[Record]) -> None:
        underway = self._underway(generation)
        for record in records:
            tp = TP(record.topic, record.partition)
            await underway.begin(tp, record.offset, self._carried(messenger, generation, record))

    async def _carried(self, messenger: Messenger, generation: int, record: Record) -> bool:
        began = monotonic()
        outputs = await messenger.carry(record)
        done = await self._deliver(generation, outputs)
        self.metrics.batch(1, monotonic() - began)
        return done

    def _carries(self) -> bool:
        """Whether single messages are under way: each is bounded, or waits for the broker."""
        return self._held is not None and self._held.at_work

    def _underway(self, generation: int) -> Underway:
        held = self._held
        if held is None or held.generation != generation:
            if held is not None:
                held.cancel()
            held = Underway(
                generation,
                self.settings.in_flight,
                lambda tp, offset: self._done(generation, {tp: offset}),
                lambda error: self._die(EXIT_CRASHED, error),
            )
            self._held = held
        return held

    # Watching.

    def _sources(self) -> set[TP]:
        return {tp for tp in self._assigned if tp.topic in self.settings.sources}

    def _behind(self) -> bool:
        places = map(self._next_and_end, self._sources())
        return any(place is not None and place[0] < place[1] for place in places)

    def _next_and_end(self, tp: TP) -> tuple[int, int] | None:
        """The first record that is not done, and where the log ends; None while that is not known."""
        try:
            end = self.app.consumer.highwater(tp)
        except (KafkaError, ConsumerNotStarted):
            return None  # the assignment is changing
        done = self.app.done.get((self.app.consumer_generation_id, tp), self.app.expected.get(tp))
        return None if done is None else (done, end or 0)

    def _is_committed(self) -> bool:
        """Whether the broker has what was done when it was last asked."""
        committed = self.app.committed
        return all(committed.get(tp, offset) >= offset for tp, offset in self._to_commit.items())

    async def _watch(self) -> None:
        """End a process that stands still with work waiting, or whose Faust has crashed."""
        while True:
            await asyncio.sleep(_WATCH_S)
            if self.app.crashed:
                self._die(EXIT_CRASHED, "faust crashed")
                return
            if self._is_committed():
                generation = self.app.consumer_generation_id
                self._to_commit = {tp: offset for (held, tp), offset in self.app.done.items() if held == generation}
                self._pace.committed()
            health = self.health()
            if not health.behind:
                self._pace.moved()
            self.metrics.pace(health.still_s, health.uncommitted_s)
            waits = health.assigned and not health.recovered
            self.metrics.restoring(monotonic() - self._began if waits else 0.0)
            stalled = self._pace.stalled(waits=health.behind and not self._busy and not self._carries())
            if stalled is not None:
                self.metrics.commit_stall()
                self._die(EXIT_STALLED, stalled)
                return


def _letter(settings: StreamSettings, record: Record, reason: DeadLetterReason) -> tuple[int, Output]:
    return dead_letter(settings.dead_letters, record, reason, process=settings.process)
