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
    from collections.abc import Iterable, Sequence

    from pipeline.cohort import Cohort, Found
    from schemas.assessments import ZoneChange

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
    by_chance: float  # so many would be found by the alerts that patients to whom nothing happens have
    lead_days: float | None  # median over those found; None without any [d]
    leads: tuple[float, ...]  # of each that was found, in order [d]


class Simulated(Struct, frozen=True, kw_only=True):
    """One cohort under one set of rules."""

    by: str
    seed: int | None  # None: several cohorts together
    every: Share
    slow: Share  # those that come over two to four weeks
    inside: Share  # those of the slow ones that cross no limit of the plan
    alerts_per_month: float  # changes to yellow or red per followed patient-month
    patient_months: float


def on_cohort(by: str, seed: int, *, days: int = DAYS, patients: int = PATIENTS) -> Simulated:
    """Judge the cohort of `seed` by one of `BY`."""
    rules = BY[by]
    cohort = cohorts.simulate(seed, START, days, patients, rules)
    changes = engine.run((event.message for event in cohort.events), rules).zone_changes
    found = cohorts.matched(cohort.truth, changes)
    alerts = sum(change.to_zone in engine.ALERTS for change in changes)
    slow = [one for one in found if one.deterioration.slow]
    return Simulated(
        by=by,
        seed=seed,
        every=_share(found, cohort, changes),
        slow=_share(slow, cohort, changes),
        inside=_share([one for one in slow if one.deterioration.inside], cohort, changes),
        alerts_per_month=alerts / _months(cohort, days),
        patient_months=_months(cohort, days),
    )


def together(found: Sequence[Simulated]) -> Simulated:
    """Several cohorts under the same rules as one."""
    months = sum(one.patient_months for one in found)
    return Simulated(
        by=found[0].by,
        seed=None,
        every=_joined([one.every for one in found]),
        slow=_joined([one.slow for one in found]),
        inside=_joined([one.inside for one in found]),
        alerts_per_month=sum(one.alerts_per_month * one.patient_months for one in found) / months,
        patient_months=months,
    )


def _months(cohort: Cohort, days: int) -> float:
    end = START + timedelta(days=days)
    followed = (((one.ends_at or end) - one.enrolled_at) / timedelta(days=1) for one in cohort.patients)
    return sum(followed) / MONTH_DAYS


def _share(found: Sequence[Found], cohort: Cohort, changes: Iterable[ZoneChange]) -> Share:
    return _of(
        len(found),
        cohorts.by_chance([one.deterioration for one in found], cohort.patients, changes),
        sorted(one.lead_days for one in found if one.lead_days is not None),
    )


def _joined(shares: Sequence[Share]) -> Share:
    return _of(
        sum(one.deteriorations for one in shares),
        sum(one.by_chance for one in shares),
        sorted(lead for one in shares for lead in one.leads),
    )


def _of(many: int, by_chance: float, leads: Sequence[float]) -> Share:
    return Share(
        deteriorations=many,
        found=len(leads),
        by_chance=by_chance,
        lead_days=median(leads) if leads else None,
        leads=tuple(leads),
    )
