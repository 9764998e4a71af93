"""Where a patient stands in the service at any instant: enrolled, planned for, paused, whose responsibility."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from pipeline.triage.instants import local_day, to_ms, zone_of
from pipeline.triage.phases import UNMONITORED, Place, begun, changed
from pipeline.triage.plans import NOTHING, Prescription, faults, prescription
from pipeline.triage.rules import RULES
from pipeline.triage.state import NEVER
from schemas.care import (
    Acknowledged,
    Admitted,
    Discharged,
    Enrolled,
    Paused,
    PhaseChanged,
    PlanSigned,
    Transferred,
)
from schemas.types import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from schemas.care import Cadence, Plan

DEFAULT_TIME_ZONE: Final = "Europe/Oslo"
Kept = (  # what decisions rest on
    Enrolled | PhaseChanged | Transferred | PlanSigned | Paused | Acknowledged | Admitted | Discharged
)
EXACERBATION: Final = "exacerbation"  # the reason code by which staff declare one

_Whole = Enrolled | PhaseChanged | Transferred | PlanSigned | Paused | Admitted | Discharged


class TakenOver(Struct, frozen=True, array_like=True, gc=False):
    """What is kept of an acknowledgement: there are many of them, and a state must stay small."""

    at_ms: int
    recorded_ms: int
    id: bytes
    change: bytes  # the zone change that was taken over
    declares: bool  # an exacerbation


Held = _Whole | TakenOver
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(tuple[tuple[_Whole, ...], tuple[TakenOver, ...]])


class Standing(NamedTuple):
    """What holds from one instant to the next."""

    why_not: str | None = "not_enrolled"  # why nobody monitors the patient; None: monitored
    service: str | None = None
    municipality: str | None = None
    pathway: str | None = None
    place: Place = Place()
    plan: Plan | None = None
    prescribed: Prescription = NOTHING
    started_ms: int = NEVER  # monitored since, pauses apart
    started_day: int = 0  # the patient-local day of that
    awaited_ms: int = NEVER  # nothing is due before: monitored since, the end of a pause, or a new rhythm
    known_ms: int = NEVER  # when what makes it possible to judge was written down
    guarded: bool = False  # in hospital or shortly after it, or after a declared exacerbation: nothing is learnt
    acknowledged: frozenset[bytes] = frozenset()  # zone changes that staff took over at the instant from which it holds


class Course(NamedTuple):
    """A patient's standings over time."""

    zone: tzinfo
    from_ms: tuple[int, ...]
    standings: tuple[Standing, ...]
    weights_ms: tuple[int, ...]  # from when each care event bears on decisions; of those that are kept for good
    taken_ms: Mapping[bytes, int] = MappingProxyType({})  # zone change -> when staff first took it over

    def at(self, instant_ms: int) -> Standing:
        """What holds at an instant."""
        return self.standings[bisect_right(self.from_ms, instant_ms)]

    def served_since(self, instant_ms: int) -> int:
        """Since when the service that is responsible at an instant has been so without a break [ms]."""
        place = bisect_right(self.from_ms, instant_ms)
        service = self.standings[place].service
        while place and self.standings[place - 1].service == service:
            place -= 1
        return self.from_ms[place - 1] if place else NEVER

    def next_change(self, after_ms: int) -> int | None:
        """The first instant after `after_ms` from which something else holds."""
        place = bisect_right(self.from_ms, after_ms)
        return self.from_ms[place] if place < len(self.from_ms) else None


def effective_ms(event: Kept | Held) -> int:
    """From when an event bears on decisions; an enrolment on all of them, by its time zone."""
    return NEVER if isinstance(event, Enrolled) else _from_ms(event)


def read(care: bytes) -> tuple[Held, ...]:
    """The care events in a state, in order."""
    if not care:
        return ()
    whole, taken = _decoder.decode(care)
    return tuple(sorted((*whole, *taken), key=_order)) if taken else whole


def add(care: bytes, event: Kept) -> bytes | None:
    """`care` with `event` in its place; None where it was there already."""
    events = read(care)
    added = _held(event)
    if any(_id(known) == _id(added) for known in events):
        return None
    return _packed(sorted((*events, added), key=_order))


def pack(events: Iterable[Kept]) -> bytes:
    """The care of a state that all of `events`, each with its own id, were added to."""
    held = sorted(map(_held, events), key=_order)
    return _packed(held) if held else b""


def count(care: bytes) -> int:
    """How many care events there are."""
    return len(read(care))


def without_old(care: bytes, before_ms: int) -> bytes:
    """`care` without acknowledgements that nothing from `before_ms` on rests on.

    They are the only events of which a patient followed for years has ever more, so no revision counts them.
    """
    events = read(care)
    kept = [event for event in events if not is_old(event, before_ms)]
    return care if len(kept) == len(events) else _packed(kept)


def is_old(event: Kept | Held, before_ms: int) -> bool:
    """Whether an event is an acknowledgement that nothing from `before_ms` on rests on."""
    if isinstance(event, Acknowledged):
        event = _held(event)
    return isinstance(event, TakenOver) and event.at_ms + (RULES.guard_ms if event.declares else 0) < before_ms


def _held(event: Kept) -> Held:
    if not isinstance(event, Acknowledged):
        return event if event.recorded_by is None else msgspec.structs.replace(event, recorded_by=None)
    return TakenOver(
        at_ms=to_ms(event.at),
        recorded_ms=to_ms(event.recorded_at),
        id=event.event_id.bytes,
        change=event.zone_change_id.bytes,
        declares=event.reason_code == EXACERBATION,
    )


