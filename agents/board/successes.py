"""When each service's canary last came through, from what triage says of the canaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime, timedelta

    from schemas.assessments import PatientStatus


class Successes:
    """A canary came through when its episode ended within its time: only a page that came is acknowledged in it.

    Parameters
    ----------
    services
        Those that have a canary.
    within
        From an episode's opening to its end, by the canary's own clock.
    late_after
        Without a success for so long, the service's canary is late.
    """

    def __init__(self, services: Collection[str], within: timedelta, late_after: timedelta) -> None:
        self.services = tuple(sorted(services))
        self._within = within
        self._late_after = late_after
        self._opened: dict[str, datetime] = {}  # by canary
        self._last: dict[str, datetime] = {}  # by service
        self._began: datetime | None = None
        self._caught_up = False

    def begin(self, now: datetime) -> None:
        """Watch from `now` on: what is not known is expected from then."""
        self._began = self._began or now

    def caught_up(self) -> None:
        """All that was said before is heard, so what is not known did not happen."""
        self._caught_up = True

    def heard(self, status: PatientStatus) -> None:
        """Take a canary's status."""
        if status.episode is not None:
            self._opened[status.patient] = status.episode.opened_at
            return
        # Of the first status that is heard its beginning is not known: the log keeps the newest alone.
        opened = self._opened.pop(status.patient, status.since_at)
        if status.zone is not Zone.GREEN or status.service is None or status.since_at - opened > self._within:
            return
        self._last[status.service] = max(status.since_at, self._last.get(status.service, status.since_at))

    def late(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """Each service whose canary is late at `now`, and since when nothing of it is known to have come through."""
        for service in self.services:
            last = self._last.get(service) if self._caught_up else None
            since = last or self._began
            if since is not None and now - since > self._late_after:
                yield service, since
