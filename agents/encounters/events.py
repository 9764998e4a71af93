"""The care events that an encounter is, each with an id that its source's own id for it always leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid5

from agents.encounters.encounter import Kind
from schemas.care import Admitted, Discharged, EmergencyContact

if TYPE_CHECKING:
    from datetime import datetime

    from agents.encounters.encounter import Encounter

Told = Admitted | Discharged | EmergencyContact
_NAMES: Final = UUID("5d1f4a83-6c0e-4d0b-9d53-2f7b6d0c9e41")  # of the ids that imports make
ADMITTED: Final = "admitted"
DISCHARGED: Final = "discharged"
EMERGENCY: Final = "emergency_contact"


class Origin(NamedTuple):
    """Where events come from.

    Attributes
    ----------
    source
        A slug for whoever numbers the encounters: the same encounter of the same source is the same for ever.
    by
        Who imports it.
    recorded_at
        When it is written down here.
    """

    source: str
    by: str
    recorded_at: datetime


def ids(source: str, encounter: str) -> dict[str, UUID]:
    """Return the id of each event that an encounter can ever be."""
    return {kind: uuid5(_NAMES, f"{source}\x1f{encounter}\x1f{kind}") for kind in (ADMITTED, DISCHARGED, EMERGENCY)}


def events(encounter: Encounter, origin: Origin) -> dict[str, Told]:
    """Return what an encounter is told as, by kind."""
    known = ids(origin.source, encounter.id)

    def common(kind: str, at: datetime) -> dict[str, Any]:
        return {
            "event_id": known[kind],
            "patient": encounter.patient,
            "at": at,
            "recorded_at": origin.recorded_at,
            "recorded_by": origin.by,
        }

    if encounter.kind is Kind.EMERGENCY:
        return {EMERGENCY: EmergencyContact(**common(EMERGENCY, encounter.start), kind=encounter.contact)}
    told: dict[str, Told] = {ADMITTED: Admitted(**common(ADMITTED, encounter.start), acute=encounter.acute)}
    if encounter.end is not None:
        told[DISCHARGED] = Discharged(**common(DISCHARGED, encounter.end))
    return told
