"""Which of the known deteriorations the zones found."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline.cohort.people import Deterioration, Patient
    from schemas.assessments import ZoneChange

AFTER_PEAK: Final = timedelta(days=2)  # found later than this after the worst is missed; our choice


class Found(NamedTuple):
    """Whether a deterioration was found, and how long before its worst [d]; below 0: after it."""

    deterioration: Deterioration
    found: bool
    lead_days: float | None


def matched(truth: Iterable[Deterioration], zone_changes: Iterable[ZoneChange]) -> tuple[Found, ...]:
    """Match each deterioration with the first change to yellow or red from its onset to two days after its worst.

    `zone_changes` in the order in which they were told: the last of one id holds, so a retracted change finds nothing.
    """
    alerts = _alerts(zone_changes)
    found = []
    for one in truth:
        within = [at for at in alerts[one.patient] if one.onset_at <= at <= one.peak_at + AFTER_PEAK]
        lead = (one.peak_at - min(within)) / timedelta(days=1) if within else None
        found.append(Found(one, bool(within), lead))
    return tuple(found)


def by_chance(truth: Iterable[Deterioration], patients: Iterable[Patient], zone_changes: Iterable[ZoneChange]) -> float:
    """How many of `truth` would be found by alerts that have nothing to do with them.

    For each it is the share of the patients of its pathway to whom nothing happened, and who were followed all through
    it, that had an alert in the very time in which it counts as found.
    """
    alerts = _alerts(zone_changes)
    well = [one for one in patients if one.deterioration is None]
    expected = 0.0
    for one in truth:
        until = one.peak_at + AFTER_PEAK
        like = [
            other.name
            for other in well
            if other.group.pathway == one.pathway
            and other.enrolled_at <= one.onset_at
            and (other.ends_at is None or other.ends_at >= until)
        ]
        if like:
            expected += sum(any(one.onset_at <= at <= until for at in alerts[name]) for name in like) / len(like)
    return expected


def _alerts(zone_changes: Iterable[ZoneChange]) -> dict[str, list[datetime]]:
    """When each patient came into yellow or red; the last of one id holds, so what was retracted is none."""
    held = {change.zone_change_id: change for change in zone_changes}
    alerts: dict[str, list[datetime]] = defaultdict(list)
    for change in held.values():
        if change.to_zone in {Zone.YELLOW, Zone.RED} and not change.retracted:
            alerts[change.patient].append(change.at)
    return alerts
