"""Whether a reading may be judged: unknown code or unit, impossible or implausible value, impossible time."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage.vitals import BY_CODE, converted, factor
from schemas.assessments import Quality, QualityIssue

if TYPE_CHECKING:
    from pipeline.triage.baseline import Series
    from pipeline.triage.rules import Rules
    from pipeline.triage.vitals import Vital

LEAST_PULSE_PRESSURE = 5  # systolic must be above diastolic by more than this [mm[Hg]]; our choice
FALL_WITHIN_DAYS = 7  # a fall is told against a daily value no older than this [d]; our choice


class Verdict(NamedTuple):
    """A reading's vital (None: unknown code), its value in the vital's unit, and whether it may be judged."""

    vital: Vital | None
    value: float
    quality: Quality
    issue: QualityIssue | None


def measured_when(measured_ms: int, received_ms: int, rules: Rules) -> QualityIssue | None:
    """Whether a reading's own time can be true, seen from when it was received."""
    if measured_ms > received_ms + rules.future_tolerance_ms:
        return QualityIssue.FUTURE
    if measured_ms < received_ms - rules.oldest_reading_ms:
        return QualityIssue.TOO_OLD
    return None


def judge(  # noqa: PLR0911 - one way out per thing that can be wrong, in the order in which it hides the others
    code: str, unit: str, sent: float, when: QualityIssue | None
) -> Verdict:
    """Quality of one reading by itself [value in `unit`]."""
    vital = BY_CODE.get(code)
    if vital is None:
        return Verdict(None, sent, Quality.QUARANTINED, QualityIssue.UNKNOWN_CODE)
    scale = factor(vital, unit)
    if scale is None:
        return Verdict(vital, sent, Quality.QUARANTINED, QualityIssue.UNKNOWN_UNIT)
    value = converted(sent, scale)
    if when is not None:
        return Verdict(vital, value, Quality.QUARANTINED, when)
    if not isfinite(value):
        return Verdict(vital, value, Quality.QUARANTINED, QualityIssue.NOT_FINITE)
    below, above = vital.impossible
    if (below is not None and value < below) or (above is not None and value > above):
        return Verdict(vital, value, Quality.QUARANTINED, QualityIssue.IMPOSSIBLE)
    below, above = vital.implausible
    if (below is not None and value < below) or (above is not None and value > above):
        return Verdict(vital, value, Quality.IMPLAUSIBLE, QualityIssue.IMPLAUSIBLE)
    other = unit != vital.unit or code != vital.codes[0]
    return Verdict(vital, value, Quality.VALID, QualityIssue.CONVERTED if other else None)


def against_history(vital: Vital, value: float, day: int, series: Series) -> bool:
    """Whether `value` is implausible beside the patient's own earlier daily values [the vital's unit]."""
    if not series.days:
        return False
    newest, age_days = series.values[-1], day - series.days[-1]
    return (
        (vital.fall is not None and age_days <= FALL_WITHIN_DAYS and newest - value > vital.fall)
        or (vital.step is not None and age_days <= 1 and abs(newest - value) > vital.step)
        or (vital.share_of_best is not None and value < vital.share_of_best * max(series.values))
    )


def contradicts(systolic: float, diastolic: float) -> bool:
    """Whether one cuff measurement's two pressures cannot both be true [mm[Hg]]."""
    return systolic <= diastolic + LEAST_PULSE_PRESSURE
