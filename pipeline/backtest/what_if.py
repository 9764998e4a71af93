"""The last weeks of patients under another plan: which alerts there would have been, and which not.

Staff cannot acknowledge alerts that never were. So in both runs the recorded acknowledgements are left out, and every
yellow and red is taken over half an hour after it reached us.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from pipeline.backtest.engine import ALERTS
from pipeline.backtest.histories import OutOfScopeError, gather
from pipeline.backtest.vectors import follow
from pipeline.backtest.walks import TAKEN_OVER_MS, Attended
from pipeline.triage import RULES, step
from pipeline.triage.instants import from_ms, to_ms, zone_of
from pipeline.triage.zones import BY_SEVERITY
from schemas.assessments import Assessment, ZoneChange
from schemas.care import Acknowledged, Enrolled, PlanSigned
from schemas.paging import PageAction, PageRequest, Tick
from schemas.submissions import Submission
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.backtest.vectors import Followed
    from pipeline.triage import Rules, State
    from schemas.care import CareEvent, Plan
    from schemas.submissions import Correction

WEEK: Final = timedelta(days=7)
TAKEN_OVER: Final = timedelta(milliseconds=TAKEN_OVER_MS)
_FIRST: Final = -1
_NAMES: Final = UUID("8a0f3a5e-5a1b-4a39-8f0e-2f8f6f1f9d77")


class Counts(Struct, frozen=True, kw_only=True):
    """What came of one plan, per patient-week."""

    yellow: float  # registrations in yellow
    red: float
    no_data: float  # registrations without data, and changes to "no data" by silence
    changes: float  # to yellow or red
    pages: float


class Compared(Struct, frozen=True, kw_only=True):
    """One patient under both plans. Days are the patient's own."""

    patient: str
    weeks: float
    old: Counts
    new: Counts
    added: tuple[date, ...]  # days with a yellow or red that there was none on
    gone: tuple[date, ...]
    added_by: dict[str, int]  # "rule code" -> registrations
    gone_by: dict[str, int]


class WhatIf(Struct, frozen=True, kw_only=True):
    """All that was compared."""

    days: int
    patients: tuple[Compared, ...]
    weeks: float
    old: Counts
    new: Counts
    without: tuple[str, ...]  # patients of whom nothing is known in the window


class UnknownPatientError(ValueError):
    """The recording has no such patient."""


class _Judged(NamedTuple):
    at: datetime
    zone: Zone
    alerts: frozenset[str]  # "rule code" of the reasons in yellow and red


class _Change(NamedTuple):
    at: datetime
    zone: Zone
    by_session: bool


class _Run(NamedTuple):
    judged: tuple[_Judged, ...]  # but for what was entered in error
    changes: tuple[_Change, ...]
    pages: tuple[datetime, ...]


def what_if(
    messages: Iterable[Submission | Correction | CareEvent],
    plan: Plan,
    *,
    days: int = 90,
    patient: str | None = None,
    rules: Rules = RULES,
) -> WhatIf:
    """Compare the recorded plans with `plan` over the last `days` of a recording.

    Parameters
    ----------
    plan
        Its version and start are worked out for each patient: above every recorded one, from where the window begins.
    patient
        One patient alone; None: everybody.

    Raises
    ------
    UnknownPatientError
        There is no such patient.
    """
    by_patient: dict[str, list[Any]] = {}
    for message in messages:
        by_patient.setdefault(message.patient, []).append(message)
    if patient is not None and patient not in by_patient:
        raise UnknownPatientError("the recording has no such patient")
    until = max((_arrived(message) for known in by_patient.values() for message in known), default=None)
    compared = []
    without = []
    for name in sorted(by_patient) if patient is None else [patient]:
        found = None if until is None else _compare(name, by_patient[name], plan, until, days, rules)
        if found is None:
            without.append(name)
        else:
            compared.append(found)
    weeks = sum(one.weeks for one in compared)
    return WhatIf(
        days=days,
        patients=tuple(compared),
        weeks=weeks,
        old=_mean([(one.weeks, one.old) for one in compared]),
        new=_mean([(one.weeks, one.new) for one in compared]),
        without=tuple(without),
    )


