"""The engine on simulated patients, whose truth is known: what it finds, how early, and at how many alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from pipeline import cohort as cohorts
from pipeline.backtest import engine
from pipeline.triage import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.cohort import Cohort, Found

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAYS: Final = 60
PATIENTS: Final = 200
MONTH_DAYS: Final = 30
# The same engine without the patient's own normal: nothing ever deviates, builds up or drifts.
LIMITS_ALONE: Final = msgspec.structs.replace(
    RULES, single_z=inf, repeated_z=inf, cusum_bound=inf, ewma_bound=inf, drift_z=inf
)
BY: Final = {"engine": RULES, "plan limits alone": LIMITS_ALONE}


class Share(Struct, frozen=True, kw_only=True):
    """Deteriorations of one kind: how many, how many found, and how long before their worst."""

    deteriorations: int
    found: int
    lead_days: float | None  # median over those found; None without any [d]


class Simulated(Struct, frozen=True, kw_only=True):
    """One cohort under one set of rules."""

    by: str
    seed: int
    every: Share
    slow: Share  # those that come over one to three weeks
    alerts_per_month: float  # changes to yellow or red per followed patient-month


def on_cohort(by: str, seed: int, *, days: int = DAYS, patients: int = PATIENTS) -> Simulated:
    """Judge the cohort of `seed` by one of `BY`."""
    rules = BY[by]
    cohort = cohorts.simulate(seed, START, days, patients, rules)
    changes = engine.run((event.message for event in cohort.events), rules).zone_changes
    found = cohorts.matched(cohort.truth, changes)
    alerts = sum(change.to_zone in engine.ALERTS for change in changes)
    return Simulated(
        by=by,
        seed=seed,
        every=_share(found),
        slow=_share(one for one in found if one.deterioration.slow),
        alerts_per_month=alerts / _months(cohort, days),
    )


def _months(cohort: Cohort, days: int) -> float:
    end = START + timedelta(days=days)
    followed = (((one.ends_at or end) - one.enrolled_at) / timedelta(days=1) for one in cohort.patients)
    return sum(followed) / MONTH_DAYS


def _share(found: Iterable[Found]) -> Share:
    every = list(found)
    leads = [one.lead_days for one in every if one.lead_days is not None]
    return Share(
        deteriorations=len(every),
        found=sum(one.found for one in every),
        lead_days=median(leads) if leads else None,
    )
