"""Reading from Kafka: whole polled batches in, and only what was declared done is committed.

Answers, on faust-streaming 0.15.3 and aiokafka 0.14.0:

- per-message delivery costs about 70 us of tasks and futures a message: a batch goes as one event;
- the commit offset is worked out of acknowledged ranges and guessed gaps, off by one (upstream #606, #707): here it
  is what the worker declared;
- a commit that the broker refused is taken for done and not tried again (upstream #611);
- `seek_to_committed` passes over a partition without a commit, and what was polled and dropped there before is never
  read again: every source partition is moved, one whose commit lies outside the log too (upstream #318);
- the fetcher is handed a live set, and takes an empty one for "all partitions", whose records are then dropped;
- what was fetched before a seek may come to light after it, as if it were of the new generation: every fetch knows
  after which seek it was made;
- only the client knows when the broker last took this member for alive: the fence is told.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka.errors import ConsumerStoppedError  # type: ignore[import-untyped] # aiokafka ships no types
from faust.events import Event
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agents.streaming.app import SafeApp

_log = structlog.get_logger()
QUEUED_POLLS: Final = 8  # polled batches that wait for the worker, before polling waits itself
_FULL_PAUSE_S: Final = 0.002


class Fetched(dict[TP, list[Any]]):
    """Records by partition, and how many seeks there had been when they were taken from the client."""

    def __init__(self, records: Mapping[TP, list[Any]], seeks: int) -> None:
        super().__init__(records)
        self.seeks = seeks


class BatchThread(AIOKafkaConsumerThread):
    """The thread that talks to aiokafka.

    Attributes
    ----------
    seeks
        So many times the source partitions were sought.
    """

    app: SafeApp
    seeks: int = 0

    async def on_start(self) -> None:
        """Start the client, and hear of its heartbeats."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 - no listener is told of heartbeats
        beat = coordinator._do_heartbeat  # noqa: SLF001 - the same

        async def heartbeat() -> bool:
            sent = monotonic()
            alive: bool = await beat()
            if alive:
                self.app.alive(sent)
            return alive

        coordinator._do_heartbeat = heartbeat  # noqa: SLF001 - the same

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every source partition: to its commit, and to the beginning where there is none."""
        found: Mapping[TP, int] = await self.call_thread(self._seek_all)
        return found

    async def _seek_all(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        ours = [tp for tp in consumer.assignment() if tp.topic not in self.app.tables.changelog_topics]
        # All at once: each question on its own waits behind an empty fetch, and there are many partitions.
        committed = dict(zip(ours, await asyncio.gather(*map(consumer.committed, ours)), strict=True))
        begin, end = await consumer.beginning_offsets(ours), await consumer.end_offsets(ours)
        positions: dict[TP, int] = {}
        for tp in ours:
            place = begin[tp] if committed[tp] is None else committed[tp]
            if not begin[tp] <= place <= end[tp]:
                # Retention took what was not read yet, or the log was cut: there is only the beginning to go on from.
                if tp.topic not in self.app.fleeting:
                    self.app.jumped()
                    _log.error("offsets_lost", topic=tp.topic, partition=tp.partition, offset=place)
                place = begin[tp]
            positions[TP(tp.topic, tp.partition)] = place
            consumer.seek(tp, place)
        self.seeks += 1
        self.app.positioned(positions)
        return positions

    async def _fetch_records(
        self,
        consumer: Any,  # noqa: ANN401 - aiokafka's consumer is untyped
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - upstream's own parameter
        max_records: int | None = None,
    ) -> Mapping[TP, list[Any]]:
        wanted = set(active_partitions)
        if not wanted:
            return {}
        records = await super()._fetch_records(consumer, wanted, timeout, max_records)
        return Fetched(records, self.seeks)  # in the thread that seeks, with nothing between the two

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - aiokafka's consumer is untyped
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes 1.5 s. The embedded broker waits an empty fetch out, so there it would be the latency.
        consumer._fetch_max_wait_ms = self.app.fetch_max_wait_ms  # noqa: SLF001 - no setting reaches it
        return consumer


class BatchConsumer(Consumer):
    """Hands polled batches over, and commits what was declared done."""

    app: SafeApp
    _thread: BatchThread

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    def _new_offset(self, tp: TP) -> int | None:
        done: int | None = self.app.done.get((self.app.consumer_generation_id, tp))
        return done

    def _should_commit(self, tp: TP, offset: int) -> bool:
        committed: int | None = self.app.committed.get(tp)
        return committed != offset  # upstream takes a commit for done that the broker refused

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        done: bool = await super()._commit(offsets)
        if done:
            self.app.committed.update(offsets)
        return done

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:  # noqa: ANN401 - as upstream
        generation = self.app.consumer_generation_id
        return (
            tp
            for declared, tp in list(self.app.done)
            if declared == generation and (topics is None or tp in topics or tp.topic in topics)
        )

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - mode's services are untyped
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._poll(fetcher)
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.app.should_stop:
                raise

    async def _poll(self, fetcher: Any) -> None:  # noqa: ANN401 - mode's services are untyped
        if self.flow_active and not self._get_active_partitions():
            await asyncio.sleep(_FULL_PAUSE_S)  # upstream sleeps for a second here, at every restore
            return
        records: Any
        records, _ = await self._wait_next_records(1.0)  # a plain empty dict where nothing is active
        generation = self.app.consumer_generation_id
        await asyncio.sleep(0)
        if not records:
            return
        if not self.flow_active:
            await self.perform_seek()  # what was polled is dropped: read it again
            return
        changelogs = self.app.tables.changelog_topics
        for polled, batch in records.items():
            tp = TP(polled.topic, polled.partition)
            if self._moved_on(generation):
                return  # the next assignment seeks
            if tp not in self._active_partitions:
                continue
            if tp.topic in changelogs:
                await self._restore(tp, batch)
            elif records.seeks == self._thread.seeks:
                await self._hand_over(fetcher, tp, batch, generation, records.seeks)

    def _moved_on(self, generation: int) -> bool:
        return not self.flow_active or bool(self.app.consumer_generation_id != generation)

    def _halted(self, fetcher: Any) -> bool:  # noqa: ANN401 - mode's services are untyped
        flowing: bool = self.flow_active
        return not flowing or self.should_stop or bool(fetcher.should_stop)

    async def _restore(self, tp: TP, batch: list[Any]) -> None:
        read = self._read_offset[tp]
        for record in batch:
            if read is None or record.offset >= read:
                await self.wait_first(self.callback(self._to_message(tp, record)), self.suspend_flow.wait())
                self._read_offset[tp] = record.offset

    async def _hand_over(
        self,
        fetcher: Any,  # noqa: ANN401 - mode's services are untyped
        tp: TP,
        batch: list[Any],
        generation: int,
        seeks: int,
    ) -> None:
        await self.app.flow_control.acquire()
        conductor: Any = self.app.topics
        for channel in list(conductor._tp_index.get(tp, ())):  # noqa: SLF001 - no public way to a partition's channels
            queue = channel.queue
            while queue.qsize() >= QUEUED_POLLS:
                if self._halted(fetcher):
                    return
                await asyncio.sleep(_FULL_PAUSE_S)
            if self._moved_on(generation) or seeks != self._thread.seeks:
                return
            message = self._to_message(tp, batch[0])
            message.generation_id = generation
            queue.put_nowait(Event(self.app, None, batch, None, message))
            self._read_offset[tp] = batch[-1].offset


class BatchTransport(Transport):
    """Faust's own place for a consumer of ours."""

    Consumer = BatchConsumer
