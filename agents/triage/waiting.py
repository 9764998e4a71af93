"""Who waits for whom: reds that nobody has acknowledged yet, and registrations that are due and have not come.

Shown by service. Whoever is not ill and only tries the alarm path is not among them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pipeline.triage import standing
from pipeline.triage.rosters import serving
from pipeline.triage.state import NEVER
from schemas.services import CANARY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.metrics import Metrics
    from pipeline.triage.state import State
    from schemas.services import Ladder, Service

MINUTE_S: Final = 60


class Waiting:
    """The patients of one worker.

    Parameters
    ----------
    metrics
        oldest_unacknowledged_red, paged_to_acknowledged, due_patients, ladder; sessions is made to begin at 0.
    services
        By name; those that patients have and nobody configured are shown as well.
    """

    def __init__(self, metrics: Metrics, services: Mapping[str, Service]) -> None:
        self._metrics = metrics
        self._reds: dict[bytes, tuple[str, int]] = {}  # whose ladder, and when the first page was asked [ms]
        self._due: dict[bytes, tuple[str, int]] = {}  # of which service, and when the next registration is due [ms]
        self._services: set[str] = set()
        self._reds_changed = False
        self._now_ms = NEVER
        self._counted_ms = NEVER
        self._configured = services
        for name in services:
            self._begin(name)

    def clear(self) -> None:
        """Forget everybody."""
        self._reds.clear()
        self._due.clear()
        self._reds_changed = True
        self._counted_ms = NEVER

    def keep(self, key: bytes, state: State) -> None:
        """A patient's state is this now."""
        now = standing.course(state.care).at(max(state.clock_ms, state.decided_ms))
        ill = now.pathway != CANARY
        climb = state.climb if ill and _climbs(state) else None
        if climb is not None:
            self._reds[key] = (climb.service, climb.asked_ms)
            self._begin(climb.service)
            self._reds_changed = True
        elif self._reds.pop(key, None):
            self._reds_changed = True
        if ill and now.service is not None and state.due_ms is not None:
            self._due[key] = (now.service, state.due_ms)
            self._begin(now.service)
        else:
            self._due.pop(key, None)

    def acknowledged(self, before: State, after: State, at_ms: int) -> None:
        """Staff acknowledged something at an instant; where that stopped a climb, tell how long it took."""
        climb = before.climb
        ill = standing.course(after.care).at(max(after.clock_ms, after.decided_ms)).pathway != CANARY
        if climb is not None and ill and _climbs(before) and not _climbs(after):
            took_s = max(0, at_ms - climb.asked_ms) / 1000
            self._metrics.paged_to_acknowledged.labels(climb.service).observe(took_s)

    def passed(self, now_ms: int) -> None:
        """Time has come to this instant."""
        self._now_ms = max(self._now_ms, now_ms)

    def show(self) -> None:
        """Show what has changed since it was last shown."""
        if self._reds_changed:
            self._show_reds()
        if self._now_ms != self._counted_ms:
            self._show_due()

    def _show_reds(self) -> None:
        self._reds_changed = False
        oldest: dict[str, int] = {}
        for service, asked_ms in self._reds.values():
            oldest[service] = min(asked_ms, oldest.get(service, asked_ms))
        for service in self._services:
            self._metrics.oldest_unacknowledged_red.labels(service).set(oldest.get(service, 0) / 1000)

    def _show_due(self) -> None:
        self._counted_ms = self._now_ms
        due = Counter(service for service, due_ms in self._due.values() if due_ms <= self._now_ms)
        for service in self._services:
            self._metrics.due_patients.labels(service).set(due[service])

    def _begin(self, service: str) -> None:
        """Show a service with nothing in it: a counter that begins with its first event shows no increase for it."""
        if service not in self._services:
            self._services.add(service)
            self._metrics.ladder.labels(service).set(climbed_s(serving(self._configured, service).ladder))
            self._metrics.sessions.labels(service)
            self._metrics.paged_to_acknowledged.labels(service)
            self._metrics.oldest_unacknowledged_red.labels(service).set(0)
            self._metrics.due_patients.labels(service).set(0)


def climbed_s(ladder: Ladder) -> int:
    """How long after a red's first page the last step of its ladder is asked a second time [s]."""
    return (ladder.red[-1].after_minutes + ladder.repeat_minutes) * MINUTE_S


def _climbs(state: State) -> bool:
    """Whether somebody is still asked to look."""
    return state.climb is not None and state.climb.next_ms is not None
