"""Before and after enrolment: published figures, other software, a loop, and simulated cohorts with a known truth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped] # statsmodels ships no types
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t  # type: ignore[import-untyped] # scipy ships no types
from statsmodels.discrete.conditional_models import ConditionalPoisson  # type: ignore[import-untyped] # nor here

from pipeline.outcomes.intervals import clopper_pearson
from pipeline.outcomes.own_control import Times, around, before_after, own_times, rate_ratio
from pipeline.outcomes.rates import admissions, emergency_contacts
from pipeline.outcomes.time_at_risk import scope
from tests.oracles import outcomes as oracle
from tests.pipeline.outcomes.made import PATIENTS, START, at, enrolled, frame, histories, moved, stay
from tests.pipeline.outcomes.simulated import ENROLLED, KNOWN_UNTIL, Truth, care_events

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.oracles.outcomes import Event

    Floats = NDArray[np.float64]

DAY = 24


def test_one_share_of_time_gives_the_exact_interval_of_two_poisson_rates() -> None:
    """11 cases in 800 and 21 in 3,011: the second example of R's help page `poisson.test` (data of ISwR, eba1977).

    Given 32 in all, those of the first are binomial: its exact interval, by scipy, as odds of the time.
    """
    before, after = np.zeros(9), np.zeros(9)
    before[:9] = [3, 2, 3, 2, 3, 2, 2, 2, 2]
    after[:9] = [2, 1, 1, 1, 1, 1, 1, 1, 2]
    told = rate_ratio(before, np.full(9, 3011.0), after, np.full(9, 800.0))
    assert told.method == "exact"
    share = binomtest(11, 32).proportion_ci(method="exact")
    odds = np.array([11 / 32, share.low, share.high])
    assert told[:3] == pytest.approx(odds / (1 - odds) * 3011 / 800, rel=1e-6)


def test_all_on_one_side_gives_a_bound_on_the_other() -> None:
    year = np.full(12, 365.0)
    none_after = rate_ratio(np.ones(12), year, np.zeros(12), year)
    _, high = clopper_pearson(0, 12)
    assert (none_after.ratio, none_after.low, none_after.method) == (0.0, 0.0, "exact")
    assert none_after.high == pytest.approx(high / (1 - high))
    none_before = rate_ratio(np.zeros(12), year, np.ones(12), year)
    assert (none_before.ratio, none_before.high) == (math.inf, math.inf)
    assert none_before.low == pytest.approx(1 / none_after.high)


def test_nothing_happened_tells_nothing() -> None:
    told = rate_ratio(np.zeros(3), np.ones(3), np.zeros(3), np.ones(3))
    assert (math.isnan(told.ratio), told.low, told.high, told.method) == (True, 0.0, math.inf, "none")


def drawn(seed: int, patients: int = 40) -> tuple[Floats, Floats, Floats, Floats]:
    random = np.random.default_rng(seed)
    days_before, days_after = random.uniform(100, 365, patients), random.uniform(20, 365, patients)
    rate = random.gamma(1, 0.01, patients)
    before = random.poisson(rate * days_before).astype(float)
    after = random.poisson(0.7 * rate * days_after).astype(float)
    return before, days_before, after, days_after


@pytest.mark.parametrize("seed", range(6))
def test_the_estimate_is_that_of_conditional_poisson_regression(seed: int) -> None:
    told = drawn(seed)
    unlike = told[0] != told[2]  # statsmodels leaves out patients with as many before as after, who do tell something
    before, days_before, after, days_after = (one[unlike] for one in told)
    theirs = ConditionalPoisson(
        np.concatenate([before, after]),
        np.repeat([0.0, 1.0], len(before))[:, None],
        groups=np.tile(np.arange(len(before)), 2),
        offset=np.log(np.concatenate([days_before, days_after])),
    ).fit(disp=False)
    ratio = rate_ratio(before, days_before, after, days_after).ratio
    assert ratio == pytest.approx(float(np.exp(theirs.params[0])), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_clustered_poisson_regression_with_a_rate_for_each_patient(seed: int) -> None:
    before, days_before, after, days_after = drawn(seed)
    some = before + after > 0
    before, days_before, after, days_after = (one[some] for one in (before, days_before, after, days_after))
    count = len(before)
    patient = np.tile(np.arange(count), 2)
    design = np.column_stack([np.repeat([0.0, 1.0], count), np.eye(count)[patient]])
    fit = sm.GLM(
        np.concatenate([before, after]),
        design,
        family=sm.families.Poisson(),
        offset=np.log(np.concatenate([days_before, days_after])),
    ).fit(cov_type="cluster", cov_kwds={"groups": patient, "use_correction": False}, maxiter=200)
    spread = fit.bse[0] * np.sqrt(count / (count - 1))
    half = t.isf(0.025, count - 1) * spread
    told = rate_ratio(before, days_before, after, days_after)
    assert told.method == "patients"
    assert np.log([told.low, told.high]) == pytest.approx([fit.params[0] - half, fit.params[0] + half], abs=1e-4)


SIDES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(50, 365), st.integers(0, 5), st.integers(5, 365)), min_size=1, max_size=25
)


@given(SIDES)
@settings(deadline=None)
def test_the_estimate_is_found_by_halving_too(told: list[tuple[int, int, int, int]]) -> None:
    found = rate_ratio(*(np.array(side, float) for side in zip(*told, strict=True)))
    total, after = sum(b + a for b, _, a, _ in told), sum(a for _, _, a, _ in told)
    if not 0 < after < total:
        return

    def missing(ratio: float) -> float:
        return sum(a - (a + b) * ratio * ta / (ratio * ta + tb) for b, tb, a, ta in told)

    low, high = 1e-6, 1e6
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if missing(middle) > 0 else (low, middle)
    assert found.ratio == pytest.approx(low, rel=1e-6)
    assert found.low <= found.ratio <= found.high


@given(SIDES.filter(lambda told: sum(b + a for b, _, a, _ in told) <= 12 and len(told) < 10))
@settings(deadline=None, max_examples=50)
def test_the_exact_interval_leaves_its_tails(told: list[tuple[int, int, int, int]]) -> None:
    found = rate_ratio(*(np.array(side, float) for side in zip(*told, strict=True)))
    after = sum(a for _, _, a, _ in told)
    shares = [ta / (ta + tb) for b, tb, a, ta in told for _ in range(a + b)]

    def law(ratio: float) -> list[float]:
        """Of how many lie after, one event added after the other."""
        chances = [1.0]
        for share in shares:
            p = ratio * share / (ratio * share + 1 - share)
            chances = [
                (chances[k] * (1 - p) if k < len(chances) else 0.0) + (chances[k - 1] * p if k else 0.0)
                for k in range(len(chances) + 1)
            ]
        return chances

    if found.method == "exact" and found.low > 0:
        assert sum(law(found.low)[after:]) == pytest.approx(0.025, rel=1e-5)
    if found.method == "exact" and math.isfinite(found.high):
        assert sum(law(found.high)[: after + 1]) == pytest.approx(0.025, rel=1e-5)


@given(histories(200))
@settings(deadline=None, max_examples=20)
def test_own_times_are_as_an_hour_at_a_time(events: list[Event]) -> None:
    told = scope(frame(events), START, at(200), "all")
    ours = own_times(emergency_contacts(frame(events)), told, Times(before_days=2, after_days=3, left_out_days=1))
    slow = {}
    for patient in PATIENTS:
        begun = next((hour for hour in range(200) if oracle.traits(events, patient, hour)), None)
        if begun is None:
            continue
        sides = (
            list(range(begun - 3 * DAY, begun - DAY)),
            [hour for hour in range(begun, min(200, begun + 3 * DAY)) if oracle.traits(events, patient, hour)],
        )
        seen = [e.hour for e in events if e.patient == patient and e.kind == "emergency_contact"]
        row = []
        for hours in sides:
            at_risk = [hour for hour in hours if not oracle.in_hospital(events, patient, hour, 200)]
            row += [sum(hour in hours for hour in seen), round(len(at_risk) / DAY, 9)]
        slow[patient] = row
    columns = ["events_before", "days_before", "events_after", "days_after"]
    found = {row["patient"]: [round(row[name], 9) for name in columns] for row in ours.to_dict("records")}
    assert found == slow


def test_time_in_hospital_and_after_the_end_is_not_at_risk() -> None:
    events = [
        *stay(0, 4 * DAY),
        *stay(15 * DAY, 22 * DAY),
        enrolled(20 * DAY),
        *stay(30 * DAY, 33 * DAY),
        moved(40 * DAY, "ended"),
    ]
    told = scope(frame(events), START, at(300 * DAY), "all")
    row = own_times(admissions(told), told, Times(before_days=20, after_days=100)).iloc[0]
    # Before: 20 days, of which 4 and 5 in hospital. After: 20 days to the end, of which 2 and 3.
    assert (row["events_before"], row["days_before"], row["events_after"], row["days_after"]) == (2, 11.0, 1, 15.0)


def test_days_right_before_enrolment_and_days_that_nothing_is_known_of_can_be_left_out() -> None:
    events = [*stay(90 * DAY, 91 * DAY), enrolled(100 * DAY)]
    told = scope(frame(events), START, at(300 * DAY), "all")
    known = Times(before_days=50, left_out_days=30, known_from=at(60 * DAY))
    row = own_times(admissions(told), told, known).iloc[0]
    assert (row["events_before"], row["days_before"]) == (0, 10.0)


def test_an_admission_that_led_to_the_enrolment_shows_as_regression_to_the_mean() -> None:
    """Everybody is as ill before as after, and is enrolled ten days after one further admission."""
    random = np.random.default_rng(6)
    events = []
    for number in range(150):
        patient = f"sim-{number}"
        led = int(random.integers(300, 340))
        for day in {led, *random.choice(720, size=random.poisson(6), replace=False).tolist()}:
            events += stay(int(day) * DAY, int(day) * DAY + 6, patient)
        events.append(enrolled((led + 10) * DAY, patient))
    events.sort(key=lambda event: event.hour)
    told = scope(frame(events), START, at(800 * DAY), "all")
    naive = before_after(admissions(told), told, times=Times(300, 300)).iloc[0]
    left_out = before_after(admissions(told), told, times=Times(250, 300, left_out_days=30)).iloc[0]
    assert naive["high"] < 1
    assert left_out["low"] < 1 < left_out["high"]
    windows = around(admissions(told), told, window_days=30, windows=3).set_index("window")["per_1000"]
    assert windows[-1] > 2 * windows[-2]


@pytest.mark.parametrize(
    ("truth", "seed"),
    [
        pytest.param(Truth(runs=1000, patients=100, yearly_rate=1.2, ratio=0.7), 20, id="admissions, unlike patients"),
        pytest.param(
            Truth(runs=1000, patients=100, yearly_rate=1.5, ratio=0.8, clump=0.5, kind="emergency_contact"),
            21,
            id="contacts that come in clusters",
        ),
    ],
)
def test_the_interval_covers_the_truth_in_93_to_97_of_100_cohorts(truth: Truth, seed: int) -> None:
    """From care events to the interval, 1,000 cohorts at once: stays, ends and unequal times as they come."""
    care = care_events(truth, seed)
    told = scope(care, ENROLLED, KNOWN_UNTIL, "all")
    events = admissions(told) if truth.kind == "admitted" else emergency_contacts(care)
    found = before_after(events, told, by=("service",))
    assert len(found) == truth.runs
    covered = ((found["low"] <= truth.ratio) & (truth.ratio <= found["high"])).mean()
    assert 0.93 <= covered <= 0.97
    assert np.exp(np.log(found["ratio"]).mean()) == pytest.approx(truth.ratio, rel=0.03)
