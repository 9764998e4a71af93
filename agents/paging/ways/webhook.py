"""A signed POST to a receiver of the service's own (Standard Webhooks): the way that is told all that may be told.

It holds who needs a nurse, how urgently and by which rule; no measured value and no name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.paging.attempts import Attempt, post
from agents.paging.signing import ID, SIGNATURE, TIMESTAMP
from schemas.paging import PageAction

if TYPE_CHECKING:
    from datetime import datetime

    import aiohttp
    from yarl import URL

    from agents.paging.notice import Notice
    from agents.paging.signing import SigningSecret
    from schemas.paging import PageRequest

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
ASK: Final = "Sonevakt-Ask"  # outside of the body: the same key must always come with the same body
GROUP: Final = "pages.requested"
TYPES: Final = {
    PageAction.TRIGGER: "page.requested",
    PageAction.ACKNOWLEDGE: "page.acknowledged",
    PageAction.RESOLVE: "page.resolved",
}


@dataclass(frozen=True)
class WebhookWay:
    """A receiver that checks our signature.

    Attributes
    ----------
    url
        Not shown, because some receivers carry a token in their address.
    secret
        Signs what is posted.
    """

    url: URL = field(repr=False)
    secret: SigningSecret
    timeout_s: float | None = None
    kind: str = "webhook"
    at_once: int | None = None
    hurried: bool = True

    def carries(self, action: PageAction) -> bool:
        """Every action."""
        return action in TYPES

    async def post(self, http: aiohttp.ClientSession, notice: Notice, now: datetime, timeout_s: float) -> Attempt:
        """Post `notice` once, signed as of `now`: the same bytes for every ask of it."""
        body = msgspec.json.encode(body_of(notice))
        return await post(http, self.url, body, self.headers(notice, body, now), timeout_s)

    def headers(self, notice: Notice, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers of an attempt made at `now`; only time and signature differ between attempts."""
        notice_id, timestamp = str(notice.notice_id), int(now.timestamp())
        return {
            "Content-Type": "application/json",
            ID: notice_id,
            TIMESTAMP: str(timestamp),
            SIGNATURE: self.secret.sign(notice_id, timestamp, body),
            IDEMPOTENCY_KEY: f'"{notice_id}"',
            ASK: str(notice.first.ask),
        }


def body_of(notice: Notice) -> dict[str, Any]:
    """Return what is posted."""
    if not notice.grouped:
        page = notice.first
        return {"type": TYPES[page.action], "timestamp": page.at, "data": _page(page, notice)}
    pages = sorted(notice.pages, key=lambda page: page.page_id)  # as the id is derived: the same pages, the same bytes
    return {
        "type": GROUP,
        "timestamp": notice.first.at,
        "data": {
            "group_id": notice.notice_id,
            "service": notice.name,
            "patients": len(notice.patients),
            "zone": notice.zone,
            "priority": notice.priority,
            "pages": [_page(page, notice) for page in pages],
        },
    }


def _page(page: PageRequest, notice: Notice) -> dict[str, Any]:
    told: dict[str, Any] = {
        "page_id": page.page_id,
        "action": page.action,
        "patient": page.patient,
        "service": page.service,
        "zone": page.zone,
        "priority": page.priority,
        "at": page.at,
        "zone_change_id": page.zone_change_id,
        "assessment_id": page.assessment_id,
        "episode_id": page.episode_id,
        "step": page.step,
        "to": page.to,
        "test": page.test,
        "causes": [{"rule": cause.rule, "code": cause.code} for cause in page.causes],
    }
    if page.incident_id is not None:
        told["incident_id"] = page.incident_id
    link = notice.links.get(page.page_id)
    return told if link is None else {**told, "link": link}
