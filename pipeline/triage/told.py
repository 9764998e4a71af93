"""What a walk tells the world: assessments, zone changes and their retractions, page requests, the patient's status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from pipeline.triage import content as contents
from pipeline.triage.episodes import RED, change_id, state_of
from pipeline.triage.ids import derive
from pipeline.triage.instants import from_ms, local_day
from pipeline.triage.judge import withdrawn
from pipeline.triage.phases import trial_ends_ms
from pipeline.triage.rosters import next_shift_starts, serving
from pipeline.triage.rules import MINUTE_MS
from pipeline.triage.state import NEVER
from pipeline.triage.timeline import AWAITED
from pipeline.triage.vitals import name_of_series
from pipeline.triage.zones import BY_SEVERITY, SEVERITY
from schemas.assessments import Assessment, Episode, PatientStatus, ZoneChange
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from pipeline.triage import state as state_module
    from pipeline.triage.rules import Rules
    from pipeline.triage.standing import Standing
    from pipeline.triage.state import Content, Mark, Session, State
    from pipeline.triage.timeline import Change, Judged, Timeline
    from schemas.services import Service

NO_DATA: Final = SEVERITY[Zone.NO_DATA]
_IN_OWN_WORDS: Final = frozenset({Zone.GREEN, Zone.YELLOW, Zone.RED})


def assessment_id(patient: str, session: bytes) -> UUID:
    """The id of a session's assessment, the same in every revision."""
    return derive("assessment", patient, session.hex())


def assessment(timeline: Timeline, judged: Judged) -> Assessment:
    """One judged session as it is told."""
    session, content, judgement, standing, revision = judged
    names = timeline.names.names
    readings = judgement.readings
    body = contents.effective(content)
    if content.corrections and content.sent is not None:
        again = frozenset(
            (names[row.code], session.received_ms - row.before_ms, names[row.device] if row.device >= 0 else None)
            for row in (body.rows if body else ())
        )
        readings += withdrawn(content.sent.rows, names, session.received_ms, timeline.rules, again)
    return Assessment(
        assessment_id=assessment_id(timeline.patient, session.id),
        submission_id=UUID(bytes=session.id),
        patient=timeline.patient,
        revision=revision,
        at=from_ms(session.at_ms),
        received_at=from_ms(session.received_ms),
        first_at=_first_at(session, content, timeline.rules),
        zone=judgement.zone,
        reasons=judgement.reasons,
        readings=readings,
        answers=contents.answers(body.answers, names) if body else (),
        service=standing.service,
        plan_version=standing.plan.version if standing.plan else None,
        rules_version=timeline.rules.version,
        entered_in_error=contents.is_void(content),
        news2=judgement.news2,
        on_behalf=content.on_behalf,
        self_care=_self_care(standing, judgement.zone),
    )


def _self_care(standing: Standing, zone: Zone) -> tuple[str, ...]:
    """What the patient does in a zone, in the words of the plan in force."""
    if standing.plan is None or zone not in _IN_OWN_WORDS:
        return ()
    words: tuple[str, ...] = getattr(standing.plan.self_care, zone.value)
    return words


def _first_at(session: Session, content: Content, rules: Rules) -> datetime | None:
    if not content.corrections:
        return None
    first_ms = contents.measured_ms(content.sent, session.received_ms, rules)
    return None if first_ms == session.at_ms else from_ms(first_ms)


