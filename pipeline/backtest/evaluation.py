"""The whole evaluation: the engine beside fixed rules, on alerts that a clinical team verified."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct, structs

from pipeline.backtest import cadence as rhythms
from pipeline.backtest import engine
from pipeline.backtest.cadence import Kept
from pipeline.backtest.days import BLOOD_PRESSURE, CLASSES, PULSE, PatientDay
from pipeline.backtest.fixed_rules import FIXED_RULES, OF_CONCERN, SECOND_ROW, alert_days
from pipeline.backtest.lead import Lead, lead
from pipeline.backtest.load import Load, loads
from pipeline.backtest.readings import Readings
from pipeline.backtest.rule_days import RuleDays, days_by_rule
from pipeline.backtest.score import Score, score
from pipeline.backtest.thinned import thinned
from pipeline.triage import RULES
from pipeline.triage.instants import local_day, to_ms
from schemas.assessments import Quality
from schemas.care import Cadence
from schemas.submissions import Submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from pipeline.triage import Rules
    from schemas.assessments import Assessment
    from schemas.care import CareEvent
    from schemas.submissions import Correction

CAVEAT: Final = (
    "Labels exist only where the recording platform's own limits fired and its staff verified the alert. An extra alert"
    " is therefore not proven false, and recall is against their alerting, not against disease."
)
DEFAULT_CADENCE: Final = Cadence()


class VerifiedAlert(NamedTuple):
    """An alert that a clinical team verified."""

    patient: str
    at: datetime
    label: str  # `LabelClass.label`


class RuleScore(Score, frozen=True, kw_only=True):
    """The score of one fixed rule."""

    row: int
    rule: str
    reading: str  # which of a day's readings it is asked of
    about: str  # `LabelClass.key`


class Evaluation(Struct, frozen=True, kw_only=True):
    """What the evaluation found."""

    rules_version: str
    patients: int
    submissions: int
    refused: int  # events that the fold could not take
    blood_pressure: Score
    pulse: Score
    fixed_rules: tuple[RuleScore, ...]
    cadence: dict[str, Kept]
    lead_days: dict[str, Lead]
    load: tuple[Load, ...]
    alert_rules: dict[str, tuple[RuleDays, ...]]  # by `LabelClass.key`
    caveat: str = CAVEAT
    readings_not_judged: dict[str, int]  # kept out by what the reading itself is: `QualityIssue` -> readings
    rows_skipped: dict[str, int] = {}  # of the recording's files: why they could not be read -> rows


def evaluate(
    messages: Sequence[Submission | Correction | CareEvent],
    verified: Iterable[VerifiedAlert],
    zone: tzinfo,
    *,
    rules: Rules = RULES,
    plan: Cadence = DEFAULT_CADENCE,
) -> Evaluation:
    """Judge the engine and the fixed rules on a recording.

    Parameters
    ----------
    messages
        The recording, in the order in which it reached us.
    zone
        The patients' time zone: whose days are the unit.
    plan
        The rhythm of which the cadence experiment asks what it would have missed. The recorded plan's own says
        little, since the recorded patients registered when they liked.
    """
    readings = Readings((message for message in messages if isinstance(message, Submission)), zone)
    run = engine.run(messages, rules)
    labels = _labelled(verified, zone)
    measured = {about.key: readings.measured(about.vitals) for about in CLASSES}
    alerts = {about.key: engine.alert_days(run.assessments, about, zone) for about in CLASSES}
    scores = {key: score(alerts[key], labels[key], measured[key]) for key in measured}
    return Evaluation(
        rules_version=rules.version,
        patients=len(readings.patients),
        submissions=sum(isinstance(message, Submission) for message in messages),
        refused=run.refused,
        blood_pressure=scores[BLOOD_PRESSURE.key],
        pulse=scores[PULSE.key],
        fixed_rules=tuple(
            RuleScore(
                row=rule.row,
                rule=rule.name,
                reading=rule.of.value,
                about=rule.about.key,
                **structs.asdict(score(alert_days(rule, readings), labels[rule.about.key], measured[rule.about.key])),
            )
            for rule in FIXED_RULES
        ),
        cadence=_cadence(messages, readings, labels[BLOOD_PRESSURE.key], zone, rules, plan),
        lead_days={key: lead(alerts[key], labels[key], measured[key]) for key in measured},
        load=loads(run, frozenset[PatientDay]().union(*measured.values()), zone),
        alert_rules={
            about.key: days_by_rule(run.assessments, about, zone, labels[about.key], measured[about.key])
            for about in CLASSES
        },
        readings_not_judged=_not_judged(run.assessments),
    )


def _not_judged(assessments: Iterable[Assessment]) -> dict[str, int]:
    found = Counter(
        reading.issue.value
        for assessment in assessments
        for reading in assessment.readings
        if reading.quality is Quality.QUARANTINED and reading.issue is not None
    )
    return dict(sorted(found.items()))


def _labelled(verified: Iterable[VerifiedAlert], zone: tzinfo) -> dict[str, frozenset[PatientDay]]:
    alerts = list(verified)
    return {
        about.key: frozenset(
            PatientDay(alert.patient, local_day(to_ms(alert.at), zone))
            for alert in alerts
            if alert.label == about.label
        )
        for about in CLASSES
    }


def _cadence(  # noqa: PLR0913, PLR0917 - what a cadence is judged on
    messages: Sequence[Submission | Correction | CareEvent],
    readings: Readings,
    labelled: frozenset[PatientDay],
    zone: tzinfo,
    rules: Rules,
    plan: Cadence,
) -> dict[str, Kept]:
    concern = alert_days(OF_CONCERN, readings)
    nothing = frozenset[PatientDay]()
    asked = {
        "plan": (rhythms.planned(plan.daily_days, plan.every_days), nothing),
        "weekly": (rhythms.WEEKLY, nothing),
        "every_submission": (rhythms.EVERY_SUBMISSION, nothing),
        "turning_daily": (rhythms.TURNING_DAILY, concern),
    }
    measured, alerts = readings.measured(BLOOD_PRESSURE.vitals), alert_days(SECOND_ROW, readings)
    found = {
        key: rhythms.keep(rhythm, measured=measured, labelled=labelled, alerts=alerts, asking=asking)
        for key, (rhythm, asking) in asked.items()
    }
    own = (
        f"daily for {plan.daily_days} days, then every {plan.every_days} days; daily for {plan.alert_days} days after"
        f" yellow or red, every {rules.near_every_days} days for {rules.near_days} days near a limit"
    )
    # Like the rhythms above, by blood pressure alone; and as it is where pulse and the rest ask for registrations too.
    for key, name, codes in (
        ("adaptive", own, BLOOD_PRESSURE.codes),
        ("adaptive_every_vital", "the same, where every vital that is followed asks", None),
    ):
        kept = thinned(messages, plan, rules, zone, days=measured, codes=codes)
        found[key] = rhythms.found(name, kept, measured=measured, labelled=labelled, alerts=alerts)
    return found
