"""What was written, held against what a clean run of the same records writes: every difference, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.paging.notice import Notice
from agents.paging.ways.webhook import body_of
from pipeline.triage.state import Asked, decode
from schemas.codec import Codec
from schemas.submissions import Correction
from schemas.topics import ASSESSMENTS, SUBMISSIONS, ZONE_CHANGES
from tests.faults.clean import form
from tests.faults.poison import NOBODY, READERS
from tests.faults.vendor import id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from pipeline.triage.state import State
    from schemas.paging import PageRequest
    from schemas.services import Service
    from schemas.submissions import Submission
    from tests.faults.clean import Clean
    from tests.faults.observed import Observed, Place
    from tests.faults.poison import Poison

SHOWN: Final = 5  # of each kind of difference


def differences(must: Clean, found: Observed) -> list[str]:
    """What is not as a clean run has it; none where nothing was lost and nothing differs."""
    wrong: list[str] = []
    for topic in (ASSESSMENTS.name, ZONE_CHANGES.name):
        those, there = must.messages[topic], found.messages[topic]
        wrong += told(f"{topic} missing", [text for one, text in those.items() if one not in there])
        wrong += told(f"{topic} that a clean run does not have", [one.hex() for one in there if one not in those])
    wrong += told("patients whose state regressed", set(found.regressed))
    wrong += told("patients without a state", set(must.states) - set(found.newest))
    wrong += told("patients with a state that a clean run does not have", set(found.newest) - set(must.states))
    other = {
        patient
        for patient, raw in found.newest.items()
        if patient in must.states and _but_for_receipts(raw) != _but_for_receipts(must.states[patient])
    }
    wrong += told("patients whose final state differs", other)
    wrong += told("patients without a status", set(must.statuses) - set(found.statuses))
    wrong += told("patients whose newest status is older than one before it", found.late)
    wrong += told(
        "patients whose newest status differs",
        {
            (patient, *_differing(raw, found.statuses[patient]))
            for patient, raw in must.statuses.items()
            if found.statuses.get(patient, raw) != raw
        },
    )
    return wrong


def _but_for_receipts(raw: bytes) -> State:
    """A state without whom pages are known to have reached: when a receipt comes is no one's promise."""
    state = decode(raw)
    if state.climb is None:
        return state
    named = {
        name: tuple(dict.fromkeys(Asked(duty.service, duty.to, duty.by) for duty in getattr(state.climb, name)))
        for name in ("asked", "before")
    }
    return msgspec.structs.replace(state, climb=msgspec.structs.replace(state.climb, **named))


def _differing(must: bytes, there: bytes) -> list[str]:
    """The fields in which two messages differ, as they must be and as they are."""
    one, other = msgspec.json.decode(must), msgspec.json.decode(there)
    return [f"{name}: {one.get(name)} is {other.get(name)}" for name in one | other if one.get(name) != other.get(name)]


def unheard(taken: Mapping[UUID, Submission | Correction], found: Observed) -> list[str]:
    """What was answered 202 and is not on the topic, or not as it was sent."""
    codec, there = Codec[Any](SUBMISSIONS.message), {}
    for record in found.records[SUBMISSIONS.name]:
        try:
            message = codec.decode(record.value)
        except ValueError:
            continue  # poison of ours
        there.setdefault(id_of(message), message)
    wrong = told("answered 202 and not on the topic", set(taken) - set(there))
    other = {one for one, message in taken.items() if one in there and _unstamped(there[one]) != _unstamped(message)}
    return wrong + told("on the topic otherwise than it was sent", other)


def _unstamped(message: Submission | Correction) -> Any:  # noqa: ANN401 - of either type
    """The message without what the gateway alone says."""
    stamp = "recorded_at" if isinstance(message, Correction) else "received_at"
    return type(message), [getattr(message, name) for name in message.__struct_fields__ if name != stamp]


