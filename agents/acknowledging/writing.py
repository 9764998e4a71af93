"""Acknowledgements onto the topic `care`, with the broker's word awaited: a nurse who is told "done" is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.topics import topic_name
from agents.gateway.delivery import UnconfirmedError
from schemas.codec import encode
from schemas.topics import CARE

if TYPE_CHECKING:
    from agents.gateway.delivery import Producer
    from schemas.care import Acknowledged

TIMEOUT_S: Final = 5.0  # how long somebody waits in front of a page that does not come [s]; our choice


class CareWriter:
    """Writes care events.

    Parameters
    ----------
    producer
        Started, with acks=all and our partitioner (`agents.gateway.delivery.build_producer`).
    prefix
        Before the topic's name.
    """

    def __init__(self, producer: Producer, prefix: str, timeout_s: float = TIMEOUT_S) -> None:
        self._producer = producer
        self._topic = topic_name(prefix, CARE.name)
        self._timeout_s = timeout_s

    async def write(self, event: Acknowledged) -> None:
        """Return when the broker has confirmed it; raises UnconfirmedError."""
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = await self._producer.send(self._topic, encode(event), event.patient.encode(), ())
                sent.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.shield(sent)  # time may be up for us: the producer still owns it
        except (KafkaError, TimeoutError) as error:
            raise UnconfirmedError(type(error).__name__) from None
