"""What an import came to, row by row where somebody must look: no patient, no id and no value stands in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from agents.encounters.encounter import Aside, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.encounters.encounter import Refused
    from agents.encounters.events import Told
    from agents.encounters.judging import Judged

SOME_REFUSED: Final = 3  # exit code
WORDS: Final = {
    Reason.NATIONAL_NUMBER: "holds what looks like a national identity number: send pseudonyms alone",
    Reason.MISSING: "says nothing there",
    Reason.INVALID: "is not of its form",
    Reason.NO_OFFSET: "a time needs its offset, as 2026-03-01T12:00:00+01:00",
    Reason.ENDS_BEFORE_IT_STARTS: "ends before it starts",
    Reason.FUTURE: "has not been yet",
    Reason.TOO_LONG_AGO: "lies before the year 2000",
    Reason.ACUTE_NOT_SAID: "does not say whether the admission was acute",
    Reason.UNKNOWN_PATIENT: "nobody of that pseudonym was ever enrolled",
    Reason.CONTRADICTED: "another row says something else of the same encounter",
    Reason.CHANGED: "was taken before and says something else now: what was taken stands",
    Reason.CANNOT_BE_TAKEN_BACK: "was taken before, and cannot be taken back",
    Reason.TOO_MANY_STAYS: "more admissions and discharges than can be kept of one patient",
}
ASIDES: Final = {
    Aside.NOT_COUNTED: "no admission and no emergency",
    Aside.PART_OF_ANOTHER: "part of another encounter",
    Aside.NOT_TAKEN_PLACE: "planned, called off or entered in error, and never taken",
    Aside.NO_ENCOUNTER: "another kind of resource",
}


class RefusedRow(Struct, frozen=True, kw_only=True):
    """A row that was refused."""

    row: int
    reason: Reason
    field: str | None = None


class Report(Struct, frozen=True, kw_only=True):
    """What an import came to.

    Attributes
    ----------
    rows
        All that were read: taken, there already, passed over and refused.
    events
        How many of each kind were told, or in a dry run would be.
    near
        Rows that were taken, within a day of which the same was told by somebody else.
    """

    source: str
    dry_run: bool
    rows: int
    taken: int
    there: int
    passed: dict[str, int]
    refused: tuple[RefusedRow, ...]
    events: dict[str, int]
    near: tuple[int, ...]

    @property
    def exit_code(self) -> int:
        """0: nothing was refused."""
        return SOME_REFUSED if self.refused else 0


def report(judged: Judged, source: str, *, dry_run: bool) -> Report:
    """Return what was decided, as a report."""
    return Report(
        source=source,
        dry_run=dry_run,
        rows=len(judged.taken) + len(judged.there) + len(judged.passed) + len(judged.refused),
        taken=len(judged.taken),
        there=len(judged.there),
        passed=dict(Counter(one.why.value for one in judged.passed)),
        refused=tuple(_row(one) for one in judged.refused),
        events=dict(Counter(_kind(event) for event in judged.events)),
        near=tuple(judged.near),
    )


def as_json(found: Report) -> str:
    """The report as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def as_lines(found: Report) -> Iterator[str]:
    """The report as lines to be read."""
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(found.events.items())) or "nothing"
    yield f"{'would tell' if found.dry_run else 'told'}: {told}"
    yield f"rows read {found.rows}, taken {found.taken}, there already {found.there}, refused {len(found.refused)}"
    for why, count in sorted(found.passed.items()):
        yield f"passed over {count}: {ASIDES[Aside(why)]}"
    for row in found.near:
        yield f"row {row} was taken, and somebody else told the same within a day of it: it may count twice"
    for one in found.refused:
        yield f"row {one.row} refused{f', {one.field}' if one.field else ''}: {WORDS[one.reason]}"


def _row(one: Refused) -> RefusedRow:
    return RefusedRow(row=one.row, reason=one.reason, field=one.field)


def _kind(event: Told) -> str:
    return str(type(event).__struct_config__.tag)