def pages(
    must: Clean, found: Observed, rang: Mapping[str, Mapping[str, Any]], services: Mapping[str, Service]
) -> list[str]:
    """What is wrong with pages: whole messages, why they were asked again, and whether their receiver has them.

    `rang` is what the receivers took: page id -> the page's data.
    """
    ours = {one for one, asks in found.asks.items() if asks[0].patient != NOBODY.decode()}
    first = {one: {form(ask) for ask in found.asks[one] if ask.ask == 1} for one in ours}
    wrong = told("page requests missing", set(must.first) - ours)
    wrong += told("page requests that a clean run does not have", ours - set(must.first))
    wrong += told(
        "first page requests that differ from the clean run's",
        {one for one in ours & set(must.first) if first[one] != {form(must.first[one])}},
    )
    wrong += told(
        "pages asked again otherwise than the clean run knows them",
        {one for one in ours for ask in found.asks[one] if form(ask) not in must.forms.get(one, ())},
    )
    wrong += told(
        "pages asked again without a failed ask before",
        {
            one
            for one in ours
            for ask in found.asks[one]
            if ask.ask > 1
            and not any(receipt.ask == ask.ask - 1 and receipt.reason for receipt in found.receipts.get(one, ()))
        },
    )
    # Of a page asked ahead docs/guarantees.md promises its id, whose it is and since when; the rest may be earlier.
    wrong += told(
        "pages asked ahead that are about something else than the same page in its turn",
        {
            one
            for one, asks in found.ahead.items()
            for ask in asks
            if one in must.first
            and (ask.patient, ask.zone, ask.priority, ask.at, ask.ask)
            != (must.first[one].patient, must.first[one].zone, must.first[one].priority, must.first[one].at, 1)
        },
    )
    delivered = {one for one, receipts in found.receipts.items() if any(receipt.reason is None for receipt in receipts)}
    wrong += told("pages without a receipt of delivery", must.owed - delivered)
    wrong += told("pages told as delivered that no receiver took", {one for one in delivered if str(one) not in rang})
    wrong += told(
        "pages that a receiver took otherwise than they were asked",
        {
            one
            for one in delivered
            if str(one) in rang
            and rang[str(one)]
            not in [_told_of(ask, services) for ask in (*found.asks.get(one, ()), *found.ahead.get(one, ()))]
        },
    )
    return wrong


def _told_of(ask: PageRequest, services: Mapping[str, Service]) -> Any:  # noqa: ANN401 - JSON
    service = services[ask.service]
    return msgspec.json.decode(msgspec.json.encode(body_of(Notice((ask,), service.name, service))["data"]))


def letters(must: Clean, found: Observed, poison: Mapping[Place, Poison], *, calm: set[Place]) -> list[str]:
    """What is wrong with dead letters: each reader names what it cannot read, why, and keeps its bytes.

    Where two processes read one topic each of them writes one. `calm` was written and worked off before the first
    fault, so each did once; what came later may be named again after a kill.
    """
    wrong: list[str] = []
    by_place: dict[Place, dict[tuple[str, str], list[tuple[bytes | None, bytes]]]] = {}
    for (topic, partition, offset, reason, process), written in found.letters.items():
        by_place.setdefault((topic, partition, offset), {})[process, reason] = written
    missing, otherwise, too_many = set(), set(), set()
    for place, one in poison.items():
        readers = zip(READERS[one.topic], one.reasons, strict=True)
        named = {(process, reason.value) for process, reason in readers if reason is not None}
        there = by_place.pop(place, {})
        missing |= {(*place, *who) for who in named - set(there)}
        otherwise |= {(*place, *who) for who in set(there) - named}
        for who, written in there.items():
            if any(kept != (one.key, one.value or b"") for kept in written):
                otherwise.add((*place, *who, "bytes"))
            if place in calm and len(written) > 1:
                too_many.add((*place, *who))
    wrong += told("poison that a reader did not name", missing)
    wrong += told("poison that is another dead letter than it must be", otherwise)
    wrong += told("poison that a reader named twice though nothing was done to it", too_many)
    rest = {letter for letter in must.letters if (letter.topic, letter.partition, letter.offset) not in poison}
    others = {letter for letter in found.letters if (letter.topic, letter.partition, letter.offset) in by_place}
    wrong += told("dead letters missing", rest - others)
    wrong += told("dead letters that a clean run does not have", others - rest)
    wrong += told(
        "dead letters with other bytes than their messages",
        {letter for letter in rest & others if any(kept != must.letters[letter] for kept in found.letters[letter])},
    )
    return wrong


def told(what: str, those: Iterable[Any]) -> list[str]:
    """A line for each kind of difference that there is."""
    shown = sorted(str(one)[:160] for one in those)
    return [f"{what}: {len(shown)}, such as {', '.join(shown[:SHOWN])}"] if shown else []
