"""Pages for new reds while a backlog is worked: looked at ahead of their turn, and decided in it.

A worker folds its partitions in order, so after a long outage a red of now lies behind all that came meanwhile. Where a
partition is late, its newest submissions are read a second time, from about now on, and stepped on the states that are
confirmed so far. Of what comes of that only pages are written; no state is kept and nothing is committed. The fold
comes to the same submission later and asks for the same page, whose id its receiver knows. So this can add a page and
take none away, and whatever fails here is left to the fold.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # aiokafka ships no types

from agents import wallclock
from agents.broker.clients import started
from agents.streaming import Output, Record
from agents.streaming.received import came_at
from pipeline.triage import content as contents
from pipeline.triage import lost, step
from pipeline.triage.instants import to_ms
from schemas.codec import UnreadableError, encode
from schemas.paging import PageAction, PageRequest
from schemas.submissions import Submission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.metrics import Metrics
    from agents.streaming import Place, StreamWorker
    from agents.triage.fold import TriageFold

AFTER_S: Final = 30.0  # a partition that is later than this is looked ahead in, from so long ago on
CAUGHT_UP_S: Final = 2.0  # and not any more once it is no later than this
AHEAD: Final = "ahead"  # header of such a page
LOOK_S: Final = 1.0  # how often it is seen which partitions are late
POLL_MS: Final = 200
POLL_RECORDS: Final = 500
FETCH_BYTES: Final = 262_144  # of a partition at once
SLICE_S: Final = 0.05  # so long at once,
PAUSE: Final = 4.0  # and then so many times as long nothing: a fifth of the loop at most
OF_ONE: Final = 8  # submissions of one patient; more wait for their turn
HEARD_BYTES: Final = 16_777_216
_log = structlog.get_logger()


class Heard:
    """What was looked at of each patient, so that one red asks for one page; the longest untouched is forgotten first.

    Parameters
    ----------
    most
        Bytes of submissions.
    """

    def __init__(self, most: int = HEARD_BYTES) -> None:
        self._most = most
        self._of: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self.bytes = 0

    def of(self, key: bytes) -> tuple[bytes, ...]:
        """The patient's submissions, in the order in which they came."""
        return self._of.get(key, ())

    def add(self, key: bytes, submission: bytes) -> None:
        """One more."""
        self._of[key] = (*self.of(key), submission)
        self._of.move_to_end(key)
        self.bytes += len(submission)
        while self.bytes > self._most:
            self.bytes -= sum(map(len, self._of.popitem(last=False)[1]))

    def clear(self) -> None:
        """Forget everybody."""
        self._of.clear()
        self.bytes = 0


