"""The patient-days with a value near a limit of the patient's plan, or beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.backtest.fixed_rules import Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.backtest.days import PatientDay
    from pipeline.backtest.readings import Readings
    from pipeline.triage.plans import Bounds
    from pipeline.triage.vitals import Vital


def near_days(
    readings: Readings, vitals: Iterable[Vital], limits: Mapping[str, Mapping[int, Bounds]], spreads: float
) -> frozenset[PatientDay]:
    """The days with a value of `vitals` within `spreads` least spreads of the innermost limit.

    The least spread of a vital (`Vital.floor`) is how much any patient's values differ from day to day; within so many
    of them of a limit, the next value can lie beyond it without the patient having changed.

    Parameters
    ----------
    limits
        Each patient's limits by vital index, as `pipeline.triage.plans.bounds` gives them.
    """
    keys = [np.empty(0, np.int64)]
    for vital in vitals:
        column = readings.of(vital)
        places = column.places
        for place, patient in enumerate(readings.patients):
            bounds = limits.get(patient, {}).get(vital.index)
            if bounds is not None:
                own = places == place
                keys.append(column.keys[own][_edge(vital, bounds, spreads).broken(column.values[own])])
    return readings.days(np.concatenate(keys))


def _edge(vital: Vital, bounds: Bounds, spreads: float) -> Edge:
    low = max((edge for edge in (bounds.red_low, bounds.yellow_low) if edge is not None), default=None)
    high = min((edge for edge in (bounds.yellow_high, bounds.red_high) if edge is not None), default=None)
    near = spreads * vital.floor
    return Edge(
        vital=vital,
        at_most=None if low is None else low + near,
        at_least=None if high is None else high - near,
    )
