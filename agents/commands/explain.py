"""`sonevakt explain`: what was decided about a patient at a time, and why, from what was known then.

What is known is worked out again by today's rules. Where the log still holds what was told then, that stands first if
it differs, in the words of its own reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents.commands import explain_words as words
from pipeline.triage import RULES, step
from pipeline.triage.explain import explain, headline
from pipeline.triage.standing import course
from schemas.assessments import Assessment, PatientStatus
from schemas.paging import Tick
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, tzinfo
    from uuid import UUID

    from agents.recordings.events import Event
    from agents.recordings.log import Told
    from pipeline.triage import State
    from pipeline.triage.explain import Language
    from schemas.assessments import JudgedReading, Reason

_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})


class _Known(NamedTuple):
    """What today's rules make of what had reached us."""

    status: PatientStatus
    newest: Assessment | None
    zone: tzinfo  # the patient's own time


def lines(
    events: Iterable[Event], patient: str, at: datetime, language: Language, told: Iterable[Told] | None = None
) -> Iterator[str]:
    """What stood at `at`, by what had reached us until then.

    Parameters
    ----------
    told
        The assessments of the patient in the log; None where there is no log, but only what was sent.
    """
    say = words.WORDS[language]
    known = _worked_out(events, patient, at)
    if known is None:
        yield say["none"]
        return
    then = None if told is None else _newest(one.assessment for one in told if one.at <= at)
    if then is not None and not _agree(then, known.newest):
        yield from _differs(then, known, language)
    yield from _status(known, language)
    if known.newest is not None:
        yield ""
        yield from _assessment(known.newest, known.zone, language)
    if told is None:
        yield say["only_sent"].format(rules=RULES.version)
    elif then is None and known.newest is not None:
        yield say["not_in_log"].format(rules=RULES.version)
    elif then is not None and _agree(then, known.newest):
        yield say["as_then"].format(rules=then.rules_version)


def _worked_out(events: Iterable[Event], patient: str, at: datetime) -> _Known | None:
    """The fold over what had reached us at `at`."""
    state: State | None = None
    assessments: dict[UUID, Assessment] = {}
    status: PatientStatus | None = None
    sent = [event.message for event in events if event.message.patient == patient and event.at <= at]
    for message in [*sent, Tick(at=at)] if sent else []:
        state, outputs = step(state, message)
        for output in outputs:
            if isinstance(output, Assessment):
                assessments[output.assessment_id] = output
            elif isinstance(output, PatientStatus):
                status = output
    if status is None or state is None:
        return None
    return _Known(status, _newest(assessments.values()), course(state.care).zone)


def _newest(assessments: Iterable[Assessment]) -> Assessment | None:
    """The latest revision of the latest registration."""
    return max(assessments, key=lambda one: (one.at, one.revision), default=None)


def _agree(then: Assessment, now: Assessment | None) -> bool:
    """Whether what was told then is what today's rules come to."""
    return now is not None and _decision(then) == _decision(now)


def _decision(found: Assessment) -> tuple[object, ...]:
    return found.assessment_id, found.revision, found.zone, found.rules_version, found.reasons


def _differs(then: Assessment, known: _Known, language: Language) -> Iterator[str]:
    """What was told then, where today's rules come to something else."""
    say, now = words.WORDS[language], known.newest
    if now is not None and then.assessment_id == now.assessment_id:
        yield say["differs"].format(
            then=then.rules_version,
            then_zone=headline(then.zone, language).lower(),
            now=now.rules_version,
            now_zone=headline(now.zone, language).lower() if now.zone is not then.zone else say["same"],
        )
    else:
        yield say["another"].format(then=then.rules_version, now=RULES.version)
    yield ""
    yield say["told_then"]
    yield from _assessment(then, known.zone, language)
    yield ""
    yield say["by_today"].format(rules=RULES.version)


def _status(known: _Known, language: Language) -> Iterator[str]:
    say, status = words.WORDS[language], known.status
    since = words.moment(status.since_at, known.zone, language)
    yield f"{say['status']}: {headline(status.zone, language).lower()}, {say['since']} {since}"
    yield from _reasons(status.reasons, language)
    if status.phase is not None:
        phase = words.PHASES[status.phase][language]
        yield f"{say['phase']}: {phase}. {say['service']}: {status.service or say['no_service']}."
    if status.episode is not None:
        opened = words.moment(status.episode.opened_at, known.zone, language)
        yield f"{say['episode']} {opened}: {words.EPISODES[status.episode.state][language]}."


def _assessment(found: Assessment, zone: tzinfo, language: Language) -> Iterator[str]:
    say = words.WORDS[language]
    yield f"{say['registration']} {words.moment(found.at, zone, language)}: {headline(found.zone, language).lower()}"
    yield from _reasons(found.reasons, language, found.readings)
    if found.self_care and found.zone in _ALERTS:
        yield f"{say['self_care']}:"
        yield from (f"  {measure}" for measure in found.self_care)
    plan = say["no_plan"] if found.plan_version is None else f"{say['plan']} {found.plan_version}"
    service = say["no_service"] if found.service is None else f"{say['service'].lower()} {found.service}"
    yield (
        f"{plan}, {say['rules']} {found.rules_version}, {service},"
        f" {say['revision']} {found.revision}, {say['assessment']} {found.assessment_id}"
    )


def _reasons(reasons: Iterable[Reason], language: Language, readings: tuple[JudgedReading, ...] = ()) -> Iterator[str]:
    yield from (f"  {sentence}" for sentence in explain(reasons, language, readings))
