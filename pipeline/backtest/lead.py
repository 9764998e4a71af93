"""How many days before a verified alert the first yellow or red came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from pipeline.backtest.days import EPISODE_GAP_DAYS, by_patient, episodes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from pipeline.backtest.days import PatientDay


class Lead(Struct, frozen=True, kw_only=True):
    """Leads over the episodes that were found [d]; above 0: before the first verified alert, below 0: after it."""

    episodes: int
    found: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


def leads(alerts: Iterable[PatientDay], labelled: Iterable[PatientDay]) -> list[int | None]:
    """Each episode's days from its first yellow or red to its first verified alert [d]; None: never found.

    An episode's first yellow or red is the first from `EPISODE_GAP_DAYS` before its first verified alert to its last:
    what lies farther back is another episode. A rule that alerts every day therefore leads by `EPISODE_GAP_DAYS`, so
    a lead is to be read beside the false alert-days.
    """
    alerting = by_patient(alerts)
    found: list[int | None] = []
    for episode in episodes(labelled):
        first, last = episode.days[0], episode.days[-1]
        within = [day for day in alerting.get(episode.patient, ()) if first - EPISODE_GAP_DAYS <= day <= last]
        found.append(first - within[0] if within else None)
    return found


def lead(alerts: AbstractSet[PatientDay], labelled: AbstractSet[PatientDay], measured: AbstractSet[PatientDay]) -> Lead:
    """The leads of the labelled days' episodes, all on `measured` days alone."""
    told = leads(alerts & measured, labelled & measured)
    known = [days for days in told if days is not None]
    lower, middle, upper = (float(edge) for edge in np.percentile(known, (25, 50, 75))) if known else (None, None, None)
    return Lead(episodes=len(told), found=len(known), lower_quartile=lower, median=middle, upper_quartile=upper)
