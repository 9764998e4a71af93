"""The engine itself over a recording: the fold of `pipeline.triage`, and the alert days that its assessments make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.backtest.days import PatientDay
from pipeline.triage import RULES, Refused, step
from pipeline.triage.instants import local_day, to_ms
from schemas.assessments import Assessment, ZoneChange
from schemas.paging import PageAction, PageRequest
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from uuid import UUID

    from pipeline.backtest.days import LabelClass
    from pipeline.triage import Rules, State
    from schemas.assessments import Reason
    from schemas.care import CareEvent
    from schemas.submissions import Correction, Submission

ALERTS = frozenset({Zone.YELLOW, Zone.RED})


class Run(NamedTuple):
    """What the fold came to."""

    assessments: tuple[Assessment, ...]  # the newest revision of each
    zone_changes: tuple[ZoneChange, ...]  # those that stand
    pages: tuple[PageRequest, ...]  # the first about each red, however often it was asked for and of how many
    refused: int  # events that the fold could not take


def run(events: Iterable[Submission | Correction | CareEvent], rules: Rules = RULES) -> Run:
    """Fold every patient's `events`, in the order given."""
    states: dict[str, State | None] = {}
    assessments: dict[UUID, Assessment] = {}
    changes: dict[UUID, ZoneChange] = {}
    pages: dict[UUID, PageRequest] = {}
    refused = 0
    for event in events:
        states[event.patient], outputs = step(states.get(event.patient), event, rules)
        for output in outputs:
            match output:
                case Assessment():
                    known = assessments.get(output.assessment_id)
                    if known is None or known.revision <= output.revision:
                        assessments[output.assessment_id] = output
                case ZoneChange():
                    changes[output.zone_change_id] = output
                case PageRequest(action=PageAction.TRIGGER):
                    pages.setdefault(output.zone_change_id, output)
                case Refused():
                    refused += 1
    standing = tuple(change for change in changes.values() if not change.retracted)
    return Run(tuple(assessments.values()), standing, tuple(pages.values()), refused)


def alert_days(assessments: Iterable[Assessment], about: LabelClass, zone: tzinfo) -> frozenset[PatientDay]:
    """The patient-days with a yellow or red for a reason on the class's vitals, as in `alert_days_by_rule`."""
    return frozenset[PatientDay]().union(*alert_days_by_rule(assessments, about, zone).values())


def alert_days_by_rule(
    assessments: Iterable[Assessment], about: LabelClass, zone: tzinfo
) -> dict[str, frozenset[PatientDay]]:
    """The patient-days with a yellow or red on the class's vitals, by the rule that was the reason.

    The day is that of the measurements behind the reason, so that a session over midnight alerts on the day on which
    the vital was measured; a reason without a measurement counts on the assessment's day.
    """
    codes = about.codes
    found: dict[str, set[PatientDay]] = {}
    for assessment in assessments:
        for reason in assessment.reasons:
            if reason.zone in ALERTS and codes & _codes(reason, assessment):
                instants = [
                    assessment.readings[place].measured_at
                    for place in reason.readings
                    if assessment.readings[place].code in codes
                ] or [assessment.at]
                days = {PatientDay(assessment.patient, local_day(to_ms(at), zone)) for at in instants}
                found.setdefault(reason.rule, set()).update(days)
    return {rule: frozenset(days) for rule, days in found.items()}


def _codes(reason: Reason, assessment: Assessment) -> frozenset[str]:
    """The vitals that a reason is about."""
    if reason.code is not None:
        return frozenset({reason.code})
    return frozenset(assessment.readings[place].code for place in reason.readings)
