"""Which verified episodes are still found when the patient registers less often than every recorded day.

What a rhythm asks for is answered on the first recorded day on which it is due; the other recorded days are as if they
had not been. Definitions:

- a patient's days are counted from the first one on which blood pressure was measured, which is day 0;
- an episode is made of labelled days that were measured, on day 14 or later, of which none lies more than 7 days after
  the one before;
- it is found when, on a labelled day of it that the rhythm keeps, systolic <90 or >=160 or diastolic <50 or >=100 on
  any reading;
- the share of submission days is that of the measured days, the first 14 among them, that the rhythm keeps.

The engine's own cadence is `pipeline.backtest.thinned`: it knows of a patient only what it had asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

from pipeline.backtest.days import PatientDay, by_patient, episodes
from pipeline.backtest.score import Interval, interval, ratio, resampled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

FROM_DAY: Final = 14  # episodes count from this day on [d]


class Rhythm(Struct, frozen=True, kw_only=True):
    """How often a registration is asked for; days are counted from the patient's first."""

    name: str
    daily_days: int = FROM_DAY  # every day for so long [d]
    every_days: int = 7  # then so many days after the registration before [d]
    asked_every_days: int = 7  # the same while a registration has asked for more [d]
    asked_for_days: int = 0  # how long a registration asks for more [d]
    from_daily: bool = True  # the registration before may be one of the daily days; else the first after them starts


# "Daily for 14 days, then weekly": the weeks count from the first registration after the daily days. With that reading
# the figures are those known for these patients (6 of 24 episodes, 42 % of the days); counted from the last daily day
# the same rhythm finds 7 at 40 %. One day's shift moves four episodes, so a weekly figure is as much luck as rule.
WEEKLY: Final = Rhythm(name="daily for 14 days, then weekly", from_daily=False)
EVERY_SUBMISSION: Final = Rhythm(name="all recorded days", every_days=1)
# Asked for by systolic >=150 or <100, or diastolic >=95 or <55; weeks count from the newest registration.
TURNING_DAILY: Final = Rhythm(
    name="weekly, daily for 7 days after a value of concern", asked_every_days=1, asked_for_days=7
)


class KeptIntervals(Struct, frozen=True, kw_only=True):
    """Bootstrap intervals over patients (95 %), as in `pipeline.backtest.score`."""

    found_share: Interval | None  # of the episodes
    submission_days_share: Interval | None


class Kept(Struct, frozen=True, kw_only=True):
    """What a rhythm finds, and what it costs."""

    name: str
    episodes: int
    episodes_found: int
    submission_days_share: float | None  # None: nothing was measured
    intervals: KeptIntervals


def planned(daily_days: int, every_days: int) -> Rhythm:
    """The rhythm of a plan: daily first, then every so many days."""
    return Rhythm(
        name=f"daily for {daily_days} days, then every {every_days} days",
        daily_days=daily_days,
        every_days=every_days,
        from_daily=False,
    )


def kept_days(days: Sequence[int], asking: AbstractSet[int], rhythm: Rhythm) -> list[int]:
    """Those of a patient's measured `days`, in order, on which `rhythm` has a registration made.

    Parameters
    ----------
    days
        The patient's measured days, in order; any origin.
    asking
        Days whose values ask for more, where they are kept.
    """
    kept = []
    before = asked = None
    for day in days:
        daily = day - days[0] < rhythm.daily_days
        more = asked is not None and day - asked <= rhythm.asked_for_days
        gap = rhythm.asked_every_days if more else rhythm.every_days
        if daily or before is None or day - before >= gap:
            kept.append(day)
            if rhythm.from_daily or not daily:
                before = day
            if day in asking:
                asked = day
    return kept


def keep(
    rhythm: Rhythm,
    *,
    measured: AbstractSet[PatientDay],
    labelled: AbstractSet[PatientDay],
    alerts: AbstractSet[PatientDay],
    asking: AbstractSet[PatientDay] = frozenset(),
) -> Kept:
    """What `rhythm` finds of the `labelled` episodes, on the days on which `alerts` alerts."""
    asked = by_patient(asking)
    kept = {
        PatientDay(patient, day)
        for patient, days in by_patient(measured).items()
        for day in kept_days(days, set(asked.get(patient, ())), rhythm)
    }
    return found(rhythm.name, kept, measured=measured, labelled=labelled, alerts=alerts)


def found(
    name: str,
    kept: AbstractSet[PatientDay],
    *,
    measured: AbstractSet[PatientDay],
    labelled: AbstractSet[PatientDay],
    alerts: AbstractSet[PatientDay],
) -> Kept:
    """What is found of the `labelled` episodes on the `kept` days alone; the intervals are those of `score`."""
    ours, held = by_patient(measured), by_patient(kept & measured)
    sought = episodes(day for day in labelled & measured if day.day - ours[day.patient][0] >= FROM_DAY)
    seen = kept & alerts
    hits = [(one.patient, any((one.patient, day) in seen for day in one.days)) for one in sought]
    rows = [
        (
            sum(hit for patient, hit in hits if patient == who),
            sum(patient == who for patient, _ in hits),
            len(held.get(who, ())),
            len(days),
        )
        for who, days in ours.items()
    ]
    counts = np.array(rows, np.int64).reshape(-1, 4)
    episodes_found, many, days_kept, days_measured = map(int, counts.sum(axis=0))
    drawn = resampled(counts)
    return Kept(
        name=name,
        episodes=many,
        episodes_found=episodes_found,
        submission_days_share=days_kept / days_measured if days_measured else None,
        intervals=KeptIntervals(
            found_share=interval(ratio(drawn[:, 0], drawn[:, 1])),
            submission_days_share=interval(ratio(drawn[:, 2], drawn[:, 3])),
        ),
    )
