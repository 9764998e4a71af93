"""PagerDuty's Events API v2: an incident for each episode, opened, acknowledged and resolved under the episode's id.

The form is PagerDuty's published one: routing_key of 32 characters, event_action, dedup_key of at most 255 characters,
and for a trigger a payload with summary (at most 1,024 characters), source and severity. 202 is accepted, 400 is
refused, 429 asks to wait. People read it, so it holds no value and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.paging.attempts import Attempt, post
from agents.paging.words import said
from schemas.paging import PageAction, Priority
from schemas.types import Zone

if TYPE_CHECKING:
    from datetime import datetime

    import aiohttp
    from yarl import URL

    from agents.paging.notice import Notice

SUMMARY_LENGTH: Final = 1024  # PagerDuty's own
ROUTING_KEY_LENGTH: Final = 32  # PagerDuty's own
_HEADERS: Final = {"Content-Type": "application/json"}


class RoutingKey:
    """The key of one PagerDuty integration; it never shows itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "RoutingKey(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled, by which it would leave the process."""
        raise TypeError("a routing key does not leave the process")


@dataclass(frozen=True)
class PagerDutyWay:
    """One integration of one PagerDuty service."""

    url: URL = field(repr=False)
    key: RoutingKey
    timeout_s: float | None = None
    kind: str = "pagerduty"
    at_once: int | None = None
    hurried: bool = True

    def carries(self, action: PageAction) -> bool:
        """Every action: PagerDuty has the same three."""
        return action in PageAction

    async def post(self, http: aiohttp.ClientSession, notice: Notice, now: datetime, timeout_s: float) -> Attempt:
        """Send one event."""
        del now
        body = msgspec.json.encode({"routing_key": self.key.text, **event_of(notice)})
        return await post(http, self.url, body, _HEADERS, timeout_s)


def event_of(notice: Notice) -> dict[str, Any]:
    """Return the event without its key."""
    page = notice.first
    event: dict[str, Any] = {"event_action": page.action.value, "dedup_key": dedup_key(notice)}
    if page.action is not PageAction.TRIGGER:
        return event
    event["payload"] = {
        "summary": said(notice)[:SUMMARY_LENGTH],
        "source": "sonevakt",
        "severity": severity(notice),
        "timestamp": page.at,
        "component": notice.name,
        "class": notice.zone.value,
        "custom_details": _details(notice),
    }
    event["client"] = "Sonevakt"
    if notice.link is not None:
        text = "Sonevakt" if notice.grouped else f"Sonevakt: {page.patient}"
        event["links"] = [{"href": notice.link, "text": text}]
    return event


def dedup_key(notice: Notice) -> str:
    """Return what PagerDuty knows the incident by: the episode, or where there are several, their group."""
    return str(notice.notice_id if notice.grouped else notice.first.episode_id or notice.first.page_id)


def severity(notice: Notice) -> str:
    """Return one of PagerDuty's four; a test wakes nobody who has `info` by day only."""
    if notice.first.test:
        return "info"
    if notice.zone is Zone.RED:
        return "critical" if notice.priority is Priority.HIGH else "error"
    return "warning" if notice.zone in {Zone.YELLOW, Zone.NO_DATA} else "info"


def _details(notice: Notice) -> dict[str, Any]:
    page = notice.first
    details: dict[str, Any] = {"patients": list(notice.patients), "service": notice.name, "test": page.test}
    if not notice.grouped:
        details |= {"zone": page.zone, "priority": page.priority, "since": page.at, "step": page.step, "to": page.to}
    return details
