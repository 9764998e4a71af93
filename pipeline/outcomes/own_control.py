"""Before and after enrolment, each patient their own control: the rate ratio, and what stands in its way.

Only what changes within a patient counts: whoever is admitted often is so before and after. Given how many events a
patient had in all, those after are binomial with the share of the time that lies after, weighed by the rate ratio [1].
The estimate is where what was observed less what was expected sums to 0, which needs no more than that the ratio is the
same for all. Its interval takes the events of a patient as one observation, so that it holds where events come in
clusters [2], by Student's t with as many degrees as patients with events less one. Where those are few it is the exact
interval of the sum of binomials, which takes events as independent [3].

Limits, to be told with every figure: patients are enrolled when they are ill, and would be admitted less often later
on anyway (regression to the mean [4]); `Times.left_out_days` and `around` show how much of it there is, and only
patients who are not followed could tell it apart. Who dies or ends early is followed for less time, and the last days
of life are not like others. Age, season and whatever else changed in that time are not taken out.

[1] Farrington, Biometrics 51 (1), 1995, doi:10.2307/2533328;
    Whitaker et al., Stat. Med. 25 (10), 2006, doi:10.1002/sim.2302
[2] Wooldridge, J. Econometrics 90 (1), 1999, doi:10.1016/S0304-4076(98)00033-5
[3] Clopper and Pearson, Biometrika 26 (4), 1934, doi:10.1093/biomet/26.4.404
[4] Barnett et al., Int. J. Epidemiol. 34 (1), 2005, doi:10.1093/ije/dyh299
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq  # type: ignore[import-untyped] # scipy ships no types
from scipy.stats import poisson_binom, t  # type: ignore[import-untyped] # scipy ships no types

from pipeline.outcomes.following import TRAITS, enrolments
from pipeline.outcomes.frames import days, instant, looked_up
from pipeline.outcomes.intervals import TAIL, poisson
from pipeline.outcomes.rates import PER
from pipeline.outcomes.time_at_risk import days_within, each, newest_begun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from pipeline.outcomes.time_at_risk import Scope

    Floats = NDArray[np.float64]

YEAR: Final = 365  # [d]
LEAST_PATIENTS: Final = 10  # with events, for an interval over patients: our choice
_FARTHEST: Final = 30.0  # logarithm of a rate ratio beyond which nothing is looked for


class Times(NamedTuple):
    """What counts as before and after enrolment.

    Attributes
    ----------
    before_days, after_days
        How far from enrolment to look [d]. After it only the time followed counts, and never time in hospital.
    left_out_days
        Days right before enrolment that count as neither: what led to it often lies there [d].
    known_from
        Events of before this are not known; None: all are.
    """

    before_days: int = YEAR
    after_days: int = YEAR
    left_out_days: int = 0
    known_from: datetime | None = None


A_YEAR: Final = Times()


class Ratio(NamedTuple):
    """A rate ratio, its 95 % interval, and how that was worked out: `patients`, `exact` or `none`."""

    ratio: float
    low: float
    high: float
    method: str


def before_after(events: pd.DataFrame, scope: Scope, *, by: Sequence[str] = (), times: Times = A_YEAR) -> pd.DataFrame:
    """Return the rate before and after enrolment and their ratio, below 1 where there was less after.

    Parameters
    ----------
    events
        `patient`, `time`: admissions, emergency contacts; those before enrolment too.
    by
        Traits at enrolment: `service`, `municipality`, `pathway`, `phase`.

    Returns
    -------
    pandas.DataFrame
        What `by` names, `patients`, `with_events`, `events_before`, `days_before` [d], `per_1000_before`, the same
        after, `ratio`, `low`, `high` (95 %), `method` (`patients`, `exact`, `none`: nothing to tell it from).
    """
    rows = []
    for named, group in each(own_times(events, scope, times), by):
        found = rate_ratio(*(group[name].to_numpy(np.float64) for name in _OWN))
        some = (group["events_before"] + group["events_after"]) > 0
        counts = {"patients": len(group), "with_events": int(some.sum()), **group[list(_OWN)].sum()}
        rows.append({**named, **counts, **found._asdict()})
    told = pd.DataFrame(rows, columns=[*by, "patients", "with_events", *_OWN, *Ratio._fields])
    for side in ("before", "after"):
        told[f"events_{side}"] = told[f"events_{side}"].astype("int64")
        told[f"per_1000_{side}"] = PER * told[f"events_{side}"] / told[f"days_{side}"]
    shown = [f"{name}_{side}" for side in ("before", "after") for name in ("events", "days", "per_1000")]
    return told[[*by, "patients", "with_events", *shown, *Ratio._fields]]


def around(
    events: pd.DataFrame, scope: Scope, *, window_days: int = 91, windows: int = 4, known_from: datetime | None = None
) -> pd.DataFrame:
    """Return the rate in windows before and after enrolment: where it rises just before, that would have passed anyway.

    Returns
    -------
    pandas.DataFrame
        `window` (-1: the days right before enrolment, 0: the first after), `events`, `days` [d], `per_1000`, `low`,
        `high` (exact).
    """
    known = enrolments(scope.followed)
    length = pd.Timedelta(days=window_days)
    rows = []
    for window in range(-windows, windows):
        start = known["enrolled"] + window * length
        asked = pd.DataFrame({"patient": known["patient"], "start": start, "stop": start + length})
        stretches = _known(asked, scope, known_from) if window < 0 else _followed(asked, scope)
        counts, at_risk = _counted(events, stretches, scope)
        rows.append((window, int(counts.sum()), float(at_risk.sum())))
    told = pd.DataFrame(rows, columns=["window", "events", "days"])
    low, high = poisson(told["events"], told["days"])
    return told.assign(per_1000=PER * told["events"] / told["days"], low=PER * low, high=PER * high)


def own_times(events: pd.DataFrame, scope: Scope, times: Times = A_YEAR) -> pd.DataFrame:
    """Return a row a patient: `patient`, traits, `events_before`, `days_before`, `events_after`, `days_after` [d]."""
    known = enrolments(scope.followed)
    at, patient = known["enrolled"], known["patient"]
    near = at - pd.Timedelta(days=times.left_out_days)
    before = pd.DataFrame({"patient": patient, "start": near - pd.Timedelta(days=times.before_days), "stop": near})
    after = pd.DataFrame({"patient": patient, "start": at, "stop": at + pd.Timedelta(days=times.after_days)})
    sides = {"before": _known(before, scope, times.known_from), "after": _followed(after, scope)}
    told = known[["patient", *TRAITS]]
    for side, stretches in sides.items():
        counts, at_risk = _counted(events, stretches, scope)
        told = told.assign(
            **{
                f"events_{side}": looked_up(patient, counts).fillna(0).astype("int64"),
                f"days_{side}": looked_up(patient, at_risk).fillna(0.0),
            }
        )
    return told


def rate_ratio(before: Floats, days_before: Floats, after: Floats, days_after: Floats) -> Ratio:
    """Return the rate ratio of patients who are each their own control; arrays over patients.

    Only those count who had an event and time on both sides. The ratio is 0 or infinite where all events are on one
    side, NaN where there are none.
    """
    counts = (before + after > 0) & (days_before > 0) & (days_after > 0)
    a, n = after[counts], (before + after)[counts]
    share = days_after[counts] / (days_before + days_after)[counts]
    if len(n) == 0:
        return Ratio(np.nan, 0.0, np.inf, "none")
    total, all_after = int(n.sum()), int(a.sum())
    log_ratio = _solved(lambda x: float(all_after - (n * _weighed(share, x)).sum())) if 0 < all_after < total else None
    if log_ratio is None or len(n) < LEAST_PATIENTS:
        ratio = (np.inf if all_after else 0.0) if log_ratio is None else float(np.exp(log_ratio))
        return Ratio(ratio, *_exact(all_after, np.repeat(share, n.astype(np.int64))), "exact")
    p = _weighed(share, log_ratio)
    spread = np.sqrt(((a - n * p) ** 2).sum() * len(n) / (len(n) - 1)) / (n * p * (1 - p)).sum()
    half = float(t.isf(TAIL, len(n) - 1) * spread)
    return Ratio(float(np.exp(log_ratio)), float(np.exp(log_ratio - half)), float(np.exp(log_ratio + half)), "patients")


_OWN: Final = ("events_before", "days_before", "events_after", "days_after")


def _weighed(share: Floats, log_ratio: float) -> Floats:
    """The probability that an event lies after, by the share of the time that lies there and the rate ratio."""
    odds: Floats = np.exp(log_ratio) * share / (1 - share)
    return odds / (1 + odds)


def _solved(falling: Callable[[float], float]) -> float | None:
    """Where a falling function of the logarithm of the ratio is 0; None where it is so nowhere."""
    if falling(-_FARTHEST) <= 0 or falling(_FARTHEST) >= 0:
        return None
    return float(brentq(falling, -_FARTHEST, _FARTHEST, xtol=1e-10))


def _exact(after: int, shares: Floats) -> tuple[float, float]:
    """The ratios that leave 2.5 % to as many after, or more, and to as many or fewer."""
    low = high = None
    if after > 0:
        low = _solved(lambda x: TAIL - float(poisson_binom.sf(after - 1, _weighed(shares, x))))
    if after < len(shares):
        high = _solved(lambda x: float(poisson_binom.cdf(after, _weighed(shares, x))) - TAIL)
    return 0.0 if low is None else float(np.exp(low)), np.inf if high is None else float(np.exp(high))


def _known(asked: pd.DataFrame, scope: Scope, known_from: datetime | None) -> pd.DataFrame:
    """What of the stretches that are asked for is known."""
    first = pd.Timestamp(0, tz="UTC") if known_from is None else instant(known_from)
    found = asked.assign(
        start=asked["start"].mask(asked["start"] < first, first),
        stop=asked["stop"].mask(asked["stop"] > scope.until, scope.until),
    )
    return found[found["start"] < found["stop"]]


def _followed(asked: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """What of the stretches that are asked for was followed."""
    found = scope.followed[["patient", "start", "stop"]].merge(asked, on="patient", suffixes=("", "_asked"))
    found["start"] = found["start"].where(found["start"] >= found["start_asked"], found["start_asked"])
    found["stop"] = found["stop"].where(found["stop"] <= found["stop_asked"], found["stop_asked"])
    return found.loc[found["start"] < found["stop"], ["patient", "start", "stop"]]


def _counted(events: pd.DataFrame, stretches: pd.DataFrame, scope: Scope) -> tuple[pd.Series, pd.Series]:
    """How many events, and how many days at risk, each patient has in some stretches."""
    in_hospital = days_within(scope.in_hospital, stretches)
    at_risk = (days(stretches["stop"] - stretches["start"]) - in_hospital).groupby(stretches["patient"]).sum()
    found = newest_begun(events[["patient", "time"]], stretches, at="time")
    within = found[found["time"] < found["stop"]]
    return within.groupby("patient").size(), at_risk
