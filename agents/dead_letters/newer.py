"""What must not be sent again: a message that a newer one of the same id has replaced since.

What goes into the fold is merged by id, whatever its order. What comes out of it is told again with a higher revision,
and its readers keep the last one written: an older one behind it would stand in the store, or on the board, as news.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from agents.dead_letters.letters import Place
from schemas.codec import UNREADABLE
from schemas.topics import ASSESSMENTS, DEAD_LETTERS, PAGES, PATIENT_STATUS, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents.dead_letters.letters import Letter, LetterId
    from agents.dead_letters.log import Log
    from schemas.topics import Topic

REPLACED_BY: Final = {
    ASSESSMENTS.name: (ASSESSMENTS, "assessment_id"),
    ZONE_CHANGES.name: (ZONE_CHANGES, "zone_change_id"),
    PATIENT_STATUS.name: (PATIENT_STATUS, "patient"),
    PAGES.name: (PAGES, "page_id"),
}
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def replaced(log: Log, letters: Collection[Letter]) -> set[LetterId]:
    """Return which of `letters` have a newer message of their id behind them, on the topic that they came from.

    A copy, as of an earlier retry, is not newer. One that names no id is nobody's older version.
    """
    found: set[LetterId] = set()
    known: dict[LetterId, tuple[bytes, int]] = {}
    told = {letter.place: letter.id for letter in letters if letter.id.topic in REPLACED_BY}
    async for record in log.records(DEAD_LETTERS, *span(told)):
        about = told.get(Place(record.partition, record.offset))
        if about is not None and (name := _name(record.value, REPLACED_BY[about.topic][1])) is not None:
            known[about] = (name, hash(record.value))
    for topic in {about.topic for about in known}:
        found |= await _replaced(log, *REPLACED_BY[topic], {k: v for k, v in known.items() if k.topic == topic})
    return found


async def _replaced(log: Log, topic: Topic, field: str, known: dict[LetterId, tuple[bytes, int]]) -> set[LetterId]:
    by_name: defaultdict[tuple[int, bytes], list[LetterId]] = defaultdict(list)
    since: dict[int, int] = {}
    for about, (name, _) in known.items():
        by_name[about.partition, name].append(about)
        since[about.partition] = min(since.get(about.partition, about.offset), about.offset)
    everything = dict.fromkeys(since, 2**62)
    found: set[LetterId] = set()
    async for record in log.records(topic, since, everything):
        named = _name(record.value, field)
        for about in () if named is None else by_name.get((record.partition, named), ()):
            if record.offset > about.offset and hash(record.value) != known[about][1]:
                found.add(about)
    return found


def span(places: Collection[tuple[int, int]]) -> tuple[dict[int, int], dict[int, int]]:
    """Return from where until where each partition must be read to meet all `places`."""
    since: dict[int, int] = {}
    until: dict[int, int] = {}
    for partition, offset in places:
        since[partition] = min(since.get(partition, offset), offset)
        until[partition] = max(until.get(partition, 0), offset + 1)
    return since, until


def _name(value: bytes | None, field: str) -> bytes | None:
    try:
        named = _FIELDS.decode(value or b"").get(field)
    except UNREADABLE:
        return None
    return None if named is None else bytes(named)
