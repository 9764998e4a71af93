"""A condition that is told only when it has lasted, and taken back only when it has been well for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

# A worker that is exchanged or restarted is away for up to 15 s, which is no trouble; within 60 s of a fault it must be
# told, and what is asked only shows it after up to 25 s (a killed member's session, a tick, the age of a message).
HOLD_S: Final = 20.0  # our choice
CLEAR_S: Final = 8.0  # our choice: what comes and goes in between is one trouble


@dataclass
class Condition:
    """Whether one part is at work, from what is seen of it again and again.

    Attributes
    ----------
    hold_s, clear_s
        For how long it must be amiss to be trouble, and well to be none any more [s].
    since
        When it was last seen well before the trouble; None: there is no trouble.
    """

    hold_s: float = HOLD_S
    clear_s: float = CLEAR_S
    since: datetime | None = field(default=None, init=False)
    _well: tuple[float, datetime] | None = field(default=None, init=False)  # last seen so
    _well_since: float | None = field(default=None, init=False)

    def seen(self, *, well: bool, loop_s: float, now: datetime) -> None:
        """Take what was seen at `loop_s` of a clock that only goes on, and at `now`."""
        if self._well is None:  # nothing was seen before: it has its time from here
            self._well = loop_s, now
        if not well:
            self._well_since = None
            if self.since is None and loop_s - self._well[0] >= self.hold_s:
                self.since = self._well[1]
            return
        if self._well_since is None:
            self._well_since = loop_s
        if self.since is None or loop_s - self._well_since >= self.clear_s:
            self.since = None
            self._well = loop_s, now

    def unknown(self, *, loop_s: float, now: datetime) -> None:
        """Nothing can be seen of it now: trouble stays trouble, and what was well has its time again afterwards."""
        if self.since is None:
            self._well = loop_s, now
        self._well_since = None