def _compare(  # noqa: PLR0913, PLR0917 - a patient, and what is asked
    patient: str, messages: list[Any], plan: Plan, until: datetime, days: int, rules: Rules
) -> Compared | None:
    enrolled = [message for message in messages if isinstance(message, Enrolled)]
    received = [message.received_at for message in messages if isinstance(message, Submission)]
    start = max(until - timedelta(days=days), min((one.at for one in enrolled), default=until))
    if not enrolled or not any(at >= start for at in received):
        return None
    kept = [message for message in messages if not isinstance(message, Acknowledged)]
    versions = [message.plan.version for message in kept if isinstance(message, PlanSigned)]
    changed = PlanSigned(
        event_id=uuid5(_NAMES, patient),
        patient=patient,
        at=start,
        recorded_at=start,
        signed_by="what-if",
        plan=msgspec.structs.replace(plan, version=max(versions, default=0) + 1, valid_from_at=start),
    )
    try:
        old, new = _at_once(kept, changed, until, rules)
    except OutOfScopeError:
        old, new = _by_the_fold(kept, changed, until, rules)
    zone = zone_of(enrolled[-1].time_zone)
    alerts = [_alert_days(one.judged, start, zone) for one in (old, new)]
    reasons = [_reasons(one.judged, start) for one in (old, new)]
    weeks = (until - start) / WEEK
    return Compared(
        patient=patient,
        weeks=weeks,
        old=_counts(old, start, weeks),
        new=_counts(new, start, weeks),
        added=tuple(sorted(alerts[1] - alerts[0])),
        gone=tuple(sorted(alerts[0] - alerts[1])),
        added_by=dict(sorted((reasons[1] - reasons[0]).items())),
        gone_by=dict(sorted((reasons[0] - reasons[1]).items())),
    )


def _arrived(message: Any) -> datetime:  # noqa: ANN401 - a submission has one name for it, all others another
    at: datetime = message.received_at if isinstance(message, Submission) else message.recorded_at
    return at


def _at_once(kept: list[Any], changed: PlanSigned, until: datetime, rules: Rules) -> tuple[_Run, _Run]:
    """Both runs of a history in which everything came in its turn."""
    histories = [gather(sorted(one, key=_arrived), rules)[0] for one in (kept, [changed, *kept])]
    histories = [one._replace(clock_ms=max(one.clock_ms, to_ms(until))) for one in histories]
    old, new = map(_followed, follow(histories, rules, Attended))
    return old, new


def _followed(found: Followed) -> _Run:
    return _Run(
        judged=tuple(
            _Judged(from_ms(one.at_ms), one.zone, _named((told.rule, told.code, told.zone) for told in one.reasons))
            for one in found.outcomes
            if not any(told.rule == "entered_in_error" for told in one.reasons)
        ),
        changes=tuple(
            _Change(from_ms(change.mark.at_ms), BY_SEVERITY[change.mark.zone], bool(change.mark.session))
            for change in found.changes
        ),
        pages=tuple(from_ms(change.mark.at_ms) for change in found.changes if change.mark.paged),
    )


def _by_the_fold(kept: list[Any], changed: PlanSigned, until: datetime, rules: Rules) -> tuple[_Run, _Run]:
    """Both runs, event by event."""
    replay = _Replay(kept, rules)
    replay.until(changed.at)
    other = replay.fork(changed)
    return replay.end(until), other.end(until)


def _named(reasons: Iterable[tuple[str, str | None, Zone]]) -> frozenset[str]:
    return frozenset(f"{rule} {code or ''}".strip() for rule, code, zone in reasons if zone in ALERTS)


