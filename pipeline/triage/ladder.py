"""The way of a red up its service's ladder, until somebody says that they have it.

The first step is asked with the red itself, each further one by the tick that finds its time come: counted from the
fold's own time, and the same after a restart. A delivered page stops nothing. What stops a climb is an acknowledgement
of the newest worsening, or that the red is over: closed, taken back, or nobody follows the patient any more. A pause
stops nothing. How far a climb has come is no function of history: as with all pages, it depends on when things were
learnt.

Each time that the first step is asked is an incident of its own: what is told of the one before, however late it comes,
closes nothing that was opened since. Whom a page reached is kept, so that the end is told to them and not to whoever
has the duty by then.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec.structs import replace

from pipeline.triage.asked import asked_by, joined
from pipeline.triage.episodes import RED, change_id
from pipeline.triage.ids import derive
from pipeline.triage.instants import from_ms, to_ms
from pipeline.triage.rosters import serving
from pipeline.triage.rules import MINUTE_MS
from pipeline.triage.state import NEVER, Asked, Climb, Mark
from pipeline.triage.told import assessment_id, page_id
from schemas.paging import FailureReason, PageAction, PageCause, PageRequest, Priority, incident_of
from schemas.services import CANARY, EscalationStep, Ladder
from schemas.types import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.triage.pages import Pages
    from pipeline.triage.state import Episode
    from pipeline.triage.timeline import Change, Timeline
    from pipeline.triage.told import ZoneChanges
    from schemas.paging import Receipt
    from schemas.services import Service

OF_CANARY: Final = Ladder(red=(EscalationStep(after_minutes=0, to=CANARY),))
INCIDENTS: Final = 8  # of one episode that are closed with the newest, if they were not before; our choice
_ALERTS: Final = frozenset({Zone.YELLOW, Zone.RED})


class Escalation:
    """One patient's climb, while one event is taken.

    Parameters
    ----------
    climb
        As it stands in the state.
    timeline
        After the walk.
    pages
        The patient's open ones; what is asked is added to them.
    clock_ms
        The fold's own time [ms].
    now_ms
        Until when it is looked who is responsible [ms].
    """

    def __init__(  # noqa: PLR0913 - what a climb hangs on
        self,
        climb: Climb | None,
        timeline: Timeline,
        pages: Pages,
        services: Mapping[str, Service],
        *,
        clock_ms: int,
        now_ms: int,
    ) -> None:
        self._timeline = timeline
        self._patient = timeline.patient
        self._pages = pages
        self._services = services
        self._clock_ms = clock_ms
        self._now_ms = now_ms
        self._test = timeline.course.at(now_ms).pathway == CANARY
        self._begun = False
        self.climb = climb if climb is None or climb.service else self._taken_up(climb)

    def walked(self, found: ZoneChanges) -> None:
        """Take what a walk came to."""
        episode = self._timeline.episode
        if self.climb is not None and (episode is None or episode.opened_ms > self.climb.at_ms):
            self._end(self.climb)
        self._renew(found)
        for change in found.new:
            self._learn(change, episode)
        climb = self.climb
        if climb is None or episode is None:
            return
        if episode.acknowledged:
            self._stop(climb)
        elif episode.zone != RED:  # what made it red was taken back
            self._end(climb)
        elif climb.next_ms is None or episode.change != climb.change:
            self._move(climb, episode)

    def passed(self, *, ticks: bool) -> None:
        """Take what time brings: another service that is responsible and, where a clock ticks, the steps that are due.

        Each has its own instant, however late the tick.
        """
        course = self._timeline.course
        while self.climb is not None and self.climb.next_ms is not None:
            service = course.at(self._now_ms).service or self.climb.service
            moved_ms = course.served_since(self._now_ms) if service != self.climb.service else None
            if ticks:
                self.climb = self._risen(self.climb, self._now_ms if moved_ms is None else moved_ms - 1)
            if moved_ms is None:
                return
            self._begin(self.climb, max(moved_ms, self._clock_ms), service)

    def failed(self, request: PageRequest, receipt: Receipt) -> None:
        """Take the news that a page did not come through: silence at once, unless others are only told first."""
        climb = self.climb
        if climb is None or climb.next_ms is None or receipt.reason is FailureReason.BUSY:
            return
        ladder = self._ladder(climb.service)
        if request.page_id.bytes == climb.newest and climb.step + 1 < len(ladder.red):
            # A wrong clock of paging's makes no step later than it was planned.
            at_ms = min(max(to_ms(receipt.at), climb.last_ms), _due_ms(climb, ladder))
            climb = self._ask(climb, ladder, climb.step + 1, at_ms)
            self.climb = replace(climb, next_ms=_due_ms(climb, ladder))

    # What a walk makes of a climb.

    def _learn(self, change: Change, episode: Episode | None) -> None:
        """Take a red that nobody was asked to look at yet."""
        climb, fresh = self.climb, _of(self._patient, change)
        service = change.service or ""
        if episode is None or change.opened_ms != episode.opened_ms:  # learnt of when it was over: told, and told so
            if climb is not None and climb.episode_ms == fresh.episode_ms:  # the open red still goes by that episode,
                fresh = replace(fresh, episode_ms=fresh.episode_ms - 1)  # and nobody is to take the end for its end
            asked = self._begun_at(fresh, self._clock_ms, service, first=True)
            self._tell(asked, PageAction.RESOLVE, asked.asked)
        elif climb is None:
            self._begin(fresh, self._clock_ms, service, first=True)
        elif climb.next_ms is None or change.mark.at_ms > climb.at_ms:
            known = replace(_as_in(climb, fresh), before=joined(climb.before, climb.asked), asked=())
            self._begin(known, self._clock_ms, service, first=True)
        # else it is the same red, known better: whoever climbs for it goes on

    def _move(self, climb: Climb, episode: Episode) -> None:
        """Take a newest worsening that is not the one that was climbed for, and that asks for no page of its own."""
        changes = {_id(self._patient, change): change for change in self._timeline.changes}
        if episode.change in changes:
            known = _as_in(climb, _of(self._patient, changes[episode.change]))
        else:
            known = replace(climb, change=episode.change, at_ms=episode.worsened_ms)
        if climb.next_ms is not None:  # the same red, known better
            self._know(known)
        elif episode.worsened_ms <= climb.at_ms:  # the same, and whoever took it over has not seen it so
            known = replace(known, before=joined(climb.before, climb.asked), asked=())
            self._begin(known, self._clock_ms, climb.service)

    def _stop(self, climb: Climb) -> None:
        """Somebody has it: whoever was asked is told, and nobody is asked any more."""
        if climb.next_ms is None:
            return
        if not self._begun:  # what is asked in the same breath is told of once, as all that is learnt in time
            self._pages.drop_all(self._episode_id(climb), PageAction.TRIGGER)
        self._tell(climb, PageAction.ACKNOWLEDGE, climb.asked)
        self.climb = replace(climb, next_ms=None)

    def _end(self, climb: Climb) -> None:
        """There is nothing to look at any more: whoever was asked is told."""
        self._pages.drop_all(self._episode_id(climb), PageAction.TRIGGER, PageAction.ACKNOWLEDGE)
        self._tell(climb, PageAction.RESOLVE, joined(climb.before, climb.asked))
        self.climb = None

    def _renew(self, found: ZoneChanges) -> None:
        """Pages that are not delivered yet are asked for again as they would be now, or not at all."""
        climb = self.climb
        climbs = climb is not None and climb.next_ms is not None
        episode_id = self._episode_id(climb) if climb is not None else None
        for key in [self._pages.first(one).bytes for one in found.withdrawn]:
            request = self._pages.find(key)
            if request is not None and not (climbs and request.episode_id == episode_id):
                self._pages.drop(key)
        for change in found.known:
            known = _of(self._patient, change)
            if climb is not None and climbs and known.change == climb.change:
                self._know(_as_in(climb, known))
                continue
            key = self._pages.first(page_id(self._patient, change.mark)).bytes
            request = self._pages.find(key)
            if request is not None and not (climbs and request.episode_id == episode_id):
                request = replace(request, service=change.service or request.service)
                self._pages.renew(key, self._about(known, request))
        for one in sorted(found.unasked):
            self._pages.take_back(one)

    def _know(self, climb: Climb) -> None:
        """Go on with the climb, as what it is about is known now."""
        self.climb = climb
        for key, request in self._pages.of(self._episode_id(climb)):
            self._pages.renew(key, self._about(climb, request))

    # Steps.

    def _begin(self, climb: Climb, at_ms: int, service: str, *, first: bool = False) -> None:
        """Ask the first step of a service's ladder; what was asked before is asked no more, and no end is told."""
        dropped = self._pages.drop_all(self._episode_id(climb), *PageAction)
        for request in dropped:
            climb = replace(climb, incidents=_newest_last(_incidents(request), climb.incidents))
            if request.action is PageAction.RESOLVE:  # who has not heard of that end hears of this one's
                duty = Asked(request.service, request.to, request.by, request.contact)
                climb = replace(climb, before=joined(climb.before, (duty,)))
        self.climb = self._begun_at(climb, at_ms, service, first=first)
        self._begun = True

    def _begun_at(self, climb: Climb, at_ms: int, service: str, *, first: bool) -> Climb:
        ladder = self._ladder(service)
        at_ms = max(at_ms, climb.asked_ms + 1)  # so that no page of the two has the id of another
        begun = replace(climb, asked_ms=at_ms, service=service, last_ms=at_ms)
        ident = self._first(begun) if first else self._anew(begun)
        begun = replace(begun, incidents=(*begun.incidents, ident.bytes)[-INCIDENTS:])
        asked = self._ask(begun, ladder, 0, at_ms, ident=ident)
        return replace(asked, next_ms=_due_ms(asked, ladder))

    def _risen(self, climb: Climb, until_ms: int) -> Climb:
        """Ask every step that is due; of the last one, which is asked over and over, the newest is enough."""
        ladder = self._ladder(climb.service)
        while (due_ms := _due_ms(climb, ladder)) <= until_ms:
            if climb.step + 1 < len(ladder.red):
                climb = self._ask(climb, ladder, climb.step + 1, due_ms)
                continue
            every_ms = ladder.repeat_minutes * MINUTE_MS
            times = (until_ms - climb.last_ms) // every_ms
            self._pages.drop(climb.newest)
            last = len(ladder.red) - 1
            climb = self._ask(climb, ladder, last, climb.last_ms + times * every_ms, times=climb.times + times)
        return replace(climb, next_ms=due_ms)

    def _ask(  # noqa: PLR0913 - what a page hangs on
        self, climb: Climb, ladder: Ladder, step: int, at_ms: int, *, times: int = 0, ident: UUID | None = None
    ) -> Climb:
        rung = ladder.red[step]
        ident = ident or derive("page", self._patient, climb.incidents[-1].hex(), step, times)
        duty = Asked(climb.service, rung.to, rung.by, page=asked_by(ident))
        self._pages.ask(self._request(climb, ident, PageAction.TRIGGER, duty, step=step))
        asked = joined(climb.asked, (duty,))
        return replace(climb, step=step, times=times, last_ms=at_ms, newest=ident.bytes, asked=asked)

    def _first(self, climb: Climb) -> UUID:
        """The id of the first page about a red. It is that of an incident, from which all others of it are derived."""
        return self._pages.first(page_id(self._patient, Mark(climb.at_ms, RED, climb.session)))

    def _anew(self, climb: Climb) -> UUID:
        """The id of the first page of the same red for others, or as it is known by now."""
        return derive("page-anew", self._patient, climb.at_ms, climb.asked_ms, climb.incidents[-1].hex())

    def _tell(self, climb: Climb, action: PageAction, duties: tuple[Asked, ...]) -> None:
        told: Counter[tuple[str, ...]] = Counter()
        for duty in duties:
            named = (duty.service, duty.to, duty.by or "")
            # No contact in it: whether one is known may depend on what a worker read first after a restart.
            more = (told[named],) if told[named] else ()
            told[named] += 1
            parts = (climb.incidents[-1].hex(), *named, *more)
            self._pages.ask(self._request(climb, derive(f"page-{action.value}", self._patient, *parts), action, duty))

    def _request(self, climb: Climb, ident: UUID, action: PageAction, duty: Asked, *, step: int = 0) -> PageRequest:
        return PageRequest(
            page_id=ident,
            patient=self._patient,
            service=duty.service,
            zone=Zone.RED,
            priority=Priority.HIGH if action is PageAction.TRIGGER else Priority.LOW,
            at=from_ms(climb.at_ms),
            zone_change_id=UUID(bytes=climb.change),
            assessment_id=assessment_id(self._patient, climb.session) if climb.session else None,
            ask=1,
            causes=climb.causes,
            action=action,
            episode_id=self._episode_id(climb),
            step=step,
            to=duty.to,
            by=duty.by,
            test=self._test,
            contact=duty.contact,
            incident_id=UUID(bytes=climb.incidents[-1]),
            earlier_incident_ids=tuple(UUID(bytes=one) for one in climb.incidents[:-1]),
        )

    def _about(self, climb: Climb, request: PageRequest) -> PageRequest:
        """`request` with what is told of the red as it is known now."""
        return replace(
            request,
            at=from_ms(climb.at_ms),
            zone_change_id=UUID(bytes=climb.change),
            assessment_id=assessment_id(self._patient, climb.session) if climb.session else None,
            causes=climb.causes,
        )

    def _ladder(self, service: str) -> Ladder:
        return OF_CANARY if self._test else serving(self._services, service).ladder

    def _episode_id(self, climb: Climb) -> UUID:
        return derive("episode", self._patient, climb.episode_ms)

    def _taken_up(self, climb: Climb) -> Climb:
        """The climb of a state that says neither whose it is nor whom it has asked: the first step, as all did then."""
        service = self._timeline.course.at(self._now_ms).service or ""
        rung = self._ladder(service).red[0]
        for key, request in self._pages.of(None):
            if request.zone_change_id.bytes == climb.change:
                self._pages.renew(key, replace(request, episode_id=self._episode_id(climb)))
        newest = page_id(self._patient, Mark(climb.at_ms, RED, climb.session)).bytes
        return replace(climb, service=service, newest=newest, asked=(Asked(service, rung.to, rung.by),))


