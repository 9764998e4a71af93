"""`sonevakt evaluate`: how well the rules find verified alerts, as tables or as JSON."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing, suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import structs

from agents.reconciliation.logs import opened
from agents.recordings import tihm, tihm_labels
from agents.recordings.events import RecordingError
from pipeline.backtest import Evaluation, evaluate
from pipeline.backtest.acknowledged import WRONG, by_rule, said_last
from pipeline.backtest.evaluation import DEFAULT_CADENCE
from pipeline.backtest.simulated import BY, Simulated, on_cohort, together
from pipeline.triage.instants import to_ms
from schemas.assessments import ZoneChange
from schemas.care import Acknowledged, CareEvent
from schemas.codec import Codec, UnreadableError
from schemas.topics import CARE, ZONE_CHANGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from agents.reconciliation.logs import Logs
    from agents.recordings.rows import Skipped
    from agents.recordings.tihm import Tihm
    from agents.settings import Settings
    from pipeline.backtest.acknowledged import OfRule
    from pipeline.backtest.cadence import Kept
    from pipeline.backtest.score import Interval, Score
    from schemas.care import Cadence
    from schemas.topics import Topic

T = TypeVar("T")
_NONE: Final = "-"
_WRONG_HEADS: Final = tuple(code.replace("-", " ") for code in WRONG)


def of_tihm(folder: Path, plan: Cadence = DEFAULT_CADENCE) -> tuple[Evaluation, list[str]]:
    """Evaluate the recording in `folder`, and say what of it could not be used, a line each; raises RecordingError.

    Parameters
    ----------
    plan
        The rhythm of which the cadence experiment asks what it would have missed.
    """
    recording, labels = tihm.read(folder), tihm_labels.read(folder)
    messages = [event.message for event in recording.events()]
    found = evaluate(messages, labels.alerts, tihm.ZONE, plan=plan)
    if not found.blood_pressure.measured_days + found.pulse.measured_days:
        nothing = "nothing can be judged: there is no blood pressure and no pulse in a unit that is known"
        raise RecordingError("; ".join([nothing, *recording.warnings()]))
    skipped = [one for one in (recording.skipped, labels.skipped) if one]
    reasons = sum((Counter(one.reasons) for one in skipped), Counter[str]())
    return structs.replace(found, rows_skipped=dict(sorted(reasons.items()))), _warnings(found, recording, skipped)


def _warnings(found: Evaluation, recording: Tihm, skipped: Iterable[Skipped]) -> list[str]:
    lines = ["; ".join(map(str, skipped))]
    if found.readings_not_judged:
        why = ", ".join(f"{issue} {count}" for issue, count in found.readings_not_judged.items())
        units = recording.unknown_units
        first = f"; the first unknown unit is in row {units[0]} of {tihm.FILE}" if units else ""
        lines.append(f"{sum(found.readings_not_judged.values())} readings could not be judged ({why}){first}")
    if found.refused:
        lines.append(f"{found.refused} registrations or care events were refused, and nothing was decided by them")
    return [line for line in lines if line]


def of_cohorts(seeds: Iterable[int]) -> list[Simulated]:
    """Evaluate each simulated cohort by everything that it is judged by."""
    return [on_cohort(by, seed) for seed in seeds for by in BY]


def cohort_tables(found: Iterable[Simulated]) -> Iterator[str]:
    """The cohorts as lines to be read, all of them together last."""
    told = list(found)
    every = [together([one for one in told if one.by == by]) for by in BY] if told else []
    yield "simulated patients: evidence that the rules do what they say, and of nothing else"
    for name, of in (
        ("all deteriorations", attrgetter("every")),
        ("those that come slowly", attrgetter("slow")),
        ("those of them that cross no limit", attrgetter("inside")),
    ):
        yield ""
        yield from _table(
            (f"{name}: seed, judged by", "found", "of", "by chance", "median lead [d]", "alerts/month"),
            [
                (
                    f"{'together' if one.seed is None else one.seed}, {one.by}",
                    str(of(one).found),
                    str(of(one).deteriorations),
                    _number(of(one).by_chance, 1),
                    _number(of(one).lead_days, 2),
                    _number(one.alerts_per_month, 2),
                )
                for one in (*told, *every)
            ],
        )


async def of_alerts(settings: Settings, from_at: datetime, to_at: datetime) -> list[OfRule]:
    """Evaluate what was acknowledged in a period, by what staff said of it.

    Raises
    ------
    RecordingError
        The topics have other partitions than the settings say.
    aiokafka.errors.KafkaError
        The broker does not answer.
    """
    said, changes = [], []
    care, moves = Codec[CareEvent](CareEvent), Codec[ZoneChange](ZoneChange)
    async with opened(
        settings.bootstrap, prefix=settings.topic_prefix, partitions=settings.partitions, read=(CARE, ZONE_CHANGES)
    ) as logs:
        for partition in range(settings.partitions):
            first, last = [await logs.first_at(CARE, partition, to_ms(at)) for at in (from_at, to_at)]
            said += [
                event
                async for event in _messages(logs, care, CARE, partition, first, last)
                if isinstance(event, Acknowledged)
            ]
            named = {one.zone_change_id for one in said}
            bounds = await logs.bounds(ZONE_CHANGES, partition)
            changes += [
                change
                async for change in _messages(logs, moves, ZONE_CHANGES, partition, *bounds)
                if change.zone_change_id in named
            ]
    return by_rule(changes, said_last(said))


async def _messages(  # noqa: PLR0913, PLR0917 - a stretch of a log
    logs: Logs, codec: Codec[T], topic: Topic, partition: int, first: int, last: int
) -> AsyncIterator[T]:
    """What can be read of it; what cannot is a dead letter of somebody else's."""
    async with aclosing(logs.read(topic, partition, first, last)) as records:
        async for record in records:
            with suppress(UnreadableError):
                yield codec.decode(record.value)


