"""Handing messages to the broker, and knowing that it has them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # the same

from agents.partitioner import by_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agents.gateway.intake import Accepted

LARGEST_REQUEST: Final = 1_048_576  # as the broker's own limit [B]


class Producer(Protocol):
    """What of AIOKafkaProducer the gateway uses; tests stand another in."""

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        """Put a record into the buffer; the future ends when the broker has confirmed it."""


class UnconfirmedError(Exception):
    """The broker did not confirm every message in time; some may be on the topic all the same."""


def build_producer(bootstrap: str, *, idempotent: bool = True) -> AIOKafkaProducer:
    """Return a producer as the gateway needs it, not yet started.

    Parameters
    ----------
    bootstrap
        host:port[,host:port].
    idempotent
        Whether the broker drops what our own retries send twice. The embedded one cannot; the fold drops it then.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=idempotent,
        partitioner=by_key,
        max_request_size=LARGEST_REQUEST,
    )


class Delivery:
    """Sends to one topic and waits for the broker's word.

    Parameters
    ----------
    producer
        Started, with acks=all.
    topic
        Full name.
    timeout_s
        Longest wait for a whole request's messages [s].
    """

    def __init__(self, producer: Producer, topic: str, timeout_s: float) -> None:
        self._producer = producer
        self._topic = topic
        self._timeout_s = timeout_s

    async def confirm(self, messages: Iterable[Accepted], vendor: str) -> None:
        """Return when the broker has confirmed every message, each with its `vendor` as a header.

        Raises
        ------
        UnconfirmedError
            It has not, within the time; the text is a class name, never a message.
        """
        headers = [("vendor", vendor.encode())]
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                for message in messages:
                    future = await self._producer.send(
                        self._topic, value=message.value, key=message.key, headers=headers
                    )
                    future.add_done_callback(_notice)
                    sent.append(future)
                if sent:
                    # `wait` leaves them alone when time is up: the producer still owns them.
                    await asyncio.wait(sent)
        except (KafkaError, TimeoutError) as error:
            raise UnconfirmedError(type(error).__name__) from None
        for future in sent:
            if future.cancelled():
                raise UnconfirmedError("cancelled")
            failure = future.exception()
            if failure is not None:
                raise UnconfirmedError(type(failure).__name__)


def _notice(future: asyncio.Future[Any]) -> None:
    """Look at a result that nobody waits for any more, or asyncio would complain of it in the log."""
    if not future.cancelled():
        future.exception()
