"""What an operator does about dead letters: send them again, or leave them be. Each act is written down.

A message is sent first and the act written after, both confirmed by the broker. Whoever is interrupted in between does
it again: its readers know it by its id.

A message goes without headers. Those of its dead letter are about the letter; of the messages themselves, some say when
the submission behind them was received, for metrics of latency. One that waited for an operator is not timed from
there: a submission is timed from when it is sent again, and anything else not at all.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped] # aiokafka ships no types
from aiokafka.errors import KafkaError, MessageSizeTooLargeError  # type: ignore[import-untyped] # the same

from agents import wallclock
from agents.broker.clients import started
from agents.broker.topics import topic_name
from agents.dead_letters.letters import Place
from agents.dead_letters.newer import replaced, span
from agents.partitioner import by_key
from schemas.codec import encode
from schemas.dead_letters import DeadLetterAct, DeadLetterAction
from schemas.topics import DEAD_LETTER_ACTS, DEAD_LETTERS, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from agents.dead_letters.letters import Letter, LetterId
    from agents.dead_letters.log import Log
    from agents.dead_letters.standing import Standing

REQUEST_TIMEOUT_MS: Final = 15_000
REPLACED: Final = "a newer message of the same id came after it, and this one would stand in its place: discard it"
NO_ORIGIN: Final = "holds no whole message of one of our topics, so there is nowhere to send it: discard it"
NO_PARTITION: Final = "came from a partition that is there no longer"
TOO_LARGE: Final = "is larger than its topic takes: have it sent anew in parts, or alter the topic's max.message.bytes"
GONE: Final = "is gone: its time on the topic ran out meanwhile"


class NotConfirmedError(RuntimeError):
    """The broker did not confirm something; what was told as done until then is done, and written down."""


class Refused(NamedTuple):
    """A letter that is left as it was, and why."""

    id: LetterId
    problem: str


async def unsendable(log: Log, standings: Collection[Standing]) -> list[Refused]:
    """Return which letters are not to be sent again: retried already, of no origin, or replaced by something newer.

    One that was discarded may be: somebody has changed their mind.
    """
    refused, whole = [], []
    for letter, act in standings:
        if act is not None and act.action is DeadLetterAction.RETRIED:
            refused.append(Refused(letter.id, done_already(act)))
        elif not letter.tells_origin:
            refused.append(Refused(letter.id, NO_ORIGIN))
        else:
            whole.append(letter)
    older = await replaced(log, whole)
    return refused + [Refused(letter.id, REPLACED) for letter in whole if letter.id in older]


def done_already(act: DeadLetterAct) -> str:
    """Return in words that `act` has been done."""
    return f"was {act.action.value} already, at {act.at.isoformat(timespec='seconds')} by {act.by}"


class Acting:
    """One operator at work.

    Parameters
    ----------
    log, producer
        Started, of the same installation.
    by
        Who it is: a StaffRef.
    now
        What time it is; tests give their own.
    """

    def __init__(self, log: Log, producer: AIOKafkaProducer, by: str, now: wallclock.Clock = wallclock.now) -> None:
        self._log = log
        self._producer = producer
        self._by = by
        self._now = now

    async def discard(self, letters: Collection[Letter], why: str, done: Callable[[LetterId], None]) -> None:
        """Write down that `letters` are left as they are; `done` hears of each.

        Raises
        ------
        NotConfirmedError
            The broker did not confirm one; those before it are discarded.
        """
        for letter in letters:
            await self._write_down(letter.id, DeadLetterAction.DISCARDED, why)
            done(letter.id)

    async def retry(self, letters: Collection[Letter], done: Callable[[LetterId], None]) -> list[Refused]:
        """Send the bytes of `letters` again to the topic and partition they came from, with their own keys.

        `done` hears of each. Returns those that were not sent, which stay as they were. Letters without an origin are
        not to be given: `unsendable` names them.

        Raises
        ------
        NotConfirmedError
            The broker did not confirm one; those before it are sent and written down.
        """
        refused: list[Refused] = []
        left = {letter.place: letter.id for letter in letters}
        async for record in self._log.records(DEAD_LETTERS, *span(left)):
            about = left.pop(Place(record.partition, record.offset), None)
            if about is None:
                continue
            try:
                await self._send(about.topic, record.value, record.key, about.partition)
            except AssertionError:  # aiokafka's word for a partition that it does not know
                refused.append(Refused(about, NO_PARTITION))
            except MessageSizeTooLargeError:
                refused.append(Refused(about, TOO_LARGE))
            else:
                await self._write_down(about, DeadLetterAction.RETRIED, None)
                done(about)
        return refused + [Refused(about, GONE) for about in left.values()]

    async def _write_down(self, about: LetterId, action: DeadLetterAction, why: str | None) -> None:
        act = DeadLetterAct(
            at=self._now(),
            topic=about.topic,
            partition=about.partition,
            offset=about.offset,
            action=action,
            by=self._by,
            why=why,
        )
        await self._send(DEAD_LETTER_ACTS.name, encode(act), str(about).encode(), None)

    async def _send(self, topic: str, value: bytes, key: bytes | None, partition: int | None) -> None:
        try:
            await self._producer.send_and_wait(topic_name(self._log.prefix, topic), value, key=key, partition=partition)
        except MessageSizeTooLargeError:
            raise
        except KafkaError as error:
            raise NotConfirmedError(
                "the broker did not confirm it: what was told as done is done; try the rest again"
            ) from error


@asynccontextmanager
async def acting(log: Log, bootstrap: str, by: str, now: wallclock.Clock = wallclock.now) -> AsyncIterator[Acting]:
    """An operator with a connection for writing while the block runs.

    Raises
    ------
    aiokafka.errors.KafkaConnectionError
        The broker does not answer.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        max_batch_size=MAX_MESSAGE_BYTES,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        partitioner=by_key,
    )
    async with started(producer):
        yield Acting(log, producer, by, now)
