"""Keeps the metrics of open dead letters up to date, from outside of whoever writes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka.errors import KafkaError  # type: ignore[import-untyped] # aiokafka ships no types

from agents import wallclock
from agents.broker.topics import TopicsError
from agents.dead_letters.letters import UNKNOWN, of_record
from agents.dead_letters.log import Log
from agents.dead_letters.opened import MOST, Opened
from agents.dead_letters.standing import act_of, id_of
from schemas.dead_letters import DeadLetterReason
from schemas.topics import DEAD_LETTER_ACTS, DEAD_LETTERS

if TYPE_CHECKING:
    from agents.metrics import Metrics

EVERY_S: Final = 15.0
_log = structlog.get_logger()


async def show(  # noqa: PLR0913 - where, what, how often
    bootstrap: str,
    prefix: str,
    metrics: Metrics,
    *,
    every: float = EVERY_S,
    most: int = MOST,
    now: wallclock.Clock = wallclock.now,
) -> None:
    """Show for ever how many dead letters are open and how old the oldest is, whatever the broker does.

    While the broker does not answer the last values stand, and `dead_letters_read` says how old they are.
    """
    while True:
        try:
            async with Log(bootstrap, prefix) as log:
                while True:
                    await _follow(log, metrics, every, Opened(most), now)
        except (KafkaError, OSError, TopicsError) as error:
            _log.warning("dead_letters_unknown", error=type(error).__name__)
            await asyncio.sleep(every)


async def _follow(log: Log, metrics: Metrics, every: float, opened: Opened, now: wallclock.Clock) -> None:
    """Read from the beginning and on, until all must be read anew."""
    acts: dict[int, int] = {}  # partition -> next offset
    letters: dict[int, int] = {}
    warned = False
    while not opened.must_read_anew:
        # Acts before letters, or each letter ever dealt with would be open for a moment.
        async for record in log.records(DEAD_LETTER_ACTS, acts):
            acts[record.partition] = record.offset + 1
            if (act := act_of(record)) is not None:
                opened.act(id_of(act))
        async for record in log.records(DEAD_LETTERS, letters):
            letters[record.partition] = record.offset + 1
            opened.letter(of_record(record, log.prefix))
        opened.expire(await log.begins(DEAD_LETTERS))
        _tell(opened, metrics, now)
        if opened.left_out and not warned:
            warned = True
            _log.warning("dead_letters_not_all_counted", count=sum(opened.by_reason().values()))
        await asyncio.sleep(every)


def _tell(opened: Opened, metrics: Metrics, now: wallclock.Clock) -> None:
    standing = opened.by_reason()
    for reason in (*(one.value for one in DeadLetterReason), UNKNOWN):
        metrics.open_dead_letters.labels(reason).set(standing[reason])
    moment, oldest_ms = now().timestamp(), opened.oldest_ms()
    metrics.oldest_open_dead_letter.set(0 if oldest_ms is None else max(0.0, moment - oldest_ms / 1000))
    metrics.dead_letters_read.set(moment)
