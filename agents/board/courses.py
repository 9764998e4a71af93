"""A patient's care events, kept small: plans, what happened, who took what over, which devices are out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.board.views import Lent, Taken
from schemas.care import (
    Acknowledged,
    Admitted,
    CareEvent,
    ContactMade,
    Discharged,
    Enrolled,
    EquipmentHandedOut,
    EquipmentReturned,
    PhaseChanged,
    PlanSigned,
    Transferred,
)

if TYPE_CHECKING:
    from uuid import UUID

KEPT: Final = 200  # of the events of which a patient followed for years has ever more
PLANS_KEPT: Final = 20
_FOR_GOOD: Final = (Enrolled, PhaseChanged, Transferred, Admitted, Discharged)


class Course:
    """One patient's care events by id, so that one that comes twice changes nothing."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: dict[UUID, CareEvent] = {}

    def take(self, event: CareEvent) -> bool:
        """Keep an event; whether it is new."""
        if event.event_id in self._events:
            return False
        self._events[event.event_id] = event
        if len(self._events) > KEPT:
            self._forget()
        return True

    def _forget(self) -> None:
        """Let the oldest go: never where somebody stands in the service, nor a device that is out."""
        out = {one.device for one in self.lent() if one.returned is None}
        fleeting = [
            one
            for one in self.events()
            if not isinstance(one, (*_FOR_GOOD, PlanSigned))
            and not (isinstance(one, EquipmentHandedOut) and one.device in out)
        ]
        for one in [*fleeting[: max(0, len(fleeting) - KEPT)], *self.plans()[:-PLANS_KEPT]]:
            del self._events[one.event_id]

    def events(self) -> list[CareEvent]:
        """Return all, oldest first."""
        return sorted(self._events.values(), key=lambda one: (one.at, one.recorded_at, one.event_id))

    def plans(self) -> list[PlanSigned]:
        """Return the signed versions, lowest first; of two with the same number the last holds, as in triage."""
        plans = [one for one in self._events.values() if isinstance(one, PlanSigned)]
        return sorted(
            plans, key=lambda one: (one.plan.version, one.plan.valid_from_at, one.recorded_at, one.event_id.bytes)
        )

    def newest_plan(self) -> PlanSigned | None:
        """Return the version with the highest number."""
        plans = self.plans()
        return plans[-1] if plans else None

    def enrolled(self) -> Enrolled | None:
        """Return the newest enrolment."""
        found = [one for one in self.events() if isinstance(one, Enrolled)]
        return found[-1] if found else None

    def taken(self, zone_change_id: UUID) -> Taken | None:
        """Return who took a zone change over: the first who did."""
        for one in self.events():
            if isinstance(one, Acknowledged) and one.zone_change_id == zone_change_id:
                return Taken(one.by, one.at, one.reason_code)
        return None

    def notes(self) -> list[tuple[CareEvent, str]]:
        """Return what staff wrote, oldest first."""
        return [(one, one.note) for one in self.events() if isinstance(one, Acknowledged | ContactMade) and one.note]

    def lent(self, service: str | None = None) -> list[Lent]:
        """Return every device that is or was out, as `service` sees it."""
        found: dict[str, Lent] = {}
        returned: list[Lent] = []
        for one in self.events():
            if isinstance(one, EquipmentHandedOut):
                found[one.device] = Lent(one.patient, service, one.device, one.kind, one.at)
            elif isinstance(one, EquipmentReturned) and one.device in found:
                returned.append(found.pop(one.device)._replace(returned=one.at))
        return [*found.values(), *reversed(returned)]
