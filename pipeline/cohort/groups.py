"""The groups of simulated patients: what they measure, what is usual for them, and how they get worse.

The figures are our choice (docs/adr/0007): plausible enough to exercise the rules, and evidence of nothing. What comes
slowly follows what is published in its direction, not in its size: before an admission for heart failure weight has
risen for weeks, first of all and by little a day [1]; before a COPD exacerbation complaints come a week ahead of small
changes [2], and oxygen falls late and by a few percent while pulse is raised [3]. High glucose takes weight first, and
cancer treatment takes it for weeks.

[1] Chaudhry et al., Circulation 116 (14), 2007, doi:10.1161/CIRCULATIONAHA.107.690768
[2] Seemungal et al., Am. J. Respir. Crit. Care Med. 161 (5), 2000, doi:10.1164/ajrccm.161.5.9908022
[3] Hurst et al., BMC Pulm. Med. 10, 2010, doi:10.1186/1471-2466-10-52
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pipeline.triage.vitals import (
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SPO2,
    SYSTOLIC,
    TEMPERATURE,
    WEIGHT,
    Vital,
)


class Usual(NamedTuple):
    """One vital in a group [the vital's unit]."""

    vital: Vital
    mean: float  # over patients
    between: float  # standard deviation between patients
    within: float  # standard deviation from day to day
    digits: int  # as the device shows it
    red: tuple[float | None, float | None]  # limits, as distances from the patient's own usual value
    yellow: tuple[float | None, float | None] = (None, None)
    worst: float = 0.0  # how far it has moved at the peak of a deterioration
    swing: float = 0.0  # amplitude of the day's rhythm, highest in the late afternoon
    slowly: float = 0.0  # how far it has moved at the peak of a deterioration that comes slowly
    shape: float = 1.0  # of that: the power of time it moves with, below 1 early, above 1 late


class Group(NamedTuple):
    """A pathway's patients."""

    pathway: str
    share: int  # of 200
    kind: str  # of deterioration
    usual: tuple[Usual, ...]
    acute_days: tuple[int, int]  # from onset to peak [d]
    slow_share: float  # of its deteriorations that come slowly
    slow_days: tuple[int, int] = (14, 28)  # from onset to peak of those [d]
    slow_kind: str = ""  # what those are called; empty: as the others
    several_a_day: bool = False


GROUPS: Final = (
    Group(
        pathway="copd",
        share=70,
        kind="COPD exacerbation",
        usual=(
            Usual(SPO2, 93, 1.2, 0.8, 0, (-6, None), (-4, None), worst=-7, slowly=-6, shape=1.5),
            Usual(HEART_RATE, 80, 7, 4, 0, (-30, 40), (None, 25), worst=20, swing=2, slowly=16, shape=0.7),
            Usual(SYSTOLIC, 132, 10, 7, 0, (-40, 45), swing=3),
            Usual(DIASTOLIC, 78, 6, 5, 0, (-28, 28), swing=2),
            Usual(TEMPERATURE, 36.6, 0.2, 0.2, 1, (None, 2.4), (None, 1.3), worst=1.2, swing=0.2),
        ),
        acute_days=(2, 5),
        slow_share=0.25,
    ),
    Group(
        pathway="heart-failure",
        share=60,
        kind="heart failure decompensation",
        usual=(
            Usual(WEIGHT, 80, 12, 0.3, 1, (None, 4), (None, 2), worst=3.6, slowly=3.6, shape=0.7),
            Usual(SYSTOLIC, 124, 11, 7, 0, (-35, 50), worst=10, swing=3),
            Usual(DIASTOLIC, 74, 6, 5, 0, (-26, 30), swing=2),
            Usual(HEART_RATE, 72, 7, 4, 0, (-27, 45), (None, 25), worst=16, swing=2, slowly=12, shape=1.5),
        ),
        acute_days=(3, 6),
        slow_share=0.4,
    ),
    Group(
        pathway="diabetes",
        share=30,
        kind="high blood glucose",
        usual=(
            Usual(GLUCOSE, 8.2, 1.0, 0.9, 1, (-4.5, 10), (-3.6, 5), worst=11, slowly=9, shape=1.5),
            Usual(WEIGHT, 88, 12, 0.3, 1, (None, 8), slowly=-4, shape=0.7),
            Usual(SYSTOLIC, 134, 9, 7, 0, (-42, 46), swing=3),
            Usual(DIASTOLIC, 80, 6, 5, 0, (-28, 28), swing=2),
        ),
        acute_days=(2, 4),
        slow_share=0.3,
    ),
    Group(
        pathway="cancer",
        share=25,
        kind="infection under treatment",
        usual=(
            Usual(TEMPERATURE, 36.6, 0.2, 0.2, 1, (None, 1.7), (None, 1.1), worst=2.4, swing=0.2),
            Usual(HEART_RATE, 76, 7, 4, 0, (-30, 45), (None, 25), worst=24, swing=2, slowly=8, shape=1.5),
            Usual(WEIGHT, 71, 11, 0.3, 1, (-6, None), (-4, None), slowly=-6, shape=0.8),
        ),
        acute_days=(2, 3),
        slow_share=0.4,
        slow_kind="wasting under treatment",
    ),
    Group(
        pathway="hospital-at-home",
        share=15,
        kind="respiratory failure",
        usual=(
            Usual(SPO2, 94, 1.0, 0.7, 0, (-5, None), (-3, None), worst=-7),
            Usual(RESPIRATORY_RATE, 17, 1.5, 1.2, 0, (-9, 10), (None, 6), worst=9),
            Usual(HEART_RATE, 84, 7, 4, 0, (-35, 40), (None, 25), worst=20, swing=2),
            Usual(TEMPERATURE, 36.9, 0.3, 0.2, 1, (None, 2.3), (None, 1.4), worst=1.4, swing=0.2),
        ),
        acute_days=(2, 3),
        slow_share=0.0,
        several_a_day=True,
    ),
)
