"""The port behind which every way stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    import aiohttp

    from agents.paging.attempts import Attempt
    from agents.paging.notice import Notice
    from schemas.paging import PageAction


class Way(Protocol):
    """How one contact is told.

    Attributes
    ----------
    kind
        `webhook`, `pagerduty` or `apprise`: for metrics.
    timeout_s
        Of one attempt [s]; None: the paging settings' own.
    at_once
        No more notices than so many may be under way; None: as many as the paging settings say.
    hurried
        Whether an attempt may be cut short where the far side keeps failing: not where it might arrive all the same.
    """

    @property
    def kind(self) -> str:
        """What it is."""

    @property
    def timeout_s(self) -> float | None:
        """How long one attempt may take [s]."""

    @property
    def at_once(self) -> int | None:
        """How many may be under way."""

    @property
    def hurried(self) -> bool:
        """Whether an attempt may be cut short."""

    def carries(self, action: PageAction) -> bool:
        """Whether it can tell that; where it cannot there is nothing to do."""

    async def post(self, http: aiohttp.ClientSession, notice: Notice, now: datetime, timeout_s: float) -> Attempt:
        """Try once, for no longer than `timeout_s` [s]. Raises nothing that the far side can cause."""
