"""Who is posted next where more pages wait than are posted at once: the one about the newest measurement.

After an outage many old pages come at once. Somebody who became ill just now is helped more by a page than somebody
whose measurement is hours old, and what gives way is reported at once and asked for again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class _Waiting(NamedTuple):
    """One that waits; the greatest is next, the least gives way: of equal ones the later comer."""

    at: datetime
    turn: int
    has_place: asyncio.Future[bool]


class Places:
    """So many pages under way at once, and so many that wait for it.

    Parameters
    ----------
    under_way, waiting
        How many.
    """

    def __init__(self, under_way: int, waiting: int) -> None:
        self._free = under_way
        self._most = waiting
        self._waiting: list[_Waiting] = []
        self._turn = 0

    async def take(self, at: datetime) -> bool:
        """Wait for a place, to be given back; False where there is none, or one about a newer measurement has it.

        Parameters
        ----------
        at
            Of the measurement that the page is about.
        """
        if self._free:
            self._free -= 1
            return True
        self._turn -= 1
        own = _Waiting(at, self._turn, asyncio.get_running_loop().create_future())
        self._waiting.append(own)
        if len(self._waiting) > self._most:
            self._tell(min(self._waiting), has_place=False)
        try:
            return await own.has_place
        except asyncio.CancelledError:
            if own in self._waiting:
                self._waiting.remove(own)
            elif not own.has_place.cancelled() and own.has_place.result():
                self.give_back()  # it came in the moment in which nobody wanted it any more
            raise

    def give_back(self) -> None:
        """A place is free: the next one's."""
        while self._waiting:
            if self._tell(max(self._waiting), has_place=True):
                return
        self._free += 1

    def _tell(self, waiting: _Waiting, *, has_place: bool) -> bool:
        """Whether it still wanted to know."""
        self._waiting.remove(waiting)
        wants: bool = not waiting.has_place.done()
        if wants:
            waiting.has_place.set_result(has_place)
        return wants
