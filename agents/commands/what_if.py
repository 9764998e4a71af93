"""`sonevakt what-if`: the last weeks of a recording under another plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.recordings.events import RecordingError
from pipeline.backtest.what_if import Counts, WhatIf, what_if
from pipeline.pathways import by_hand
from pipeline.triage.plans import faults
from schemas.care import Plan
from schemas.codec import UNREADABLE, Codec, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agents.commands.demo import Source

_PLAN: Final = Codec[Plan](Plan)
_FILLED_IN: Final[dict[str, Any]] = {"version": 1, "valid_from_at": "2000-01-01T00:00:00Z"}


def of_recording(source: Source, plan_file: Path, *, days: int, patient: str | None) -> WhatIf:
    """Compare; raises RecordingError for a plan that cannot be used or a patient that is not there."""
    plan = _plan(plan_file)
    messages = (event.message for event in source.events)
    return what_if(messages, plan, days=days, patient=None if patient is None else source.patient(patient))


def _plan(path: Path) -> Plan:
    """The plan in a file that somebody wrote by hand, so that a field that is not known is refused."""
    raw = path.read_bytes()
    try:
        tree, wrong = by_hand.plain(raw)
    except by_hand.NotJSONError as error:
        raise RecordingError(f"{path.name}: {error.fault}") from None
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        raise RecordingError(f"{path.name}: give a plan as one JSON object") from None
    for name, value in _FILLED_IN.items():
        fields[name] = msgspec.Raw(msgspec.json.encode(value))
    try:
        plan = _PLAN.decode(msgspec.json.encode(fields))
    except UnreadableError as error:
        raise RecordingError(f"{path.name}: {error.field or 'the plan'}: {error.problem}") from None
    wrong += by_hand.unknown(tree, plan)
    if wrong:
        raise RecordingError(f"{path.name}: {'; '.join(map(str, wrong))}")
    if contradictions := faults(plan):
        raise RecordingError(f"{path.name}: {contradictions[0]} contradicts itself or cannot be followed")
    return plan


def as_json(found: WhatIf) -> str:
    """The comparison as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def as_lines(found: WhatIf) -> Iterator[str]:
    """The comparison as lines to be read: old -> new per patient-week."""
    yield f"the last {found.days} days of {len(found.patients)} patients, {found.weeks:.1f} patient-weeks; per week:"
    yield from _counts("all", found.old, found.new)
    for one in found.patients:
        if one.old != one.new or one.added or one.gone:
            yield from _counts(one.patient, one.old, one.new)
            for sign, days, by in (("+", one.added, one.added_by), ("-", one.gone, one.gone_by)):
                if days or by:
                    rules = ", ".join(f"{rule} {count}" for rule, count in by.items())
                    yield f"  {sign} {len(days)} days in yellow or red; {rules or 'no rule of its own'}"
    if found.without:
        yield f"nothing in the window: {', '.join(found.without)}"


def _counts(name: str, old: Counts, new: Counts) -> Iterator[str]:
    told = (
        f"{field.replace('_', ' ')} {getattr(old, field):.2f} -> {getattr(new, field):.2f}"
        for field in Counts.__struct_fields__
    )
    yield f"{name}: {', '.join(told)}"
