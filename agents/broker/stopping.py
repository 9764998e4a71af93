"""Stopping a consumer of aiokafka 0.14.0 so that its stop cannot end the task that asked for it.

`AIOKafkaConsumer.stop()` awaits its fetch tasks after it cancelled them. One that waits to try again, as in an outage,
ends cancelled, and that CancelledError comes out of `stop()` as if the caller itself had been cancelled: a loop that
reconnects ends for good, without an error, and the connections stay open.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped] # aiokafka ships no types


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop `consumer` with its connections; only the caller's own cancellation comes out."""
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        # What its stop did not come to. A second `stop()` would do nothing: it holds itself for closed.
        await consumer._client.close()  # noqa: SLF001 - no public way leads there
        return
    stopping.result()