def alert_tables(found: Iterable[OfRule]) -> Iterator[str]:
    """What staff said of alerts, as lines to be read."""
    yield "alerts that staff acknowledged, by rule; one alert counts for every rule that raised it"
    yield ""
    yield from _table(
        ("rule", "right", "wrong", "not said", "PPV", *_WRONG_HEADS),
        [
            (
                one.rule.replace("_", " "),
                str(one.right),
                str(one.wrong),
                str(one.not_said),
                _with_interval(one.ppv, one.interval, 2),
                *(str(one.by_code.get(code, 0)) for code in WRONG),
            )
            for one in found
        ],
    )


def as_json(found: Evaluation | list[Simulated] | list[OfRule]) -> str:
    """The evaluation as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def as_tables(found: Evaluation) -> Iterator[str]:
    """The evaluation as lines to be read."""
    yield (
        f"{found.patients} patients, {found.submissions} submissions, rules version {found.rules_version};"
        " 95 % intervals over patients in brackets"
    )
    yield ""
    yield from _table(
        ("found by", "sensitivity", "PPV", "false alert-days / 30", "labelled", "measured"),
        [
            ("engine, blood pressure", *_figures(found.blood_pressure)),
            ("engine, pulse", *_figures(found.pulse)),
            *((f"{rule.rule}, {rule.reading}", *_figures(rule)) for rule in found.fixed_rules),
        ],
    )
    yield ""
    yield from _table(
        ("blood-pressure episodes after day 14, by cadence", "found", "of", "share found", "share of submission days"),
        [
            (
                f"{key.replace('_', ' ')}: {kept.name}",
                str(kept.episodes_found),
                str(kept.episodes),
                _with_interval(_share(kept), kept.intervals.found_share, 2),
                _with_interval(kept.submission_days_share, kept.intervals.submission_days_share, 2),
            )
            for key, kept in found.cadence.items()
        ],
    )
    yield ""
    yield from _table(
        (
            "days from first yellow or red to verified alert",
            "found",
            "of",
            "lower quartile",
            "median",
            "upper quartile",
        ),
        [
            (
                key.replace("_", " "),
                str(lead.found),
                str(lead.episodes),
                *(_number(days, 1) for days in (lead.lower_quartile, lead.median, lead.upper_quartile)),
            )
            for key, lead in found.lead_days.items()
        ],
    )
    yield ""
    yield from _table(
        ("load", "total", "per patient-week", "most in one", "weeks with 0", "1", "2", "3", "4 or more"),
        [
            (load.what, str(load.total), _number(load.per_week, 2), str(load.most), *map(str, load.weeks))
            for load in found.load
        ],
    )
    yield ""
    yield from _table(
        ("days in yellow or red, by rule", "days", "with label", "without", "this rule alone: with label", "without"),
        [
            (
                f"{key.replace('_', ' ')}: {one.rule.replace('_', ' ')}",
                str(one.alert_days),
                str(one.labelled),
                str(one.without_label),
                str(one.alone_labelled),
                str(one.alone_without_label),
            )
            for key, rules in found.alert_rules.items()
            for one in rules
        ],
    )
    yield ""
    yield found.caveat


def _share(kept: Kept) -> float | None:
    return kept.episodes_found / kept.episodes if kept.episodes else None


def _figures(score: Score) -> tuple[str, ...]:
    intervals = score.intervals
    return (
        _with_interval(score.sensitivity, intervals.sensitivity, 3),
        _with_interval(score.ppv, intervals.ppv, 3),
        _with_interval(score.false_alert_days_per_30, intervals.false_alert_days_per_30, 2),
        str(score.labelled_days),
        str(score.measured_days),
    )


def _number(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _with_interval(value: float | None, interval: Interval | None, digits: int) -> str:
    if interval is None:
        return _number(value, digits)
    return f"{_number(value, digits)} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns of equal width: the first to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()