class _Replay:
    """One patient's messages in order of arrival, folded, with staff who take everything over."""

    def __init__(self, messages: Iterable[Any], rules: Rules) -> None:
        self._rules = rules
        self._number = count()
        self._waiting: list[tuple[datetime, int, int, Any]] = []
        self._state: State | None = None
        self._assessments: dict[UUID, Assessment] = {}
        self._changes: dict[UUID, ZoneChange] = {}
        self._pages: dict[UUID, PageRequest] = {}
        for message in messages:
            self._wait(message)

    def fork(self, message: PlanSigned) -> _Replay:
        """The same up to now, with one more message to come, before others that come at its instant."""
        other = _Replay((), self._rules)
        other._number = copy(self._number)
        other._waiting = list(self._waiting)
        other._state = self._state
        other._assessments = dict(self._assessments)
        other._changes = dict(self._changes)
        other._pages = dict(self._pages)
        heappush(other._waiting, (_arrived(message), _FIRST, next(other._number), message))
        return other

    def until(self, at: datetime) -> None:
        """Fold what arrives before an instant."""
        while self._waiting and self._waiting[0][0] < at:
            self._fold()

    def end(self, at: datetime) -> _Run:
        """Fold all that is left, and let time pass to an instant."""
        while self._waiting:
            self._fold()
        _, told = step(self._state, Tick(at=at), self._rules)
        changes = self._changes | {one.zone_change_id: one for one in told if isinstance(one, ZoneChange)}
        return _Run(
            judged=tuple(
                _Judged(one.at, one.zone, _named((told.rule, told.code, told.zone) for told in one.reasons))
                for one in self._assessments.values()
                if not one.entered_in_error
            ),
            changes=tuple(
                _Change(one.at, one.to_zone, one.assessment_id is not None)
                for one in changes.values()
                if not one.retracted
            ),
            pages=tuple(page.at for page in self._pages.values()),
        )

    def _wait(self, message: Any) -> None:  # noqa: ANN401 - any message of a patient
        number = next(self._number)
        heappush(self._waiting, (_arrived(message), number, number, message))

    def _fold(self) -> None:
        at, place, _, message = heappop(self._waiting)
        self._state, told = step(self._state, message, self._rules)
        for output in told:
            match output:
                case Assessment():
                    self._assessments[output.assessment_id] = output
                case PageRequest(action=PageAction.TRIGGER):  # whether anybody is paged, not how many are
                    self._pages.setdefault(output.zone_change_id, output)
                case ZoneChange():
                    self._changes[output.zone_change_id] = output
                    if output.to_zone in ALERTS and not output.retracted:
                        taken = _taken_over(output, at + TAKEN_OVER)
                        heappush(self._waiting, (taken.at, place, next(self._number), taken))


def _taken_over(change: ZoneChange, at: datetime) -> Acknowledged:
    return Acknowledged(
        event_id=uuid5(_NAMES, str(change.zone_change_id)),
        patient=change.patient,
        at=at,
        recorded_at=at,
        zone_change_id=change.zone_change_id,
        by="what-if",
        reason_code="what-if",
    )


def _counts(run: _Run, start: datetime, weeks: float) -> Counts:
    zones = Counter(one.zone for one in run.judged if one.at >= start)
    changes = [change for change in run.changes if change.at >= start]
    silent = sum(change.zone is Zone.NO_DATA and not change.by_session for change in changes)
    return Counts(
        yellow=zones[Zone.YELLOW] / weeks,
        red=zones[Zone.RED] / weeks,
        no_data=(zones[Zone.NO_DATA] + silent) / weeks,
        changes=sum(change.zone in ALERTS for change in changes) / weeks,
        pages=sum(at >= start for at in run.pages) / weeks,
    )


def _alert_days(judged: Iterable[_Judged], start: datetime, zone: Any) -> set[date]:  # noqa: ANN401 - tzinfo
    return {one.at.astimezone(zone).date() for one in judged if one.at >= start and one.zone in ALERTS}


def _reasons(judged: Iterable[_Judged], start: datetime) -> Counter[str]:
    return Counter(named for one in judged if one.at >= start for named in one.alerts)


def _mean(found: list[tuple[float, Counts]]) -> Counts:
    """The mean over patients, weighted by their weeks; zeros without any."""
    weeks = sum(one for one, _ in found) or 1.0
    return Counts(
        **{name: sum(own * getattr(counts, name) for own, counts in found) / weeks for name in Counts.__struct_fields__}
    )
