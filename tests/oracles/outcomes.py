"""Outcomes once more, an hour at a time: what holds in each hour is looked up among all events, and hours are counted.

Events lie on whole hours since a beginning, as rows of `hour`, `patient`, `kind` and what the kind says.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.triage.phases import PHASES
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Traits = tuple[str, str, str, str]  # service, municipality, pathway, phase
TRANSFER_HOURS = 8


class Event(NamedTuple):
    """One care event; in a list of them the earlier of two in one hour stands first."""

    hour: int
    patient: str
    kind: str
    said: Mapping[str, Any] = MappingProxyType({})


def traits(events: Iterable[Event], patient: str, hour: int) -> Traits | None:
    """By whom and in which phase a patient is followed in an hour; None: by nobody."""
    service = municipality = pathway = phase = None
    for event in events:
        if event.patient != patient or event.hour > hour:
            continue
        if event.kind == "enrolled":
            asked = Phase(event.said["phase"])
            stops = phase is not None and PHASES[phase].monitored and not PHASES[asked].monitored
            phase = phase if stops else asked
            service, municipality, pathway = (event.said[name] for name in ("service", "municipality", "pathway"))
        elif event.kind == "transferred":
            service = event.said["service"]
        elif event.kind == "phase_changed" and phase is not None:
            asked = Phase(event.said["phase"])
            phase = asked if asked in PHASES[phase].then else phase
    if pathway is None or phase is None or not PHASES[phase].monitored:
        return None
    assert service is not None
    assert municipality is not None
    return service, municipality, pathway, phase.value


def stays(events: Sequence[Event], patient: str, until: int) -> list[tuple[int, int, bool, bool]]:
    """Stays as (admitted, discharged, acute, still there), one event after the other."""
    found: list[list[Any]] = []
    hours = sorted({e.hour for e in events if e.patient == patient and e.kind in ("admitted", "discharged")})
    inside = False
    for hour in (one for one in hours if one < until):
        here = [e for e in events if e.patient == patient and e.hour == hour]
        entering = [e for e in here if e.kind == "admitted"]
        leaving = sum(e.kind == "discharged" for e in here)
        if inside and leaving:
            found[-1][1] = hour
            inside, leaving = False, leaving - 1
        if entering and not inside:
            acute = bool(entering[0].said["acute"])
            if found and hour - found[-1][1] < TRANSFER_HOURS:
                found[-1][1] = until
            else:
                found.append([hour, until, acute])
            inside = True
            if leaving:
                found[-1][1] = hour
                inside = False
    last = len(found) - 1
    return [(one[0], one[1], one[2], inside and place == last) for place, one in enumerate(found)]


def in_hospital(events: Sequence[Event], patient: str, hour: int, until: int) -> bool:
    """Whether a patient is in hospital in an hour."""
    return any(admitted <= hour < discharged for admitted, discharged, _, _ in stays(events, patient, until))


def hours(
    events: Sequence[Event], patients: Iterable[str], start: int, until: int
) -> tuple[Counter[Any], Counter[Any]]:
    """Hours followed and hours at risk, by patient and traits."""
    followed: Counter[Any] = Counter()
    at_risk: Counter[Any] = Counter()
    for patient in patients:
        for hour in range(start, until):
            by = traits(events, patient, hour)
            if by is not None:
                followed[patient, by] += 1
                at_risk[patient, by] += not in_hospital(events, patient, hour, until)
    return followed, at_risk
