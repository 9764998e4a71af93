"""The patient's phase in the service: what it means, which may follow it, and how long the start-up trial lasts.

The phases are those of the pathway for digital home follow-up in Norway: referral, start-up with a trial of 2 to 4
weeks, follow-up, evaluation, ending. An enrolment begins anew in the phase that it names, and nothing else leads out of
the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.triage.instants import days_later, from_ms, local_day
from pipeline.triage.state import NEVER
from schemas.assessments import PhaseFault, PhaseIssue
from schemas.types import Phase

if TYPE_CHECKING:
    from datetime import tzinfo

    from pipeline.triage.rules import Rules


class Meaning(NamedTuple):
    """What a phase means for the patient."""

    monitored: bool  # registrations are due and judged, where a plan is in force
    then: frozenset[Phase]  # what it may change to


PHASES: Final = {
    Phase.REFERRAL: Meaning(monitored=False, then=frozenset({Phase.START_UP, Phase.ENDED})),
    Phase.START_UP: Meaning(monitored=True, then=frozenset({Phase.FOLLOW_UP, Phase.ENDED})),
    Phase.FOLLOW_UP: Meaning(monitored=True, then=frozenset({Phase.EVALUATION, Phase.ENDED})),
    Phase.EVALUATION: Meaning(monitored=True, then=frozenset({Phase.FOLLOW_UP, Phase.ENDED})),
    Phase.ENDED: Meaning(monitored=False, then=frozenset()),
}
UNMONITORED: Final = frozenset(phase for phase, meaning in PHASES.items() if not meaning.monitored)


class Place(NamedTuple):
    """Where in the service a patient is."""

    phase: Phase | None = None  # None: not enrolled
    since_ms: int = NEVER
    faults: tuple[PhaseFault, ...] = ()  # what staff should look at, until the phase is next said rightly


def begun(place: Place, phase: Phase, at_ms: int) -> Place:
    """Where an enrolment leads; one that would stop the monitoring of somebody who is monitored is not followed."""
    if place.phase is None or place.phase in UNMONITORED or phase not in UNMONITORED:
        return Place(phase, at_ms)
    return _not_followed(place, phase, at_ms)


def changed(place: Place, phase: Phase, at_ms: int, zone: tzinfo, rules: Rules) -> Place:
    """Where a change of phase leads.

    One that the table does not have neither starts nor stops anything: it is not followed, and said. A trial that was
    short is over all the same, as staff decided so. The same phase again confirms it.
    """
    if phase is place.phase:
        return place._replace(faults=())
    if place.phase is None or phase not in PHASES[place.phase].then:
        return _not_followed(place, phase, at_ms)
    days = local_day(at_ms, zone) - local_day(place.since_ms, zone)
    short = (place.phase, phase) == (Phase.START_UP, Phase.FOLLOW_UP) and days < rules.trial_least_days
    return Place(phase, at_ms, (_fault(place, phase, at_ms, PhaseIssue.TRIAL_TOO_SHORT),) if short else ())


def trial_ends_ms(place: Place, zone: tzinfo, rules: Rules) -> int | None:
    """By when staff must have decided what follows the start-up trial [ms]; None outside it."""
    return days_later(place.since_ms, rules.trial_most_days, zone) if place.phase is Phase.START_UP else None


def _not_followed(place: Place, phase: Phase, at_ms: int) -> Place:
    return place._replace(faults=(*place.faults, _fault(place, phase, at_ms, PhaseIssue.OUT_OF_ORDER)))


def _fault(place: Place, phase: Phase, at_ms: int, issue: PhaseIssue) -> PhaseFault:
    return PhaseFault(at=from_ms(at_ms), from_phase=place.phase, to_phase=phase, issue=issue)