def _due_ms(climb: Climb, ladder: Ladder) -> int:
    """When the next step is due [ms]."""
    if climb.step + 1 >= len(ladder.red):
        return climb.last_ms + ladder.repeat_minutes * MINUTE_MS
    return max(climb.last_ms, climb.asked_ms + ladder.red[climb.step + 1].after_minutes * MINUTE_MS)


def _of(patient: str, change: Change) -> Climb:
    """What a climb for a red says of it."""
    return Climb(
        episode_ms=change.opened_ms,
        change=_id(patient, change),
        at_ms=change.mark.at_ms,
        asked_ms=NEVER,
        session=change.mark.session,
        causes=tuple(
            PageCause(rule=reason.rule, code=reason.code) for reason in change.reasons if reason.zone in _ALERTS
        ),
    )


def _as_in(climb: Climb, known: Climb) -> Climb:
    """`climb`, for the red that `known` is about."""
    return replace(climb, change=known.change, at_ms=known.at_ms, session=known.session, causes=known.causes)


def _id(patient: str, change: Change) -> bytes:
    return change_id(patient, change.left, change.mark).bytes


def _newest_last(some: tuple[bytes, ...], more: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Each once; those of `more` are the newest."""
    return (*(one for one in some if one not in more), *more)


def _incidents(request: PageRequest) -> tuple[bytes, ...]:
    """What a page of an episode says of its incidents, newest last."""
    return tuple(one.bytes for one in (*request.earlier_incident_ids, incident_of(request)))
