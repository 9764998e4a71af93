"""One vital's readings joined by time: each against the patient's own of the hours and days before it.

All at once what `pipeline.triage.recent` does reading by reading: of the sessions before, the newest readings are known
as far back and as many as the rules keep; of its own session, those that stand before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.triage.recent import DIGITS
from pipeline.triage.rules import HOUR_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.triage import Rules

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

AT_ONCE: Final = 128  # readings whose pasts are looked at together
_LONG_AGO: Final = -(2**62)


class Asked(NamedTuple):
    """Readings of one patient's one vital, in the order in which they are judged."""

    session: Ints
    measured_ms: Ints
    value: Floats
    remembered: Bools  # later readings are compared with it

    def at(self, rows: Bools | Ints | slice) -> Asked:
        """Some of them."""
        session, measured_ms, value, remembered = self
        return Asked(session[rows], measured_ms[rows], value[rows], remembered[rows])


class Past(NamedTuple):
    """What lies before some of the readings: a row a reading, a column an earlier one, oldest first."""

    asked: Asked  # the readings
    measured_ms: Ints  # of the earlier ones
    value: Floats
    known: Bools  # reading x earlier one

    def of(self, rows: Ints) -> Past:
        """The pasts of some of the readings alone."""
        return Past(self.asked.at(rows), self.measured_ms, self.value, self.known[rows])

    def extremes(self, hours: int) -> tuple[Floats, Floats]:
        """The lowest and the highest of the `hours` before each reading; infinite where there is none."""
        at_ms = self.asked.measured_ms[:, None]
        seen = self.known & (self.measured_ms >= at_ms - hours * HOUR_MS) & (self.measured_ms < at_ms)
        return (
            np.where(seen, self.value, np.inf).min(axis=1, initial=np.inf),
            np.where(seen, self.value, -np.inf).max(axis=1, initial=-np.inf),
        )

    def outside(self, low: float | None, high: float | None, of: int) -> Ints:
        """How many of the last `of`, each reading the last of its own, lie outside a target range or at its edge."""
        seen = self.known & (self.measured_ms <= self.asked.measured_ms[:, None])
        newest = seen & (_from_last(seen) < of - 1)
        count: Ints = (newest & _outside(self.value, low, high)).sum(axis=1) + _outside(self.asked.value, low, high)
        return count

    def full(self, of: int) -> Bools:
        """Whether so many are known, each reading itself the last of its own."""
        seen = self.known & (self.measured_ms <= self.asked.measured_ms[:, None])
        enough: Bools = seen.sum(axis=1) >= of - 1
        return enough


def pasts(asked: Asked, rules: Rules) -> list[Past]:
    """The pasts of all readings, some of them at a time."""
    source = asked.at(asked.remembered)
    place = np.flatnonzero(asked.remembered)
    newest = np.maximum.accumulate(np.append(_LONG_AGO, source.measured_ms))
    order = np.lexsort((source.value, source.measured_ms))
    ordered = source.at(order)
    found = []
    for start in range(0, len(asked.session), AT_ONCE):
        these = asked.at(slice(start, start + AT_ONCE))
        newest_ms = newest[np.searchsorted(source.session, these.session)]
        until = newest[np.searchsorted(source.session, these.session[-1], "right")]
        first, last = np.searchsorted(ordered.measured_ms, [newest_ms.min() - rules.recent_ms, until + 1])
        before = np.flatnonzero(ordered.session[:first] < these.session[0])  # known at each of these
        first = before[-rules.recent_least] if len(before) >= rules.recent_least else 0
        known_ms = ordered.measured_ms[first:last]
        earlier = ordered.session[first:last] < these.session[:, None]
        own = (ordered.session[first:last] == these.session[:, None]) & (
            place[order[first:last]] < np.arange(start, start + len(these.session))[:, None]
        )
        later = _from_last(earlier)
        young = (known_ms >= newest_ms[:, None] - rules.recent_ms) & (later < rules.recent_values)
        kept = earlier & (young | (later < rules.recent_least))
        found.append(Past(these, known_ms, ordered.value[first:last], kept | own))
    return found


def rounded(differences: Floats) -> Floats:
    """Differences as the fold takes them."""
    return np.array([round(one, DIGITS) for one in differences.tolist()], np.float64)


def _from_last(seen: Bools) -> Ints:
    """How many that are seen stand after each column."""
    return np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] - seen


def _outside(value: Floats, low: float | None, high: float | None) -> Bools:
    below = value <= (-np.inf if low is None else low)
    above = value >= (np.inf if high is None else high)
    return below | above
