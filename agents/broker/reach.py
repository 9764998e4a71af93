"""Whether the broker can take what is sent: it answers, and every partition of the topic has a leader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # the same

EVERY_S: Final = 5.0
LATE_AFTER: Final = 3  # questions without a good answer


class Reach:
    """Asks again and again, also while nothing is sent.

    Parameters
    ----------
    producer
        Started.
    topic
        What is sent to.
    every_s
        Between questions, and the longest wait for an answer [s].
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, *, every_s: float = EVERY_S) -> None:
        self._producer = producer
        self._topic = topic
        self._every_s = every_s
        self._answered: float | None = None  # the last good answer, by the loop's clock [s]

    def holds(self) -> bool:
        """Return whether the last good answer is not long ago."""
        if self._answered is None:
            return False
        return asyncio.get_running_loop().time() - self._answered < LATE_AFTER * self._every_s

    async def run(self) -> None:
        """Ask for ever; ends when cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._every_s):
                    await self._ask()
            except (KafkaError, OSError, TimeoutError):
                pass  # what is not answered grows old
            await asyncio.sleep(self._every_s)

    async def _ask(self) -> None:
        await self._producer.partitions_for(self._topic)
        client = self._producer.client
        if not await client.force_metadata_update():
            return
        every = client.cluster.partitions_for_topic(self._topic)
        if every and every == client.cluster.available_partitions_for_topic(self._topic):
            self._answered = asyncio.get_running_loop().time()
