"""How hard the messenger tries before it reports a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FEWEST_IN_GROUP: Final = 2


@dataclass(frozen=True, kw_only=True)
class PagingSettings:
    """Bounds of paging; every default is our choice.

    The fold asks again and escalates when a receipt says failed, so giving up here early is right: what is behind must
    not wait.

    Attributes
    ----------
    attempts
        Of one ask, while its receiver is believed to be well.
    attempt_timeout_s, quick_timeout_s
        Of one attempt; the quick one for a receiver that keeps failing [s].
    backoff_s, backoff_most_s
        Pause before the second attempt, doubled for each further one up to the second; on top comes a jitter of up to
        the first [s].
    total_s
        Of one ask's wait for its turn, and again of its attempts; in a way with a longer timeout of its own, that [s].
    under_way, waiting
        Notices to one contact by one way posted at once, and pages waiting for that; with one more, the one about the
        oldest measurement is `busy` at once.
    group_from
        So many pages that wait for the same contact and way are told in one notice.
    webhook_a_minute, pagerduty_a_minute, apprise_a_minute
        Notices to one contact by one way; beyond it all that wait are told in one. Somebody whose telephone rings every
        other second reads nothing. PagerDuty itself takes 120 events a minute for a key.
    failures_to_break
        Asks of one contact and way that failed in a row, until its asks get one quick attempt each.
    """

    attempts: int = 3
    attempt_timeout_s: float = 2.0
    quick_timeout_s: float = 1.0
    backoff_s: float = 0.2
    backoff_most_s: float = 1.0
    total_s: float = 8.0
    under_way: int = 8
    waiting: int = 200
    group_from: int = 4
    webhook_a_minute: float = 600.0
    pagerduty_a_minute: float = 100.0
    apprise_a_minute: float = 30.0
    failures_to_break: int = 5

    def __post_init__(self) -> None:
        """Raise ValueError for bounds by which no page could be sent."""
        above = ("attempts", "attempt_timeout_s", "quick_timeout_s", "total_s", "under_way", "failures_to_break")
        for name in (*above, "webhook_a_minute", "pagerduty_a_minute", "apprise_a_minute"):
            if getattr(self, name) <= 0:
                raise ValueError(f"paging setting {name} must be above 0")
        for name in ("backoff_s", "backoff_most_s", "waiting"):
            if getattr(self, name) < 0:
                raise ValueError(f"paging setting {name} must not be below 0")
        if self.total_s < self.attempt_timeout_s:
            raise ValueError("paging setting total_s must not be below attempt_timeout_s")
        if self.group_from < FEWEST_IN_GROUP:
            raise ValueError(f"paging setting group_from must be {FEWEST_IN_GROUP} or more")
