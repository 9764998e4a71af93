"""Whose turn it is when time passes: patients in the order in which a tick next changes something for them."""

from __future__ import annotations

from collections import defaultdict
from heapq import heapify, heappop, heappush
from typing import Final

SPARE: Final = 1_000  # outdated entries of a partition that are not worth the clearing


class Watchlist:
    """The next instant of every patient, by partition.

    A queue holds outdated entries too, one for each time that a patient's instant moved; never more than there are
    patients in it, and `SPARE`.
    """

    def __init__(self) -> None:
        self._at: defaultdict[int, dict[bytes, int]] = defaultdict(dict)
        self._queues: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)

    def put(self, partition: int, key: bytes, at_ms: int | None) -> None:
        """A patient is next due at `at_ms`; None: not before another event."""
        instants = self._at[partition]
        if at_ms is None:
            instants.pop(key, None)
        elif instants.get(key) != at_ms:
            instants[key] = at_ms
            queue = self._queues[partition]
            heappush(queue, (at_ms, key))
            if len(queue) > 2 * len(instants) + SPARE:
                queue[:] = [(due_ms, known) for known, due_ms in instants.items()]
                heapify(queue)

    def due(self, partition: int, now_ms: int, most: int) -> list[bytes]:
        """Who is due, the longest waiting first; they stay on the list until they are put on it anew."""
        instants, queue = self._at[partition], self._queues[partition]
        found: list[tuple[int, bytes]] = []
        while queue and queue[0][0] <= now_ms and len(found) < most:
            at_ms, key = heappop(queue)
            if instants.get(key) == at_ms:
                found.append((at_ms, key))
        for entry in found:
            heappush(queue, entry)
        return [key for _, key in found]

    def clear(self) -> None:
        """Forget everybody."""
        self._at.clear()
        self._queues.clear()
