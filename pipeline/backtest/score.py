"""How well alert days agree with the days on which a clinical team verified an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from pipeline.backtest.days import by_patient

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from pipeline.backtest.days import PatientDay

RESAMPLES: Final = 2000
SEED: Final = 1
CONFIDENCE: Final = 0.95
MONTH_DAYS: Final = 30  # false alert-days are told per so many measured patient-days [d]
_TAILS: Final = (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE))  # [%]

Interval = tuple[float, float]


class Intervals(Struct, frozen=True, kw_only=True):
    """Bootstrap intervals over patients (95 %); None where no resample has a value."""

    sensitivity: Interval | None
    ppv: Interval | None
    false_alert_days_per_30: Interval | None


class Score(Struct, frozen=True, kw_only=True):
    """Agreement over patient-days on which the class's vitals were measured; None: nothing to divide by."""

    sensitivity: float | None  # of the labelled days, the share that are alert days
    ppv: float | None  # of the alert days, the share that are labelled
    false_alert_days_per_30: float | None  # alert days without the label, per 30 measured patient-days
    labelled_days: int
    measured_days: int
    alert_days: int
    found_days: int
    patients: int
    intervals: Intervals


def score(
    alerts: AbstractSet[PatientDay],
    labelled: AbstractSet[PatientDay],
    measured: AbstractSet[PatientDay],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Score:
    """Judge `alerts` against `labelled`, both on `measured` days alone.

    The intervals are percentiles over resamples of the patients with replacement, a patient's days kept together,
    because the days of one patient are alike [1]. The same seed gives the same intervals.

    [1] Field and Welsh, J. R. Statist. Soc. B 69 (3), 2007, doi:10.1111/j.1467-9868.2007.00593.x
    """
    counts = _counts(alerts & measured, labelled & measured, measured)
    found, labels, alarms, days = map(int, counts.sum(axis=0))
    rates = _rates(counts.sum(axis=0, keepdims=True))[0]
    drawn = resampled(counts, resamples, seed)
    sensitivity, ppv, false_days = (interval(column) for column in _rates(drawn).T)
    return Score(
        sensitivity=_known(rates[0]),
        ppv=_known(rates[1]),
        false_alert_days_per_30=_known(rates[2]),
        labelled_days=labels,
        measured_days=days,
        alert_days=alarms,
        found_days=found,
        patients=len(counts),
        intervals=Intervals(sensitivity=sensitivity, ppv=ppv, false_alert_days_per_30=false_days),
    )


def _counts(
    alerts: AbstractSet[PatientDay], labelled: AbstractSet[PatientDay], measured: AbstractSet[PatientDay]
) -> NDArray[np.int64]:
    """Found, labelled, alert and measured days, a row a patient."""
    days = [by_patient(found) for found in (alerts & labelled, labelled, alerts, measured)]
    rows = [[len(found.get(patient, ())) for found in days] for patient in days[-1]]
    return np.array(rows, np.int64).reshape(-1, 4)


def resampled(counts: NDArray[np.int64], resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.int64]:
    """The sums of `counts`, a row a patient, over patients drawn with replacement; a row a resample."""
    patients = len(counts)
    if patients == 0:
        return np.zeros((0, counts.shape[1]), np.int64)
    shares = np.full(patients, 1 / patients)
    drawn: NDArray[np.int64] = np.random.default_rng(seed).multinomial(patients, shares, size=resamples) @ counts
    return drawn


def ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """The shares; NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: NDArray[np.float64] = part / whole
    return shares


def _rates(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sensitivity, PPV and false alert-days per 30, a row a row of counts; NaN for what nothing divides."""
    found, labelled, alerts, measured = counts.T
    return np.stack(
        [ratio(found, labelled), ratio(found, alerts), ratio(MONTH_DAYS * (alerts - found), measured)], axis=1
    )


def interval(values: NDArray[np.float64]) -> Interval | None:
    """The middle `CONFIDENCE` of what is known of the resamples' values."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None
    low, high = np.percentile(known, _TAILS)
    return float(low), float(high)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
