"""PagerDuty's Events API v2: an incident for each time that an episode is asked about from the first step on.

PagerDuty rings for a new incident and not for one that somebody has acknowledged, whatever triggers are added to it. So
a worsening has an incident of its own, and the one before it is resolved. To resolve and trigger under one key would do
the same only where the two are worked in that order; but the API is asynchronous, 202 says that an event was accepted,
and no order is promised. In the other order it would leave nothing open at all. What is about no open incident is
dropped there. (Events API v2, "Send an alert event" and "Overview".)

The form is PagerDuty's published one: routing_key of 32 characters, event_action, dedup_key of at most 255 characters,
and for a trigger a payload with summary (at most 1,024 characters), source and severity. 202 is accepted, 400 is
refused, 429 asks to wait. People read it, so it holds no value and no rule.
"""

from __future__ import annotations

from asyncio import gather
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.paging.attempts import Attempt, post
from agents.paging.words import said
from schemas.paging import PageAction, Priority, incident_of
from schemas.types import Zone

if TYPE_CHECKING:
    from datetime import datetime

    import aiohttp
    from yarl import URL

    from agents.paging.notice import Notice

SUMMARY_LENGTH: Final = 1024  # PagerDuty's own
ROUTING_KEY_LENGTH: Final = 32  # PagerDuty's own
LEAST_S: Final = 0.1  # for the events about earlier incidents, however long the first took [s]
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
        """Send one event, and one for each earlier incident of the episode.

        A trigger that was accepted is delivered, whatever becomes of the others: what stays open is resolved at the end
        of the episode.
        """
        del now
        until = monotonic() + timeout_s
        attempt = await self._send(http, event_of(notice), timeout_s)
        if attempt.reason is not None:
            return attempt
        # Within the same time: an accepted trigger must not be taken for one that was too late.
        left_s = max(until - monotonic(), LEAST_S)
        others = await gather(*(self._send(http, event, left_s) for event in earlier_events_of(notice)))
        failed = next((other for other in others if other.reason is not None), attempt)
        return attempt if notice.action is PageAction.TRIGGER else failed

    async def _send(self, http: aiohttp.ClientSession, event: dict[str, Any], timeout_s: float) -> Attempt:
        body = msgspec.json.encode({"routing_key": self.key.text, **event})
        return await post(http, self.url, body, _HEADERS, timeout_s)


def event_of(notice: Notice) -> dict[str, Any]:
    """Return the event without its key."""
    page = notice.first
    event = _about(page.action, dedup_key(notice))
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


def earlier_events_of(notice: Notice) -> list[dict[str, Any]]:
    """Return what becomes of the earlier incidents of the episode, without the key: a new one takes their place."""
    if notice.grouped:
        return []
    page = notice.first
    action = PageAction.RESOLVE if page.action is PageAction.TRIGGER else page.action
    return [_about(action, str(incident)) for incident in page.earlier_incident_ids]


def _about(action: PageAction, key: str) -> dict[str, Any]:
    return {"event_action": action.value, "dedup_key": key}


def dedup_key(notice: Notice) -> str:
    """Return what PagerDuty knows the incident by: the page's incident, or where there are several, their group."""
    return str(notice.notice_id if notice.grouped else incident_of(notice.first))


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
