"""The frames that outcomes are worked out from: what a store of points gives, and what a service says of itself.

A frame of points has `time` (an instant, UTC), the tags of its points and their fields, as `agents/storing` writes
them: texts that are not given are `none`, instants as fields are milliseconds since 1970, and -1 where there is none.
`taken` makes texts that are not given missing, and instants of such fields. Further columns do no harm.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTANT: Final = "datetime64[ms, UTC]"
DAY: Final = pd.Timedelta(days=1)
DAY_MS: Final = 86_400_000
_NONE: Final = "none"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class FrameError(ValueError):
    """A frame that lacks columns that its shape has."""


class Shape(NamedTuple):
    """What a frame must have: the names of its columns, and what stands in each.

    Attributes
    ----------
    name
        The measurement in the store, or what the frame is called here.
    instants, texts, numbers
        Columns of instants (UTC), of texts, and of numbers.
    since_1970
        Columns that hold an instant as milliseconds since 1970; -1 is none.
    some
        Those of the columns that only some kinds of rows have, so that a frame without such rows may lack them.
    """

    name: str
    instants: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    since_1970: tuple[str, ...] = ()
    some: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.instants, *self.texts, *self.numbers, *self.since_1970)


_WORDS_OF_KINDS: Final = (
    "pathway",
    "service",
    "municipality",
    "phase",
    "device",
    "equipment",
    "contact",
    "zone_change_id",
    "reason_code",
)
_NUMBERS_OF_KINDS: Final = ("acute", "reached")
CARE_EVENTS: Final = Shape(
    "care_event",
    instants=("time",),
    texts=("patient", "kind", "event_id", *_WORDS_OF_KINDS),
    numbers=_NUMBERS_OF_KINDS,
    since_1970=("recorded",),
    some=(*_WORDS_OF_KINDS, *_NUMBERS_OF_KINDS),
)
ZONE_CHANGES: Final = Shape(
    "zone_change",
    instants=("time",),
    texts=("patient", "from_zone", "to_zone", "zone_change_id", "alert_reasons"),
    numbers=("retracted",),
    some=("alert_reasons",),
)
ASSESSMENTS: Final = Shape(
    "assessment",
    instants=("time",),
    texts=("patient", "zone", "submission_id"),
    numbers=("revision", "entered_in_error"),
    since_1970=("at",),
)
ANSWERS: Final = Shape(
    "answer",
    instants=("time",),
    texts=("patient", "questionnaire", "question", "kind", "submission_id"),
    numbers=("value", "revision"),
)
READINGS: Final = Shape("reading", instants=("time",), texts=("patient", "device"), numbers=("withdrawn",))
MEASURED: Final = Shape("reading", instants=("time",), texts=("patient", "quality"), numbers=("withdrawn",))
PAGES: Final = Shape(
    "page", instants=("time",), texts=("patient", "page_id", "zone_change_id", "action"), numbers=("test",)
)
RECEIPTS: Final = Shape("page_receipt", instants=("time",), texts=("patient", "page_id", "outcome"))
STATUSES: Final = Shape("status", instants=("time",), texts=("patient",), since_1970=("due",))
TARGETS: Final = Shape("target", instants=("time",), texts=("service",), numbers=("users",))
NURSES: Final = Shape("nurses", instants=("start", "stop"), texts=("service",), numbers=("nurses",))

MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "care_event": "what staff decided and did, and what happened to a patient",
        "zone_change": "a patient came from one zone into another",
        "assessment": "the zone of one registration",
        "answer": "one answer of one registration",
        "reading": "one value of one registration",
        "page": "somebody was to be told",
        "page_receipt": "what became of one ask of a page",
        "status": "where a patient stood when it was told",
        "target": "how many users a service is to have from `time` on",
        "nurses": "how many nurses of a service follow patients at once, from `start` to `stop`",
    }
)
SHAPES: Final = (
    CARE_EVENTS,
    ZONE_CHANGES,
    ASSESSMENTS,
    ANSWERS,
    READINGS,
    MEASURED,
    PAGES,
    RECEIPTS,
    STATUSES,
    TARGETS,
    NURSES,
)


def taken(frame: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """Return the columns of `shape` alone, each of its kind; a frame without rows may lack columns.

    Raises
    ------
    FrameError
        Rows without a column that they must have.
    """
    missing = [name for name in shape.columns if name not in frame.columns and name not in shape.some]
    if missing and len(frame):
        raise FrameError(f"a frame of {shape.name} needs the columns {', '.join(missing)}")
    found: dict[str, pd.Series] = {}
    for name in shape.columns:
        column = frame[name] if name in frame.columns else pd.Series(index=frame.index, dtype="float64")
        if name in shape.instants:
            found[name] = pd.to_datetime(column, utc=True).astype(INSTANT)
        elif name in shape.since_1970:
            found[name] = from_ms(column)
        elif name in shape.numbers:
            found[name] = column.astype("float64")
        else:
            text = column.astype("str")
            found[name] = text.mask(text == _NONE)
    return pd.DataFrame(found).reset_index(drop=True)


def from_ms(column: pd.Series) -> pd.Series:
    """Milliseconds since 1970 as instants; what is below 0 or missing is none. Instants stay what they are."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.astype(INSTANT)
    numbers = column.astype("float64")
    known = numbers.where(numbers >= 0)
    return pd.to_datetime(known, unit="ms", utc=True).astype(INSTANT)


def days(durations: pd.Series) -> pd.Series:
    """Lengths of time in days [d]."""
    told: pd.Series = durations.dt.total_seconds() / DAY.total_seconds()
    return told


def looked_up(asked: pd.Series, told: pd.Series) -> pd.Series:
    """What `told` says of each of `asked` by its index, which names each once; missing where it says nothing."""
    found: pd.Series = told.reindex(asked.to_numpy()).set_axis(asked.index)
    return found


def ms(instants: pd.Series) -> pd.Series:
    """Instants, none of them missing, as milliseconds since 1970."""
    told: pd.Series = instants.astype(INSTANT).astype("int64")
    return told


def instant(at: object) -> pd.Timestamp:
    """An instant in UTC.

    Raises
    ------
    ValueError
        It has no offset.
    """
    found = pd.Timestamp(at)  # type: ignore[arg-type] # whatever a caller has: datetime or Timestamp
    if found.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return found.tz_convert("UTC").as_unit("ms")
