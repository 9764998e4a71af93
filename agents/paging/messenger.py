"""The messenger: a page request in, posted to its service's receiver, a receipt out. It decides nothing.

Posted at least once and bounded: whatever happens a receipt follows, and the fold repeats, escalates or gives up on its
word. Pages are carried side by side and end in any order; a page that is carried again after a restart has the same
id, so its receiver has nothing more to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self
from uuid import UUID, uuid5

import structlog

from agents.paging.attempts import Attempt, open_http, post
from agents.paging.line import Line, Verdict
from agents.paging.notice import notice_of
from agents.streaming.received import received_ms
from agents.streaming.records import Output, dead_letter
from schemas.codec import Codec, UnreadableError, encode
from schemas.dead_letters import DeadLetterReason
from schemas.paging import FailureReason, Outcome, PageRequest, Receipt
from schemas.topics import DEAD_LETTERS, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp

    from agents.metrics import Metrics
    from agents.paging.settings import PagingSettings
    from agents.paging.webhooks import Webhook
    from agents.streaming.records import Headers, Record
    from agents.wallclock import Clock

DELIVERED: Final = "delivered"
_RECEIPTS: Final = UUID("6f0b3d0e-1f43-5a53-9d5e-6b9a6d6d3c9b")  # namespace of receipt ids
_PAGES: Final = Codec[PageRequest](PageRequest)
_log = structlog.get_logger("paging")


class Messenger:
    """Carries pages; an async context manager that holds the connections.

    Parameters
    ----------
    webhooks
        From `load_webhooks`.
    settings
        Bounds.
    clock
        For receipts, signatures and how long a page took.
    metrics
        pages, page_attempts, received_to_paged, dead_letters.
    prefix
        Before the topics' names.
    """

    def __init__(
        self,
        webhooks: Mapping[str, Webhook],
        settings: PagingSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        prefix: str = "",
    ) -> None:
        self._webhooks = webhooks
        self._lines = {
            service: Line(settings, webhook.timeout_s or settings.attempt_timeout_s)
            for service, webhook in webhooks.items()
        }
        self._clock = clock
        self._metrics = metrics
        self._receipts = f"{prefix}{RECEIPTS.name}"
        self._dead_letters = f"{prefix}{DEAD_LETTERS.name}"
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = open_http()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        verdict = await self._carry(page)
        receipt = self._receipt(page, verdict)
        self._tell(page, verdict, receipt, record.headers)
        return [(record.partition, Output(self._receipts, record.key, encode(receipt)))]

    async def _carry(self, page: PageRequest) -> Verdict:
        webhook = self._webhooks.get(page.service)
        if webhook is None:
            return Verdict(FailureReason.NO_RECEIVER, 0)
        if self._http is None:
            raise RuntimeError("the messenger has no connections: use it as `async with Messenger(...)`")
        http, notice = self._http, notice_of(page)

        async def once(timeout_s: float) -> Attempt:
            attempt = await post(http, webhook, notice, self._clock(), timeout_s)
            self._metrics.page_attempts.labels(attempt.reason or DELIVERED).inc()
            return attempt

        return await self._lines[page.service].deliver(once, page.at)

    def _receipt(self, page: PageRequest, verdict: Verdict) -> Receipt:
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
        )

    def _tell(self, page: PageRequest, verdict: Verdict, receipt: Receipt, headers: Headers) -> None:
        self._metrics.pages.labels(verdict.reason or DELIVERED).inc()
        if verdict.reason is not None:
            _log.warning(
                "page not delivered",
                page_id=str(page.page_id),
                service=page.service,
                ask=page.ask,
                attempts=verdict.attempts,
                reason=verdict.reason.value,
            )
            return
        received = received_ms(headers)
        if received is not None:
            took_s = receipt.at.timestamp() - received / 1000
            # Two machines' clocks: a page cannot have been delivered before its cause.
            self._metrics.received_to_paged.observe(max(0.0, took_s))

    def _dead_letter(self, record: Record, reason: DeadLetterReason, field: str | None) -> tuple[int, Output]:
        self._metrics.dead_letters.labels("paging", reason).inc()
        _log.error(
            "page unreadable", reason=reason.value, field=field, partition=record.partition, offset=record.offset
        )
        return dead_letter(self._dead_letters, record, reason, field)
