"""How far a reading lies from the patient's own normal, as an equivalent normal z."""

from __future__ import annotations

from math import copysign, log1p, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.triage.baseline import Baseline


def score(value: float, baseline: Baseline) -> float:
    """Deviation of `value` from `baseline` [both in the vital's unit], without unit, signed.

    With few days behind it a baseline is itself uncertain, so the distance is taken as a predictive Student t with
    days - 1 degrees of freedom, and given as the normal z of the same tail probability by Wallace's
    approximation, which for 4 degrees of freedom and more is at most 0.13 below and 0.01 above the exact value up to
    |z| = 5 [1].

    [1] D. L. Wallace, Ann. Math. Stat. 30 (4), 1959, doi:10.1214/aoms/1177706095
    """
    freedom = baseline.days - 1
    distance = (value - baseline.center) / (baseline.spread * sqrt(1 + 1 / baseline.days))
    z = sqrt(freedom * log1p(distance * distance / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return copysign(z, distance)
