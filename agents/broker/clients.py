"""Starting and stopping clients of aiokafka 0.14.0 so that a cancellation leaves no connection open.

Two things go wrong without it. A `start()` that is cancelled forgets the connection on which it asked for the cluster.
And `AIOKafkaConsumer.stop()` awaits its fetch tasks after it cancelled them: one that waits to try again, as in an
outage, ends cancelled, and that CancelledError comes out of `stop()` as if the caller had been cancelled. A loop that
reconnects then ends for good, without an error, and the connections stay open.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

Client = TypeVar("Client")


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """`client` (a producer, consumer or admin client) connected while the block runs, and closed after it.

    Raises
    ------
    aiokafka.errors.KafkaError
        It cannot connect.
    """
    try:
        await start(client)
        yield client
    finally:
        await stop(client)


async def start(client: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
    """Connect `client`; a cancellation comes out once it has, or has failed, within its request timeout."""
    await _whole(client.start())


async def stop(client: Any) -> None:  # noqa: ANN401 - the same
    """Close `client` with its connections; of cancellations only the caller's own comes out, after that."""
    await _whole(_stop(client))


async def _stop(client: Any) -> None:  # noqa: ANN401 - the same
    stopping = asyncio.ensure_future(client.close() if not hasattr(client, "stop") else client.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        # What its stop did not come to. A second `stop()` would do nothing: it holds itself for closed.
        await client._client.close()  # noqa: SLF001 - no public way leads there
        return
    stopping.result()


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end, whoever cancels the caller meanwhile."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        task.result()
        return
    if not task.cancelled():
        task.exception()  # looked at, or asyncio would complain of it: the cancellation is what comes out
    raise cancelled
