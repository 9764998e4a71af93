"""Open dead letters as they come and go, in bounded memory: how many for which reason, and since when.

At most `most` open ones are told apart, and the newest `most` acts are remembered. Of more open letters the rest is not
counted until there is room again, when everything is to be read anew. Of more acts the oldest are forgotten, so a
letter that is read only after that looks open: the figures may then be too high, never too low.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.dead_letters.letters import Letter, LetterId, Place

MOST: Final = 50_000  # about 35 MB at the worst


class _Open(NamedTuple):
    at_ms: int
    reason: str
    place: Place  # of its newest copy


class Opened:
    """What is open by what was read until now.

    Parameters
    ----------
    most
        How many open letters, and how many acts, are held at the most.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._open: dict[LetterId, _Open] = {}
        self._acted: OrderedDict[LetterId, None] = OrderedDict()
        self._left_out = False

    def letter(self, letter: Letter) -> None:
        """Take a dead letter."""
        if letter.id in self._acted:
            return
        held = self._open.get(letter.id)
        if held is None and len(self._open) >= self._most:
            self._left_out = True
            return
        at_ms = letter.at_ms if held is None else min(held.at_ms, letter.at_ms)
        self._open[letter.id] = _Open(at_ms, letter.reason if held is None else held.reason, letter.place)

    def act(self, about: LetterId) -> None:
        """Take an act: its letter is open no longer."""
        self._open.pop(about, None)
        self._acted[about] = None
        self._acted.move_to_end(about)
        if len(self._acted) > self._most:
            self._acted.popitem(last=False)

    def expire(self, begins: Mapping[int, int]) -> None:
        """Forget what is no longer kept: `begins` tells the first offset of each partition of dead letters."""
        gone = [about for about, one in self._open.items() if one.place.offset < begins.get(one.place.partition, 0)]
        for about in gone:
            del self._open[about]

    @property
    def must_read_anew(self) -> bool:
        """Whether open letters were left out for which there is room by now."""
        return self._left_out and len(self._open) <= self._most // 2

    @property
    def left_out(self) -> bool:
        """Whether there are more than are counted."""
        return self._left_out

    def by_reason(self) -> Counter[str]:
        """Count the open ones."""
        return Counter(one.reason for one in self._open.values())

    def oldest_ms(self) -> int | None:
        """Return when the longest open one was written; None: none is open."""
        return min((one.at_ms for one in self._open.values()), default=None)
