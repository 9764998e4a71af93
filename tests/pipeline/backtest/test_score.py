"""Sensitivity, PPV and false alert-days, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from pipeline.backtest.days import PatientDay
from pipeline.backtest.score import ratio, resampled, score
from tests.oracles import backtest as oracle
from tests.pipeline.backtest.recordings import days

FAR = 4.5  # standard errors: of so many bounds one is passed by chance once in a thousand seeds, and the seed is fixed


def test_shares_are_told_over_measured_days_alone() -> None:
    found = score(days(1, 2, 3, 40), days(2, 3, 4, 5, 41), days(*range(1, 16)))
    assert (found.sensitivity, found.ppv, found.false_alert_days_per_30) == (2 / 4, 2 / 3, 30 * 1 / 15)
    assert (found.found_days, found.labelled_days, found.alert_days, found.measured_days) == (2, 4, 3, 15)


def test_a_share_of_nothing_is_none() -> None:
    nothing = score(frozenset(), frozenset(), frozenset())
    assert (nothing.sensitivity, nothing.ppv, nothing.false_alert_days_per_30) == (None, None, None)
    assert (nothing.intervals.sensitivity, nothing.patients) == (None, 0)
    quiet = score(frozenset(), frozenset(), days(1, 2))
    assert (quiet.sensitivity, quiet.ppv, quiet.false_alert_days_per_30) == (None, None, 0)
    assert (quiet.intervals.ppv, quiet.intervals.false_alert_days_per_30) == (None, (0, 0))


def test_one_patients_days_are_drawn_together() -> None:
    found = score(days(1), days(1, 2), days(1, 2))
    assert found.intervals.sensitivity == (0.5, 0.5)


def many(patients: int) -> tuple[set[PatientDay], set[PatientDay], set[PatientDay]]:
    random = np.random.default_rng(7)
    measured = {PatientDay(f"sim-{patient:04}", day) for patient in range(patients) for day in range(20)}
    labelled = {day for day in sorted(measured) if random.random() < 0.3}
    alerts = {day for day in sorted(measured) if random.random() < (0.7 if day in labelled else 0.1)}
    return alerts, labelled, measured


def test_intervals_are_the_same_again_and_others_with_another_seed() -> None:
    assert score(*many(12)) == score(*many(12))
    assert score(*many(12)).intervals != score(*many(12), seed=2).intervals


def test_intervals_agree_with_scipy() -> None:
    alerts, labelled, measured = many(30)
    patients = sorted({day.patient for day in measured})
    found = np.array([sum(day.patient == one for day in alerts & labelled) for one in patients])
    labels = np.array([sum(day.patient == one for day in labelled) for one in patients])
    theirs = bootstrap(
        (found, labels),
        lambda hits, of, axis: hits.sum(axis=axis) / of.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=5000,
        method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval
    ours = score(alerts, labelled, measured, resamples=5000).intervals.sensitivity
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_every_patient_is_as_likely_drawn_as_every_other() -> None:
    """What is drawn of each is as multinomial counts are: mean 1, variance 1 - 1/n, covariance -1/n."""
    patients, many = 10, 100_000
    drawn = resampled(np.eye(patients, dtype=np.int64), many, seed=1)
    assert (drawn.sum(axis=1) == patients).all()
    spread = 1 - 1 / patients
    assert np.abs(drawn.mean(axis=0) - 1).max() < FAR * np.sqrt(spread / many)
    products = (drawn[:, :, None] - 1) * (drawn[:, None, :] - 1)
    known = np.eye(patients) - 1 / patients
    assert (np.abs(products.mean(axis=0) - known) < FAR * products.std(axis=0) / np.sqrt(many)).all()


def test_a_resampled_share_is_the_share_with_the_standard_error_of_a_mean() -> None:
    """Where all have equally many days, a resample's share is the mean over the patients that were drawn."""
    found, labelled, many = np.array([0, 1, 3, 7, 12, 20]), 20, 100_000
    counts = np.stack([found, np.full(len(found), labelled)], axis=1)
    shares = ratio(*resampled(counts, many, seed=1).T)
    own = found / labelled
    error = own.std() / np.sqrt(len(own))
    assert abs(shares.mean() - own.mean()) < FAR * error / np.sqrt(many)
    assert abs(shares.var() - error**2) < FAR * np.std((shares - own.mean()) ** 2) / np.sqrt(many)


DAYS = st.sets(st.builds(PatientDay, st.sampled_from(["sim-0001", "sim-0002"]), st.integers(0, 9)))


@given(DAYS, DAYS, DAYS)
def test_shares_are_as_a_day_at_a_time(
    alerts: set[PatientDay], labelled: set[PatientDay], measured: set[PatientDay]
) -> None:
    found = score(alerts, labelled, measured, resamples=50)
    told = (found.sensitivity, found.ppv, found.false_alert_days_per_30)
    assert told == oracle.rates(alerts, labelled, measured)
