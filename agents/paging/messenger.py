"""The messenger: a page request in, told to whoever has the duty, a receipt out. It decides nothing.

Told at least once and bounded: whatever happens a receipt follows, and the fold repeats, escalates or gives up on its
word. Pages are carried side by side and end in any order; a page that is carried again after a restart has the same
id, so its receiver has nothing more to do.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID, uuid5

import structlog

from agents.paging.attempts import open_http
from agents.paging.line import Line, Verdict
from agents.paging.notice import Notice
from agents.paging.undelivered import Undelivered
from agents.paging.ways import Address
from agents.paging.whom import Told, whom
from agents.streaming.received import received_ms
from agents.streaming.records import Output, dead_letter
from schemas.codec import Codec, UnreadableError, encode
from schemas.dead_letters import DeadLetterReason
from schemas.paging import FailureReason, Outcome, PageAction, PageRequest, Receipt
from schemas.topics import DEAD_LETTERS, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp

    from agents.acknowledging.links import Links
    from agents.metrics import Metrics
    from agents.paging.attempts import Attempt
    from agents.paging.line import Pages, Post
    from agents.paging.settings import PagingSettings
    from agents.paging.ways import Way, Ways
    from agents.streaming.records import Headers, Record
    from agents.wallclock import Clock
    from schemas.services import Service

PROCESS: Final = "paging"
DELIVERED: Final = "delivered"
NO_WAY: Final = "none"  # in metrics, where nobody can be told
REMEMBERED: Final = 10_000  # duties and episodes of which it is known who was told; our choice
_RECEIPTS: Final = UUID("6f0b3d0e-1f43-5a53-9d5e-6b9a6d6d3c9b")  # namespace of receipt ids
_PAGES: Final = Codec[PageRequest](PageRequest)
_log = structlog.get_logger("paging")


class Messenger:
    """Carries pages; an async context manager that holds the connections.

    Parameters
    ----------
    services, ways
        From `load_services` and `load_ways`.
    settings
        Bounds.
    clock
        For rosters, receipts, signatures and how long a page took.
    metrics
        pages, page_attempts, grouped_pages, undeliverable_pages, received_to_paged, dead_letters.
    links
        Makes the links in pages; None: they carry none.
    prefix
        Before the topics' names.
    """

    def __init__(  # noqa: PLR0913 - what a messenger is made of
        self,
        services: Mapping[str, Service],
        ways: Ways,
        settings: PagingSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        links: Links | None = None,
        prefix: str = "",
    ) -> None:
        self._services = services
        self._ways = ways
        self._links = links
        self._clock = clock
        self._metrics = metrics
        self._lines = {
            address: Line(
                self._post(address, way),
                settings,
                timeout_s=way.timeout_s or settings.attempt_timeout_s,
                a_minute=getattr(settings, f"{way.kind}_a_minute"),
                at_once=way.at_once,
                hurried=way.hurried,
            )
            for address, way in ways.items()
        }
        # A counter that begins with its first event shows no increase for it.
        for kind in {NO_WAY, *(way.kind for way in ways.values())}:
            for outcome in (DELIVERED, *FailureReason):
                metrics.pages.labels(kind, outcome)
        self._undelivered = Undelivered(frozenset(services), metrics, clock)
        self._told: OrderedDict[tuple[UUID, str, str | None], Told] = OrderedDict()
        self._receipts = f"{prefix}{RECEIPTS.name}"
        self._dead_letters = f"{prefix}{DEAD_LETTERS.name}"
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = open_http()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines.values():
            await line.close()
        if self._http is not None:
            await self._http.close()

    @property
    def in_flight(self) -> int:
        """How many records must be worked at once, so that every line may be full and the next page still gets in.

        For `StreamSettings.in_flight`: with less, the pages of dead receivers could keep another's from being read.
        """
        return sum(line.room for line in self._lines.values()) + 1

    async def carry(self, record: Record) -> list[tuple[int, Output]]:
        """Carry one record: its receipt, or a dead letter, for the partition that it came from."""
        try:
            page = _PAGES.decode(record.value)
        except UnreadableError as error:
            return [self._dead_letter(record, error.reason, error.field)]
        if record.key != page.patient.encode():
            return [self._dead_letter(record, DeadLetterReason.WRONG_KEY, "patient")]
        receipt = await self.tell(page)
        self._count(page, receipt, record.headers)
        return [(record.partition, Output(self._receipts, record.key, encode(receipt)))]

    async def tell(self, page: PageRequest) -> Receipt:
        """Tell `page` to whoever has the duty now; what became of it."""
        service = self._services.get(page.service)
        told = None if service is None else self._whom(service, page)
        if service is None or told is None:
            return self._receipt(page, Verdict(FailureReason.NO_RECEIVER, 0), None)
        address = Address(page.service, told.contact, told.by)
        if self._ways[address].carries(page.action):
            verdict = await self._lines[address].deliver(page)
        else:
            verdict = Verdict(None, 0)  # a message that was sent cannot be taken back: there is nothing to do
        self._remember(page, told, verdict)
        return self._receipt(page, verdict, told)

    def _whom(self, service: Service, page: PageRequest) -> Told | None:
        """Whom `whom` says; where the fold has not heard yet who was told, who it was as far as this process knows."""
        if page.action is not PageAction.TRIGGER and page.contact is None and page.episode_id is not None:
            told = self._told.get((page.episode_id, page.to, page.by))
            if told is not None:
                return told
        return whom(service, page, self._clock())

    def _remember(self, page: PageRequest, told: Told, verdict: Verdict) -> None:
        if page.action is PageAction.TRIGGER and page.episode_id is not None and verdict.reason is None:
            key = page.episode_id, page.to, page.by
            self._told[key] = told
            self._told.move_to_end(key)
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)

    def _post(self, address: Address, way: Way) -> Post:
        """One attempt to tell pages by one way."""

        async def once(pages: Pages, timeout_s: float) -> Attempt:
            if self._http is None:
                raise RuntimeError("the messenger has no connections: use it as `async with Messenger(...)`")
            notice = self._notice(address, pages)
            attempt = await way.post(self._http, notice, self._clock(), timeout_s)
            self._metrics.page_attempts.labels(attempt.reason or DELIVERED).inc()
            return attempt

        return once

    def _notice(self, address: Address, pages: Pages) -> Notice:
        links = self._links
        made = {} if links is None else {page.page_id: links.of(page.page_id, address.contact) for page in pages}
        board = None if links is None else str(links.board)
        return Notice(pages, address.service, self._services[address.service], made, board)

    def _receipt(self, page: PageRequest, verdict: Verdict, told: Told | None) -> Receipt:
        outcome = Outcome.FAILED if verdict.reason else Outcome.DELIVERED
        return Receipt(
            receipt_id=uuid5(_RECEIPTS, f"{page.page_id}/{page.ask}/{outcome}/{verdict.reason or ''}"),
            page_id=page.page_id,
            patient=page.patient,
            ask=page.ask,
            outcome=outcome,
            at=self._clock(),
            attempts=verdict.attempts,
            reason=verdict.reason,
            told=None if told is None else told.contact,
            by=None if told is None else told.by,
            group=verdict.group if verdict.reason is None else None,
        )

    def _count(self, page: PageRequest, receipt: Receipt, headers: Headers) -> None:
        kind = NO_WAY
        if receipt.told is not None and receipt.by is not None:
            kind = self._ways[Address(page.service, receipt.told, receipt.by)].kind
        if not page.test:  # the canaries come through every few minutes: nobody would see that all others fail
            self._metrics.pages.labels(kind, receipt.reason or DELIVERED).inc()
        if receipt.group is not None:
            self._metrics.grouped_pages.labels(kind).inc()
        received = self._undelivered.take(page, receipt, received_ms(headers))
        if receipt.reason is not None:
            _log.warning(
                "page not delivered",
                page_id=str(page.page_id),
                service=page.service,
                ask=page.ask,
                attempts=receipt.attempts,
                reason=receipt.reason.value,
            )
            return
        if page.test or page.action is not PageAction.TRIGGER:
            return
        if received is not None:
            took_s = receipt.at.timestamp() - received / 1000
            # Two machines' clocks: a page cannot have been delivered before its cause.
            self._metrics.received_to_paged.observe(max(0.0, took_s))

    def _dead_letter(self, record: Record, reason: DeadLetterReason, field: str | None) -> tuple[int, Output]:
        self._metrics.dead_letters.labels(PROCESS, reason).inc()
        _log.error(
            "page unreadable", reason=reason.value, field=field, partition=record.partition, offset=record.offset
        )
        return dead_letter(self._dead_letters, record, reason, field, process=PROCESS)
