"""One session judged: quality, the plan's limits, deviation from the patient's own normal; worst of all."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage import quality
from pipeline.triage.instants import from_ms
from pipeline.triage.plans import can_judge
from pipeline.triage.signals import Parts, Signals, nothing_beside
from pipeline.triage.state import PLAIN
from pipeline.triage.vitals import DIASTOLIC, SYSTOLIC, of_series, series_of
from pipeline.triage.zones import worst
from schemas.assessments import BaselineStatus, Deviation, JudgedReading, Quality, QualityIssue, Reason
from schemas.submissions import EntryMode
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.triage.baseline import Series, Track
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Standing
    from pipeline.triage.state import Body, Row
    from pipeline.triage.vitals import Vital
    from schemas.assessments import News2


class Judgement(NamedTuple):
    """A session's zone, why, its readings as judged, and what the vitals' series learn from it."""

    zone: Zone
    reasons: tuple[Reason, ...]
    readings: tuple[JudgedReading, ...]
    admitted: tuple[tuple[int, float], ...] = ()  # (vital index, value in its unit)
    tracks: Mapping[int, Track] = MappingProxyType({})  # by vital index
    near: bool = False  # a value was near a limit or beyond it
    whole: bool = True  # nothing is missing that a registration that is due must hold
    news2: News2 | None = None


def not_monitored(standing: Standing) -> Reason:
    """Why the patient is not monitored, as a reason."""
    return Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail=standing.why_not)


def judge(  # noqa: PLR0913 - the whole ground of a decision, by name
    body: Body,
    names: list[str],
    *,
    received_ms: int,
    at_ms: int,
    day: int,
    standing: Standing,
    series: Mapping[int, Series],
    rules: Rules,
    awaited: bool = True,
    beside: Callable[[], Parts] = nothing_beside,
) -> Judgement:
    """Judge one session of an instant and a patient-local `day`, by what held then and by the days before.

    Parameters
    ----------
    awaited
        Whether a registration is due that day, or was before.
    beside
        What came shortly before, and is part of the same registration; asked only where something is missing.
    """
    verdicts = _verdicts(body.rows, names, received_ms=received_ms, day=day, series=series, rules=rules)
    if standing.why_not is not None:
        readings = tuple(
            _reading(row, verdict, names, received_ms) for row, verdict in zip(body.rows, verdicts, strict=True)
        )
        return Judgement(Zone.NOT_MONITORED, (not_monitored(standing),), readings)
    since_ms = at_ms - rules.due_within_ms
    signals = Signals(day, standing, series, rules, awaited=awaited, since_ms=since_ms, beside=beside)
    agreed = _confirmed(body.rows, verdicts, rules)
    against = {
        place: signals.take(
            place,
            verdicts[place],
            received_ms - body.rows[place].before_ms,
            (body.rows[place].more or PLAIN).oxygen_l_min,
            confirmed=place in agreed,
        )
        for place in _in_time(body.rows)
    }
    readings = tuple(
        _reading(row, verdict, names, received_ms, against[place])
        for place, (row, verdict) in enumerate(zip(body.rows, verdicts, strict=True))
    )
    for given in body.answers:
        signals.answer(names[given.questionnaire], names[given.link], given.value)
    reasons = signals.close()
    return Judgement(
        worst(reasons),
        reasons,
        readings,
        signals.admitted(),
        signals.tracks(),
        signals.near,
        signals.whole,
        signals.news2,
    )


def parts(  # noqa: PLR0913 - a session, and what it is seen by
    body: Body,
    names: list[str],
    *,
    received_ms: int,
    at_ms: int,
    day: int,
    standing: Standing,
    series: Mapping[int, Series],
    rules: Rules,
) -> Parts:
    """What a session is for another one of its registration, which is judged by `standing` at an instant."""
    verdicts = _verdicts(body.rows, names, received_ms=received_ms, day=day, series=series, rules=rules)
    since_ms = at_ms - rules.due_within_ms
    vitals = {
        verdict.vital.index
        for row, verdict in zip(body.rows, verdicts, strict=True)
        if verdict.vital is not None and verdict.quality is Quality.VALID and received_ms - row.before_ms >= since_ms
    }
    asked = {
        names[given.link]
        for given in body.answers
        if can_judge(standing.prescribed, names[given.questionnaire], names[given.link], given.value)
    }
    judged = bool(asked) or any(index in standing.prescribed.bounds for index in vitals)
    return Parts(frozenset(vitals), frozenset(asked), judged, bool(vitals))


def withdrawn(
    rows: Iterable[Row], names: list[str], received_ms: int, rules: Rules, kept: frozenset[tuple[str, int, str | None]]
) -> tuple[JudgedReading, ...]:
    """Readings that were entered in error, but for those whose code, time and device a kept one has again."""
    found = []
    for row in rows:
        measured_ms = received_ms - row.before_ms
        device = names[row.device] if row.device >= 0 else None
        code = names[row.code]
        if (code, measured_ms, device) not in kept:
            when = quality.measured_when(measured_ms, received_ms, rules)
            verdict = quality.judge(code, names[row.unit], float(row.value), when)
            found.append(_reading(row, verdict, names, received_ms, withdrawn=True))
    return tuple(found)


def _in_time(rows: tuple[Row, ...]) -> Iterable[int]:
    """Places of the readings in the order in which they were taken, whatever the order in which they were sent."""
    if len(rows) < 2:  # noqa: PLR2004 - nothing to put in order
        return range(len(rows))
    return sorted(
        range(len(rows)), key=lambda place: (-rows[place].before_ms, (rows[place].more or PLAIN).attempt, place)
    )


def _verdicts(  # noqa: PLR0913 - what a reading is seen against
    rows: tuple[Row, ...],
    names: list[str],
    *,
    received_ms: int,
    day: int,
    series: Mapping[int, Series],
    rules: Rules,
) -> list[quality.Verdict]:
    verdicts = []
    for row in rows:
        when = quality.measured_when(received_ms - row.before_ms, received_ms, rules)
        verdict = quality.judge(names[row.code], names[row.unit], float(row.value), when)
        vital = verdict.vital
        oxygen = (row.more or PLAIN).oxygen_l_min
        known = series.get(series_of(vital, oxygen)) if vital is not None and verdict.quality is Quality.VALID else None
        if (
            known is not None
            and vital is not None
            and vital.by_history
            and quality.against_history(vital, verdict.value, day, known.before(day))
        ):
            verdict = verdict._replace(quality=Quality.IMPLAUSIBLE, issue=QualityIssue.IMPLAUSIBLE)
        verdicts.append(verdict)
    for upper, lower in _cuffs(rows, verdicts):
        if quality.contradicts(verdicts[upper].value, verdicts[lower].value):
            for place in (upper, lower):
                verdicts[place] = verdicts[place]._replace(quality=Quality.QUARANTINED, issue=QualityIssue.IMPOSSIBLE)
    return verdicts


def _confirmed(rows: tuple[Row, ...], verdicts: list[quality.Verdict], rules: Rules) -> frozenset[int]:
    """Places of implausible readings that another one of the registration agrees with."""
    if not any(verdict.quality is Quality.IMPLAUSIBLE for verdict in verdicts):
        return frozenset()
    by_series: dict[int, list[int]] = {}
    for place, (row, (vital, _, grade, _)) in enumerate(zip(rows, verdicts, strict=True)):
        if vital is not None and grade is not Quality.QUARANTINED:
            by_series.setdefault(series_of(vital, (row.more or PLAIN).oxygen_l_min), []).append(place)
    return frozenset(
        place
        for index, places in by_series.items()
        for place in places
        if verdicts[place].quality is Quality.IMPLAUSIBLE
        and any(
            other != place
            and abs(verdicts[other].value - verdicts[place].value) <= rules.confirmed_floors * of_series(index).floor
            for other in places
        )
    )


def _cuffs(rows: tuple[Row, ...], verdicts: list[quality.Verdict]) -> list[tuple[int, int]]:
    """Places of (systolic, diastolic) that one cuff measured at one time and that may be judged by themselves.

    Where a cuff tells several pressures of one time, the first belongs to the first and so on.
    """
    upper = _by_cuff(rows, verdicts, SYSTOLIC)
    if not upper:
        return []
    lower = _by_cuff(rows, verdicts, DIASTOLIC)
    return [
        (one, two)
        for cuff, places in upper.items()
        for one, two in zip(places, lower.get(cuff, ()), strict=False)
        if Quality.QUARANTINED not in {verdicts[one].quality, verdicts[two].quality}
    ]


def _by_cuff(
    rows: tuple[Row, ...], verdicts: list[quality.Verdict], vital: Vital
) -> dict[tuple[int, int, int], list[int]]:
    found: dict[tuple[int, int, int], list[int]] = {}
    for place, (row, verdict) in enumerate(zip(rows, verdicts, strict=True)):
        if verdict.vital is vital:
            found.setdefault((row.before_ms, row.device, (row.more or PLAIN).attempt), []).append(place)
    return found


def _reading(  # noqa: PLR0913 - what was sent, beside what was made of it
    row: Row,
    verdict: quality.Verdict,
    names: list[str],
    received_ms: int,
    against: tuple[BaselineStatus | None, Deviation | None] = (None, None),
    *,
    withdrawn: bool = False,
) -> JudgedReading:
    vital, value, grade, issue = verdict
    unit = names[row.unit]
    more = row.more or PLAIN
    known = vital is not None and issue is not QualityIssue.UNKNOWN_UNIT
    converted = known and vital is not None and unit != vital.unit
    return JudgedReading(
        code=names[row.code] if vital is None else vital.codes[0],
        vital=None if vital is None else vital.name,
        value=value,
        unit=vital.unit if known and vital is not None else unit,
        measured_at=from_ms(received_ms - row.before_ms),
        quality=grade,
        issue=issue,
        sent_value=float(row.value) if converted else None,
        sent_unit=unit if converted else None,
        device=names[row.device] if row.device >= 0 else None,
        entry_mode=EntryMode.MANUAL if more.manual else EntryMode.DEVICE,
        attempt=more.attempt,
        oxygen_l_min=more.oxygen_l_min,
        withdrawn=withdrawn,
        baseline_status=against[0],
        deviation=against[1],
    )
