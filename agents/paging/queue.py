"""Pages that wait for one contact and way: which is posted next, which go together, and which gives way.

After an outage many old pages come at once. Somebody who became ill just now is helped more by a page than somebody
whose measurement is hours old, so the newest is next. Where more than a few wait they are told in one notice, because
nobody reads the fortieth message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.paging.settings import FEWEST_IN_GROUP
from schemas.paging import PageAction

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from agents.paging.line import Verdict
    from schemas.paging import PageRequest


@dataclass(eq=False)
class Waiting:
    """One that waits.

    Attributes
    ----------
    verdict
        What became of it.
    bound
        How long it may wait.
    alone
        Its receiver takes no groups.
    """

    page: PageRequest
    verdict: asyncio.Future[Verdict]
    bound: asyncio.Timeout
    turn: int = 0
    alone: bool = False

    @property
    def wants(self) -> bool:
        """Whether anybody still wants to know."""
        return not self.verdict.done() and not self.bound.expired()

    @property
    def rank(self) -> tuple[bool, datetime, int]:
        """The greatest is next, the least gives way: what calls somebody, then the newest, then the first comer."""
        return self.page.action is PageAction.TRIGGER, self.page.at, -self.turn

    @property
    def groups(self) -> bool:
        """Whether it may be told together with others."""
        return self.page.action is PageAction.TRIGGER and not self.page.test and not self.alone


@dataclass
class Queue:
    """Those that wait for one contact and way.

    Parameters
    ----------
    most
        So many may wait.
    group_from
        So many are told together.
    """

    most: int
    group_from: int
    _waiting: list[Waiting] = field(default_factory=list, init=False)
    _turn: int = field(default=0, init=False)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, own: Waiting, free: int) -> Waiting | None:
        """Let `own` wait; where that is one too many, the one that gives way, which may be `own`.

        Parameters
        ----------
        free
            So many do not really wait, as it is their turn at once.
        """
        self._turn += 1
        own.turn = self._turn
        self._waiting.append(own)
        if len(self._waiting) <= self.most + free:
            return None
        least = min(self._waiting, key=lambda one: one.rank)
        self._waiting.remove(least)
        return least

    def drop(self, own: Waiting) -> None:
        """`own` waits no longer."""
        if own in self._waiting:
            self._waiting.remove(own)

    def ready(self, under_way: Collection[UUID | None]) -> bool:
        """Whether one may be posted now, as `next` has it."""
        return any(_may(one, under_way) for one in self._waiting)

    def next(self, under_way: Collection[UUID | None], *, late: bool) -> list[Waiting]:
        """Take out what is posted next: one, several that are told together, or none.

        Parameters
        ----------
        under_way
            Episodes of which something is being posted: that such a one is over must not overtake it.
        late
            Whether they had to wait for the rate limit: then all that wait are told together.
        """
        ordered = sorted((one for one in self._waiting if _may(one, under_way)), key=lambda one: one.rank, reverse=True)
        if not ordered:
            return []
        together = [one for one in ordered if one.groups]
        enough = FEWEST_IN_GROUP if late else self.group_from
        taken = together if ordered[0].groups and len(together) >= enough else ordered[:1]
        for one in taken:
            self._waiting.remove(one)
        return taken


def _may(one: Waiting, under_way: Collection[UUID | None]) -> bool:
    calls = one.page.action is PageAction.TRIGGER
    return one.wants and (calls or one.page.episode_id is None or one.page.episode_id not in under_way)
