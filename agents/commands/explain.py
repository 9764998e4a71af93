"""`sonevakt explain`: what was decided about a patient at a time, and why, from what was known then.

What is known is worked out again by today's rules. Where the log still holds what was told then, that stands first if
it differs, in the words of its own reasons.
"""

from __future__ import annotations

from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from agents.commands import explain_words as words
from pipeline.triage import RULES, step
from pipeline.triage.explain import explain, headline
from pipeline.triage.standing import course
from schemas.assessments import Assessment, PatientStatus
from schemas.paging import Tick
from schemas.submissions import Correction, Submission
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo
    from uuid import UUID

    from agents.recordings.events import Event
    from agents.recordings.log import Told
    from pipeline.triage import State
    from pipeline.triage.explain import Language
    from schemas.assessments import JudgedReading, Reason

_REGISTERED: Final = (Submission, Correction)
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})


class UnknownRegistrationError(ValueError):
    """Nothing of a registration had reached us then."""


class _Known(NamedTuple):
    """What today's rules make of what had reached us."""

    status: PatientStatus
    assessments: dict[UUID, Assessment]  # the latest revision of each
    came_last: Assessment | None  # of what was registered or corrected by the newest message
    zone: tzinfo  # the patient's own time

    @property
    def newest(self) -> Assessment | None:
        """The registration that was measured last."""
        return _newest(self.assessments.values())


def lines(  # noqa: PLR0913 - what is asked, and of what
    events: Iterable[Event],
    patient: str,
    at: datetime,
    language: Language,
    told: Iterable[Told] | None = None,
    *,
    registration: UUID | datetime | None = None,
) -> Iterator[str]:
    """What stood at `at`, by what had reached us until then.

    Where what came last was measured before the newest registration, the decision about it follows.

    Parameters
    ----------
    told
        The assessments of the patient in the log; None where there is no log, but only what was sent.
    registration
        One alone in place of all that: the id of its submission or assessment, or the minute in which it was measured.

    Raises
    ------
    UnknownRegistrationError
        It had not reached us at `at`.
    """
    known = _worked_out(events, patient, at)
    then = None if told is None else [one.assessment for one in told if one.at <= at]
    if registration is not None:
        found = () if known is None else _named([*known.assessments.values(), *(then or ())], registration)
        if known is None or not found:
            raise UnknownRegistrationError
        for place, named in enumerate(found):
            yield from [""] if place else []
            yield from _decided(named, known, then, language)
        return
    if known is None:
        yield words.WORDS[language]["none"]
        return
    yield from _stood(known, then, language)
    if known.came_last is not None and known.came_last is not known.newest:
        yield from ("", words.WORDS[language]["came_last"])
        yield from _decided(known.came_last.assessment_id, known, then, language)


def _stood(known: _Known, told: list[Assessment] | None, language: Language) -> Iterator[str]:
    """The patient's status, and the decision about the newest registration."""
    then = _newest(told or ())
    if then is not None and not _agree(then, known.newest):
        yield from _differs(then, known.newest, known.zone, language)
    yield from _status(known, language)
    if known.newest is not None:
        yield ""
        yield from _assessment(known.newest, known.zone, language)
    yield from _close(known.newest, then, language, log=told is not None)


def _decided(assessment: UUID, known: _Known, told: list[Assessment] | None, language: Language) -> Iterator[str]:
    """The decision about one registration; where its message is gone from the log, as it was told alone."""
    now = known.assessments.get(assessment)
    then = _newest(one for one in told or () if one.assessment_id == assessment)
    if now is None and then is not None:
        yield words.WORDS[language]["told_then"]
        yield from _assessment(then, known.zone, language)
    elif now is not None:
        if then is not None and not _agree(then, now):
            yield from _differs(then, now, known.zone, language)
        yield from _assessment(now, known.zone, language)
        yield from _close(now, then, language, log=told is not None)


def _close(now: Assessment | None, then: Assessment | None, language: Language, *, log: bool) -> Iterator[str]:
    """What the decision above rests on."""
    say = words.WORDS[language]
    if not log:
        yield say["only_sent"].format(rules=RULES.version)
    elif then is None and now is not None:
        yield say["not_in_log"].format(rules=RULES.version)
    elif then is not None and _agree(then, now):
        yield say["as_then"].format(rules=then.rules_version)


def _named(assessments: Iterable[Assessment], registration: UUID | datetime) -> tuple[UUID, ...]:
    """Ids of the assessments that go by an id, or were measured in a minute, by time."""
    if isinstance(registration, datetime):
        wanted = _minute(registration)
        found = [one for one in assessments if wanted in {_minute(one.at), _minute(one.first_at or one.at)}]
    else:
        found = [one for one in assessments if registration in {one.submission_id, one.assessment_id}]
    return tuple(dict.fromkeys(one.assessment_id for one in sorted(found, key=attrgetter("at"))))


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _worked_out(events: Iterable[Event], patient: str, at: datetime) -> _Known | None:
    """The fold over what had reached us at `at`."""
    state: State | None = None
    assessments: dict[UUID, Assessment] = {}
    status: PatientStatus | None = None
    sent = [event for event in events if event.message.patient == patient and event.at <= at]
    for message in [*(event.message for event in sent), Tick(at=at)] if sent else []:
        state, outputs = step(state, message)
        for output in outputs:
            if isinstance(output, Assessment):
                assessments[output.assessment_id] = output
            elif isinstance(output, PatientStatus):
                status = output
    if status is None or state is None:
        return None
    registered = [event.message.submission_id for event in sent if isinstance(event.message, _REGISTERED)]
    by_submission = {one.submission_id: one for one in assessments.values()}
    came_last = by_submission.get(registered[-1]) if registered else None
    return _Known(status, assessments, came_last, course(state.care).zone)


def _newest(assessments: Iterable[Assessment]) -> Assessment | None:
    """The latest revision of the latest registration."""
    return max(assessments, key=lambda one: (one.at, one.revision), default=None)


def _agree(then: Assessment, now: Assessment | None) -> bool:
    """Whether what was told then is what today's rules come to."""
    return now is not None and _decision(then) == _decision(now)


def _decision(found: Assessment) -> tuple[object, ...]:
    return found.assessment_id, found.revision, found.zone, found.rules_version, found.reasons


def _differs(then: Assessment, now: Assessment | None, zone: tzinfo, language: Language) -> Iterator[str]:
    """What was told then, where today's rules come to something else."""
    say = words.WORDS[language]
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
    yield from _assessment(then, zone, language)
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
