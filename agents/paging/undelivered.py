"""Pages that nobody takes: how many of each service have been open for longer than a minute.

A page that is asked again, or in place of another to the same duty about the same episode, is the same here.

An operator is told of them by metric and alert; the fold asks again and goes on to the next person meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from schemas.paging import PageAction

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from agents.metrics import Metrics
    from agents.wallclock import Clock
    from schemas.paging import PageRequest, Receipt

OPEN_FOR: Final = timedelta(minutes=1)  # our choice
# A page that is not asked for again was withdrawn, or another process carries it. The fold's longest pause is shorter.
FORGOTTEN_AFTER: Final = timedelta(minutes=30)
MOST: Final = 100_000
_Asked = tuple["UUID", str, str, str | None]


class _Failed(NamedTuple):
    service: str
    first: datetime
    last: datetime
    received_ms: int | None  # when what the page is about had come; only the first ask says it


class Undelivered:
    """What this process failed to deliver.

    Parameters
    ----------
    services
        Of whom it is told, also where there is nothing to tell.
    """

    def __init__(self, services: frozenset[str], metrics: Metrics, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[_Asked, _Failed] = OrderedDict()
        for service in services:
            metrics.undeliverable_pages.labels(service).set_function(partial(self.open, service))

    def take(self, page: PageRequest, receipt: Receipt, received_ms: int | None) -> int | None:
        """Hear what became of a page; returns when what it is about had come, which only its first ask may know."""
        asked = _asked(page)
        known = self._failed.pop(asked, None)
        if known is not None and known.received_ms is not None:
            received_ms = known.received_ms
        calls = page.action is PageAction.TRIGGER and not page.test
        if receipt.reason is not None and calls:
            first = receipt.at if known is None else known.first
            self._failed[asked] = _Failed(page.service, first, receipt.at, received_ms)
            if len(self._failed) > MOST:
                self._failed.popitem(last=False)
        return received_ms

    def open(self, service: str) -> int:
        """Return how many of a service have been open for longer than a minute."""
        now = self._clock()
        while self._failed and now - next(iter(self._failed.values())).last > FORGOTTEN_AFTER:
            self._failed.popitem(last=False)
        return sum(one.service == service and now - one.first > OPEN_FOR for one in self._failed.values())


def _asked(page: PageRequest) -> _Asked:
    """Who is asked about what: a ladder's last step is asked by a new page each time, and that is the same question."""
    return page.episode_id or page.page_id, page.service, page.to, page.by
