"""Fixed limits, the same for every patient: what the engine is judged beside.

The paper's own limits are those of Palermo et al., Scientific Data 10:606 (2023), doi:10.1038/s41597-023-02519-y; the
others were chosen for this comparison.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from pipeline.backtest.days import BLOOD_PRESSURE, PULSE, LabelClass
from pipeline.backtest.readings import last_of_day, median_of_day
from pipeline.triage.vitals import DIASTOLIC, HEART_RATE, SYSTOLIC, Vital

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.backtest.days import PatientDay
    from pipeline.backtest.readings import Column, Readings


class Of(StrEnum):
    """Which of a day's readings a rule is asked of."""

    ANY = "any reading"
    LAST = "the day's last reading"
    MEDIAN = "the day's median"


class Edge(Struct, frozen=True, kw_only=True):
    """When a vital's value alerts [the vital's unit]."""

    vital: Vital
    below: float | None = None  # value < this
    at_most: float | None = None  # value <= this
    at_least: float | None = None  # value >= this
    above: float | None = None  # value > this

    def broken(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of `values` [the vital's unit] alert."""
        found = np.zeros(len(values), bool)
        if self.below is not None:
            found |= values < self.below
        if self.at_most is not None:
            found |= values <= self.at_most
        if self.at_least is not None:
            found |= values >= self.at_least
        if self.above is not None:
            found |= values > self.above
        return found


class FixedRule(Struct, frozen=True, kw_only=True):
    """One rule of the comparison."""

    row: int  # of the table that it is compared with
    name: str
    about: LabelClass
    edges: tuple[Edge, ...]
    of: Of = Of.ANY


_SECOND: Final = (Edge(vital=SYSTOLIC, below=90, at_least=160), Edge(vital=DIASTOLIC, below=50, at_least=100))
SECOND_ROW: Final = FixedRule(
    row=2,
    name="blood pressure, systolic <90 or >=160, diastolic <50 or >=100",
    about=BLOOD_PRESSURE,
    edges=_SECOND,
)
# What asks for daily registrations in the cadence experiment; it judges nothing, so it is in no row.
OF_CONCERN: Final = FixedRule(
    row=0,
    name="blood pressure, systolic <100 or >=150, diastolic <55 or >=95",
    about=BLOOD_PRESSURE,
    edges=(Edge(vital=SYSTOLIC, below=100, at_least=150), Edge(vital=DIASTOLIC, below=55, at_least=95)),
)
FIXED_RULES: Final = (
    FixedRule(
        row=1,
        name="blood pressure, the TIHM paper's own limits (80/190, 50/110)",
        about=BLOOD_PRESSURE,
        edges=(Edge(vital=SYSTOLIC, below=80, above=190), Edge(vital=DIASTOLIC, below=50, above=110)),
    ),
    SECOND_ROW,
    FixedRule(
        row=3,
        name="blood pressure, systolic <90 or >=160, diastolic <55 or >=100",
        about=BLOOD_PRESSURE,
        edges=(Edge(vital=SYSTOLIC, below=90, at_least=160), Edge(vital=DIASTOLIC, below=55, at_least=100)),
    ),
    FixedRule(row=4, name=SECOND_ROW.name, about=BLOOD_PRESSURE, edges=_SECOND, of=Of.LAST),
    FixedRule(row=4, name=SECOND_ROW.name, about=BLOOD_PRESSURE, edges=_SECOND, of=Of.MEDIAN),
    FixedRule(
        row=5,
        name="blood pressure, systolic <100 or >160, diastolic <60 or >95",
        about=BLOOD_PRESSURE,
        edges=(Edge(vital=SYSTOLIC, below=100, above=160), Edge(vital=DIASTOLIC, below=60, above=95)),
    ),
    FixedRule(
        row=6, name="pulse, <=50 or >=100", about=PULSE, edges=(Edge(vital=HEART_RATE, at_most=50, at_least=100),)
    ),
    FixedRule(
        row=7,
        name="pulse, the TIHM paper's own limits (<55 or >100)",
        about=PULSE,
        edges=(Edge(vital=HEART_RATE, below=55, above=100),),
    ),
)


def alert_days(rule: FixedRule, readings: Readings) -> frozenset[PatientDay]:
    """The patient-days on which `rule` alerts."""
    keys = []
    for edge in rule.edges:
        column = _asked(readings.of(edge.vital), rule.of)
        keys.append(column.keys[edge.broken(column.values)])
    return readings.days(np.concatenate(keys))


def _asked(column: Column, of: Of) -> Column:
    match of:
        case Of.ANY:
            return column
        case Of.LAST:
            return last_of_day(column)
        case Of.MEDIAN:
            return median_of_day(column)
