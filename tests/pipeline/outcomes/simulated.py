"""Simulated care events with a known truth, as frames: many cohorts at once, without a loop over patients."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.outcomes.frames import CARE_EVENTS

Floats = NDArray[np.float64]

ENROLLED = datetime(2026, 1, 1, tzinfo=UTC)  # the first enrolment; others follow within `spread_days`
KNOWN_UNTIL = datetime(2027, 6, 1, tzinfo=UTC)
DAY_MS = 86_400_000
YEAR = 365.0
MOST = 40  # admissions of one patient on one side


class Truth(NamedTuple):
    """How a cohort is made."""

    runs: int = 1
    patients: int = 200  # of each run
    yearly_rate: float = 1.0  # events per year at risk before enrolment, on average over patients
    ratio: float = 0.7  # of the rate after to that before, the same for everybody
    frailty: float = 1.0  # shape of the gamma that patients' rates are of; 0: all alike
    stay_days: float = 6.0  # mean of the stays
    ending: float = 0.3  # share of patients who end within the year, at any time
    clump: float = 0.0  # further events that each brings within the hour, on average; of emergency contacts
    kind: str = "admitted"
    spread_days: float = 90.0


def care_events(truth: Truth, seed: int) -> pd.DataFrame:
    """Care events of all runs; the service of a patient is the name of the run."""
    random = np.random.default_rng(seed)
    count = truth.runs * truth.patients
    run = np.repeat(np.arange(truth.runs), truth.patients)
    names = np.array([f"sim-{number:07d}" for number in range(count)], dtype=object)
    enrolled = random.uniform(0, truth.spread_days, count)
    rate = truth.yearly_rate / YEAR / (1 + truth.clump)
    rates = rate * (random.gamma(truth.frailty, 1 / truth.frailty, count) if truth.frailty else np.ones(count))
    ends = np.where(random.random(count) < truth.ending, random.uniform(10, YEAR, count), np.inf)
    who = pd.DataFrame({"patient": names, "service": [f"run-{number:04d}" for number in run]})
    parts = [
        who.assign(day=enrolled, kind="enrolled", pathway="copd", municipality="simulated-a", phase="start_up"),
        who.assign(day=enrolled + ends, kind="phase_changed", phase="ended")[np.isfinite(ends)],
    ]
    if truth.kind == "admitted":
        parts += _admissions(random, who, rates, truth, enrolled)
    else:
        parts += _contacts(random, who, rates, truth, enrolled)
    return frame(pd.concat(parts, ignore_index=True))


def frame(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a `day` since `ENROLLED` as a frame of care events."""
    start_ms = ENROLLED.timestamp() * 1000
    at_ms = (start_ms + rows["day"].to_numpy() * DAY_MS).round()
    told = rows.assign(
        time=pd.to_datetime(at_ms, unit="ms", utc=True),
        recorded=at_ms,
        event_id=[f"{number:08d}" for number in range(len(rows))],
    )
    return told.drop(columns="day").reindex(columns=list(CARE_EVENTS.columns))


def _admissions(
    random: np.random.Generator, who: pd.DataFrame, rates: Floats, truth: Truth, enrolled: Floats
) -> list[pd.DataFrame]:
    """Admissions at a constant rate of the time at risk on either side, with the stays in between."""
    found = []
    free = np.full(len(who), -YEAR)  # at risk from here
    for side_ends, side_rates in ((0.0, rates), (YEAR, rates * truth.ratio)):
        gaps = random.exponential(1.0, (len(who), MOST)) / side_rates[:, None]
        stays = random.exponential(truth.stay_days, (len(who), MOST))
        begun = np.cumsum(gaps, axis=1) + np.cumsum(stays, axis=1) - stays + free[:, None]
        inside = begun < side_ends
        assert not inside[:, -1].any()
        patient, _ = np.nonzero(inside)
        admitted, length = begun[inside], stays[inside]
        for kind, at in (("admitted", admitted), ("discharged", admitted + length)):
            day = enrolled[patient] + at
            found.append(who.iloc[patient].drop(columns="service").assign(day=day, kind=kind, acute=1.0))
        last = np.where(inside.any(axis=1), inside.sum(axis=1) - 1, 0)
        ended = begun[np.arange(len(who)), last] + stays[np.arange(len(who)), last]
        free = np.where(inside.any(axis=1), np.maximum(ended, side_ends), side_ends)
    return found


def _contacts(
    random: np.random.Generator, who: pd.DataFrame, rates: Floats, truth: Truth, enrolled: Floats
) -> list[pd.DataFrame]:
    """Emergency contacts, some of which bring further ones within the hour."""
    found = []
    for start, side_rates in ((-YEAR, rates), (0.0, rates * truth.ratio)):
        first = np.repeat(np.arange(len(who)), random.poisson(side_rates * YEAR))
        at = start + random.uniform(0, YEAR, len(first))
        brought = np.repeat(np.arange(len(first)), random.poisson(truth.clump, len(first)))
        patient = np.concatenate([first, first[brought]])
        days = np.concatenate([at, at[brought] + random.uniform(0, 1 / 24, len(brought))])
        kept = who.iloc[patient].drop(columns="service")
        found.append(kept.assign(day=enrolled[patient] + days, kind="emergency_contact", contact="out-of-hours"))
    return found
