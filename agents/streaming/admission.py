"""Which records of a batch may be worked: those of this generation, in their turn, none left out.

Answers whatever is left of upstream #596 and of anything like it: what was thrown away before it came here.

The guard compares every record with the offset that must come next, from where reading was last sought. What lies
before it was worked already and is dropped. A hole means that the library lost records: the process ends, and reads
from the commit when it starts again. Seeking back from inside was tried and made it worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faust.types import TP


class OffsetGapError(RuntimeError):
    """Records are missing between what was worked and what came."""


class Admission:
    """Keeps the next offset of every partition of one generation.

    Parameters
    ----------
    compacted
        Topics in which Kafka itself leaves offsets out.
    """

    def __init__(self, compacted: frozenset[str]) -> None:
        self._compacted = compacted
        self._generation: int | None = None
        self._next: dict[TP, int] = {}

    def admit(self, generation: int, start: dict[TP, int], tp: TP, records: Iterable[Any]) -> list[Any]:
        """Records of `tp` that are to be worked, in order.

        Raises
        ------
        OffsetGapError
            One is missing.
        """
        if generation != self._generation:
            self._generation, self._next = generation, {}
        expected = self._next.get(tp, start.get(tp))
        found = []
        for record in records:
            if expected is not None and record.offset < expected:
                continue
            if expected is not None and record.offset > expected and tp.topic not in self._compacted:
                raise OffsetGapError(f"{tp.topic}/{tp.partition}")
            expected = record.offset + 1
            found.append(record)
        if expected is not None:
            self._next[tp] = expected
        return found
