"""PagerDuty's webhook back (V3): who acknowledged an incident there has taken its patients over.

Only a person's acknowledgement counts. What our own events do to an incident comes back too, as the integration's, and
would take over a worsening that nobody has seen. That an incident is resolved there says nothing of the patient.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from aiohttp import web

from agents.acknowledging.deciding import event_id
from agents.gateway.delivery import UnconfirmedError
from schemas.care import Acknowledged, AlertReason
from schemas.codec import Codec, UnreadableError
from schemas.types import Instant, StaffRef

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agents.acknowledging.known import Known, Writer
    from agents.metrics import Metrics
    from agents.wallclock import Clock

SIGNATURE: Final = "X-PagerDuty-Signature"
ACKNOWLEDGED: Final = "incident.acknowledged"
BODY_BYTES: Final = 262_144  # an incident with all that PagerDuty says of it is some 10 kB
OLDEST: Final = timedelta(hours=24)  # as with links; what is older was not seen by whoever has the duty now
AHEAD: Final = timedelta(minutes=10)  # how wrong one of two clocks may be; as in triage
OUTCOMES: Final = (
    *("done", "nothing_open", "passed_over", "forged", "unreadable", "too_large", "expired", "behind", "unconfirmed"),
)
UNNAMED: Final = "pagerduty"  # a person whom PagerDuty does not name


class _Agent(msgspec.Struct, frozen=True):
    type: str
    id: str = ""


class _Incident(msgspec.Struct, frozen=True):
    incident_key: str | None = None


class _Event(msgspec.Struct, frozen=True):
    id: str
    event_type: str
    occurred_at: Instant
    agent: _Agent | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct, frozen=True):
    event: _Event


_MESSAGE: Final = Codec[_Message](_Message)
_INCIDENT: Final = Codec[_Incident](_Incident)
_PEOPLE: Final = frozenset({"user", "user_reference"})


class _NotTakenError(Exception):
    """What is answered where nobody is taken over."""

    def __init__(self, outcome: str, status: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.status = status


class PagerDutyHook:
    """Takes what PagerDuty posts.

    Parameters
    ----------
    secrets
        Service -> the secrets of its subscriptions, from `load_webhook_secrets`.
    known, writer
        What is known of alerts, and where acknowledgements go.
    clock, metrics
        What time it is; acknowledgements.
    """

    def __init__(
        self,
        secrets: Mapping[str, tuple[bytes, ...]],
        known: Known,
        writer: Writer,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._secrets = secrets
        self._known = known
        self._writer = writer
        self._clock = clock
        self._metrics = metrics
        for outcome in OUTCOMES:
            metrics.acknowledgements.labels("pagerduty", outcome)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return what a board mounts."""
        return [web.post("/hooks/pagerduty/{service}", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        service, now = request.match_info["service"], self._clock()
        try:
            event, by = await self._read(request, service, now)
            taken = await self._acknowledge(event, by, now, service)
        except _NotTakenError as answer:
            self._metrics.acknowledgements.labels("pagerduty", answer.outcome).inc()
            return web.Response(status=answer.status)
        self._metrics.acknowledgements.labels("pagerduty", "done" if taken else "nothing_open").inc()
        return web.Response(status=202)

    async def _read(self, request: web.Request, service: str, now: datetime) -> tuple[_Event, str]:
        """A person's acknowledgement, and who it was."""
        secrets = self._secrets.get(service)
        if secrets is None:
            raise _NotTakenError("forged", 404)
        body = await _bounded(request)
        if not signed(body, request.headers.get(SIGNATURE, ""), secrets):
            raise _NotTakenError("forged", 401)
        try:
            event = _MESSAGE.decode(body).event
        except UnreadableError:
            raise _NotTakenError("unreadable", 400) from None
        by = _person(event.agent)
        if event.event_type != ACKNOWLEDGED or by is None:
            raise _NotTakenError("passed_over", 202)
        if not -AHEAD <= now - event.occurred_at <= OLDEST:
            raise _NotTakenError("expired", 400)
        if not self._known.up_to_date():
            raise _NotTakenError("behind", 503)  # PagerDuty sends it again
        return event, by

    async def _acknowledge(self, event: _Event, by: str, now: datetime, service: str) -> bool:
        """Write that it is acknowledged; whether there was anything to acknowledge."""
        events = [
            Acknowledged(
                event_id=event_id("pagerduty", event.id, patient),
                patient=patient,
                at=min(event.occurred_at, now),
                recorded_at=now,
                recorded_by=by,
                zone_change_id=newest.zone_change_id,
                by=by,
                reason_code=AlertReason.NOT_SAID.value,
            )
            for patient, told in self._told(event, service).items()
            # Only what the incident told of before they acknowledged: what came later they have not seen.
            if (newest := self._known.worsening(patient)) is not None
            and newest.zone_change_id in told
            and self._known.taken_over(newest.zone_change_id) is None
        ]
        try:
            for one in events:
                await self._writer.write(one)
        except UnconfirmedError:
            raise _NotTakenError("unconfirmed", 503) from None
        return bool(events)

    def _told(self, event: _Event, service: str) -> dict[str, set[UUID]]:
        """Of whom of the service the incident told before it was acknowledged, and of which changes of zone.

        Its key is the one that our own event gave it.
        """
        try:
            key = UUID(_INCIDENT.decode(bytes(event.data)).incident_key or "")
        except (UnreadableError, ValueError):
            return {}
        told: dict[str, set[UUID]] = {}
        for page, at in self._known.told_in(key):
            if page.service == service and not page.test and at <= event.occurred_at:
                told.setdefault(page.patient, set()).add(page.zone_change_id)
        return told


def signed(body: bytes, signatures: str, secrets: tuple[bytes, ...]) -> bool:
    """Whether one of the signatures (`v1=` and hex, several separated by commas) is by one of the secrets."""
    given = [one.strip().removeprefix("v1=") for one in signatures.split(",") if one.strip().startswith("v1=")]
    expected = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in secrets]
    # Every pair is compared, so that the time taken tells nothing.
    return any(hmac.compare_digest(one.encode(), right.encode()) for one in given for right in expected)


def _person(agent: _Agent | None) -> str | None:
    """Who it was, by PagerDuty's own id; None where it was no person."""
    if agent is None or agent.type not in _PEOPLE:
        return None
    try:
        return msgspec.convert(agent.id, StaffRef)
    except msgspec.ValidationError:
        return UNNAMED


async def _bounded(request: web.Request) -> bytes:
    """The body, which is never larger than any that PagerDuty sends."""
    body = b""
    while len(body) <= BODY_BYTES:
        more = await request.content.readany()
        if not more:
            return body
        body += more
    raise _NotTakenError("too_large", 413)
