"""Which dead letters there are, and what was done about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from agents.dead_letters.letters import LetterId, of_record
from schemas.codec import Codec, UnreadableError
from schemas.dead_letters import DeadLetterAct
from schemas.topics import DEAD_LETTER_ACTS, DEAD_LETTERS

if TYPE_CHECKING:
    from agents.dead_letters.letters import Letter
    from agents.dead_letters.log import Log

OPEN: Final = "open"
_ACTS: Final = Codec[DeadLetterAct](DeadLetterAct)


class Standing(NamedTuple):
    """A letter, and the newest act about it; None: it is open."""

    letter: Letter
    act: DeadLetterAct | None

    @property
    def state(self) -> str:
        """open, retried or discarded."""
        return OPEN if self.act is None else self.act.action.value


async def read(log: Log) -> dict[LetterId, Standing]:
    """Return every dead letter that is kept, by when it was first written, without its bytes.

    A letter that several processes wrote, or one wrote twice, is one: it tells of its first writing, and of all who
    wrote it. What is about a letter that is no longer kept is left out.
    """
    letters: dict[LetterId, Letter] = {}
    async for record in log.records(DEAD_LETTERS):
        letter = of_record(record, log.prefix)
        held = letters.setdefault(letter.id, letter)
        first = min(held, letter, key=lambda one: one.at_ms)
        processes = tuple(sorted({*held.processes, *letter.processes}))
        letters[letter.id] = first if first.processes == processes else replace(first, processes=processes)
    # Read after the letters: an act that is there by now is about one of them.
    acts: dict[LetterId, DeadLetterAct] = {}
    async for record in log.records(DEAD_LETTER_ACTS):
        act = act_of(record)
        if act is not None and (about := id_of(act)) in letters:
            acts[about] = act
    ordered = sorted(letters.values(), key=lambda letter: (letter.at_ms, letter.id))
    return {letter.id: Standing(letter, acts.get(letter.id)) for letter in ordered}


def act_of(record: Any) -> DeadLetterAct | None:  # noqa: ANN401 - aiokafka ships no types
    """Return the act that `record` holds; None: it holds none that can be read, and its letter stays open."""
    try:
        return _ACTS.decode(record.value)
    except UnreadableError:
        return None


def id_of(act: DeadLetterAct) -> LetterId:
    """Return which letter `act` is about."""
    return LetterId(act.topic, act.partition, act.offset)
