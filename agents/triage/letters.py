"""How many of the newest messages were dead letters: one is a nuisance, many are an outage that looks like quiet."""

from __future__ import annotations

from collections import deque
from typing import Final

NEWEST: Final = 500  # messages that the share is of
LEAST: Final = 20  # so many dead ones at the least before a share says anything


class Letters:
    """The share of dead letters among the newest messages.

    Parameters
    ----------
    most
        Above this share patients whose messages cannot be read show as not monitored.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._newest: deque[bool] = deque(maxlen=NEWEST)
        self._dead = 0

    def count(self, *, dead: bool) -> None:
        """One more message was read, or could not be."""
        if len(self._newest) == NEWEST:
            self._dead -= self._newest[0]
        self._newest.append(dead)
        self._dead += dead

    @property
    def share(self) -> float:
        """The share of dead letters."""
        return self._dead / len(self._newest) if self._newest else 0.0

    @property
    def alarming(self) -> bool:
        """Whether there are too many."""
        return self._dead >= LEAST and self.share > self._most
