r"""Points as InfluxDB's line protocol, written by ourselves so that nothing is dropped or guessed on the way.

The client's own `Point` writes an int as an integer, against which a later float conflicts, and leaves out a tag
that is None, which makes a measurement that belongs to no patient. Here every number is a float, and what is
missing is an error.

>>> encode(Point("reading", {"vital": "heart_rate", "patient": "p 1"}, {"value": 72, "unit": '"/min"'}, 1500))
b'reading,patient=p\\ 1,vital=heart_rate value=72.0,unit="\\"/min\\"" 1500000000'

Source: InfluxDB 2.x, "Line protocol", Special characters; and its parser, models/points.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from agents.stores.checks import check_row, check_series

if TYPE_CHECKING:
    from agents.stores.port import Point

_IN_TAG: Final = re.compile(r"([ ,=])")
_IN_TEXT: Final = re.compile(r'(["\\])')
_ESCAPED: Final = r"\\\1"


def encode(point: Point) -> bytes:
    """Return `point` as one line without its newline, time in nanoseconds, tags sorted.

    Raises
    ------
    MissingTagError
        A tag is missing or empty.
    RefusedPointError
        Anything else that InfluxDB would refuse or, worse, misread.
    """
    series = _series(point.measurement, tuple(sorted(point.tags.items())))
    check_row(point)
    fields = ",".join([f"{name}={_field(value)}" for name, value in point.fields.items()])
    return f"{series} {fields} {point.at_ns}".encode()


@lru_cache(maxsize=16_384)  # a series comes again with each of its points
def _series(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    check_series(measurement, tags)
    return ",".join((measurement, *(f"{name}={_IN_TAG.sub(_ESCAPED, text)}" for name, text in tags)))


def _field(value: float | str) -> str:
    if not isinstance(value, str):
        return repr(float(value))
    if '"' in value or "\\" in value:
        value = _IN_TEXT.sub(_ESCAPED, value)
    return f'"{value}"'
