"""Dead letters in words: a list that holds nothing of their payload, and one letter whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agents.dead_letters.letters import printable
from pipeline.triage.instants import from_ms
from schemas.codec import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.dead_letters.standing import Standing

COLUMNS = ("id", "when", "process", "reason", "field", "state")


def lines(standings: Sequence[Standing]) -> Iterator[str]:
    """Give a table; one line that says so where there is none."""
    if not standings:
        yield "there is none"
        return
    rows = [COLUMNS, *(tuple(value or "-" for value in _row(one).values()) for one in standings)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()


def as_json(standings: Sequence[Standing]) -> str:
    """Return the same as one JSON array of objects, null where no field or process is known."""
    return msgspec.json.format(msgspec.json.encode([_row(one) for one in standings]), indent=2).decode()


def _row(standing: Standing) -> dict[str, str | None]:
    letter = standing.letter
    at = from_ms(letter.at_ms).isoformat(timespec="seconds")
    by = ",".join(letter.processes) or None
    return dict(zip(COLUMNS, (str(letter.id), at, by, letter.reason, letter.field, standing.state), strict=True))


def shown(standing: Standing, record: Any) -> Iterator[str]:  # noqa: ANN401 - aiokafka ships no types
    """Give everything about one letter, whose `record` holds its bytes: patient data, for a terminal alone."""
    letter, act = standing
    yield f"{letter.id}: {standing.state}"
    if act is not None:
        yield f"  {act.action.value} at {act.at.isoformat()} by {act.by}{f': {printable(act.why)}' if act.why else ''}"
    processes = " and ".join(letter.processes) or "a process that is not named"
    yield f"written {from_ms(letter.at_ms).isoformat()} by {processes}"
    for name, value in record.headers:
        yield f"{printable(name, keep='')}: {_line(value)}"
    yield f"key: {_line(record.key)}"
    value = record.value or b""
    yield f"bytes: {len(value)}"
    yield ""
    yield _body(value)


def _line(value: bytes | None) -> str:
    return "-" if value is None else printable(value.decode(errors="backslashreplace"), keep="")


def _body(value: bytes) -> str:
    """Indented where it is JSON; as it is, with what a terminal would act on written out, where it is not."""
    try:
        msgspec.json.decode(value)
        value = msgspec.json.format(value, indent=2)
    except UNREADABLE:
        pass
    return printable(value.decode(errors="backslashreplace"))
