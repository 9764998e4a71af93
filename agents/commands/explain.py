"""`sonevakt explain`: what was decided about a patient at a time, and why, from what was known then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.triage import step
from pipeline.triage.explain import explain, headline
from schemas.assessments import Assessment, PatientStatus
from schemas.paging import Tick
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from agents.recordings.events import Event
    from pipeline.triage import State
    from pipeline.triage.explain import Language
    from schemas.assessments import Reason

_WORDS = {
    "nb": {
        "status": "Pasienten",
        "since": "siden",
        "registration": "Registrering",
        "plan": "plan",
        "rules": "regler",
        "service": "tjeneste",
        "episode": "episode",
        "self_care": "Egne tiltak i planen",
        "none": "Ingenting var kjent om pasienten da.",
    },
    "en": {
        "status": "The patient",
        "since": "since",
        "registration": "Registration",
        "plan": "plan",
        "rules": "rules",
        "service": "service",
        "episode": "episode",
        "self_care": "The plan's own measures",
        "none": "Nothing was known of the patient then.",
    },
}


def lines(events: Iterable[Event], patient: str, at: datetime, language: Language) -> Iterator[str]:
    """What stood at `at`, by what had reached us until then."""
    words = _WORDS[language]
    state: State | None = None
    assessments: dict[UUID, Assessment] = {}
    status: PatientStatus | None = None
    known = [event.message for event in events if event.message.patient == patient and event.at <= at]
    for message in [*known, Tick(at=at)] if known else []:
        state, outputs = step(state, message)
        for output in outputs:
            if isinstance(output, Assessment):
                assessments[output.assessment_id] = output
            elif isinstance(output, PatientStatus):
                status = output
    if status is None:
        yield words["none"]
        return
    zone = headline(status.zone, language).lower()
    yield f"{words['status']}: {zone}, {words['since']} {status.since_at.isoformat()}"
    yield from _reasons(status.reasons, language)
    if status.episode is not None:
        yield f"{words['episode']}: {status.episode.state.value}, {status.episode.opened_at.isoformat()}"
    if assessments:
        newest = max(assessments.values(), key=lambda assessment: assessment.at)
        yield from _assessment(newest, language)


def _assessment(found: Assessment, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    yield ""
    yield f"{words['registration']} {found.at.isoformat()}: {headline(found.zone, language).lower()}"
    yield from _reasons(found.reasons, language)
    if found.self_care and found.zone in {Zone.YELLOW, Zone.RED}:
        yield f"{words['self_care']}:"
        yield from (f"  {measure}" for measure in found.self_care)
    version = "-" if found.plan_version is None else str(found.plan_version)
    yield (
        f"{words['plan']} {version}, {words['rules']} {found.rules_version},"
        f" {words['service']} {found.service or '-'}, revision {found.revision}, {found.assessment_id}"
    )


def _reasons(reasons: Iterable[Reason], language: Language) -> Iterator[str]:
    yield from (f"  {sentence}" for sentence in explain(reasons, language))
