"""How much each vendor may hand in, so that one vendor's loop does not crowd out another's patients."""

from __future__ import annotations

from math import ceil
from typing import Final

from aiolimiter import AsyncLimiter

from agents.gateway.problems import RATE, Refusal

MINUTE_S: Final = 60


class Quota:
    """A leaky bucket for each vendor: a burst of a minute's worth, then the steady rate.

    Parameters
    ----------
    items_per_minute
        Sessions and corrections of one vendor.
    """

    def __init__(self, items_per_minute: int) -> None:
        self._items = items_per_minute
        self._buckets: dict[str, AsyncLimiter] = {}

    async def take(self, vendor: str, items: int) -> dict[str, str]:
        """Count `items` of `vendor`, and return the headers that tell them what is left.

        Raises
        ------
        Refusal
            They do not fit; nothing was counted, and `Retry-After` says when they would.
        """
        bucket = self.check(vendor, items)
        await bucket.acquire(items)
        return self._fields(bucket)

    def check(self, vendor: str, items: int) -> AsyncLimiter:
        """Return the bucket of `vendor` where `items` fit, and count nothing; raise as `take` where they do not."""
        bucket = self._buckets.setdefault(vendor, AsyncLimiter(self._items, MINUTE_S))
        if not bucket.has_capacity(items):
            short = items - self._left(bucket)
            wait_s = max(1, ceil(short * MINUTE_S / self._items))
            raise Refusal(RATE, headers={**self._fields(bucket), "Retry-After": str(wait_s)})
        return bucket

    def _left(self, bucket: AsyncLimiter) -> int:
        """Return the whole items that fit now, found by halving: the bucket tells its level in no other way."""
        low, high = 0, self._items
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if bucket.has_capacity(middle) else (low, middle - 1)
        return low

    def _fields(self, bucket: AsyncLimiter) -> dict[str, str]:
        # RateLimit header fields, draft-ietf-httpapi-ratelimit-headers-10.
        left = self._left(bucket)
        full_in_s = ceil((self._items - left) * MINUTE_S / self._items)
        return {
            "RateLimit-Policy": f'"vendor";q={self._items};w={MINUTE_S}',
            "RateLimit": f'"vendor";r={left};t={full_in_s}',
        }
