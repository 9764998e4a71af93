"""The board's way to the broker: connected as soon as it can be, and a form is told at once when it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.gateway.delivery import Delivery, UnconfirmedError, build_producer
from agents.gateway.intake import Accepted
from schemas import topics
from schemas.codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.care import Acknowledged

CONFIRM_S: Final = 8.0  # a form waits no longer for the broker [s]
_AGAIN_S: Final = 1.0
_VENDOR: Final = "board"
_log = structlog.get_logger()


class Writing:
    """One producer for both topics that the board writes.

    Parameters
    ----------
    bootstrap, prefix
        Where to.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self.care = _Hand(topic_name(prefix, topics.CARE.name))
        self.submissions = _Hand(topic_name(prefix, topics.SUBMISSIONS.name))

    async def write(self, event: Acknowledged) -> None:
        """Write what somebody acknowledged from elsewhere, as `agents.acknowledging.known.Writer`."""
        await self.care.confirm([Accepted(event.event_id, event.patient.encode(), encode(event))], _VENDOR)

    async def run(self) -> None:
        """Stay connected for ever; ends when cancelled."""
        while True:
            try:
                async with started(build_producer(self._bootstrap, idempotent=False)) as producer:
                    for hand in (self.care, self.submissions):
                        hand.delivery = Delivery(producer, hand.topic, CONFIRM_S)
                    await asyncio.Event().wait()
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("board_not_connected", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
            finally:
                self.care.delivery = self.submissions.delivery = None


class _Hand:
    """A delivery that may not be there yet."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.delivery: Delivery | None = None

    async def confirm(self, messages: Iterable[Accepted], vendor: str) -> None:
        """Return when the broker has confirmed every message; raises UnconfirmedError where it has not."""
        if self.delivery is None:
            raise UnconfirmedError("no broker to write to")
        await self.delivery.confirm(messages, vendor)
