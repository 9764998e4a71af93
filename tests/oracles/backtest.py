"""The evaluation once more, a day at a time and with nothing vectorised."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pipeline.backtest.days import PatientDay
from pipeline.backtest.fixed_rules import Of
from pipeline.triage.instants import local_day, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from pipeline.backtest.fixed_rules import Edge, FixedRule
    from schemas.submissions import Submission


def alert_days(rule: FixedRule, submissions: Iterable[Submission], zone: tzinfo) -> set[PatientDay]:
    """The days on which `rule` alerts; canonical codes and units alone."""
    days: dict[tuple[PatientDay, str], list[tuple[int, float]]] = {}
    for submission in submissions:
        for reading in submission.readings:
            at_ms = to_ms(reading.measured_at)
            day = PatientDay(submission.patient, local_day(at_ms, zone))
            days.setdefault((day, reading.code), []).append((at_ms, reading.value))
    found = set()
    for edge in rule.edges:
        for (day, code), rows in days.items():
            if code == edge.vital.codes[0]:
                values = [value for _, value in sorted(rows, key=lambda row: row[0])]
                asked = {Of.ANY: values, Of.LAST: values[-1:], Of.MEDIAN: [median(values)]}[rule.of]
                if any(_broken(edge, value) for value in asked):
                    found.add(day)
    return found


def rates(
    alerts: set[PatientDay], labelled: set[PatientDay], measured: set[PatientDay]
) -> tuple[float | None, float | None, float | None]:
    """Sensitivity, PPV, and false alert-days per 30 measured patient-days."""
    found = labels = alarms = 0
    for day in measured:
        found += day in alerts and day in labelled
        labels += day in labelled
        alarms += day in alerts
    return (
        found / labels if labels else None,
        found / alarms if alarms else None,
        30 * (alarms - found) / len(measured) if measured else None,
    )


def _broken(edge: Edge, value: float) -> bool:
    return (
        (edge.below is not None and value < edge.below)
        or (edge.at_most is not None and value <= edge.at_most)
        or (edge.at_least is not None and value >= edge.at_least)
        or (edge.above is not None and value > edge.above)
    )
