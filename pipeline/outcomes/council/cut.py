"""One table by service and time: months, quarters and the whole protected together, so that none tells of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from pipeline.outcomes.disclosure.cells import TOTAL
from pipeline.outcomes.disclosure.outputs import OUTPUTS, released
from pipeline.outcomes.periods import periods
from pipeline.outcomes.time_at_risk import Scope, pieces, scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pipeline.outcomes.disclosure.cells import Key

BY: Final = ("service", "period")
_QUARTER_MONTHS: Final = 3


class Cut(NamedTuple):
    """A period as a whole, by quarters where it has more than one, and by months.

    Attributes
    ----------
    quarters
        None: the period is a quarter or less, and is told by months.
    quarter_of
        The quarter of each month.
    """

    whole: Scope
    quarters: Scope | None
    months: Scope
    quarter_of: dict[str, str]

    @property
    def shown(self) -> Scope:
        """The scope by whose periods tables are shown."""
        return self.months if self.quarters is None else self.quarters

    @property
    def scopes(self) -> list[tuple[Scope, tuple[str, ...]]]:
        """Each scope with what it is told by beside the service."""
        told: list[tuple[Scope, tuple[str, ...]]] = [(self.months, ("period",))]
        if self.quarters is not None:
            told.append((self.quarters, ("period",)))
        return [*told, (self.whole, ())]

    @property
    def coarse(self) -> list[tuple[Scope, tuple[str, ...]]]:
        """Those by which tables are shown: months only where there are no quarters."""
        return [(self.shown, ("period",)), (self.whole, ())]


def cut(care_events: pd.DataFrame, start: datetime, stop: datetime, zone: str) -> Cut:
    """Return the scopes of `start` to `stop`; nothing of after `stop` is taken as known."""
    whole = scope(care_events, start, stop, "all", zone=zone)
    months = _by(whole, periods(start, stop, "month", zone))
    quarters = periods(start, stop, "quarter", zone)
    names = [f"{name[:4]}-Q{(int(name[5:]) - 1) // _QUARTER_MONTHS + 1}" for name in months.periods["period"]]
    quarter_of = dict(zip(months.periods["period"], names, strict=True))
    return Cut(whole, _by(whole, quarters) if len(quarters) > 1 else None, months, quarter_of)


def by_time(
    name: str, told: Cut, tell: Callable[[Scope, tuple[str, ...]], pd.DataFrame], *, months: bool = False
) -> pd.DataFrame:
    """Return the output `name` by service and month, quarter and the whole, with totals over services, as it may leave.

    Parameters
    ----------
    tell
        Gives the output of a scope by some of `service` and `period`.
    months
        Whether months are told where there are quarters too: more to protect, so it takes longer and hides more.
    """
    scopes = told.scopes if months else told.coarse
    asked = [(here, (*service, *by)) for here, by in scopes for service in (("service",), ())]
    whole = stacked(((tell(here, by), by) for here, by in asked), BY)
    dimensions = dict.fromkeys((*OUTPUTS[name].dimensions, *BY))
    return released(name, whole, BY, further=quarters(whole, tuple(dimensions), told.quarter_of))


def by_service(name: str, told: Cut, tell: Callable[[Scope, tuple[str, ...]], pd.DataFrame]) -> pd.DataFrame:
    """Return an output that asks how long somebody was followed: each period is a table of its own, by service.

    Whoever was followed long enough in a quarter may not have been so in any of its months, or by any one service, so
    neither periods nor services add up to a total. The figure of all services is told beside them where it tells no
    more of a hidden one than their sum would.
    """
    found = []
    for here, by in told.coarse:
        each, every = tell(here, ("service", *by)), tell(here, by)
        each, every = (one if by else one.assign(period=TOTAL) for one in (each, every))
        for period in dict.fromkeys(every["period"]):
            parts = released(name, each[each["period"] == period], ("service",))
            whole = released(name, every[every["period"] == period].assign(service=TOTAL), ("service",))
            if any(parts.attrs["not_elsewhere"].values()):
                whole = withheld(name, whole, whole["service"] == TOTAL)
            found += [parts, whole]
    return pd.concat(found, ignore_index=True)


def withheld(name: str, table: pd.DataFrame, rows: pd.Series, groups: Sequence[str] = ()) -> pd.DataFrame:
    """Return a released output with further rows hidden in some of its groups, in all where none is named."""
    for group in OUTPUTS[name].groups:
        if not groups or group.name in groups:
            gone = {column: table[column].astype("float64").mask(rows) for column in group.columns}
            table = table.assign(**gone, **{f"{group.name}_hidden": table[f"{group.name}_hidden"] | rows})
    return table


def stacked(tables: Iterable[tuple[pd.DataFrame, Sequence[str]]], by: Sequence[str]) -> pd.DataFrame:
    """Return tables over some of the dimensions `by` below one another; over the others they are totals."""
    found = [table.assign(**{one: TOTAL for one in by if one not in some}) for table, some in tables]
    whole = pd.concat([table for table in found if len(table)] or found[:1], ignore_index=True)
    return whole[[*by, *(name for name in whole.columns if name not in by)]]


def _by(whole: Scope, when: pd.DataFrame) -> Scope:
    return whole._replace(periods=when, time=pieces(whole.followed, whole.stays, when))


def quarters(table: pd.DataFrame, dimensions: Sequence[str], quarter_of: dict[str, str]) -> dict[Key, list[Key]]:
    """Return the months that each quarter of the table is the sum of, by the values of its dimensions."""
    place = list(dimensions).index("period")
    keys = dict.fromkeys(tuple(map(str, row)) for row in table[list(dimensions)].itertuples(index=False, name=None))
    found: dict[Key, list[Key]] = {}
    for key in keys:
        quarter = (*key[:place], quarter_of.get(key[place], ""), *key[place + 1 :])
        if quarter in keys:
            found.setdefault(quarter, []).append(key)
    return found
