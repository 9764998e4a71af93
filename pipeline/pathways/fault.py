"""What is wrong with one field of a pathway."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Fault(NamedTuple):
    """What is wrong with one field."""

    field: str  # path as `starter_limits.limits[0].unit`; empty: the file as a whole
    problem: str  # what the field must be

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


def repeated(items: Iterable[object]) -> Iterator[int]:
    """Where an item stands that stood before.

    >>> list(repeated("abca"))
    [3]
    """
    seen = set()
    for place, item in enumerate(items):
        if item in seen:
            yield place
        seen.add(item)
