"""Each patient's row, rendered once in a language and shared by every open board until something of it changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from agents.board.judged import dots
from dashboards.board import listing
from dashboards.board.charts import SMALL_DOTS
from dashboards.board.views import Edges, Row, Series, Storm
from dashboards.board.words import LANGUAGES
from pipeline.triage.explain import explain
from pipeline.triage.vitals import BY_CODE, VITALS, factor
from schemas.care import Acknowledged
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from agents.board.judged import Judged
    from agents.board.model import Model, Patient
    from dashboards.board.listing import Rendered
    from dashboards.board.pages import Voice
    from schemas.assessments import PatientStatus
    from schemas.care import PlanSigned

STORM_MINUTES: Final = 15  # our choice: within so many minutes ...
STORM_PATIENTS: Final = 5  # ... so many patients of one service turned red
STORM_FRESH: Final = timedelta(hours=1)  # and it is told for so long
_ORDER: Final = {vital.name: place for place, vital in enumerate(VITALS)}
_DAY: Final = timedelta(days=1)


class _Key(NamedTuple):
    """What a row depends on; the status itself, for a newer one may have come while a row was waited for."""

    status: PatientStatus
    seq: int
    overdue: bool
    late: bool
    day: int  # a time of another day is told with its day


def edges(plans: Iterable[PlanSigned], vital: str) -> tuple[Edges, ...]:
    """Return a vital's absolute limits by the plans that held one after the other, in its own unit."""
    known = next(one for one in VITALS if one.name == vital)
    found = []
    for signed in sorted(plans, key=lambda one: (one.plan.valid_from_at, one.plan.version)):
        limits = [one for one in signed.plan.limits if one.code in known.codes]
        scale = (factor(known, limits[0].unit) or 1.0) if limits else 1.0
        four = (
            [limits[0].red_low, limits[0].yellow_low, limits[0].yellow_high, limits[0].red_high]
            if limits
            else [None] * 4
        )
        found.append(Edges(signed.plan.valid_from_at, *(None if one is None else one * scale for one in four)))
    return tuple(found)


def series(judged: list[Judged], plans: Sequence[PlanSigned]) -> list[Series]:
    """Return every vital sign over time with the limits of its plans, in the usual order."""
    found = dots(judged)
    return [
        Series(vital=vital, unit=unit, dots=tuple(values), edges=edges(plans, vital))
        for vital, (unit, values) in sorted(found.items(), key=lambda one: _ORDER[one[0]])
    ]


def waits_since(status: PatientStatus, one: Patient) -> datetime:
    """Return since when a patient waits for staff: in this zone, or for the first worsening after staff had come."""
    episode = status.episode
    if episode is None or not listing.unacknowledged(status):
        return status.since_at
    taken = {event.zone_change_id for event in one.course.events() if isinstance(event, Acknowledged)}
    changes = [change for change in one.alarms.changes() if change.at >= episode.opened_at]
    seen_at = max((change.at for change in changes if change.zone_change_id in taken), default=None)
    if seen_at is None:
        return status.since_at
    later = [change.at for change in changes if change.at > seen_at and change.to_zone is status.zone]
    return max(status.since_at, min(later, default=episode.worsened_at))


def row_of(status: PatientStatus, one: Patient) -> Row:
    """Return what the list shows of a patient."""
    judged = one.judgements.newest(SMALL_DOTS)
    newest_plan = one.course.newest_plan()
    all_series = series(judged, () if newest_plan is None else (newest_plan,))
    telling = {BY_CODE[reason.code].name for reason in status.reasons if reason.code in BY_CODE}
    all_series.sort(key=lambda found: found.vital not in telling)  # what is wrong stands first
    episode = status.episode
    newest = next((found for found in reversed(judged) if not found.entered_in_error), None)
    return Row(
        status=status,
        waits_since=waits_since(status, one),
        series=tuple(all_series),
        self_care=newest.self_care if newest else (),
        taken=one.course.taken(episode.zone_change_id) if episode else None,
        told=one.alarms.told(episode.zone_change_id) if episode else (),
    )


class Rows:
    """The rendered rows of everybody, by language."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._held: dict[tuple[str, str], tuple[_Key, Rendered]] = {}

    def of(self, status: PatientStatus, now: datetime, voice: Voice) -> Rendered:
        """Return a patient's row, rendered anew only where it changed."""
        one = self._model.patient(status.patient)
        key = _Key(
            status,
            one.seq,
            listing.overdue(status, now),
            listing.unanswered(status, now),
            now.astimezone(voice.tz).date().toordinal(),
        )
        held = self._held.get((status.patient, voice.lang))
        if held is not None and held[0] == key:
            return held[1]
        rendered = listing.row(row_of(status, one), now, voice, explain)
        self._held[status.patient, voice.lang] = key, rendered
        return rendered

    def place(self, status: PatientStatus) -> str:
        """Return a patient's place on the list, as `dashboards.board.listing.order`."""
        one = self._model.patient(status.patient)
        for lang in LANGUAGES:
            key, rendered = self._held.get((status.patient, lang), (None, None))
            if rendered is not None and key is not None and key.status is status and key.seq == one.seq:
                return rendered.order
        return listing.order(status, waits_since(status, one))

    def fallen_due(self, now: datetime) -> list[str]:
        """Return everybody whose row was rendered before something fell due that it should tell."""
        due = []
        for (patient, _), (key, _) in self._held.items():
            status = self._model.status(patient)
            if status is None:
                continue
            if (key.overdue, key.late) != (listing.overdue(status, now), listing.unanswered(status, now)):
                due.append(patient)
        return due


def storms(statuses: Iterable[PatientStatus], now: datetime) -> list[Storm]:
    """Return each service in which many turned red within minutes, not long ago: one cause may stand behind it."""
    window = timedelta(minutes=STORM_MINUTES)
    reds: dict[str, list[datetime]] = {}
    for status in statuses:
        if status.zone is Zone.RED and now - status.since_at < STORM_FRESH:
            reds.setdefault(status.service or "", []).append(status.since_at)
    found = []
    for service, since in sorted(reds.items()):
        since.sort()
        best = max(([at for at in since if begin <= at <= begin + window] for begin in since), key=len, default=[])
        if len(best) >= STORM_PATIENTS:
            found.append(Storm(service, len(best), best[0], STORM_MINUTES))
    return found
