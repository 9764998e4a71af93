"""How often somebody may try to sign in: a wait that doubles, by user and by address.

Kept in memory: a restart forgets it, and two boards count apart. Bounded, so that trying many names fills nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT: Final = 10_000  # users or addresses, the latest
FORGET_S: Final = 3600.0  # without an attempt for so long nothing is counted [s]


class Bound(NamedTuple):
    """Our choice: typing errors cost nothing, guessing takes years, and nobody can lock a nurse out for long."""

    free: int  # attempts without a wait
    most_s: float  # the wait never passes [s]


USER: Final = Bound(5, 60.0)
ADDRESS: Final = Bound(30, 300.0)  # a ward shares one


class _Count:
    __slots__ = ("at", "failed")

    def __init__(self, at: float) -> None:
        self.failed = 0
        self.at = at


class Attempts:
    """Counts an attempt before it is looked at, so that a thousand at once are not each the first.

    Parameters
    ----------
    clock
        A clock that never goes back [s].
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._users: OrderedDict[str, _Count] = OrderedDict()
        self._addresses: OrderedDict[str, _Count] = OrderedDict()

    def take(self, user: str, address: str) -> float:
        """Count an attempt and return 0, or return how long to wait and count nothing [s]."""
        now = self._clock()
        pairs = ((self._users, user, USER), (self._addresses, address, ADDRESS))
        wait = max(self._left(counts, key, bound, now) for counts, key, bound in pairs)
        if wait > 0:
            return wait
        for counts, key, _ in pairs:
            count = counts.setdefault(key, _Count(now))
            count.failed, count.at = count.failed + 1, now
            counts.move_to_end(key)
            if len(counts) > KEPT:
                counts.popitem(last=False)
        return 0.0

    def succeeded(self, user: str, address: str) -> None:
        """Take the attempt back: it was the right password."""
        self._users.pop(user, None)
        count = self._addresses.get(address)
        if count is not None:
            count.failed = max(0, count.failed - 1)

    def _left(self, counts: OrderedDict[str, _Count], key: str, bound: Bound, now: float) -> float:
        count = counts.get(key)
        if count is None:
            return 0.0
        if now - count.at > FORGET_S:
            del counts[key]
            return 0.0
        over = count.failed - bound.free
        if over < 0:
            return 0.0
        return count.at + min(bound.most_s, 2.0 ** min(over, 30)) - now