def _packed(events: Iterable[Held]) -> bytes:
    known = tuple(events)
    return _encoder.encode(
        (
            [event for event in known if not isinstance(event, TakenOver)],
            [event for event in known if isinstance(event, TakenOver)],
        )
    )


def _id(event: Held) -> bytes:
    return event.id if isinstance(event, TakenOver) else event.event_id.bytes


@lru_cache(maxsize=20_000)
def course(care: bytes) -> Course:
    """The standings that a state's care events make; the same bytes make the same course."""
    events = read(care)
    zone = zone_of(next((e.time_zone for e in reversed(events) if isinstance(e, Enrolled)), DEFAULT_TIME_ZONE))
    instants = {_from_ms(event) for event in events}
    instants |= {to_ms(event.ends_at) for event in events if isinstance(event, Paused)}
    instants |= {_from_ms(event) + RULES.guard_ms for event in events if _declares(event)}
    standings = [Standing()]
    started = awaited = NEVER
    for instant in sorted(instants):
        found = _standing(events, instant, zone)
        before = standings[-1].why_not
        if found.why_not in {None, "paused"}:
            started = instant if before not in {None, "paused"} else started
            awaited = instant if before is not None or _rhythm(found) != _rhythm(standings[-1]) else awaited
            day = local_day(started, zone)
            found = found._replace(started_ms=started, started_day=day, awaited_ms=awaited)
        standings.append(found)
    weights = sorted(effective_ms(event) for event in events if not isinstance(event, TakenOver))
    taken = {event.change: event.at_ms for event in reversed(events) if isinstance(event, TakenOver)}
    return Course(zone, tuple(sorted(instants)), tuple(standings), tuple(weights), taken)


def _rhythm(standing: Standing) -> Cadence | None:
    return None if standing.plan is None else standing.plan.cadence


def _from_ms(event: Kept | Held) -> int:
    if isinstance(event, TakenOver):
        return event.at_ms
    return to_ms(event.plan.valid_from_at if isinstance(event, PlanSigned) else event.at)


def _guarded(events: tuple[Held, ...], instant_ms: int) -> bool:
    """Whether what is measured at an instant tells nothing of the patient's normal."""
    past = [event for event in events if _from_ms(event) <= instant_ms]
    stays = [event for event in past if isinstance(event, Admitted | Discharged)]
    in_hospital = bool(stays) and isinstance(stays[-1], Admitted)
    return in_hospital or any(_declares(event) and instant_ms < _from_ms(event) + RULES.guard_ms for event in past)


def _declares(event: Held) -> bool:
    """Whether the days after an event are guarded."""
    return isinstance(event, Discharged) or (isinstance(event, TakenOver) and event.declares)


def _order(event: Held) -> tuple[int, int, int, bytes]:
    version = event.plan.version if isinstance(event, PlanSigned) else 0
    recorded_ms = event.recorded_ms if isinstance(event, TakenOver) else to_ms(event.recorded_at)
    return _from_ms(event), version, recorded_ms, _id(event)


def _rank(event: PlanSigned) -> tuple[int, int, bytes]:
    """Of two plans in force the one with the higher version holds, of the same version the one written down last."""
    return event.plan.version, to_ms(event.recorded_at), event.event_id.bytes


def _standing(events: tuple[Held, ...], instant_ms: int, zone: tzinfo) -> Standing:
    """What the events up to an instant, in order, make of it."""
    enrolled = service = None
    signed: list[PlanSigned] = []
    ended_ms = NEVER  # the newest end that somebody came back from
    place = Place()
    paused = False
    phased = NEVER  # when the phase was written down
    for event in events:
        if _from_ms(event) > instant_ms:
            break
        match event:
            case Enrolled():
                ended_ms = place.since_ms if place.phase is Phase.ENDED else ended_ms
                enrolled, service = event, event.service
                place = begun(place, event.phase, to_ms(event.at))
                phased = phased if place.faults else to_ms(event.recorded_at)
            case PhaseChanged():
                before, place = place, changed(place, event.phase, to_ms(event.at), zone, RULES)
                if place.phase is not before.phase:  # every change up to here must be known
                    phased = max(phased, to_ms(event.recorded_at))
            case Transferred():
                service = event.service
            case PlanSigned():
                signed.append(event)
            case Paused():
                paused = paused or to_ms(event.ends_at) > instant_ms
    if enrolled is None:
        return Standing(place=place)
    # Whoever came back after the end needs a plan that was signed since.
    holding = max((one for one in signed if to_ms(one.recorded_at) >= ended_ms), key=_rank, default=None)
    plan = None if holding is None else holding.plan
    wrong = faults(plan) if plan else []
    why_not = (
        place.phase.value
        if place.phase in UNMONITORED
        else "no_plan"
        if plan is None
        else f"plan_contradicts_itself:{wrong[0]}"
        if wrong
        else "paused"
        if paused
        else None
    )
    return Standing(
        why_not=why_not,
        service=service,
        municipality=enrolled.municipality,
        pathway=enrolled.pathway,
        place=place,
        plan=plan,
        prescribed=prescription(plan) if plan and not wrong else NOTHING,
        known_ms=phased if holding is None else max(phased, to_ms(holding.recorded_at)),
        guarded=_guarded(events, instant_ms),
        acknowledged=frozenset(
            event.change for event in events if isinstance(event, TakenOver) and event.at_ms == instant_ms
        ),
    )
