"""What is to be told of a file's encounters, beside what is known already.

A care event, once told, holds: the vocabulary has no word that takes one back or moves it, and triage takes the first
of an id and no other. So an encounter that was changed or withdrawn after it was taken is refused, and named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from agents.encounters.encounter import Aside, Encounter, Kind, Passed, Reason, Refused
from agents.encounters.events import ADMITTED, DISCHARGED, EMERGENCY, events, ids
from schemas.care import Admitted, Discharged, EmergencyContact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.encounters.encounter import Row
    from agents.encounters.events import Origin, Told
    from agents.encounters.known import Known
    from schemas.care import CareEvent

# Triage keeps admissions and discharges for good, in a state that is written at every registration and that holds 200
# care events at most; so many are 5 KiB of it. Our choice: what is needed to follow a patient must find its place.
MOST_STAYS: Final = 40
NEAR: Final = timedelta(days=1)  # our choice: two accounts of one admission lie closer together


@dataclass
class Judged:
    """What becomes of each row.

    Attributes
    ----------
    events
        To be told, by patient and time.
    taken
        Rows of which something is to be told.
    there
        Rows that are known already, or that stand in the file twice.
    near
        Rows among `taken` within a day of which the same was told by somebody else: it may be counted twice.
    """

    events: list[Told] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    there: list[int] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    near: list[int] = field(default_factory=list)


def judge(rows: Iterable[Row], origin: Origin, known: Known) -> Judged:
    """Decide about every row."""
    judged = Judged()
    told: dict[str, list[Encounter]] = defaultdict(list)
    for row in rows:
        match row:
            case Refused():
                judged.refused.append(row)
            case Passed():
                judged.passed.append(row)
            case Encounter():
                told[row.id].append(row)
    once = []
    for same in told.values():
        if len({encounter.content for encounter in same}) > 1:
            judged.refused += [Refused(encounter.row, Reason.CONTRADICTED) for encounter in same]
        else:
            once.append(same[0])
            judged.there += [encounter.row for encounter in same[1:]]
    stays = Counter(known.stays)
    for encounter in sorted(once, key=lambda encounter: (encounter.patient, encounter.start, encounter.row)):
        _decide(encounter, origin, known, stays, judged)
    judged.events.sort(key=lambda event: (event.patient, event.at))
    for rows_of in (judged.taken, judged.there, judged.near, judged.refused, judged.passed):
        rows_of.sort()
    return judged


def _decide(encounter: Encounter, origin: Origin, known: Known, stays: Counter[str], judged: Judged) -> None:
    row = encounter.row
    if encounter.patient not in known.patients:
        judged.refused.append(Refused(row, Reason.UNKNOWN_PATIENT, "patient"))
        return
    before = {kind: known.events[id_] for kind, id_ in ids(origin.source, encounter.id).items() if id_ in known.events}
    if not encounter.stands:
        if before:
            judged.refused.append(Refused(row, Reason.CANNOT_BE_TAKEN_BACK, "status"))
        else:
            judged.passed.append(Passed(row, Aside.NOT_TAKEN_PLACE))
        return
    now = events(encounter, origin)
    changed = _changed(encounter, before, now)
    if changed is not None:
        judged.refused.append(Refused(row, Reason.CHANGED, changed))
        return
    new = {kind: event for kind, event in now.items() if kind not in before}
    kept = len(new.keys() & {ADMITTED, DISCHARGED})
    if kept and stays[encounter.patient] + kept > MOST_STAYS:
        judged.refused.append(Refused(row, Reason.TOO_MANY_STAYS))
        return
    stays[encounter.patient] += kept
    judged.events += new.values()
    (judged.taken if new else judged.there).append(row)
    if any(_told_by_another(event, known) for event in new.values()):
        judged.near.append(row)


def _changed(encounter: Encounter, before: Mapping[str, CareEvent], now: Mapping[str, Told]) -> str | None:
    """What a file says of an encounter otherwise than an earlier one did; None: nothing.

    An emergency that became an admission was both.
    """
    for kind, event in before.items():
        told = now.get(kind)
        if told is None:
            if kind == EMERGENCY and encounter.kind is Kind.ADMISSION:
                continue
            return "end" if kind == DISCHARGED else "kind"
        if event.patient != told.patient:
            return "patient"
        if event.at != told.at:
            return "end" if kind == DISCHARGED else "start"
        if isinstance(event, Admitted) and isinstance(told, Admitted) and event.acute != told.acute:
            return "acute"
        if isinstance(event, EmergencyContact) and isinstance(told, EmergencyContact) and event.kind != told.kind:
            return "contact"
    return None


def _told_by_another(event: Told, known: Known) -> bool:
    if isinstance(event, Discharged):
        return False
    others = known.others.get(event.patient, ())
    return any(kind is type(event) and abs(at - event.at) <= NEAR for kind, at in others)