class ZoneChanges:
    """What changed among the marks, as messages, and what that means for pages.

    Attributes
    ----------
    new
        Changes that a page must be asked for.
    known
        Changes that one was asked for before, as they are known now.
    withdrawn
        Ids of pages that were asked for and whose red does not stand any more.
    unasked
        The same, and of those whose red would not be paged as it is known by now.
    """

    def __init__(self, before: State, timeline: Timeline, *, whole: bool) -> None:
        self._patient = before.patient
        self.messages: list[ZoneChange] = []
        self.new: list[Change] = []
        self.known: list[Change] = []
        self.withdrawn: set[UUID] = set()
        self.unasked: set[UUID] = set()
        if whole or timeline.changes:
            self._compare(before, timeline, whole=whole)

    def _compare(self, before: State, timeline: Timeline, *, whole: bool) -> None:
        old = {_key(left, mark): mark for left, mark in _transitions(before.marks, before.base.zone)} if whole else {}
        new = {_key(change.left, change.mark): change for change in timeline.changes}
        gone = [(key[0], mark) for key, mark in old.items() if key not in new]
        self.messages = [
            *(self._retraction(left, mark, timeline) for left, mark in gone),
            *(self._message(change) for key, change in new.items() if key not in old),
        ]
        asked = {page_id(self._patient, mark) for mark in old.values() if mark.paged}
        for change in new.values():
            if change.mark.paged:
                known = page_id(self._patient, change.mark) in asked
                (self.known if known else self.new).append(change)
        # What was asked stays asked while the red stands, even if it would not be paged as it is known by now.
        red = {page_id(self._patient, change.mark) for change in new.values() if change.mark.zone == RED}
        self.withdrawn = asked - red
        self.unasked = asked - {page_id(self._patient, change.mark) for change in self.known}

    def _message(self, change: Change) -> ZoneChange:
        mark = change.mark
        return ZoneChange(
            zone_change_id=change_id(self._patient, change.left, mark),
            patient=self._patient,
            at=from_ms(mark.at_ms),
            from_zone=BY_SEVERITY[change.left],
            to_zone=BY_SEVERITY[mark.zone],
            assessment_id=assessment_id(self._patient, mark.session) if mark.session else None,
            service=change.service,
            reasons=change.reasons,
        )

    def _retraction(self, left: int, mark: Mark, timeline: Timeline) -> ZoneChange:
        return ZoneChange(
            zone_change_id=change_id(self._patient, left, mark),
            patient=self._patient,
            at=from_ms(mark.at_ms),
            from_zone=BY_SEVERITY[left],
            to_zone=BY_SEVERITY[mark.zone],
            assessment_id=assessment_id(self._patient, mark.session) if mark.session else None,
            service=timeline.course.at(mark.at_ms).service,
            retracted=True,
        )


def page_id(patient: str, mark: Mark) -> UUID:
    """The id of the first page about a red that was never taken back, see `Pages.first`."""
    return derive("page", patient, mark.at_ms, mark.session.hex())


def status(state: State, timeline: Timeline, services: Mapping[str, Service]) -> PatientStatus:
    """Where the patient stands now."""
    now_ms = max(state.clock_ms, state.decided_ms, NEVER if state.climb is None else state.climb.last_ms)
    standing = timeline.course.at(now_ms)
    today = local_day(max(now_ms, 0), timeline.course.zone)
    trial_ms = trial_ends_ms(standing.place, timeline.course.zone, timeline.rules)
    return PatientStatus(
        patient=state.patient,
        revision=max(1, state.base.events + state.sessions_weight + len(timeline.course.weights_ms)),
        at=from_ms(now_ms),
        zone=BY_SEVERITY[timeline.zone],
        since_at=from_ms(min(timeline.since_ms, now_ms)),
        reasons=timeline.reasons,
        pathway=standing.pathway,
        service=standing.service,
        municipality=standing.municipality,
        phase=standing.place.phase,
        phase_faults=standing.place.faults,
        trial_ends_at=None if trial_ms is None else from_ms(trial_ms),
        plan_version=standing.plan.version if standing.plan else None,
        last_submission_at=None if state.last_ms == NEVER else from_ms(state.last_ms),
        due_at=None if state.due_ms is None else from_ms(state.due_ms),
        baselines={
            name_of_series(index): series.status(today, timeline.rules)
            for index, series in sorted(state.series.items())
        },
        open_pages=len(state.open_pages),
        episode=None if timeline.episode is None else _episode(timeline.episode),
        step=state.climb.step if state.climb is not None and state.climb.next_ms is not None else None,
        respond_by_at=_respond_by(state, timeline, serving(services, standing.service)),
    )


def _respond_by(state: State, timeline: Timeline, service: Service) -> datetime | None:
    """By when staff look: a red before the next step, a yellow in so many minutes, a silence in the next shift."""
    episode = timeline.episode
    if timeline.zone == NO_DATA:
        awaited = any(reason.rule == AWAITED for reason in timeline.reasons)
        return None if awaited else next_shift_starts(service, from_ms(timeline.since_ms))
    if episode is None or episode.acknowledged:
        return None
    if episode.zone == RED:
        climb = state.climb
        return None if climb is None or climb.next_ms is None else from_ms(climb.next_ms)
    return from_ms(episode.worsened_ms + service.ladder.yellow_minutes * MINUTE_MS)


def _episode(episode: state_module.Episode) -> Episode:
    return Episode(
        state=state_of(episode),
        opened_at=from_ms(episode.opened_ms),
        worsened_at=from_ms(episode.worsened_ms),
        zone_change_id=UUID(bytes=episode.change),
        acknowledged=episode.acknowledged,
    )


def _transitions(marks: Iterable[Mark], zone: int) -> Iterator[tuple[int, Mark]]:
    for mark in marks:
        yield zone, mark
        zone = mark.zone


def _key(left: int, mark: Mark) -> tuple[int, int, int, bytes]:
    return left, mark.at_ms, mark.zone, mark.session
