"""One session judged: quality, the plan's limits, deviation from the patient's own normal; worst of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.triage import quality
from pipeline.triage.deviation import score
from pipeline.triage.instants import from_ms
from pipeline.triage.limits import breach
from pipeline.triage.state import PLAIN
from pipeline.triage.vitals import DIASTOLIC, SYSTOLIC, Side
from pipeline.triage.zones import worst
from schemas.assessments import BaselineStatus, Deviation, JudgedReading, Quality, QualityIssue, Reason
from schemas.submissions import EntryMode
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.triage.baseline import Baseline, Series
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Standing
    from pipeline.triage.state import Body, Row
    from pipeline.triage.vitals import Vital

_ALERTS = (Zone.YELLOW, Zone.RED)


class Judgement(NamedTuple):
    """A session's zone, why, its readings as judged, and what the vitals' series learn from it."""

    zone: Zone
    reasons: tuple[Reason, ...]
    readings: tuple[JudgedReading, ...]
    admitted: tuple[tuple[int, float], ...] = ()  # (vital index, value in its unit)
    scores: tuple[tuple[int, float | None], ...] = ()  # (vital index, newest score)


def not_monitored(standing: Standing) -> Reason:
    """Why the patient is not monitored, as a reason."""
    return Reason(rule="not_monitored", zone=Zone.NOT_MONITORED, detail=standing.why_not)


def judge(  # noqa: PLR0913 - the whole ground of a decision, by name
    body: Body,
    names: list[str],
    *,
    received_ms: int,
    day: int,
    standing: Standing,
    series: Mapping[int, Series],
    rules: Rules,
) -> Judgement:
    """Judge one session at the patient-local `day`, by what held then and by the days before."""
    verdicts = _verdicts(body.rows, names, received_ms=received_ms, day=day, series=series, rules=rules)
    if standing.why_not is not None:
        readings = tuple(
            _reading(row, verdict, names, received_ms) for row, verdict in zip(body.rows, verdicts, strict=True)
        )
        return Judgement(Zone.NOT_MONITORED, (not_monitored(standing),), readings)
    session = _Session(day, standing, series, rules)
    readings = tuple(
        _reading(row, verdict, names, received_ms, session.take(place, verdict))
        for place, (row, verdict) in enumerate(zip(body.rows, verdicts, strict=True))
    )
    reasons = session.close()
    return Judgement(worst(reasons), reasons, readings, session.admitted(), tuple(session.scores.items()))


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


class _Session:
    """Gathers reasons over a session's readings."""

    def __init__(self, day: int, standing: Standing, series: Mapping[int, Series], rules: Rules) -> None:
        self.day = day
        self.bounds = standing.bounds
        self.series = series
        self.rules = rules
        self.reasons: list[Reason] = []
        self.scores: dict[int, float | None] = {}
        self._baselines: dict[int, tuple[Baseline | None, BaselineStatus]] = {}
        self._alerting: set[int] = set()
        self._deviating: dict[str, int] = {}  # group of vitals -> the reading
        self._valid: list[tuple[int, float]] = []
        self._judged = False

    def take(self, place: int, verdict: quality.Verdict) -> tuple[BaselineStatus | None, Deviation | None]:
        """Judge the reading at `place` of the session."""
        vital, value, grade, issue = verdict
        if grade is Quality.QUARANTINED or vital is None:
            self._reason("quality", Zone.NO_DATA, vital, value, place, detail=issue)
            return None, None
        if grade is Quality.IMPLAUSIBLE:
            self._reason("quality", Zone.NO_DATA, vital, value, place, detail=issue)
        else:
            self._valid.append((vital.index, value))
        limits = self.bounds.get(vital.index)
        if limits is not None:
            self._judged = True
            broken = breach(value, limits)
            if broken is not None:
                self._alerting.add(vital.index)
                self._reason(broken.rule, broken.zone, vital, value, place, limit=broken.limit)
        baseline, status = self._baseline(vital)
        if baseline is None:
            self.scores[vital.index] = None
            return status, None
        return status, self._deviate(vital, value, place, baseline)

    def close(self) -> tuple[Reason, ...]:
        """The session's reasons, those of the session as a whole among them; never none."""
        if len(self._deviating) >= self.rules.second_signals:
            together = tuple(self._deviating.values())
            self.reasons.append(Reason(rule="deviations_together", zone=Zone.RED, readings=together))
        if not self._judged:
            self.reasons.append(Reason(rule="nothing_to_judge", zone=Zone.NO_DATA))
        return tuple(self.reasons) or (Reason(rule="within_limits", zone=Zone.GREEN),)

    def admitted(self) -> tuple[tuple[int, float], ...]:
        """What enters the baselines: valid values of vitals that raised no alert."""
        return tuple((index, value) for index, value in self._valid if index not in self._alerting)

    def _deviate(self, vital: Vital, value: float, place: int, baseline: Baseline) -> Deviation:
        z = score(value, baseline)
        found = Deviation(
            center=baseline.center,
            spread=baseline.spread,
            days=baseline.days,
            age_days=baseline.age_days,
            status=baseline.status,
            score=z,
        )
        self.scores[vital.index] = z
        rules = self.rules
        if vital.side is Side.LOW and z > 0:
            return found
        if abs(z) >= rules.single_z:
            rule = "deviation"
        elif abs(z) >= rules.repeated_z and self._repeats(vital, z):
            rule = "deviation_repeated"
        else:
            return found
        self._alerting.add(vital.index)
        self._deviating.setdefault(vital.group, place)
        self._reason(rule, Zone.YELLOW, vital, value, place, deviation=found)
        return found

    def _repeats(self, vital: Vital, z: float) -> bool:
        before = self.series[vital.index]
        return (
            before.score is not None
            and before.score * z > 0
            and abs(before.score) >= self.rules.repeated_z
            and self.day - before.score_day <= self.rules.in_a_row_days
        )

    def _baseline(self, vital: Vital) -> tuple[Baseline | None, BaselineStatus]:
        found = self._baselines.get(vital.index)
        if found is None:
            series = self.series.get(vital.index)
            if series is None:
                found = None, BaselineStatus.LEARNING
            else:
                baseline = series.at(self.day, vital.floor, self.rules)
                found = baseline, series.status(self.day, self.rules) if baseline is None else baseline.status
            self._baselines[vital.index] = found
        return found

    def _reason(  # noqa: PLR0913 - a reason's parts
        self,
        rule: str,
        zone: Zone,
        vital: Vital | None,
        value: float,
        place: int,
        *,
        limit: float | None = None,
        deviation: Deviation | None = None,
        detail: QualityIssue | None = None,
    ) -> None:
        self.reasons.append(
            Reason(
                rule=rule,
                zone=zone,
                code=None if vital is None else vital.codes[0],
                value=value,
                unit=None if vital is None else vital.unit,
                limit=limit,
                deviation=deviation,
                readings=(place,),
                detail=detail,
            )
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
        known = series.get(vital.index) if vital is not None and verdict.quality is Quality.VALID else None
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