class LookAhead:
    """Works beside a worker of triage, in its process.

    Parameters
    ----------
    worker, fold
        Whose partitions and states these are, and how its records are read.
    bootstrap
        host:port[,host:port]
    metrics
        pages_ahead, partitions_ahead, ahead_failures.
    """

    def __init__(self, worker: StreamWorker, fold: TriageFold, bootstrap: str, metrics: Metrics) -> None:
        self._worker = worker
        self._fold = fold
        self._bootstrap = bootstrap
        self._metrics = metrics
        self._next: dict[int, int] = {}  # partition -> offset of what is looked at next
        self.heard = Heard()

    async def run(self) -> None:
        """Look ahead wherever it is late, for ever, whatever happens."""
        while True:
            try:
                if self._late(self._worker.places(self._fold.submissions)):
                    await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker goes on and so does this
                self._failed(error)
            await asyncio.sleep(LOOK_S)

    def _late(self, places: Mapping[int, Place]) -> set[int]:
        return {partition for partition, place in places.items() if place.waits and place.late_s > AFTER_S}

    async def _look(self) -> None:
        """Until no partition is late any more."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=POLL_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        self._fold.hurries = True  # each turn of the loop waits for one of its slices
        try:
            async with started(consumer):
                while await self._choose(consumer):
                    until = monotonic() + LOOK_S
                    while monotonic() < until:
                        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
                        for partition, records in polled.items():
                            await self._work(partition.partition, records)
        finally:
            self._fold.hurries = False
            self._next.clear()
            self.heard.clear()
            self._metrics.partitions_ahead.set(0)

    async def _choose(self, consumer: Any) -> bool:  # noqa: ANN401 - aiokafka's consumer is untyped
        """Take up what is late, and leave what the worker comes to by itself; whether there is anything to look at."""
        places = self._worker.places(self._fold.submissions)
        before = set(self._next)
        for partition in before:
            place = places.get(partition)
            if place is None or self._caught_up(place, self._next[partition]):
                del self._next[partition]
        new = [TopicPartition(self._fold.submissions, partition) for partition in self._late(places) - before]
        if new:
            self._next |= await self._begin(consumer, new)
        if set(self._next) != before:
            looked = {TopicPartition(self._fold.submissions, partition): at for partition, at in self._next.items()}
            consumer.assign(list(looked))
            for partition, offset in looked.items():
                consumer.seek(partition, offset)
            self._metrics.partitions_ahead.set(len(looked))
            _log.info("looks_ahead", partitions=len(looked))
        return bool(self._next)

    def _caught_up(self, place: Place, offset: int) -> bool:
        return not place.waits or place.late_s < CAUGHT_UP_S or place.next >= offset

    async def _begin(self, consumer: Any, partitions: list[TopicPartition]) -> dict[int, int]:  # noqa: ANN401
        """Where what came lately begins."""
        since_ms = to_ms(wallclock.now()) - round(AFTER_S * 1000)
        ends = await consumer.end_offsets(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        return {one.partition: found[one].offset if found.get(one) else ends[one] for one in partitions}

    async def _work(self, partition: int, records: Sequence[Any]) -> None:
        """Look at records in slices, and write each slice's pages."""
        if partition not in self._next:
            return
        pages: list[Output] = []
        began = monotonic()
        for number, raw in enumerate(records, 1):
            record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.timestamp)
            try:
                pages += self._pages(record)
            except UnreadableError:
                pass  # the fold names it
            except Exception as error:  # noqa: BLE001 - the record is left to its turn
                self._failed(error)
            spent_s = monotonic() - began
            if spent_s > SLICE_S or number == len(records):
                if not await self._write(partition, pages):
                    del self._next[partition]
                    self.heard.clear()  # of what was not written
                    return
                pages = []
                await asyncio.sleep(spent_s * PAUSE)
                began = monotonic()
        self._next[partition] = records[-1].offset + 1

    async def _write(self, partition: int, pages: list[Output]) -> bool:
        """Ask for pages, confirmed; False once the partition is another's."""
        place = self._worker.places(self._fold.submissions).get(partition)
        if place is None:
            return False
        if pages:
            if not await self._worker.add(place.generation, self._fold.submissions, partition, pages):
                return False
            self._metrics.pages_ahead.inc(len(pages))
        return True

    def _pages(self, record: Record) -> list[Output]:
        """The pages that a record asks for as far as is known now."""
        event = self._fold.read(record)
        if not isinstance(event, Submission) or not self._urgent(event):
            return []
        key, value = record.key or b"", record.value or b""
        raw, heard = self._worker.confirmed(key), self.heard.of(key)
        if raw is None or lost.is_aside(raw) or value in heard or len(heard) >= OF_ONE:
            return []
        state: Any = lost.read(raw)
        for earlier in heard:
            state, _ = step(state, self._earlier(earlier), self._fold.rules, self._fold.services)
        _, decisions = step(state, event, self._fold.rules, self._fold.services)
        self.heard.add(key, value)
        topic, headers = self._fold.topic_of[PageRequest], (*came_at(record), (AHEAD, b"1"))
        pages = [one for one in decisions if isinstance(one, PageRequest) and one.action is PageAction.TRIGGER]
        return [Output(topic, key, encode(page), headers) for page in pages]

    def _urgent(self, event: Submission) -> bool:
        """Whether it was measured late enough to page anybody."""
        rules, received_ms = self._fold.rules, to_ms(event.received_at)
        body = contents.body(event.readings, event.answers, received_ms, contents.Names())
        return received_ms - contents.measured_ms(body, received_ms, rules) <= rules.page_within_ms

    def _earlier(self, value: bytes) -> Any:  # noqa: ANN401 - it was read as a submission before
        return self._fold.codecs[self._fold.submissions].decode(value)

    def _failed(self, error: Exception) -> None:
        self._metrics.ahead_failures.inc()
        _log.error("look_ahead_failed", error=type(error).__name__)
