"""Patient-days: how long patients were followed, and how long they could be admitted, cut by period and traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline.outcomes.following import TRAITS, followed
from pipeline.outcomes.frames import DAY_MS, INSTANT, days, instant, ms
from pipeline.outcomes.periods import ZONE, periods
from pipeline.outcomes.stays import stays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pipeline.outcomes.periods import Every

_ROW: Final = "row of what is asked"


class Scope(NamedTuple):
    """Whom and which time outcomes are told of: worked out once, asked by every measure.

    Attributes
    ----------
    followed, stays, periods
        As `following.followed`, `stays.stays` and `periods.periods` give them.
    time
        As `pieces` gives it.
    until
        What is known reaches to here.
    zone
        The calendar of days, nights and periods.
    """

    followed: pd.DataFrame
    stays: pd.DataFrame
    periods: pd.DataFrame
    time: pd.DataFrame
    until: pd.Timestamp
    zone: str

    @property
    def in_hospital(self) -> pd.DataFrame:
        """The stays as stretches of time: `patient`, `start`, `stop`."""
        return _stretches(self.stays)

    def placed(self, events: pd.DataFrame) -> pd.DataFrame:
        """Those of `events` (`patient`, `time`) that happened in follow-up and in a period, with traits and period."""
        return placed(events, self.followed, self.periods)


def scope(  # noqa: PLR0913 - a period is told by two ends, how it is cut, and by whose calendar
    care_events: pd.DataFrame,
    start: datetime,
    stop: datetime,
    every: Every = "quarter",
    *,
    until: datetime | None = None,
    zone: str = ZONE,
) -> Scope:
    """Return the scope of `start` to `stop`, cut into calendar periods; `until` where more than `stop` is known.

    `care_events` as `frames.CARE_EVENTS`, from the beginning: who is followed hangs on all that came before.
    """
    end = instant(stop if until is None else until)
    who, where, when = followed(care_events, end), stays(care_events, end), periods(start, stop, every, zone)
    return Scope(who, where, when, pieces(who, where, when), end, zone)


def pieces(followed: pd.DataFrame, stays: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches of follow-up cut at the edges of `periods`, each with its days.

    Whoever lies in hospital cannot be admitted, so those days are followed and not at risk.

    Parameters
    ----------
    periods
        `period`, `start`, `stop`: in order, none overlapping.

    Returns
    -------
    pandas.DataFrame
        `patient`, `start`, `stop`, the traits, `period`, `days_followed` [d], `days_at_risk` [d].
    """
    first = np.searchsorted(periods["stop"].to_numpy(), followed["start"].to_numpy(), side="right")
    last = np.searchsorted(periods["start"].to_numpy(), followed["stop"].to_numpy(), side="left")
    count = np.maximum(last - first, 0)
    row = np.repeat(np.arange(len(followed)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    cut = followed.iloc[row].reset_index(drop=True)
    within = periods.iloc[place].reset_index(drop=True)
    cut["start"] = cut["start"].where(cut["start"] >= within["start"], within["start"])
    cut["stop"] = cut["stop"].where(cut["stop"] <= within["stop"], within["stop"])
    cut["period"] = within["period"]
    cut["days_followed"] = days(cut["stop"] - cut["start"])
    cut["days_at_risk"] = cut["days_followed"] - days_within(_stretches(stays), cut)
    return cut


def days_within(stretches: pd.DataFrame, asked: pd.DataFrame) -> pd.Series:
    """How much of each stretch that is `asked` for lies within `stretches` of the same patient [d].

    Both have `patient`, `start`, `stop`; no two of a patient's `stretches` overlap.
    """
    return ms_within(stretches, asked) / DAY_MS


def ms_within(stretches: pd.DataFrame, asked: pd.DataFrame) -> pd.Series:
    """As `days_within` [ms]."""
    return _until(stretches, asked["patient"], asked["stop"]) - _until(stretches, asked["patient"], asked["start"])


def placed(events: pd.DataFrame, followed: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """Return those of `events` that happened in follow-up and in a period, in order, as `Scope.placed`."""
    columns = [name for name in events.columns if name not in TRAITS]
    found = newest_begun(events[columns], followed, at="time")
    found = found[found["time"] < found["stop"]].drop(columns=["start", "stop"])
    edges = periods[["start", "stop", "period"]].assign(every="")
    found = newest_begun(found.assign(every=""), edges, at="time", of="every")
    found = found[found["time"] < found["stop"]].drop(columns=["start", "stop", "every"])
    return found.reset_index(drop=True)


def newest_begun(asked: pd.DataFrame, stretches: pd.DataFrame, *, at: str, of: str = "patient") -> pd.DataFrame:
    """Return `asked`, in order, with the newest of its patient's `stretches` that had begun `at` each instant.

    What had none has missing `start` and `stop`.
    """
    told = asked.assign(**{_ROW: np.arange(len(asked))})
    told[at] = told[at].astype(INSTANT)
    begun = stretches.assign(start=stretches["start"].astype(INSTANT)).sort_values("start", kind="stable")
    found = pd.merge_asof(told.sort_values(at, kind="stable"), begun, left_on=at, right_on="start", by=of)
    return found.sort_values(_ROW, kind="stable", ignore_index=True).drop(columns=_ROW)


def grouped(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return `frame` with a column `all` to group by where `by` names nothing."""
    return frame if by else frame.assign(all="all")


def keys(by: Sequence[str]) -> list[str]:
    """What to group by: `by`, or all of it at once."""
    return list(by) if by else ["all"]


def each(frame: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """The groups of `frame`, in order, each with what `by` names of it; where that is nothing, all of it at once."""
    for key, group in grouped(frame, by).groupby(keys(by), sort=True):
        yield {name: str(value) for name, value in zip(by, key, strict=False)}, group


def _stretches(stays: pd.DataFrame) -> pd.DataFrame:
    return stays.rename(columns={"admitted": "start", "discharged": "stop"})[["patient", "start", "stop"]]


def _until(stretches: pd.DataFrame, patient: pd.Series, at: pd.Series) -> pd.Series:
    """How much of its patient's `stretches` lies before each instant [ms]."""
    known = stretches[["patient", "start", "stop"]].sort_values(["patient", "start"], kind="stable")
    known = known.assign(start_ms=ms(known["start"]), stop_ms=ms(known["stop"]))
    lengths = known["stop_ms"] - known["start_ms"]
    known = known.assign(before=lengths.groupby(known["patient"]).cumsum() - lengths)
    found = newest_begun(pd.DataFrame({"patient": patient, "at": at}), known, at="at")
    spent = found["before"] + found["stop_ms"].clip(upper=ms(found["at"])) - found["start_ms"]
    return pd.Series(spent.fillna(0).astype("int64").to_numpy(), index=at.index)
