"""The gateway's addresses, and the way of a request through token, body, quota, rules and broker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import hdrs, web

from agents.gateway.delivery import Delivery, Producer, UnconfirmedError
from agents.gateway.docs_page import CONTENT_SECURITY_POLICY, docs_page
from agents.gateway.intake import CORRECTIONS, SESSIONS, Check, Intake
from agents.gateway.openapi import openapi
from agents.gateway.problems import (
    BAD_REQUEST,
    CONTENT_ENCODING,
    INVALID,
    MEDIA_TYPE,
    SLOW_BODY,
    TOO_LARGE,
    UNAUTHORIZED,
    UNAVAILABLE,
    Refusal,
)
from agents.gateway.quota import Quota
from agents.gateway.tokens import Tokens, load_tokens
from agents.gateway.watch import ITEMS, VENDOR, watched
from schemas.topics import SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from agents.gateway.settings import GatewaySettings
    from agents.metrics import Metrics
    from agents.wallclock import Clock

_ACCEPTED: Final = 202
_MIXED: Final = 207
_UTF8: Final = ("", "utf-8", "utf8")


class Reception:
    """One address that takes messages.

    Parameters
    ----------
    intake
        Reads its bodies.
    gate
        Token, quota, broker, clock and limits, the same for every address.
    count
        Told how many items were "accepted", "refused" or "unconfirmed".
    """

    def __init__(self, intake: Intake, gate: _Gate, count: Callable[[str, int], None]) -> None:
        self._intake = intake
        self._gate = gate
        self._count = count

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 202 when the broker has all that was sent, 207 when it has what was valid of it.

        Raises
        ------
        Refusal
            Nothing was acknowledged.
        """
        vendor = self._gate.vendor_of(request)
        with self._gate.room(vendor):
            self._gate.quota.check(vendor, 1)
            try:
                body = await self._gate.body_of(request)
                items = self._intake.sort(body, self._gate.clock())
            except Refusal:
                await self._gate.quota.take(vendor, 1)
                raise
            request[ITEMS] = len(items.accepted) + items.refused_items
            headers = await self._gate.quota.take(vendor, request[ITEMS])
            self._count("refused", items.refused_items)
            if not items.accepted:
                raise Refusal(INVALID, faults=items.faults, headers=headers)
            try:
                await self._gate.delivery.confirm(items.accepted, vendor)
            except UnconfirmedError:
                self._count("unconfirmed", len(items.accepted))
                raise self._gate.unavailable(headers) from None
            self._count("accepted", len(items.accepted))
        answer: dict[str, Any] = {"accepted": [message.id for message in items.accepted]}
        if items.faults:
            answer["errors"] = [fault._asdict() for fault in items.faults]
        return web.Response(
            status=_MIXED if items.faults else _ACCEPTED,
            body=msgspec.json.encode(answer),
            content_type="application/json",
            headers=headers,
        )


class _Gate:
    """What a request passes at every address."""

    def __init__(self, settings: GatewaySettings, tokens: Tokens, delivery: Delivery, clock: Clock) -> None:
        self.clock = clock
        self.delivery = delivery
        self.quota = Quota(settings.items_per_minute)
        self._settings = settings
        self._tokens = tokens
        self._under_way: Counter[str] = Counter()  # by vendor

    def vendor_of(self, request: web.Request) -> str:
        offered = request.headers.getall(hdrs.AUTHORIZATION, [])
        scheme, _, token = offered[0].partition(" ") if len(offered) == 1 else ("", "", "")
        vendor = self._tokens.vendor_of(token.strip()) if scheme.lower() == "bearer" else None
        if vendor is None:
            challenge = 'Bearer realm="sonevakt"' + (', error="invalid_token"' if offered else "")
            raise Refusal(UNAUTHORIZED, headers={hdrs.WWW_AUTHENTICATE: challenge}, hang_up=True)
        request[VENDOR] = vendor
        return vendor

    @contextmanager
    def room(self, vendor: str) -> Iterator[None]:
        full = self._under_way.total() >= self._settings.in_flight
        if full or self._under_way[vendor] >= self._settings.in_flight_of_vendor:
            raise self.unavailable({}, hang_up=True)
        self._under_way[vendor] += 1
        try:
            yield
        finally:
            self._under_way[vendor] -= 1

    def unavailable(self, headers: dict[str, str], *, hang_up: bool = False) -> Refusal:
        return Refusal(
            UNAVAILABLE, headers={**headers, hdrs.RETRY_AFTER: str(self._settings.retry_after_s)}, hang_up=hang_up
        )

    async def body_of(self, request: web.Request) -> bytes:
        if request.content_type != "application/json" or (request.charset or "").lower() not in _UTF8:
            raise Refusal(MEDIA_TYPE, headers={"Accept-Post": "application/json"}, hang_up=True)
        # Refused unread: a kilobyte may unpack into a gigabyte.
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            raise Refusal(CONTENT_ENCODING, headers={hdrs.ACCEPT_ENCODING: "identity"}, hang_up=True)
        if (request.content_length or 0) > self._settings.body_bytes:
            raise Refusal(TOO_LARGE, hang_up=True)
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                return await request.read()
        except TimeoutError:
            raise Refusal(SLOW_BODY, hang_up=True) from None
        except (ConnectionError, web.RequestPayloadError):
            raise Refusal(BAD_REQUEST, hang_up=True) from None


def build_gateway(
    settings: GatewaySettings, producer: Producer, clock: Clock, metrics: Metrics, check: Check
) -> web.Application:
    """Return the gateway as an application, to be run by `agents.gateway.serve`.

    Parameters
    ----------
    settings
        Limits, tokens file, topic prefix.
    producer
        Started, acks=all (`agents.gateway.delivery.build_producer`); it is not stopped here.
    clock
        Says what time it is; `received_at` and `recorded_at` come from it alone.
    metrics
        Where requests and sessions are counted.
    check
        What the rules know of codes and units: a session -> (field path, problem) of each fault. No text of it may hold
        a value.

    Raises
    ------
    TokensError
        The tokens file cannot be used.
    """
    delivery = Delivery(producer, f"{settings.topic_prefix}{SUBMISSIONS.name}", settings.confirm_timeout_s)
    gate = _Gate(settings, load_tokens(settings.tokens_file), delivery, clock)
    sessions = Intake(SESSIONS, check, settings)
    corrections = Intake(CORRECTIONS, check, settings)

    def count_sessions(outcome: str, items: int) -> None:
        metrics.submissions_received.labels(outcome).inc(items)

    def count_nothing(outcome: str, items: int) -> None:
        """Count no correction: it is no session received."""

    application = web.Application(middlewares=[watched(metrics)], client_max_size=settings.body_bytes)
    document = openapi(settings)
    application.router.add_post("/v1/submissions", Reception(sessions, gate, count_sessions).handle)
    application.router.add_post("/v1/corrections", Reception(corrections, gate, count_nothing).handle)
    application.router.add_get("/openapi.json", _fixed(msgspec.json.encode(document), "application/json", {}))
    application.router.add_get(
        "/docs", _fixed(docs_page(document).encode(), "text/html", {"Content-Security-Policy": CONTENT_SECURITY_POLICY})
    )
    return application


def _fixed(body: bytes, content_type: str, headers: dict[str, str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    return handle
