"""What a receiver gets to read: who needs a nurse, how urgently and by which rule. No measured value and no name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from agents.paging.signing import ID, SIGNATURE, TIMESTAMP

if TYPE_CHECKING:
    from datetime import datetime

    from agents.paging.signing import SigningSecret
    from schemas.paging import PageRequest

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
ASK: Final = "Sonevakt-Ask"  # outside of the body: the same key must always come with the same body


class Notice(NamedTuple):
    """A page request as it is posted."""

    page_id: str
    ask: int
    body: bytes

    def headers(self, secret: SigningSecret, now: datetime) -> dict[str, str]:
        """Return the headers of an attempt made at `now`; only time and signature differ between attempts."""
        timestamp = int(now.timestamp())
        return {
            "Content-Type": "application/json",
            ID: self.page_id,
            TIMESTAMP: str(timestamp),
            SIGNATURE: secret.sign(self.page_id, timestamp, self.body),
            IDEMPOTENCY_KEY: f'"{self.page_id}"',
            ASK: str(self.ask),
        }


def notice_of(page: PageRequest) -> Notice:
    """Return what is posted for `page`: the same bytes for every ask of it."""
    body = {
        "type": "page.requested",
        "timestamp": page.at,
        "data": {
            "page_id": page.page_id,
            "patient": page.patient,
            "service": page.service,
            "zone": page.zone,
            "priority": page.priority,
            "zone_change_id": page.zone_change_id,
            "assessment_id": page.assessment_id,
            "causes": [{"rule": cause.rule, "code": cause.code} for cause in page.causes],
        },
    }
    return Notice(str(page.page_id), page.ask, msgspec.json.encode(body))
