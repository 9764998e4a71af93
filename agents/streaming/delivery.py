"""Writing to Kafka: every confirmation is awaited, and an outage is waited out.

`await topic.send()` of Faust returns when a message is buffered, and its flush before a commit gives up after 100 ms,
so an offset can be committed before what came of it is written (upstream #273 made that flush, and left it its bound).
Here nothing counts before the broker said so.

Between asking whether the worker may write and writing lie the making of the batch and aiokafka's own attempts, for
seconds where the broker is away. A worker that was paused just there wrote statuses older than its successor's. So
every request is asked again where it goes out.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError, MessageSizeTooLargeError  # type: ignore[import-untyped] # the same

from agents.broker import clients
from schemas.topics import LETTER_BYTES, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agents.streaming.records import Output

MAX_BATCH_BYTES: Final = MAX_MESSAGE_BYTES - 4096  # room for the batch's own headers
MAX_WAIT_S: Final = 5.0
_log = structlog.get_logger()


class Delivery:
    """A producer that confirms.

    Parameters
    ----------
    broker
        host:port[,host:port]
    letters
        The topic of dead letters, which takes more than others: a letter holds a whole message and says why.
    fence
        Raises or ends the process where this worker may own its partitions no longer; asked before every attempt, and
        before every request.
    leased
        Whether they are surely still its own. Requests wait until they are.
    """

    def __init__(self, broker: str, letters: str, fence: Callable[[], None], leased: Callable[[], bool]) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=broker,
            acks="all",
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=MAX_MESSAGE_BYTES + LETTER_BYTES,
            request_timeout_ms=15_000,
        )
        self._letters = letters
        self._fence = fence
        self._leased = True
        client = self._producer.client
        ready = client.ready

        async def ready_and_ours(node: int, **where: Any) -> bool:  # noqa: ANN401 - as aiokafka's own
            reached: bool = await ready(node, **where)
            fence()
            before, self._leased = self._leased, leased()
            if before and not self._leased:
                _log.warning("lease_lost")
            return reached and self._leased

        client.ready = ready_and_ours  # the last it awaits before the request goes out; False is tried again

    async def start(self) -> None:
        """Connect; an absent broker is waited for."""
        waited = 0.1
        while True:
            try:
                await clients.start(self._producer)
            except KafkaError as error:
                _log.warning("broker_unreachable", error=type(error).__name__)
                await asyncio.sleep(waited)
                waited = min(MAX_WAIT_S, waited * 2)
            else:
                return

    async def stop(self) -> None:
        """Let go of the connection."""
        await clients.stop(self._producer)

    async def send(
        self, outputs: Sequence[tuple[int, Output]], holds: Callable[[], bool]
    ) -> list[tuple[int, Output]] | None:
        """Write all of `outputs` and return, once all are confirmed, those that are too large for the broker.

        Parameters
        ----------
        outputs
            (partition, message)
        holds
            Asked before every attempt: whether this worker may still write. None is returned once it may not.

        Raises
        ------
        asyncio.CancelledError
            Only that: any other failure is tried again, for ever. What was written twice, its reader drops by id.
        """
        left: dict[tuple[str, int], list[Output]] = {}
        for partition, output in outputs:
            left.setdefault((output.topic, partition), []).append(output)
        refused: list[tuple[int, Output]] = []
        waited = 0.1
        while left:
            self._fence()
            if not holds():
                return None
            results = await asyncio.gather(
                *(self._write(topic, partition, batch) for (topic, partition), batch in left.items()),
                return_exceptions=True,
            )
            failed: dict[tuple[str, int], list[Output]] = {}
            for (target, batch), result in zip(left.items(), results, strict=True):
                if isinstance(result, list):
                    refused += [(target[1], output) for output in result]
                elif isinstance(result, KafkaError):
                    failed[target] = batch
                    _log.warning("delivery_failed", topic=target[0], error=type(result).__name__)
                else:
                    raise result
            left = failed
            if left:
                await asyncio.sleep(waited * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
                waited = min(MAX_WAIT_S, waited * 2)
        return refused if holds() else None

    async def _write(self, topic: str, partition: int, outputs: Iterable[Output]) -> list[Output]:
        """Write `outputs` in order; return those too large."""
        pending: list[asyncio.Future[Any]] = []
        refused: list[Output] = []
        batch = self._producer.create_batch()
        held: list[Output] = []

        async def ship() -> None:
            nonlocal batch, held
            if held:
                pending.append(await self._producer.send_batch(batch, topic, partition=partition))
            batch, held = self._producer.create_batch(), []

        most = MAX_BATCH_BYTES + (LETTER_BYTES if topic == self._letters else 0)
        for output in outputs:
            if _size(output) > most:  # aiokafka takes the first message of a batch whatever its size
                refused.append(output)
                continue
            if not _append(batch, output):
                await ship()
                _append(batch, output)
            held.append(output)
        await ship()
        for future in pending:
            try:
                await future
            except MessageSizeTooLargeError:
                return await self._one_by_one(topic, partition, outputs)
        return refused

    async def _one_by_one(self, topic: str, partition: int, outputs: Iterable[Output]) -> list[Output]:
        """The broker's own limit is lower than ours: find out for which."""
        refused = []
        for output in outputs:
            try:
                await self._producer.send_and_wait(
                    topic, output.value, key=output.key, partition=partition, headers=list(output.headers)
                )
            except MessageSizeTooLargeError:
                refused.append(output)
        return refused


def _size(output: Output) -> int:
    """About how many bytes a message takes in a batch, and never less."""
    headers = sum(len(name) * 4 + len(value) + 10 for name, value in output.headers)
    return len(output.key or b"") + len(output.value) + headers + 64


def _append(batch: Any, output: Output) -> bool:  # noqa: ANN401 - aiokafka's batch is untyped
    found = batch.append(key=output.key, value=output.value, timestamp=None, headers=list(output.headers))
    return found is not None
