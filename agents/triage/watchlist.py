"""Whose turn it is when time passes: patients in the order in which a tick next changes something for them."""

from __future__ import annotations

from heapq import heappop, heappush


class Watchlist:
    """The next instant of every patient, by partition."""

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._queues: dict[int, list[tuple[int, bytes]]] = {}

    def put(self, partition: int, key: bytes, at_ms: int | None) -> None:
        """A patient is next due at `at_ms`; None: not before another event."""
        if at_ms is None:
            self._at.pop(key, None)
        elif self._at.get(key) != at_ms:
            self._at[key] = at_ms
            heappush(self._queues.setdefault(partition, []), (at_ms, key))

    def due(self, partition: int, now_ms: int, most: int) -> list[bytes]:
        """Who is due, the longest waiting first; they stay on the list until they are put on it anew."""
        queue = self._queues.get(partition, [])
        found: list[tuple[int, bytes]] = []
        while queue and queue[0][0] <= now_ms and len(found) < most:
            at_ms, key = heappop(queue)
            if self._at.get(key) == at_ms:
                found.append((at_ms, key))
        for entry in found:
            heappush(queue, entry)
        return [key for _, key in found]

    def clear(self) -> None:
        """Forget everybody."""
        self._at.clear()
        self._queues.clear()
