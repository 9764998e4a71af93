"""What no store takes: a point that does not say whose it is, a number that is none, a text that breaks its line."""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Final

from agents.stores.port import Point, Problem

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BEGINNING: Final = re.compile(r"[a-z0-9_-]{1,64}")
# InfluxDB keeps `time` for itself, and its answers have columns named `result` and `table`.
_RESERVED: Final = frozenset({"time", "result", "table"})
# A line cannot hold these in a tag: a control character (a newline ends the line), a lone surrogate (not UTF-8),
# or an odd run of backslashes before what must be escaped, which would read as the escape itself.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?<!\\)(?:\\\\)*\\(?:[ ,=]|\Z)")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
EARLIEST_MS: Final = -9_223_372_036_854  # InfluxDB counts nanoseconds in 64 bits: from 1677 [ms]
LATEST_MS: Final = 9_223_372_036_854  # to 2262 [ms]
NANOSECONDS: Final = 1_000_000  # of a millisecond


class RefusedPointError(ValueError):
    """A point that no store takes; `reason` says why. Its text names a tag or field, never what stands in it."""

    def __init__(self, reason: Problem, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class MissingTagError(RefusedPointError):
    """A point without a tag, or with an empty one: a measurement that would belong to nobody."""

    def __init__(self, tag: str | None) -> None:
        what = f"tag {tag} is empty" if tag else "no tag"
        super().__init__(Problem.MISSING_TAG, f"{what}: a point must say whose it is")


@lru_cache(maxsize=1024)  # names are few and come with every point
def check_name(name: str) -> None:
    """Raise RefusedPointError unless `name` may name a measurement, tag or field."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise RefusedPointError(
            Problem.BAD_NAME, "a name is lower case letters, digits and underscores, and none of time, result, table"
        )


def check_beginning(text: str) -> None:
    """Raise ValueError unless a scan may leave out what begins with `text`: it stands in the query itself."""
    if not _BEGINNING.fullmatch(text):
        raise ValueError("what is left out begins with lower case letters, digits, hyphens and underscores")


def check(point: Point) -> None:
    """Raise RefusedPointError, or its kind MissingTagError, where no store may take `point`."""
    check_series(point.measurement, tuple(point.tags.items()))
    check_row(point)


def holdable(point: Point) -> bool:
    """Whether a store could hold `point`: what it refuses need not be looked for."""
    try:
        check(point)
    except RefusedPointError:
        return False
    return True


@lru_cache(maxsize=16_384)  # a series comes again with each of its points
def check_series(measurement: str, tags: tuple[tuple[str, str], ...]) -> None:
    """Raise RefusedPointError where no store may take points of this measurement with these tags."""
    check_name(measurement)
    if not tags:
        raise MissingTagError(None)
    for name, text in tags:
        check_name(name)
        if not text:
            raise MissingTagError(name)
        if _UNWRITABLE.search(text):
            raise RefusedPointError(Problem.BAD_TEXT, f"tag {name} holds what no line can carry")


def check_row(point: Point) -> None:
    """Raise RefusedPointError where no store may take the fields or the time of `point`."""
    if not point.fields:
        raise RefusedPointError(Problem.NO_FIELD, "a point needs a field")
    if not point.tags.keys().isdisjoint(point.fields):
        raise RefusedPointError(Problem.BAD_NAME, "a name is both a tag and a field")
    for name, value in point.fields.items():
        check_name(name)
        if isinstance(value, str):
            if not value.isascii() and _SURROGATE.search(value):
                raise RefusedPointError(Problem.BAD_TEXT, f"field {name} is not Unicode text")
        elif not _finite(value):
            raise RefusedPointError(Problem.NOT_FINITE, f"field {name} is not a finite number")
    if not EARLIEST_MS <= point.at_ms <= LATEST_MS or not 0 <= point.apart_ns < NANOSECONDS:
        raise RefusedPointError(Problem.TIME_OUT_OF_RANGE, "the time lies outside 1677 to 2262")


def _finite(value: float) -> bool:
    try:
        return isfinite(value)
    except (OverflowError, TypeError):  # an int beyond all floats; None, where a caller's types lied
        return False
