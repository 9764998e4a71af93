"""What a time-series store promises: a point is confirmed, or refused by name, and never silently gone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

NO_TAGS: Mapping[str, str] = {}  # every point


class Point(Struct, frozen=True):
    """One row of a chart. Measurement, tags and time are what it is; a field is what it says and may be corrected.

    Attributes
    ----------
    measurement, tags, fields
        Names are lower case with digits and underscores. At least one tag and one field; no tag is empty.
        Numbers are kept as floats, and a field that once was a number never becomes text.
    at_ms
        When it was so at the bedside, never when it was stored [ms since 1970, UTC].
    apart_ns
        Tells apart what is alike otherwise and happened in the same millisecond [ns, 0 to 999,999]. It is written
        and never shown: a frame's times are whole milliseconds.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | str]
    at_ms: int
    apart_ns: int = 0

    @property
    def at_ns(self) -> int:
        """The time by which a store knows the point [ns since 1970, UTC]."""
        return self.at_ms * 1_000_000 + self.apart_ns


class Problem(StrEnum):
    """Why a store will never take a point. Closed, because it ends in logs: no text of a store or a point."""

    MISSING_TAG = "missing_tag"  # whose it is, or what, is not said
    NO_FIELD = "no_field"
    NOT_FINITE = "not_finite"
    BAD_NAME = "bad_name"
    BAD_TEXT = "bad_text"  # a tag that no line can hold: control characters, a backslash at its end
    TIME_OUT_OF_RANGE = "time_out_of_range"  # beyond what 64 bits of nanoseconds can tell
    FIELD_TYPE = "field_type"  # the field was a number before and is text now, or the reverse
    BEYOND_RETENTION = "beyond_retention"  # older than the store keeps
    TOO_LARGE = "too_large"
    REFUSED = "refused"  # the store gave a reason that we do not know


class Refused(NamedTuple):
    """A point, the very one that was given, that the store will never take, however often it is asked."""

    point: Point
    problem: Problem


class ReadFault(StrEnum):
    """Why a store could not be read."""

    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"
    FAILED = "failed"  # the store began to answer and gave up


class ReadError(Exception):
    """The store could not be read now; whoever asked decides whether to ask again."""

    def __init__(self, reason: ReadFault, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class TimeSeriesStore(Protocol):
    """A store of points. Writing is idempotent, so what is uncertain is simply written again.

    A point with the measurement, tags and time of an earlier one overwrites the fields that both have and leaves
    the others as they were: a field that must not outlive its meaning is written every time.
    """

    @property
    def reachable(self) -> bool:
        """Whether the store did what it was last asked to; False before the first time."""
        ...

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Write `points` and return, once each is confirmed or refused, the refused; of two alike the later holds.

        A store that is down, slow, full or wrongly set up is asked again for ever, ever more slowly: nothing is
        raised for it. Cancelling is safe at any moment; what was not returned as confirmed is to be written again.
        """
        ...

    async def read(
        self,
        measurement: str,
        *,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Return one row per point from `start` on and before `stop`, those alone that carry all of `tags`.

        Parameters
        ----------
        fields
            Wanted fields; none named: all. A point that has none of the wanted ones has no row.

        Returns
        -------
        pandas.DataFrame
            `time` (UTC), then tags and fields in alphabetical order, rows by time. A field that a point does not
            have is missing (NaN), and so is an empty text. Every wanted field has its column.

        Raises
        ------
        ReadError
            The store could not answer now.
        ValueError
            A name that no point can have, or an instant without a time zone.
        """
        ...

    async def scan(  # noqa: PLR0913 - one argument for each part of the question
        self,
        measurement: str,
        *,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Sequence[str] = (),
        apart: Mapping[str, str] = NO_TAGS,
    ) -> pd.DataFrame:
        """Return the same as `read`, in less time and memory of the server where the points are many thousands.

        It is for whoever goes through weeks of everybody; a patient's chart is read. In an order of time alone: points
        of one millisecond come in any.

        Parameters
        ----------
        apart
            Points of which a tag begins so are left out: of lower-case letters, digits, `-` and `_` (ValueError).
        """
        ...

    async def look_up(self, points: Sequence[Point], field: str) -> list[float | str | None]:
        """Return what the store holds in `field` of each of `points`, in the order given; None: it holds no such.

        Points are known by measurement, tags and nanosecond; what their own fields say plays no part.

        Raises
        ------
        ReadError
            The store could not answer now.
        ValueError
            A name that no field can have.
        """
        ...

    async def ping(self) -> bool:
        """Whether the store answers at all. Asked once, not for ever."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
