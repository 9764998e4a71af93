"""What the dead letters say of given messages."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct

from schemas.dead_letters import OFFSET, PARTITION, REASON, TOPIC
from schemas.topics import ASSESSMENTS, DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents.reconciliation.logs import Logs
    from schemas.dead_letters import DeadLetterReason
    from schemas.topics import Topic

# An assessment that the broker does not take has no offset; what is kept of it begins with its ids.
_WITHOUT_OFFSET: Final = b"-1"
_SUBMISSION_ID: Final = re.compile(rb'"submission_id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')


class Letters(Struct, frozen=True):
    """The offsets that a dead letter is about, and the submissions whose assessment was too large to be written."""

    offsets: set[int]
    too_large: set[UUID]


async def letters(  # noqa: PLR0913 - where, about what, since when
    logs: Logs,
    topic: Topic,
    partition: int,
    offsets: Collection[int],
    *,
    since_ms: int,
    only: DeadLetterReason | None = None,
) -> Letters:
    """Look for dead letters about `offsets` of `topic`, written since `since_ms`, and of one reason where it is given.

    A message's dead letters lie in the partition of its own number. How far back they are kept is not asked: as long
    as submissions, and they were written after them.
    """
    found = Letters(set(), set())
    if not offsets:
        return found
    start = await logs.first_at(DEAD_LETTERS, partition, since_ms)
    _, end = await logs.bounds(DEAD_LETTERS, partition)
    about, too_large = logs.name(topic).encode(), logs.name(ASSESSMENTS).encode()
    number = str(partition).encode()
    wanted = {str(offset).encode(): offset for offset in offsets}
    async with aclosing(logs.read(DEAD_LETTERS, partition, start, end)) as records:
        async for record in records:
            said = dict(record.headers)
            at = said.get(OFFSET, b"")
            if said.get(TOPIC) == too_large and at == _WITHOUT_OFFSET:
                named = _SUBMISSION_ID.search(record.value or b"")
                if named:
                    found.too_large.add(UUID(named[1].decode()))
            elif said.get(TOPIC) != about or said.get(PARTITION) != number or at not in wanted:
                continue
            elif only is None or said.get(REASON) == only.value.encode():
                found.offsets.add(wanted[at])
                if len(found.offsets) == len(wanted):
                    break
    return found
